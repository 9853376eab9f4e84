//! The errors in the answers of GraphQL APIs, which have the status 200 (GraphQL, section 7.1).

use crate::document::{Node, View};
use crate::spec::GraphqlErrors;
use crate::{Error, Result};

/// Looks for errors in an answer. Returns what they say where its data may be used all the same; fails where not.
pub fn check_graphql(errors: GraphqlErrors, root: Node<'_>) -> Result<Option<String>> {
    let Some(told) = root.get("errors").and_then(told) else { return Ok(None) };
    let has_data = root.get("data").is_some_and(|data| !data.is_null());
    match errors {
        GraphqlErrors::Warn if has_data => Ok(Some(format!("the answer has errors, and its data is used: {told}"))),
        GraphqlErrors::Warn => Err(Error::api(format!("the answer has no data: {told}"))),
        GraphqlErrors::Fail if has_data => {
            Err(Error::api(format!("the answer has errors: {told}; 'partial: warn' in 'graphql' uses its data")))
        }
        GraphqlErrors::Fail => Err(Error::api(format!("the answer has errors: {told}"))),
    }
}

/// Returns the first of the errors, with its path, and how many others there are.
fn told(errors: Node<'_>) -> Option<String> {
    let View::Array(mut errors) = errors.view() else { return None };
    let n_others = errors.len().checked_sub(1)?;
    let first = errors.next()?;
    let message = match first.get("message").map(|message| message.view()) {
        Some(View::Text(message)) => message.to_string(),
        _ => first.to_json(),
    };
    let path = match first.get("path").map(|path| path.view()) {
        Some(View::Array(parts)) => parts.map(part).collect::<Vec<_>>().join("."),
        _ => String::new(),
    };
    let place = if path.is_empty() { String::new() } else { format!(" (at {path})") };
    let others = if n_others == 0 { String::new() } else { format!(", and {n_others} more") };
    Some(format!("{message}{place}{others}"))
}

fn part(node: Node<'_>) -> String {
    match node.view() {
        View::Text(text) => text.to_string(),
        _ => node.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;

    #[test]
    fn errors_are_told_with_message_and_path() {
        let check = |errors: GraphqlErrors, body: &str, expected: std::result::Result<Option<&str>, &str>| {
            let mut bytes = body.as_bytes().to_vec();
            let found = check_graphql(errors, parse(&mut bytes).unwrap().root());
            let found = found.as_ref().map(Option::as_deref).map_err(|err| err.message());
            assert_eq!(found, expected, "{body}");
        };
        let (fail, warn) = (GraphqlErrors::Fail, GraphqlErrors::Warn);
        check(fail, r#"{"data": {"a": 1}}"#, Ok(None));
        check(fail, r#"{"data": {"a": 1}, "errors": []}"#, Ok(None));
        let partial = r#"{"data": {"a": 1}, "errors": [{"message": "no price", "path": ["a", 3, "price"]}, {"message": "x"}]}"#;
        check(fail, partial, Err("the answer has errors: no price (at a.3.price), and 1 more; 'partial: warn' in 'graphql' uses its data"));
        check(warn, partial, Ok(Some("the answer has errors, and its data is used: no price (at a.3.price), and 1 more")));
        for body in [r#"{"errors": [{"message": "denied"}]}"#, r#"{"data": null, "errors": [{"message": "denied"}]}"#] {
            check(fail, body, Err("the answer has errors: denied"));
            check(warn, body, Err("the answer has no data: denied"));
        }
        check(fail, r#"{"errors": [{"code": 7}]}"#, Err(r#"the answer has errors: {"code":7}"#));
    }
}
