//! CSV as records: each an object of its fields.

use super::fault::Fault;
use super::format::{CsvStyle, Header};
use super::names::{column_name, distinct_names};
use super::scalar::scalar_of;
use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use simd_json::{Node as TapeNode, StaticNode};

/// The most fields of a record.
const MOST_FIELDS: usize = 10_000;

/// The fields of a body, without quotes, one after another.
#[derive(Debug, Default)]
pub(super) struct Fields {
    names: Vec<String>,
    text: String,
    /// Where each field ends in `text`.
    ends: Vec<usize>,
}

/// Reads the fields of a body that is UTF-8. Fails, saying where, when a record has more or fewer fields than the first, and where a quote
/// is not closed. So many lines of the answer stand before the body.
pub(super) fn fields_of(body: &[u8], style: &CsvStyle, delimiter: u8, line_base: usize) -> Result<Fields, Fault> {
    let whole = body;
    let start = whole.len() - records_of(whole, style.skip).len();
    let body = &whole[start..];
    let mut reader = reader_of(body, style, delimiter);
    let mut fields = Fields::default();
    let mut record = StringRecord::new();
    let fault = |err| fault_of(&err, whole, start, line_base);
    let mut last_start = 0;
    let mut has_header = style.header != Header::First;
    let mut n_fields = if matches!(&style.header, Header::Given(names) if names.len() == 1) { 1 } else { 0 };
    loop {
        let end_before = reader.position().byte() as usize;
        let is_record = reader.read_record(&mut record).map_err(fault)?;
        if is_record {
            last_start = record.position().map_or(last_start, |position| position.byte() as usize);
            n_fields = record.len();
        }
        if n_fields > MOST_FIELDS {
            return Err(Fault::whole(format!("a record has {n_fields} fields; expected at most {MOST_FIELDS}")));
        }
        if has_header && n_fields == 1 {
            let empty = std::iter::repeat_n(fields.text.len(), n_blank_lines(body, end_before));
            fields.ends.extend(empty);
        }
        if !is_record {
            break;
        }
        if !has_header {
            fields.names = distinct_names(record.iter());
            has_header = true;
            continue;
        }
        let before = fields.text.len();
        fields.text.push_str(record.as_slice());
        fields.ends.extend((0..record.len()).filter_map(|idx| record.range(idx)).map(|range| before + range.end));
    }
    if style.quote.is_some_and(|quote| is_open(&body[last_start.min(body.len())..], delimiter, quote)) {
        return Err(Fault::at(start + last_start, "a quote in the last record is not closed; the body may be cut off"));
    }
    match &style.header {
        Header::First => {}
        Header::Absent => fields.names = (0..n_fields).map(column_name).collect(),
        Header::Given(names) if n_fields > names.len() => {
            let n_names = names.len();
            return Err(Fault::whole(format!("records have {n_fields} fields, and 'header' in the table's spec names {n_names}")));
        }
        Header::Given(names) => fields.names = names.iter().take(n_fields).cloned().collect(),
    }
    Ok(fields)
}

/// Returns the body without a byte order mark and the lines that are skipped.
fn records_of(body: &[u8], n_skipped: usize) -> &[u8] {
    let mut rest = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    for _ in 0..n_skipped {
        rest = after_line(rest);
    }
    rest
}

/// Returns what follows a line, which ends with a line feed, a carriage return or both.
fn after_line(body: &[u8]) -> &[u8] {
    let Some(end) = memchr::memchr2(b'\r', b'\n', body) else { return &[] };
    let n_ends = if body[end..].starts_with(b"\r\n") { 2 } else { 1 };
    &body[end + n_ends..]
}

/// Returns how many blank lines follow the record that ends here, or just before a line feed: where there is one column, each is an empty value.
fn n_blank_lines(body: &[u8], end: usize) -> usize {
    let (before, rest) = body.split_at(end.min(body.len()));
    let mut rest = if before.ends_with(b"\r") { rest.strip_prefix(b"\n").unwrap_or(rest) } else { rest };
    let mut n_lines = 0;
    while let [b'\r' | b'\n', ..] = rest {
        rest = after_line(rest);
        n_lines += 1;
    }
    n_lines
}

fn reader_of<'b>(body: &'b [u8], style: &CsvStyle, delimiter: u8) -> Reader<&'b [u8]> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).delimiter(delimiter);
    match style.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    builder.from_reader(body)
}

/// Says what is wrong with a body whose records begin at `start`. Where a record begins, the reader tells before it skips the end of the one
/// before it.
fn fault_of(err: &csv::Error, body: &[u8], start: usize, line_base: usize) -> Fault {
    let place = |position: &Option<csv::Position>| {
        let told = (start + position.as_ref().map_or(0, |position| position.byte() as usize)).min(body.len());
        let n_ends = body[told..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let offset = told + n_ends;
        (offset, memchr::memchr_iter(b'\n', &body[..offset]).count() + 1 + line_base)
    };
    match err.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let (offset, line) = place(pos);
            let what = format!(
                "the record at line {line} has {len} fields, and those before it have {expected_len}; check 'csv' in the table's spec: \
                 delimiter, quote and skip"
            );
            Fault::at(offset, what)
        }
        ErrorKind::Utf8 { pos, .. } => {
            let (offset, line) = place(pos);
            Fault::at(offset, format!("the record at line {line} is not UTF-8"))
        }
        _ => Fault::whole(format!("the body is not CSV: {err}")),
    }
}

/// Returns whether a quote is open at the end of a record.
fn is_open(record: &[u8], delimiter: u8, quote: u8) -> bool {
    let mut is_open = false;
    let mut is_at_start = true;
    let mut bytes = record.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if is_open {
            if byte == quote && bytes.next_if_eq(&quote).is_none() {
                is_open = false;
            }
            continue;
        }
        is_open = is_at_start && byte == quote;
        is_at_start = byte == delimiter || byte == b'\n' || byte == b'\r';
    }
    is_open
}

impl Fields {
    /// Returns the records as the nodes of a list.
    pub(super) fn tape(&self, nulls: &[String]) -> Vec<TapeNode<'_>> {
        let width = self.names.len();
        let n_records = self.ends.len().checked_div(width).unwrap_or(0);
        let mut nodes = Vec::with_capacity(1 + n_records * (1 + 2 * width));
        nodes.push(TapeNode::Array { len: n_records, count: n_records * (1 + 2 * width) });
        let mut start = 0;
        for record in self.ends.chunks_exact(width.max(1)) {
            nodes.push(TapeNode::Object { len: width, count: 2 * width });
            for (name, &end) in self.names.iter().zip(record) {
                nodes.push(TapeNode::String(name));
                nodes.push(value_of(&self.text[start..end], nulls));
                start = end;
            }
        }
        nodes
    }
}

/// Returns what a field says: null, a boolean or a number where it is written as this program would write it, else a text.
fn value_of<'f>(field: &'f str, nulls: &[String]) -> TapeNode<'f> {
    if nulls.iter().any(|null| null == field) {
        return TapeNode::Static(StaticNode::Null);
    }
    scalar_of(field).map_or(TapeNode::String(field), TapeNode::Static)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::node::{Node, View};
    use proptest::prelude::*;

    fn read(body: &str, style: &CsvStyle) -> Result<String, Fault> {
        let fields = fields_of(body.as_bytes(), style, style.delimiter.unwrap_or(b','), 0)?;
        let tape = fields.tape(&style.nulls);
        Ok(Node::from_tape(&tape).to_json())
    }

    fn check(body: &str, expected: &str) {
        assert_eq!(read(body, &CsvStyle::default()).unwrap(), expected, "{body}");
    }

    #[test]
    fn records_are_objects_of_their_fields() {
        check("id,name\n1,a\n2,\"b, \"\"c\"\"\n d\"\r\n", r#"[{"id":1,"name":"a"},{"id":2,"name":"b, \"c\"\n d"}]"#);
        check("\u{feff}id\n1", r#"[{"id":1}]"#);
        check("a,a,\n1,2,3\n", r#"[{"a":1,"a_2":2,"column_3":3}]"#);
        check("a,b\n\n1,\n\n", r#"[{"a":1,"b":null}]"#);
        for empty in ["", "a,b", "a,b\r\n", "\n\n"] {
            check(empty, "[]");
        }
    }

    #[test]
    fn only_numbers_that_are_written_so_again_are_numbers() {
        let fields = "1,-20,0,007,1.5,1.50,+1,1e5,170141183460469231731687303715884105728,-0,1.0,.5,0.1,-0.0,1_000,true,True, 1,12345678901234567890";
        let header: Vec<String> = (0..fields.split(',').count()).map(|idx| idx.to_string()).collect();
        let read = read(&format!("{}\n{fields}", header.join(",")), &CsvStyle::default()).unwrap();
        let values: Vec<&str> = read.trim_matches(['[', '{', '}', ']']).split(',').map(|pair| pair.split_once(':').unwrap().1).collect();
        let expected = "1 -20 0 \"007\" 1.5 \"1.50\" \"+1\" \"1e5\" \"170141183460469231731687303715884105728\" \"-0\" 1.0 \".5\" 0.1 -0.0 \"1_000\" true \"True\" \" 1\" 12345678901234567890";
        assert_eq!(values.join(" "), expected);
    }

    #[test]
    fn a_style_says_how_a_body_is_written() {
        let style =
            CsvStyle { delimiter: Some(b';'), quote: Some(b'\''), skip: 2, nulls: vec!["NA".into(), "-".into()], ..CsvStyle::default() };
        assert_eq!(
            read("report\n\"\na;b;c\n'x;y';NA;-\n\"p\";;NAN\n", &style).unwrap(),
            r#"[{"a":"x;y","b":null,"c":null},{"a":"\"p\"","b":"","c":"NAN"}]"#
        );
        let style = CsvStyle { header: Header::Absent, quote: None, ..CsvStyle::default() };
        assert_eq!(read("\"a,2\n", &style).unwrap(), r#"[{"column_1":"\"a","column_2":2}]"#);
        let style = CsvStyle { header: Header::Given(vec!["x".into(), "y".into()]), ..CsvStyle::default() };
        assert_eq!(read("1,2\n", &style).unwrap(), r#"[{"x":1,"y":2}]"#);
        assert_eq!(read("1\n", &style).unwrap(), r#"[{"x":1}]"#);
        assert_eq!(read("", &style).unwrap(), "[]");
        assert!(read("1,2,3\n", &style)
            .unwrap_err()
            .to_string()
            .contains("records have 3 fields, and 'header' in the table's spec names 2"));
    }

    #[test]
    fn lines_that_are_skipped_end_as_records_do() {
        let style = CsvStyle { skip: 2, ..CsvStyle::default() };
        for body in ["x\ry\ra,b\r1,2\r", "x\r\ny\r\na,b\r\n1,2\r\n", "x\ny\na,b\n1,2\n", "\r\n\r\na,b\n1,2"] {
            assert_eq!(read(body, &style).unwrap(), r#"[{"a":1,"b":2}]"#, "{body:?}");
        }
        assert_eq!(read("x\r\ny", &style).unwrap(), "[]");
    }

    #[test]
    fn in_one_column_a_blank_line_is_an_empty_value() {
        check("name\nalice\n\nbob", r#"[{"name":"alice"},{"name":null},{"name":"bob"}]"#);
        check("\n\nn\r\n\r\n1\r\n\r\n\r\n", r#"[{"n":null},{"n":1},{"n":null},{"n":null}]"#);
        check("n\r1\r\r\"a\n\nb\"\r", r#"[{"n":1},{"n":null},{"n":"a\n\nb"}]"#);
        check("n\n\n", r#"[{"n":null}]"#);
        check("n\n", "[]");
        let absent = CsvStyle { header: Header::Absent, ..CsvStyle::default() };
        assert_eq!(read("\n1\n\n", &absent).unwrap(), r#"[{"column_1":null},{"column_1":1},{"column_1":null}]"#);
        assert_eq!(read("\n1,2\n\n", &absent).unwrap(), r#"[{"column_1":1,"column_2":2}]"#);
        let given = CsvStyle { header: Header::Given(vec!["x".into()]), nulls: vec!["NA".into()], ..CsvStyle::default() };
        assert_eq!(read("\nNA\n", &given).unwrap(), r#"[{"x":""},{"x":null}]"#);
        assert_eq!(read("\n", &given).unwrap(), r#"[{"x":""}]"#);
        assert_eq!(read("", &given).unwrap(), "[]");
        let one = CsvStyle { skip: 1, ..CsvStyle::default() };
        assert_eq!(read("x\r\nn\r\n\r\n1", &one).unwrap(), r#"[{"n":null},{"n":1}]"#);
    }

    #[test]
    fn what_is_not_csv_is_an_error_that_says_where() {
        let err = read("a,b\n1,2\n3\n4,5\n", &CsvStyle::default()).unwrap_err();
        assert!(err.to_string().starts_with("the record at line 3 has 1 fields, and those before it have 2"), "{err}");
        assert_eq!(err.offset(), Some(8));
        let err = read("a,b\n1,\"2\n3,4\n", &CsvStyle::default()).unwrap_err();
        assert!(err.to_string().contains("a quote in the last record is not closed"), "{err}");
        let err = read("a,b\r\n1,\"\r\n\"\r\n\r\n3\r\n", &CsvStyle::default()).unwrap_err();
        assert!(err.to_string().contains("at line 5 has 1 fields"), "{err}");
        let style = CsvStyle { skip: 1, ..CsvStyle::default() };
        let err = read("x\na,b\n1\n", &style).unwrap_err();
        assert!(err.to_string().contains("line 3"), "{err}");
        check("a,b\n1,x\"y\n", r#"[{"a":1,"b":"x\"y"}]"#);
    }

    fn field() -> impl Strategy<Value = String> {
        "[a-c,;\"' \n\r\u{e9}0-9.]{0,6}"
    }

    proptest! {
        /// The law of CSV: what is written is read, each record once.
        #[test]
        fn what_was_written_is_read(records in prop::collection::vec(prop::collection::vec(field(), 3), 0..8)) {
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            writer.write_record(["x", "y", "z"]).unwrap();
            records.iter().for_each(|record| writer.write_record(record).unwrap());
            let body = writer.into_inner().unwrap();
            let fields = fields_of(&body, &CsvStyle::default(), b',', 0).unwrap();
            let tape = fields.tape(&[]);
            let View::Array(found) = Node::from_tape(&tape).view() else { panic!("not a list") };
            let found: Vec<Vec<String>> =
                found.map(|record| ["x", "y", "z"].iter().map(|key| text_of(record.get(key).unwrap())).collect()).collect();
            let expected = records;
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn any_text_is_read_without_panic(body in "[a,;\"\n\r\t' ]{0,60}", skip in 0..3_usize, quote in prop::option::of(Just(b'"'))) {
            let _ = read(&body, &CsvStyle { skip, quote, ..CsvStyle::default() });
        }
    }

    fn text_of(node: Node<'_>) -> String {
        match node.view() {
            View::Text(text) => text.to_string(),
            _ => node.to_json(),
        }
    }
}
