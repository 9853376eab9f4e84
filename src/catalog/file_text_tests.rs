use super::*;
use crate::catalog::Environment;
use crate::spec::Secret;
use proptest::prelude::*;

fn definition(name: &str, options: &[(&str, &str)]) -> Definition {
    let options: Vec<(String, Secret)> = options.iter().map(|(name, text)| (name.to_string(), Secret::new(*text))).collect();
    Definition::new(name, "shop", &options).unwrap()
}

const FILE: &str = "# Connections of the team.

# The shop.
- shop:   # ours
    adapter: shop

    options: {username: me, password: $TOKEN}
    # password: old

# GitHub, read only.
-  'github':
        connector:  github
        options:
            password:   |
              a#b
              c

# The end.
";

const NEW: &str = "- new:\n    adapter: shop\n    options:\n      username: \"it's: me\"\n      password: $TOKEN\n";

fn new_definition(name: &str) -> Definition {
    definition(name, &[("username", "it's: me"), ("password", "${TOKEN}")])
}

fn put(text: &str, definition: &Definition) -> String {
    with_entry("c.yaml", text, definition).unwrap()
}

#[test]
fn a_new_entry_comes_last() {
    assert_eq!(put("", &new_definition("new")), NEW);
    assert_eq!(put("# nothing yet", &new_definition("new")), format!("# nothing yet\n{NEW}"));
    assert_eq!(put(FILE, &new_definition("new")), format!("{FILE}{NEW}"));
    assert_eq!(put("- a: {adapter: shop}", &new_definition("new")), format!("- a: {{adapter: shop}}\n{NEW}"));
    assert_eq!(put("---\n- a: {adapter: shop}\n...\n", &new_definition("new")), format!("---\n- a: {{adapter: shop}}\n{NEW}...\n"));
    assert_eq!(put("\u{feff}- a: {adapter: shop}\n", &new_definition("new")), format!("\u{feff}- a: {{adapter: shop}}\n{NEW}"));
    assert_eq!(put("- a: {adapter: shop}\n", &definition("new", &[])), "- a: {adapter: shop}\n- new:\n    adapter: shop\n");
}

#[test]
fn a_new_entry_is_written_as_the_others_are() {
    let indented = NEW.split_inclusive('\n').map(|line| format!("  {line}")).collect::<String>();
    assert_eq!(put("  - a: {adapter: shop}\n", &new_definition("new")), format!("  - a: {{adapter: shop}}\n{indented}"));
    let windows = NEW.replace('\n', "\r\n");
    assert_eq!(put("- a: {adapter: shop}\r\n", &new_definition("new")), format!("- a: {{adapter: shop}}\r\n{windows}"));
}

#[test]
fn an_entry_is_replaced_in_its_place() {
    let replaced = put(FILE, &new_definition("SHOP"));
    let (before, after) = (FILE.split("- shop").next().unwrap(), &FILE[FILE.find("\n# GitHub").unwrap()..]);
    assert_eq!(replaced, format!("{before}{}{after}", NEW.replace("new", "SHOP")));
    let replaced = put(FILE, &new_definition("github"));
    let before = &FILE[..FILE.find("-  'github'").unwrap()];
    assert_eq!(replaced, format!("{before}{}\n# The end.\n", NEW.replace("new", "github")));
}

#[test]
fn an_entry_is_removed_with_all_that_stands_in_it() {
    let removed = without_entry("c.yaml", FILE, "Shop").unwrap();
    assert_eq!(removed, FILE.replace(&FILE[FILE.find("- shop").unwrap()..FILE.find("\n# GitHub").unwrap()], ""));
    let removed = without_entry("c.yaml", FILE, "github").unwrap();
    assert!(removed.ends_with("# password: old\n\n# GitHub, read only.\n\n# The end.\n"), "{removed}");
    let all = without_entry("c.yaml", &removed, "shop").unwrap();
    assert_eq!(all, "# Connections of the team.\n\n# The shop.\n\n# GitHub, read only.\n\n# The end.\n");
    assert_eq!(without_entry("c.yaml", "-\n  a: {adapter: x}\n- b: {adapter: x}\n", "a").unwrap(), "- b: {adapter: x}\n");
    assert_eq!(without_entry("c.yaml", FILE, "absent").unwrap(), FILE);
}

#[test]
fn which_of_several_entries_goes_is_not_guessed() {
    let err = without_entry("c.yaml", "- a: {adapter: x}\n- b: {adapter: x}\n- A: {adapter: y}\n", "a").unwrap_err();
    let expected = "connections file 'c.yaml' has several entries of that name, at lines 1, 3; leave one, by hand, and try again";
    assert_eq!(err.to_string(), expected);
}

#[test]
fn what_is_not_understood_is_not_changed() {
    for text in [
        "[a: {adapter: shop}]",
        "[]",
        "- a: &x {adapter: shop}\n- b: *x\n",
        "- a: [",
        "a: {adapter: shop}",
        "- a: {adapter: shop}\n---\n- b: {adapter: shop}\n",
    ] {
        let outcome = without_entry("c.yaml", text, "a").and_then(|text| with_entry("c.yaml", &text, &new_definition("new")));
        let err = outcome.err().map(|err| err.to_string()).unwrap_or_default();
        assert!(err.contains("by hand") || err.contains("correct it first"), "{text}: {err}");
    }
}

proptest! {
    #[test]
    fn what_is_put_is_read_back(name in "\\PC{1,8}", option in "\\PC{1,8}", value in "(\\PC|\n|[$\"'#]){0,12}") {
        let source = value.replace('$', "$$");
        let Ok(definition) = Definition::new(&name, "shop", &[(option, Secret::new(source))]) else { return Ok(()) };
        let text = put(FILE, &definition);
        prop_assert!(text.starts_with(FILE) || name.eq_ignore_ascii_case("shop") || name.eq_ignore_ascii_case("github"));
        let root = root_of("c.yaml", &text).unwrap().unwrap();
        let entry = root.list().unwrap().iter().find(|node| is_named(node, &name)).unwrap();
        prop_assert!(is_entry_of(entry, &definition));
        let resolved = definition.options[0].1.resolve(&Environment::of_test(&[], None)).unwrap();
        prop_assert_eq!(resolved.expose(), value);
        if text.starts_with(FILE) {
            prop_assert_eq!(without_entry("c.yaml", &text, &name).unwrap(), FILE);
        }
    }
}
