//! Reads `expect`, of a table or as the text of a setting.

use crate::spec::{Expect, Unique};
use crate::yaml::{parse_into, Fields, Mistakes, Node};
use crate::{Error, Result};

/// The keys of `expect`, in the order of the reference.
pub(super) const EXPECT_KEYS: &[&str] = &["min_rows", "max_drop", "not_null", "unique"];

impl Expect {
    /// Parses the text of a setting, such as `min_rows: 1, max_drop: 50%`. Fails with all that is wrong with it.
    pub fn parse(text: &str) -> Result<Expect> {
        if text.trim().is_empty() {
            return Ok(Expect::default());
        }
        let mistakes = Mistakes::new("expect");
        let text = if text.trim_start().starts_with('{') { text.to_string() } else { format!("{{{text}}}") };
        let expect = parse_into(&text, &mistakes).and_then(|node| expect_from(&node, "the expectation", &mistakes));
        mistakes.into_result()?;
        expect.ok_or_else(|| Error::internal("an expectation has no mistake and no value"))
    }
}

/// Reads a table's `expect`.
pub(super) fn expect_of(table: &Fields<'_>, key_columns: &[String]) -> Expect {
    let Some(node) = table.get("expect") else { return Expect::default() };
    let expect = expect_from(node, &format!("'expect' of {}", table.place()), table.mistakes()).unwrap_or_default();
    if expect.unique == Some(Unique::Key) && key_columns.is_empty() {
        table.mistakes().at(node, format!("'expect' of {} has 'unique: key', but the table has no key", table.place()));
    }
    expect
}

fn expect_from(node: &Node, place: &str, mistakes: &Mistakes) -> Option<Expect> {
    let fields = Fields::of(node, place, EXPECT_KEYS, mistakes)?;
    for (key, value) in node.mapping().unwrap_or_default() {
        if value.is_null() {
            mistakes.at(value, format!("'{}' of {place} has no value", key.name));
        }
    }
    let unique = fields.comma_texts("unique");
    Some(Expect {
        min_rows: fields.count("min_rows", 1),
        max_drop: max_drop_of(&fields),
        not_null: fields.comma_texts("not_null"),
        unique: match unique.as_slice() {
            [] => None,
            [word] if word == "key" => Some(Unique::Key),
            _ => Some(Unique::Columns(unique)),
        },
    })
}

fn max_drop_of(fields: &Fields<'_>) -> Option<f64> {
    let node = fields.get("max_drop")?;
    let percent = node.text().and_then(|text| text.trim().strip_suffix('%')).and_then(|number| number.trim().parse::<f64>().ok());
    let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
    if percent.is_none() {
        fields.wrong("max_drop", node, "percent from 0% to 100%, such as '50%'");
    }
    percent.map(|percent| percent / 100.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_table_mistake, table_spec};
    use super::*;

    #[test]
    fn a_table_says_what_its_rows_must_be_like() {
        let expect = |lines: &str| table_spec(lines).unwrap_or_else(|err| panic!("{err}")).unwrap().table("u").unwrap().expect.clone();
        let all = expect("key_column: id\nexpect: {min_rows: 10, max_drop: 12.5%, not_null: [a, b], unique: key}");
        let (not_null, unique) = (vec!["a".to_string(), "b".to_string()], Some(Unique::Key));
        assert_eq!(all, Expect { min_rows: Some(10), max_drop: Some(0.125), not_null, unique });
        assert_eq!(expect("expect: {unique: [a, b]}").unique, Some(Unique::Columns(vec!["a".to_string(), "b".to_string()])));
        assert_eq!(expect("nested: json"), Expect::default());
    }

    #[test]
    fn mistakes_are_told() {
        check_table_mistake("expect: {unique: key}", "'expect' of table 'u' has 'unique: key', but the table has no key");
        check_table_mistake("expect: {min_rows: 0}", "expected a whole number of 1 or more");
        check_table_mistake("expect: {max_drop: 0.5}", "expected percent from 0% to 100%, such as '50%'");
        check_table_mistake("expect: {max_drop: 101%}", "expected percent");
        check_table_mistake("expect: {min_row: 1}", "unknown key 'min_row' in 'expect' of table 'u'");
    }

    #[test]
    fn the_text_of_a_setting_says_the_same() {
        assert_eq!(Expect::parse("  ").unwrap(), Expect::default());
        let parsed = Expect::parse("min_rows: 1, max_drop: 50%").unwrap();
        assert_eq!((parsed.min_rows, parsed.max_drop), (Some(1), Some(0.5)));
        assert_eq!(Expect::parse("{unique: key}").unwrap().unique, Some(Unique::Key));
        for text in ["min_rows", "1", "min_rows: x", "{", "max_drop: 50", "min_rows: 1}"] {
            assert!(Expect::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_table_wins_over_the_setting_key_by_key() {
        let (table, setting) = (Expect::parse("min_rows: 5").unwrap(), Expect::parse("min_rows: 1, max_drop: 50%, not_null: id").unwrap());
        let both = table.or(&setting);
        assert_eq!((both.min_rows, both.max_drop, both.not_null), (Some(5), Some(0.5), vec!["id".to_string()]));
    }
}
