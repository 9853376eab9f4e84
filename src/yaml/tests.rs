use super::*;
use expect_test::{expect, Expect};
use proptest::prelude::*;

fn check_mistakes(text: &str, expected: Expect) {
    let message = match parse("a.yaml", text) {
        Ok(node) => format!("{node:?}"),
        Err(err) => err.to_string(),
    };
    expected.assert_eq(&message);
}

fn check_scalar(text: &str, expected: NodeKind) {
    let node = parse("a.yaml", text).unwrap();
    assert_eq!(node.kind, expected, "{text}");
}

#[test]
fn scalars_keep_their_type_and_writing() {
    check_scalar("1.10", NodeKind::Double(1.1));
    check_scalar("'1.10'", NodeKind::Text("1.10".into()));
    check_scalar("!!str 5", NodeKind::Text("5".into()));
    check_scalar("0x1F", NodeKind::Integer(31));
    check_scalar("-7", NodeKind::Integer(-7));
    check_scalar("1e400", NodeKind::Text("1e400".into()));
    check_scalar("2023-01-01", NodeKind::Text("2023-01-01".into()));
    check_scalar("1.2.3", NodeKind::Text("1.2.3".into()));
    check_scalar(".", NodeKind::Text(".".into()));
    check_scalar("yes", NodeKind::Text("yes".into()));
    check_scalar("True", NodeKind::Boolean(true));
    check_scalar("~", NodeKind::Null);
    check_scalar("", NodeKind::Null);
    assert_eq!(parse("a.yaml", "007").unwrap().text(), Some("007"));
}

#[test]
fn nodes_know_their_place() {
    let node = parse("a.yaml", "# comment\ntables:\n  - name: repos\n").unwrap();
    let name = node.get("tables").unwrap().list().unwrap()[0].get("name").unwrap();
    assert_eq!((name.line, name.column), (3, 11));
}

#[test]
fn syntax_mistakes_have_a_place() {
    check_mistakes("a: 1\nb: [1, 2\n", expect!["a.yaml:3:1: invalid YAML: while parsing a flow sequence, expected ',' or ']'"]);
    check_mistakes("a:\n\tb: 1\n", expect!["a.yaml:2:2: a tab indents this line; YAML is indented with spaces"]);
    check_mistakes("a: 1\n---\nb: 2\n", expect!["a.yaml:2:1: a second YAML document starts here; expected one"]);
    check_mistakes("a: &x [*x]", expect!["a.yaml:1:8: an alias stands inside the value it repeats"]);
    check_mistakes("a: *x", expect!["a.yaml:1:4: invalid YAML: while parsing node, found unknown anchor"]);
}

#[test]
fn repeated_keys_are_reported_together() {
    check_mistakes(
        "a: 1\na: 2\nb:\n  c: 1\n  c: 2\n",
        expect![[r#"
            a.yaml:2:1: key 'a' is there twice in this mapping; remove one
            a.yaml:5:3: key 'c' is there twice in this mapping; remove one"#]],
    );
}

#[test]
fn aliases_are_expanded_and_merged() {
    let node = parse("a.yaml", "base: &b {x: 1, y: 2}\nmore:\n  <<: *b\n  y: 3\nsame: *b\n").unwrap();
    assert_eq!(node.get("more").unwrap().get("x").unwrap().text(), Some("1"));
    assert_eq!(node.get("more").unwrap().get("y").unwrap().text(), Some("3"));
    assert_eq!(node.get("same").unwrap().get("y").unwrap().text(), Some("2"));
}

#[test]
fn in_quotes_the_merge_key_is_a_key_like_any_other() {
    let node = parse("a.yaml", "\"<<\":\n  x: 1\n").unwrap();
    assert_eq!(node.get("<<").unwrap().get("x").unwrap().text(), Some("1"));
}

#[test]
fn alias_bombs_and_deep_nesting_stop() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [previous.as_str(); 10].join(", ")));
    }
    assert!(parse("a.yaml", &bomb).unwrap_err().to_string().contains("more than 200000 values"));
    let deep = "[".repeat(100) + &"]".repeat(100);
    assert!(parse("a.yaml", &deep).unwrap_err().to_string().contains("levels deep"));
    let deeper = "[".repeat(5000) + &"]".repeat(5000);
    assert!(parse("a.yaml", &deeper).unwrap_err().to_string().contains("a.yaml:1:"));
    let mut nested = "a0: &a0 [x]\n".to_string();
    for level in 1..200 {
        nested.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(parse("a.yaml", &nested).unwrap_err().to_string().contains("levels deep"));
}

#[test]
fn wrong_types_and_unknown_keys_are_all_reported() {
    let mistakes = Mistakes::new("a.yaml");
    let node = parse_into("name: [1]\npagin: {}\nzzz: 1\nsize: x\nflag: 3\n", &mistakes).unwrap();
    let fields = Fields::of(&node, "table 'repos'", &["name", "paging", "size", "flag", "path"], &mistakes).unwrap();
    assert_eq!(fields.text("name"), None);
    assert_eq!(fields.count("size", 1), None);
    assert_eq!(fields.boolean("flag"), None);
    assert_eq!(fields.required_text("path"), None);
    expect![[r#"
        a.yaml:1:1: table 'repos' has no 'path'
        a.yaml:1:7: 'name' of table 'repos' is a list; expected a text
        a.yaml:2:1: unknown key 'pagin' in table 'repos'; did you mean 'paging'?
        a.yaml:3:1: unknown key 'zzz' in table 'repos'; expected one of: name, paging, size, flag, path
        a.yaml:4:7: 'size' of table 'repos' is the text 'x'; expected a whole number of 1 or more
        a.yaml:5:7: 'flag' of table 'repos' is the number 3; expected true or false"#]]
    .assert_eq(&mistakes.into_result().unwrap_err().to_string());
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,200}") {
        let _ = parse("a.yaml", &text);
    }

    #[test]
    fn parsing_never_panics_on_yaml_like_text(parts in proptest::collection::vec(
        prop_oneof![Just("- "), Just("a: "), Just("\n"), Just("  "), Just("[ "), Just("]"), Just("{"), Just("}"), Just("&a "), Just("*a "),
            Just("|\n"), Just("'"), Just("\""), Just("# "), Just("\t"), Just("!!x "), Just("---\n"), Just("? "), Just(", "), Just("<<: "), Just("é")], 0..40)) {
        let _ = parse("a.yaml", &parts.concat());
    }
}
