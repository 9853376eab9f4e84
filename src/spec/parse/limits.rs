//! Reads `retry`, `errors` and `test`.

use super::condition::keys_of_path;
use super::text::duration;
use super::throttle::{wait_sign_of, WAIT_KEYS};
use crate::spec::{ErrorCondition, ErrorRule, RetrySpec, RuleVerdict, RuleWait, TestRequest};
use crate::yaml::{Fields, Node};

/// The keys of `retry`, in the order of the reference, besides those of a wait.
pub(super) const RETRY_KEYS: &[&str] = &["attempts", "base", "max", "park", "statuses"];
/// The keys of a rule of `errors`, in the order of the reference, besides those of a wait.
pub(super) const RULE_KEYS: &[&str] = &["when", "do", "message", "wait"];

/// Reads `retry`.
pub(super) fn retry_of(spec: &Fields<'_>) -> RetrySpec {
    let default = RetrySpec::default();
    let keys: Vec<&str> = RETRY_KEYS.iter().chain(WAIT_KEYS).copied().collect();
    let Some(fields) = spec.get("retry").and_then(|node| Fields::of(node, "'retry'", &keys, spec.mistakes())) else { return default };
    RetrySpec {
        attempts: fields.count("attempts", 1).map_or(default.attempts, |count| count.min(1000) as u32),
        base: fields.number("base").unwrap_or(default.base),
        max: fields.number("max").unwrap_or(default.max),
        park: fields.number("park").unwrap_or(default.park),
        statuses: statuses_of(&fields, "statuses"),
        wait: wait_sign_of(&fields),
    }
}

pub(super) fn statuses_of(fields: &Fields<'_>, key: &str) -> Vec<u16> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    let mut statuses = Vec::new();
    for element in node.list().unwrap_or(std::slice::from_ref(node)) {
        match element.text().and_then(|text| text.parse::<u16>().ok()).filter(|status| (100..600).contains(status)) {
            Some(status) => statuses.push(status),
            None => fields.wrong(key, element, "an HTTP status from 100 to 599, or a list of them"),
        }
    }
    statuses
}

/// Adds a mistake for each rule that logs in once more where nobody logs in.
pub(super) fn check_login_rules(spec: &Fields<'_>, has_tokens: bool) {
    let rules = spec.get("errors").and_then(Node::list).unwrap_or_default();
    let logs_in = |rule: &&Node| rule.get("do").and_then(Node::text).is_some_and(|word| word.eq_ignore_ascii_case("login"));
    for rule in rules.iter().filter(logs_in).filter(|_| !has_tokens) {
        spec.mistakes().at(rule, "'do: login' in 'errors' needs an 'auth' whose credentials a server gives: SESSION, OAUTH2 or JWT");
    }
}

/// Reads `errors`.
pub(super) fn error_rules_of(spec: &Fields<'_>) -> Vec<ErrorRule> {
    let Some(node) = spec.get("errors") else { return Vec::new() };
    let Some(nodes) = node.list() else {
        spec.wrong("errors", node, "a list of rules");
        return Vec::new();
    };
    let keys: Vec<&str> = RULE_KEYS.iter().chain(WAIT_KEYS).copied().collect();
    nodes.iter().filter_map(|node| error_rule(&Fields::of(node, "the rule in 'errors'", &keys, spec.mistakes())?)).collect()
}

fn error_rule(fields: &Fields<'_>) -> Option<ErrorRule> {
    let Some(when_node) = fields.get("when") else {
        fields.mistakes().at(fields.mapping_node(), format!("{} has no 'when'", fields.place()));
        return None;
    };
    let n_mistakes = fields.mistakes().len();
    let when = condition_of(when_node, "'when'", fields)?;
    if when == ErrorCondition::default() && fields.mistakes().len() == n_mistakes {
        fields.mistakes().at(when_node, "'when' names nothing to match; expected status, body or header");
    }
    let word = fields.required_text("do")?;
    let verdicts = [
        ("retry", RuleVerdict::Retry),
        ("limit", RuleVerdict::Limit),
        ("fail", RuleVerdict::Fail),
        ("empty", RuleVerdict::Empty),
        ("skip", RuleVerdict::Skip),
        ("warn", RuleVerdict::Warn),
        ("login", RuleVerdict::Login),
        ("split", RuleVerdict::Split),
        ("end", RuleVerdict::End),
    ];
    let Some((_, verdict)) = verdicts.iter().find(|(name, _)| name.eq_ignore_ascii_case(&word)) else {
        let message = match word.as_str() {
            "refresh_token" => "'do' is 'refresh_token'; write 'do: login', which gets new credentials".to_string(),
            _ => format!("'do' is '{word}'; {}", fields.mistakes().suggestions().suggestion(&word, &verdicts.map(|(name, _)| name))),
        };
        fields.mistakes().at(fields.get("do")?, message);
        return None;
    };
    let wait = rule_wait(fields);
    if let (Some(_), false) = (&wait, matches!(verdict, RuleVerdict::Retry | RuleVerdict::Limit)) {
        fields.mistakes().at(fields.mapping_node(), format!("{} has a wait, which only 'do: retry' and 'do: limit' take", fields.place()));
    }
    let is_good = |status: &u16| (200..300).contains(status);
    if let (RuleVerdict::Warn, Some(status)) = (verdict, when.statuses.iter().find(|status| !is_good(status))) {
        let node = when_node.get("status").unwrap_or(when_node);
        let message = format!(
            "'do: warn' uses the data of an answer, and an answer with status {status} has none; expected a status from 200 to 299"
        );
        fields.mistakes().at(node, message);
    }
    Some(ErrorRule { when, verdict: *verdict, message: fields.text("message"), wait })
}

fn rule_wait(fields: &Fields<'_>) -> Option<RuleWait> {
    match (duration(fields, "wait"), wait_sign_of(fields)) {
        (Some(_), Some(_)) => {
            let message = format!("{} has 'wait', and says where answers tell it; keep one", fields.place());
            fields.mistakes().at(fields.mapping_node(), message);
            None
        }
        (Some(wait), None) => Some(RuleWait::Fixed(wait)),
        (None, sign) => sign.map(RuleWait::Told),
    }
}

/// Reads `test`.
pub(super) fn test_of(spec: &Fields<'_>) -> Option<TestRequest> {
    let fields = Fields::of(spec.get("test")?, "'test'", &["resource_path", "expect"], spec.mistakes())?;
    let path = fields.required_text("resource_path")?.trim().to_string();
    if path.contains("://") || path.contains(['{', '}']) {
        fields.wrong("resource_path", fields.get("resource_path")?, "a path below base_url without holes");
    }
    let expected = fields.get("expect").and_then(|node| condition_of(node, "'expect' of 'test'", &fields)).unwrap_or_default();
    Some(TestRequest { path, expected })
}

/// Reads what an answer must be like.
pub(super) fn condition_of(node: &Node, place: &str, within: &Fields<'_>) -> Option<ErrorCondition> {
    let fields = Fields::of(node, place, &["status", "body", "header"], within.mistakes())?;
    Some(ErrorCondition {
        statuses: statuses_of(&fields, "status"),
        body: body_expectation(&fields),
        header: expectation(&fields, "header"),
    })
}

/// Reads the path in a body, and the value expected there.
fn body_expectation(fields: &Fields<'_>) -> Option<(Vec<String>, Option<String>)> {
    let (path, value) = expectation(fields, "body")?;
    let keys = keys_of_path(&path);
    if let (None, Some(node)) = (&keys, fields.get("body")) {
        fields.wrong("body", node, "keys with dots between them; a key with a dot is written as in [\"a.b\"].c");
    }
    Some((keys?, value))
}

/// Reads a name alone (it has to be there), or a mapping of one name to the value expected.
pub(super) fn expectation(fields: &Fields<'_>, key: &str) -> Option<(String, Option<String>)> {
    let node = fields.get(key)?;
    let found = match (node.text(), node.mapping()) {
        (Some(name), _) => Some((name.to_string(), None)),
        (None, Some([(name, value)])) if value.list().is_none() && value.mapping().is_none() => {
            Some((name.name.clone(), value.text().map(str::to_string)))
        }
        _ => None,
    };
    let found = found.filter(|(name, _)| !name.is_empty());
    if found.is_none() {
        let node = if node.mapping().is_some() { node.first_nested() } else { node };
        fields.wrong(key, node, "a name, or a mapping of one name to one value");
    }
    found
}
