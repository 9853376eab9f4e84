//! What the records of a table's answers are: lists, or single objects. Where that changes, an object is not a row.

use crate::document::{Node, View};
use crate::{Error, ErrorKind, Result};
use std::sync::OnceLock;

/// The most keys that an error lists.
const LISTED_KEYS: usize = 8;

/// What the first records of a load were, with the names of the first record's fields.
#[derive(Debug, Clone)]
enum Shape {
    List(Vec<String>),
    Object(Vec<String>),
}

/// What the records of a load's first answer were. An API that answers with lists says with an object that something is wrong, whatever the
/// status is, or writes a list as an object whose keys are positions.
#[derive(Debug, Default)]
pub struct RecordShape {
    first: OnceLock<Shape>,
}

impl RecordShape {
    /// Fails when the records are an object where an earlier answer had a list. `is_body`: they are the whole body, where nothing else tells an
    /// error from a row. Below a path, a record may stand by itself: one that has a field in common with the others. Where the object came
    /// first, rows were made of it, and the error is of kind [`ErrorKind::MixedAnswers`].
    pub fn check(&self, records: Node<'_>, is_body: bool) -> Result<()> {
        let shape = match (records.view(), self.first.get()) {
            (View::Array(_), Some(Shape::List(_))) | (View::Object(_), Some(Shape::Object(_))) => return Ok(()),
            (View::Array(mut elements), _) => match elements.next() {
                Some(first) => Shape::List(keys_of(first)),
                None if is_body => Shape::List(Vec::new()),
                None => return Ok(()),
            },
            (View::Object(entries), _) if !entries.is_empty() => Shape::Object(keys_of(records)),
            _ => return Ok(()),
        };
        let place = if is_body { "the answer is" } else { "the records are" };
        match (self.first.get_or_init(|| shape.clone()), &shape) {
            (Shape::List(of_list), Shape::Object(keys)) if is_body || !have_common(of_list, keys) => Err(Error::data(format!(
                "{place} an object with {}, where earlier answers of this table have a list; where that means an error, write a rule under \
                 'errors'; where its keys are ids, write 'keyed_by'",
                listed(keys)
            ))),
            (Shape::Object(keys), Shape::List(of_list)) if is_body || !have_common(of_list, keys) => Err(Error::new(
                ErrorKind::MixedAnswers,
                format!(
                    "{place} a list, where an earlier answer of this table had an object with {}, which may have been an error and no row",
                    listed(keys)
                ),
            )),
            _ => Ok(()),
        }
    }
}

fn keys_of(node: Node<'_>) -> Vec<String> {
    match node.view() {
        View::Object(entries) => entries.map(|(key, _)| key.to_string()).collect(),
        _ => Vec::new(),
    }
}

fn have_common(some: &[String], others: &[String]) -> bool {
    some.iter().any(|key| others.contains(key))
}

fn listed(keys: &[String]) -> String {
    let more = if keys.len() > LISTED_KEYS { ", ..." } else { "" };
    let shown: Vec<String> = keys.iter().take(LISTED_KEYS).map(|key| format!("'{key}'")).collect();
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;

    fn outcome(is_body: bool, answers: &[&str]) -> String {
        let shape = RecordShape::default();
        let check = |text: &&str| shape.check(parse(&mut text.as_bytes().to_vec()).unwrap().root(), is_body);
        match answers.iter().try_for_each(check) {
            Ok(()) => "rows".to_string(),
            Err(err) if err.kind() == ErrorKind::MixedAnswers => format!("mixed: {}", err.message()),
            Err(err) => err.message().to_string(),
        }
    }

    #[test]
    fn an_object_among_lists_is_a_row_only_where_it_is_like_one() {
        let (list, row, error) = (r#"[{"id": 1, "name": "a"}]"#, r#"{"id": 2}"#, r#"{"ok": false, "error": "x"}"#);
        assert_eq!(outcome(true, &["[]", list, "null", "[]"]), "rows");
        assert_eq!(outcome(true, &[row, row, error]), "rows");
        assert_eq!(outcome(false, &[list, row, list, "{}"]), "rows");
        assert_eq!(outcome(false, &[row, list]), "rows");
        assert!(outcome(true, &[list, row]).starts_with("the answer is an object with 'id', where"));
        assert!(outcome(true, &["[]", error]).starts_with("the answer is an object with 'ok', 'error', where"));
        assert!(outcome(false, &[list, error]).starts_with("the records are an object with 'ok', 'error', where"));
        assert!(outcome(false, &[list, r#"{"3": {"id": 3}}"#]).contains("write 'keyed_by'"));
        assert!(outcome(true, &[error, list])
            .starts_with("mixed: the answer is a list, where an earlier answer of this table had an object with 'ok'"));
        assert!(outcome(false, &[error, list]).starts_with("mixed: the records are a list"));
    }
}
