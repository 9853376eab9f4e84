use super::*;
use proptest::prelude::*;
fn check_json(body: &str, expected: &str) {
    let mut bytes = body.as_bytes().to_vec();
    let document = parse(&mut bytes).unwrap();
    assert_eq!(document.root().to_json(), expected, "{body}");
}
