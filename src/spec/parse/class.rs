//! Reads `class`, and adds to a spec what its class decides.

use super::Node;
use crate::spec::Class;
use crate::yaml::{nearest, parse_into, Fields, Mistakes};
use std::borrow::Cow;

/// Returns the class of a spec. One that does not exist is a mistake.
pub(super) fn class_of(fields: &Fields<'_>) -> Class {
    let (Some(name), Some(node)) = (fields.text("class"), fields.get("class")) else { return Class::Rest };
    Class::named(&name).unwrap_or_else(|| {
        let keys = Class::ALL.iter().map(|class| class.key());
        let hint = nearest(&name, keys.clone()).map_or(String::new(), |near| format!(" (did you mean '{near}'?)"));
        let names = keys.collect::<Vec<_>>().join(", ");
        fields.mistakes().at(node, format!("there is no class '{name}'{hint}; the classes are {names}; leave 'class' out for a REST API"));
        Class::Rest
    })
}

/// Returns the spec with the keys that its class decides. Those that it has itself are mistakes.
pub(super) fn with_keys_of_class<'n>(root: &'n Node, mistakes: &Mistakes) -> Cow<'n, Node> {
    let class = root.get("class").and_then(Node::text).and_then(Class::named);
    let Some((class, text)) = class.and_then(|class| Some((class, class.spec_text()?))) else { return Cow::Borrowed(root) };
    for key in Class::DECIDED {
        if let Some(node) = root.get(key) {
            mistakes.at(node, format!("'{key}' is for a REST API; class '{}' makes its tables itself: leave it out", class.key()));
        }
    }
    match parse_into(text, mistakes) {
        Some(own) => Cow::Owned(root.overlaid(&own, |_, _| false)),
        None => Cow::Borrowed(root),
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::{AdapterSpec, Class};
    use expect_test::{expect, Expect};

    fn parsed(text: &str) -> crate::Result<AdapterSpec> {
        AdapterSpec::parse("a.yaml", &format!("name: a\n{text}\n")).map(|spec| spec.unwrap())
    }

    #[test]
    fn a_class_makes_the_tables() {
        let spec = parsed(
            "class: files\noptions: {path: {required: true}, table: {default: ''}, format: {default: auto}, delimiter: {default: ''}, header: \
             {default: auto}}",
        )
        .unwrap();
        assert_eq!(spec.class, Class::Files);
        assert_eq!((spec.tables.len(), spec.discover.len()), (0, 1));
        assert!(parsed("class: RestAdapter\nbase_url: https://a.test\ntables: [{name: t}]").is_ok_and(|spec| spec.class == Class::Rest));
    }

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(parsed(text).unwrap_err().message());
    }

    #[test]
    fn what_a_class_decides_is_not_written() {
        check(
            "class: files\noptions: {path: , table: , format: , delimiter: , header: }\nbase_url: https://a.test",
            expect![[r#"
                a.yaml:4:11: 'base_url' is for a REST API; class 'files' makes its tables itself: leave it out
                a.yaml:6:20: the path of table '${object.name}' has a hole 'path', an option without a value; give it 'default' or 'required: true'
                a.yaml:8:32: the path of table 'objects of ${object.name}' has a hole 'path', an option without a value; give it 'default' or 'required: true'"#]],
        );
        check(
            "class: file\nbase_url: https://a.test\ntables: [{name: t}]",
            expect!["a.yaml:2:8: there is no class 'file' (did you mean 'files'?); the classes are rest, files, postgres; leave 'class' out for a REST API"],
        );
    }
}
