//! Sources that name a position in a list.

use super::*;
use crate::spec::ScalarType;

#[test]
fn a_source_may_name_a_position_in_a_list() {
    let table_def = with(|t| {
        let columns =
            [("at", DeclaredType::Scalar(ScalarType::Double), "value.0"), ("n", DeclaredType::Scalar(ScalarType::BigInt), "value.1")];
        t.columns = columns.map(|(name, data_type, source)| column(name, Some(data_type), Some(source))).to_vec();
        t.columns.push(column("deep", None, Some("a.0.b.1.c")));
        t.only_columns = true;
    });
    check(
        &table_def,
        &[
            r#"[{"value":[1.5,"7"],"a":[{"b":[{"c":1},{"c":2},{"c":3}]}]},{"value":[2.5]},{"value":{"0":3.5}},{"value":null}]"#,
            r#"[{"value":[4.5,"8",9]}]"#,
        ],
        "at DOUBLE: 1.5 | 2.5 | 3.5 | NULL | 4.5\nn BIGINT: 7 | NULL | NULL | NULL | 8\ndeep BIGINT: 2 | NULL | NULL | NULL | NULL",
    );
    // The list itself is a column besides, as objects are.
    let table_def = with(|t| t.columns = vec![column("first", None, Some("value.0"))]);
    check(&table_def, &[r#"[{"value":[1,2]}]"#], "first BIGINT: 1\nvalue BIGINT[]: [1, 2]");
}

#[test]
fn the_rest_of_an_element_stays_in_its_list() {
    let name = column("name", None, Some("who.0.name.full"));
    let rows = r#"[{"who":[{"name":{"full":"A","short":"a"},"id":1},{"id":2}]},{"who":["B"]},{"who":[]}]"#;
    let whole = "name VARCHAR: A | NULL | NULL\n\
         who JSON: [{\"name\":{\"full\":\"A\",\"short\":\"a\"},\"id\":1},{\"id\":2}] | [\"B\"] | []";
    for nested in [Nested::Flatten, Nested::Json, Nested::Depth(1)] {
        let table_def = with(|t| (t.columns, t.nested) = (vec![name.clone()], nested));
        check(&table_def, &[rows], whole);
    }
    // An object is no list, even where its keys are numbers.
    let table_def = with(|t| t.columns = vec![name]);
    let object = r#"[{"who":{"0":{"name":{"full":"A"},"id":1}}}]"#;
    check(&table_def, &[object], "name VARCHAR: A\nwho_0_id BIGINT: 1");
}
