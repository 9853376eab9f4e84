//! From the bytes of an answer to its document, whatever the format.

use super::charset::{declared_in_xml, in_utf8, json_in_utf8};
use super::csv::{fields_of, Fields};
use super::fault::Fault;
use super::format::{BodyStyle, CsvStyle, Format, Label};
use super::json::{parse, read_lines, Document, Lines, Parser};
use super::node::Node;
use super::unpack::{is_packed, most_unpacked, unpacked, File};
use super::weight::{Weight, COPIES};
use super::xml::{elements_of, Elements};
use simd_json::Node as TapeNode;

/// A body that can be read: unpacked, and in UTF-8 where its format has charsets.
#[derive(Debug, Clone)]
pub struct Body {
    parts: Vec<Part>,
    /// Lines of the answer before these bytes.
    line_base: usize,
    csv: CsvStyle,
}

/// A body, or a file in it.
#[derive(Debug, Clone)]
struct Part {
    file: Option<String>,
    bytes: Vec<u8>,
    format: Format,
    delimiter: u8,
}

impl BodyStyle {
    /// Weighs a body before it is opened, for a plan that allows `most` bytes.
    pub fn weigh(&self, body: &[u8], content_type: Option<&str>, most: u64) -> BodyWeight {
        if !self.is_never_packed && is_packed(body) {
            return BodyWeight::AtMost(most_unpacked(body).saturating_mul(COPIES).min(most));
        }
        let label = Label { content_type, file: None };
        let format = self.format.unwrap_or_else(|| label.format(body));
        let weight = weight_of(format, self.csv.delimiter.unwrap_or_else(|| label.delimiter()), body, most);
        match format {
            Format::Json => BodyWeight::Exact(weight),
            _ => BodyWeight::AtMost(weight.parsed_bytes()),
        }
    }

    /// Opens a body: decides about its format, unpacks it, and brings it to UTF-8. Fails when it unpacks to more than a page of `most` bytes may
    /// be, and when it is not in its charset.
    pub fn open(&self, body: Vec<u8>, content_type: Option<&str>, most: u64) -> Result<Body, Fault> {
        self.open_part(body, content_type, most, 0)
    }

    /// Opens a part of a body as [`BodyStyle::open`] does, before which so many lines of the body are left out.
    pub fn open_part(&self, body: Vec<u8>, content_type: Option<&str>, most: u64, line_base: usize) -> Result<Body, Fault> {
        let files = match !self.is_never_packed && is_packed(&body) {
            true => unpacked(body, self.files.as_ref(), most / COPIES)?,
            false => vec![File { name: None, bytes: body }],
        };
        let part_of = |file: File| self.part_of(file, content_type, line_base);
        Ok(Body { parts: files.into_iter().map(part_of).collect::<Result<_, Fault>>()?, csv: self.csv.clone(), line_base })
    }

    fn part_of(&self, file: File, content_type: Option<&str>, line_base: usize) -> Result<Part, Fault> {
        let File { name, bytes } = file;
        let label = Label { content_type, file: name.as_deref() };
        let format = self.format.unwrap_or_else(|| label.format(&bytes));
        let bytes = match format {
            Format::Json | Format::Ndjson => json_in_utf8(bytes, label.charset(), line_base),
            Format::Csv => match label.is_other_than_csv(&bytes) {
                Some(found) => Err(Fault::at(0, format!("the body is {found} where the table's spec says CSV"))),
                None => in_utf8(bytes, self.csv.encoding.as_deref().or(label.charset()), line_base),
            },
            Format::Xml => {
                let declared = label.charset().or(declared_in_xml(&bytes)).map(str::to_string);
                in_utf8(bytes, declared.as_deref(), line_base)
            }
        };
        let delimiter = self.csv.delimiter.unwrap_or_else(|| label.delimiter());
        let bytes = bytes.map_err(|fault| fault.of_file(name.as_deref()))?;
        Ok(Part { bytes, format, delimiter, file: name })
    }
}

impl Body {
    /// Returns the bytes that the place of a fault is in.
    pub fn bytes_of(&self, fault: &Fault) -> &[u8] {
        self.parts.get(fault.part()).map_or(&[], |part| part.bytes.as_slice())
    }

    fn weight(&self, most: u64) -> Weight {
        let of_part = |part: &Part| weight_of(part.format, part.delimiter, &part.bytes, most);
        self.parts.iter().map(of_part).fold(Weight::default(), Weight::and)
    }

    /// Returns the only part, when it is JSON.
    fn json(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [part] if part.format == Format::Json => Some(&part.bytes),
            _ => None,
        }
    }
}

/// What a body will take, as far as that is known before it is opened.
#[derive(Debug, Clone, Copy)]
pub enum BodyWeight {
    Exact(Weight),
    /// So many bytes, or a little more where it has to be brought to UTF-8.
    AtMost(u64),
}

impl BodyWeight {
    /// Returns how many bytes it takes while it is parsed and converted.
    pub fn n_bytes(&self) -> u64 {
        match self {
            BodyWeight::Exact(weight) => weight.parsed_bytes(),
            BodyWeight::AtMost(n_bytes) => *n_bytes,
        }
    }

    /// Returns the weight, now that the body is open.
    pub fn of_opened(self, body: &Body, most: u64) -> Weight {
        match self {
            BodyWeight::Exact(weight) => weight,
            BodyWeight::AtMost(_) => body.weight(most),
        }
    }
}

fn weight_of(format: Format, delimiter: u8, body: &[u8], most: u64) -> Weight {
    match format {
        Format::Json => Weight::of(body, most),
        Format::Ndjson => Weight::of_lines(body, most),
        Format::Csv => Weight::of_fields(body, delimiter),
        Format::Xml => Weight::of_elements(body),
    }
}

/// What the values of a part point into.
#[derive(Debug, Default)]
struct Store {
    bytes: Vec<u8>,
    fields: Fields,
    elements: Elements,
}

/// The document of a part.
enum Content<'t> {
    Json(Document<'t>),
    Lines(Lines<'t>),
    Tape(Vec<TapeNode<'t>>),
    Xml(Vec<TapeNode<'t>>),
}

impl Content<'_> {
    fn root(&self) -> Node<'_> {
        match self {
            Content::Json(document) => document.root(),
            Content::Lines(Lines::Tree(value)) => Node::from_tree(value),
            Content::Lines(Lines::Tape(nodes)) | Content::Tape(nodes) => Node::from_tape(nodes),
            Content::Xml(nodes) => Node::from_xml(nodes),
        }
    }
}

impl Parser {
    /// Reads a body of this weight and returns what `read` makes of its outermost value. Several files are a list: their values one after
    /// another, of those that are lists the elements. Fails as [`Parser::read`] does.
    pub fn read_body<T>(&mut self, body: &Body, weight: Weight, most: u64, read: impl FnOnce(Node<'_>) -> T) -> Result<T, Fault> {
        if let Some(bytes) = body.json() {
            return self.read(bytes, weight, most, read).map_err(|fault| fault.of_file(body.parts[0].file.as_deref()));
        }
        let may_build_tree = || weight.check_bytes(weight.tree_bytes(), most).map_err(Fault::whole);
        let mut stores: Vec<Store> = body.parts.iter().map(|_| Store::default()).collect();
        let mut contents = Vec::with_capacity(stores.len());
        for (idx, (part, store)) in body.parts.iter().zip(&mut stores).enumerate() {
            let content =
                content_of(part, body, store, &may_build_tree).map_err(|fault| fault.of_file(part.file.as_deref()).in_part(idx))?;
            contents.push(content);
        }
        if let [only] = contents.as_slice() {
            return Ok(read(only.root()));
        }
        let mut elements = Vec::new();
        for content in &contents {
            match content.root().view() {
                super::View::Array(own) => elements.extend(own),
                _ => elements.push(content.root()),
            }
        }
        Ok(read(Node::of_elements(&elements)))
    }
}

fn content_of<'t>(
    part: &Part,
    body: &Body,
    store: &'t mut Store,
    may_build_tree: &dyn Fn() -> Result<(), Fault>,
) -> Result<Content<'t>, Fault> {
    match part.format {
        Format::Json => {
            may_build_tree()?;
            store.bytes.extend_from_slice(&part.bytes);
            parse(&mut store.bytes).map(Content::Json)
        }
        Format::Ndjson => read_lines(&part.bytes, body.line_base, &mut store.bytes, may_build_tree).map(Content::Lines),
        Format::Csv => {
            store.fields = fields_of(&part.bytes, &body.csv, part.delimiter, body.line_base)?;
            Ok(Content::Tape(store.fields.tape(&body.csv.nulls)))
        }
        Format::Xml => {
            store.elements = elements_of(&part.bytes)?.joined();
            Ok(Content::Xml(store.elements.tape()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Pattern, View};
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    const MOST: u64 = 64 << 20;

    fn read_with<T>(style: &BodyStyle, bytes: &[u8], content_type: &str, read: impl FnOnce(Node<'_>) -> T) -> Result<T, Fault> {
        let weight = style.weigh(bytes, Some(content_type), MOST);
        let body = style.open(bytes.to_vec(), Some(content_type), MOST)?;
        let weight = weight.of_opened(&body, MOST);
        Parser::default().read_body(&body, weight, MOST, read)
    }

    fn read(style: &BodyStyle, bytes: &[u8], content_type: &str) -> Result<String, Fault> {
        read_with(style, bytes, content_type, |root| root.to_json())
    }

    fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn the_files_of_a_zip_are_one_list() {
        let style = BodyStyle { files: Some(Pattern::new("*").unwrap()), ..BodyStyle::default() };
        let body = zip_of(&[
            ("a.csv", b"id\n1\n2"),
            ("b.ndjson", b"{\"id\":3}\n{\"id\":0.1234567890123456789}"),
            ("c.json", b"[{\"id\":5}]"),
            ("d.xml", b"<id>6</id>"),
            ("e.tsv", b"id\tn\n7\tx"),
        ]);
        let expected = r#"[{"id":1},{"id":2},{"id":3},{"id":0.1234567890123456789},{"id":5},{"id":6},{"id":7,"n":"x"}]"#;
        assert_eq!(read(&style, &body, "application/zip").unwrap(), expected);
        let one = zip_of(&[("a", b"{\"id\":[1]}")]);
        assert_eq!(read(&BodyStyle::default(), &one, "").unwrap(), r#"{"id":[1]}"#);
    }

    #[test]
    fn a_fault_names_its_file_and_its_place() {
        let style = BodyStyle { files: Some(Pattern::new("*").unwrap()), ..BodyStyle::default() };
        let bytes = zip_of(&[("a.csv", b"id\n1"), ("b.csv", b"id,n\n1,2\n3")]);
        let body = style.open(bytes, None, MOST).unwrap();
        let weight = BodyWeight::AtMost(0).of_opened(&body, MOST);
        let fault = Parser::default().read_body(&body, weight, MOST, |_| ()).unwrap_err();
        assert!(fault.to_string().starts_with("file 'b.csv' of the zip: the record at line 3 has 1 fields"), "{fault}");
        assert_eq!((body.bytes_of(&fault), fault.offset()), (&b"id,n\n1,2\n3"[..], Some(9)));
        let style = BodyStyle { format: Some(Format::Csv), ..BodyStyle::default() };
        let fault = read(&style, b"{\"error\": 1}", "application/json").unwrap_err();
        assert_eq!(fault.to_string(), "the body is JSON where the table's spec says CSV");
        assert_eq!(read(&style, b"{\"error\": 1}", "text/csv").unwrap(), "[]");
    }

    #[test]
    fn bodies_are_taken_as_they_are_where_the_spec_says_so() {
        let style = BodyStyle { is_never_packed: true, ..BodyStyle::default() };
        assert!(read(&style, &zip_of(&[("a", b"1")]), "").unwrap_err().to_string().contains("not UTF-8"));
        assert_eq!(read(&BodyStyle::default(), b"<a>1</a>", "text/xml").unwrap(), r#"{"a":1}"#);
        assert_eq!(read(&BodyStyle::default(), b"a\n\xe9", "text/csv;charset=latin1").unwrap(), "[{\"a\":\"\u{e9}\"}]");
        assert_eq!(
            read(&BodyStyle::default(), b"<?xml version='1.0' encoding='latin1'?><a>\xe9</a>", "text/xml").unwrap(),
            "{\"a\":\"\u{e9}\"}"
        );
    }

    #[test]
    fn numbers_that_take_a_tree_are_weighed_as_one() {
        let style = BodyStyle { format: Some(Format::Ndjson), ..BodyStyle::default() };
        let bytes = "{\"a\":0.1234567890123456789}\n".repeat(1000);
        let body = style.open(bytes.into_bytes(), None, MOST).unwrap();
        let weight = BodyWeight::AtMost(0).of_opened(&body, MOST);
        let fault = Parser::default().read_body(&body, weight, weight.parsed_bytes(), |_| ()).unwrap_err();
        assert!(fault.to_string().contains("takes too much memory"), "{fault}");
    }

    fn n_nodes(node: Node<'_>) -> u64 {
        match node.view() {
            View::Array(elements) => 1 + elements.map(n_nodes).sum::<u64>(),
            View::Object(entries) => 1 + entries.map(|(_, node)| 1 + n_nodes(node)).sum::<u64>(),
            _ => 1,
        }
    }

    proptest! {
        /// The law of formats: the same records are the same document, and no body holds more than it weighs.
        #[test]
        fn records_are_the_same_in_every_format(records in prop::collection::vec(("[a-c]{1,3}", -5..50_i32, prop::option::of("[x-z] [x-z]")), 2..6)) {
            let value = |(a, b, c): &(String, i32, Option<String>)| serde_json::json!({"a": a, "b": b, "c": c});
            let values: Vec<serde_json::Value> = records.iter().map(value).collect();
            let text = |c: &Option<String>| c.clone().unwrap_or_default();
            let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
            let fields: String = records.iter().map(|(a, b, c)| format!("{a},{b},\"{}\"\n", text(c))).collect();
            let elements: String = records.iter().map(|(a, b, c)| format!("<r><a>{a}</a><b>{b}</b><c>{}</c></r>", text(c))).collect();
            let expected = serde_json::Value::from(values).to_string();
            let bodies = [
                (Format::Json, expected.clone()),
                (Format::Ndjson, lines),
                (Format::Csv, format!("a,b,c\n{fields}")),
                (Format::Xml, format!("<rs>{elements}</rs>")),
            ];
            for (format, bytes) in bodies {
                let style = BodyStyle { format: Some(format), ..BodyStyle::default() };
                let body = style.open(bytes.clone().into_bytes(), None, MOST).unwrap();
                let weight = body.weight(MOST);
                let (found, n_held) = Parser::default().read_body(&body, weight, MOST, |root| {
                    let records = if format == Format::Xml { root.at(&["rs".into(), "r".into()]).unwrap() } else { root };
                    (records.to_json(), n_nodes(root))
                }).unwrap();
                prop_assert_eq!(&found, &expected, "{:?}", format);
                prop_assert!(n_held <= weight.n_nodes(), "{:?}: {} of {}", format, n_held, weight.n_nodes());
            }
        }

        #[test]
        fn any_bytes_of_any_format_end(bytes in prop::collection::vec(any::<u8>(), 0..80), format in prop::option::of(0..4_usize)) {
            let style = BodyStyle { format: format.map(|idx| Format::ALL[idx]), ..BodyStyle::default() };
            let _ = read(&style, &bytes, "text/csv; charset=gbk");
        }
    }
}
