//! Numbers in columns that are exact: a decimal, a text and JSON have the digits that were sent.

use super::super::decimal::decimal_of;
use super::*;
use crate::spec::ScalarType::{BigInt, Decimal, Double, HugeInt, Varchar};
use crate::spec::{DeclaredType, ScalarType};
use proptest::prelude::*;

const EXACT: ScalarType = Decimal { width: 38, scale: 20 };

/// Returns a table whose columns are of these types.
fn declared(types: &[(&str, DeclaredType)]) -> TableDef {
    with(|table_def| table_def.columns = types.iter().map(|(name, data_type)| column(name, Some(*data_type), None)).collect())
}

/// Returns a page with a record for each number, which every one of these fields has.
fn page_of(names: &[&str], numbers: &[String]) -> String {
    let record = |number: &String| {
        let fields: Vec<String> = names.iter().map(|name| format!("\"{name}\":{number}")).collect();
        format!("{{{}}}", fields.join(","))
    };
    format!("[{}]", numbers.iter().map(record).collect::<Vec<_>>().join(","))
}

fn converted(table_def: &TableDef, page: &str) -> Result<Batch> {
    convert_with(table_def, page, &RowPlan::new(table_def).initial_schema(&[]), &[])
}

/// Returns the cell of a column of decimals in units of its scale, and of any other column the number that the cell says, in the same units.
fn units(vector: &ColumnVector, idx: usize) -> Option<i128> {
    match &vector.data {
        ColumnData::Decimal { values, .. } => Some(values[idx]),
        _ => decimal_of(&cell(vector, idx)?, 38, 20),
    }
}

/// A number of up to 20 digits with a point or an exponent.
fn number() -> impl Strategy<Value = String> {
    let decimal = ("-?", "0|[1-9][0-9]{0,17}", 1..20_usize, "[0-9]{20}");
    let decimal = decimal.prop_map(|(sign, whole, n_digits, fraction)| {
        format!("{sign}{whole}.{}", &fraction[..n_digits.min(20_usize.saturating_sub(whole.len())).max(1)])
    });
    // A third decimal that is a 5, cut to two digits: a DOUBLE in the middle between two texts.
    let half = ((1_u64 << 49)..(1_u64 << 51), any::<bool>())
        .prop_map(|(eighths, up)| (u128::from(2 * eighths + 1) * 100 / 8 + u128::from(up)).to_string())
        .prop_map(|cents| format!("{}.{}", &cents[..cents.len() - 2], &cents[cents.len() - 2..]));
    let scientific = ("-?[1-9]\\.[0-9]{1,19}", 0..17_i32).prop_map(|(mantissa, exponent)| format!("{mantissa}e{exponent}"));
    prop_oneof![3 => decimal, 1 => half, 1 => scientific]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn exact_columns_have_the_digits_that_were_sent(numbers in prop::collection::vec(number(), 1..6)) {
        let names = ["d", "v", "j", "l"];
        let types =
            [DeclaredType::Scalar(EXACT), DeclaredType::Scalar(Varchar), DeclaredType::Json, DeclaredType::List(EXACT)];
        let table_def = declared(&names.into_iter().zip(types).take(3).collect::<Vec<_>>());
        let batch = converted(&table_def, &page_of(&names[..3], &numbers)).unwrap();
        let lists: Vec<String> = numbers.iter().map(|number| format!("[{number}]")).collect();
        let of_lists = converted(&declared(&[("l", types[3])]), &page_of(&["l"], &lists)).unwrap();
        let ColumnData::List { child, .. } = &of_lists.columns[0].data else { panic!("{of_lists:?}") };
        for (idx, number) in numbers.iter().enumerate() {
            let sent = decimal_of(number, 38, 20);
            prop_assert!(sent.is_some(), "{}", number);
            for (name, vector) in names.iter().zip(batch.columns.iter().chain([&**child])) {
                prop_assert_eq!(units(vector, idx), sent, "{} in '{}'", number, name);
            }
        }
    }

    #[test]
    fn texts_that_doubles_widen_to_have_the_digits_that_were_sent(numbers in prop::collection::vec(number(), 1..5), other in 0..2_usize) {
        // A text makes the column VARCHAR, a list JSON.
        let other = ["\"total\"", "[true]"][other].to_string();
        let with_other = [numbers.clone(), vec![other.clone()]].concat();
        let whole = load(&table_def(), &[&page_of(&["x"], &with_other)]).unwrap();
        let pages = [page_of(&["x"], &numbers), page_of(&["x"], &[other])];
        for side_by_side in [false, true] {
            let in_turn = load_as_job(&table_def(), &[&pages[0], &pages[1]], side_by_side).unwrap();
            for (idx, number) in numbers.iter().enumerate() {
                prop_assert_eq!(units(&whole.columns[0], idx), decimal_of(number, 38, 20), "{}", number);
                prop_assert_eq!(cell(&in_turn.columns[0], idx), cell(&whole.columns[0], idx), "{}", number);
            }
        }
    }

    #[test]
    fn whole_numbers_with_an_exponent_or_a_point_are_exact(mantissa in "-?[1-9]", fraction in "[0-9]{0,24}", exponent in 0..38_i64, mark in "[eE]\\+?") {
        let (point, whole) = (if fraction.is_empty() { "" } else { "." }, mantissa.trim_start_matches('-').len());
        let sent = format!("{mantissa}{point}{fraction}{mark}{exponent}");
        let digits = format!("{mantissa}{fraction}");
        let n_zeros = exponent - fraction.len() as i64;
        let expected = match usize::try_from(n_zeros) {
            Ok(n_zeros) => format!("{digits}{}", "0".repeat(n_zeros)).parse::<i128>().ok(),
            Err(_) => {
                let (kept, cut) = digits.split_at(digits.len() - n_zeros.unsigned_abs() as usize);
                (cut.bytes().all(|digit| digit == b'0') && kept.len() >= whole).then(|| kept.parse().unwrap())
            }
        };
        let stored = |scalar| {
            let batch = converted(&declared(&[("x", DeclaredType::Scalar(scalar))]), &page_of(&["x"], std::slice::from_ref(&sent))).ok()?;
            cell(&batch.columns[0], 0)
        };
        prop_assert_eq!(stored(HugeInt), expected.map(|value| value.to_string()), "{}", sent);
        let small = expected.and_then(|value| i64::try_from(value).ok());
        prop_assert_eq!(stored(BigInt), small.map(|value| value.to_string()), "{}", sent);
    }

    #[test]
    fn texts_inside_json_have_the_digits_that_were_sent(numbers in prop::collection::vec(number(), 1..4)) {
        let records: Vec<String> = numbers.iter().map(|number| format!("[[{number}]]")).collect();
        let batch = load(&table_def(), &[&page_of(&["x"], &records)]).unwrap();
        for (idx, number) in numbers.iter().enumerate() {
            let written = cell(&batch.columns[0], idx).unwrap();
            let written = written.trim_matches(['[', ']']);
            prop_assert_eq!(decimal_of(written, 38, 20), decimal_of(number, 38, 20), "{}", number);
        }
    }
}

#[test]
fn numbers_that_a_double_holds_stay_doubles_however_they_are_spelled() {
    let page = "[{\"x\":52.520006600000002},{\"x\":281474976710656.13},{\"x\":0.1}]";
    check(&table_def(), &[page], "x DOUBLE: 52.5200066 | 281474976710656.1 | 0.1");
    check(&table_def(), &["[{\"x\":[52.520006600000002,0.1]}]"], "x DOUBLE[]: [52.5200066, 0.1]");
    let text = "[{\"x\":\"total\"}]";
    check(&table_def(), &[page, text], "x VARCHAR: 52.520006600000002 | 281474976710656.13 | 0.1 | total");
    let batch = converted(&declared(&[("x", DeclaredType::Scalar(Double))]), page).unwrap();
    assert!(!batch.schema.columns[0].form.is_cut());
}

#[test]
fn whole_numbers_are_read_digit_by_digit() {
    let check = |scalar, numbers: &[&str], expected: &str| {
        let numbers: Vec<String> = numbers.iter().map(|number| number.to_string()).collect();
        let batch = converted(&declared(&[("x", DeclaredType::Scalar(scalar))]), &page_of(&["x"], &numbers)).unwrap();
        assert_eq!(show(&batch).trim(), expected);
    };
    check(HugeInt, &["1e23", "1.7e38", "-0.0"], &format!("x HUGEINT: 1{} | 17{} | 0", "0".repeat(23), "0".repeat(37)));
    check(BigInt, &["1.234567890123457e18", "9.223372036854775807e18"], "x BIGINT: 1234567890123457000 | 9223372036854775807");
    let refused =
        |scalar, number: &str| converted(&declared(&[("x", DeclaredType::Scalar(scalar))]), &page_of(&["x"], &[number.into()])).is_err();
    assert!(refused(BigInt, "0.5") && refused(BigInt, "9.223372036854775808e18") && refused(HugeInt, "1.8e38"));
}
