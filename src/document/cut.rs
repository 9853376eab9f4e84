//! Cuts a body that arrives in pieces into parts that end with a record, so that it never stands in memory as a whole.

use super::fault::Fault;
use super::format::{BodyStyle, Format, Header, Label};
use super::unpack::is_packed;

/// A part is handed on when it has so many bytes.
const PART: usize = 4 << 20;
/// A part whose fields are short takes many times its bytes, and may take no more than four times the most of one record.
const PARTS_OF_MOST: usize = 16;
/// The most lines and names before the first record.
const MOST_HEAD: usize = 1 << 20;
/// The longest beginning that tells a file.
const LONGEST_MARK: usize = 4;
/// What may stand before the first field, and is not part of it.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// How a body begins in UTF-16, where a line does not end with one byte.
const UTF16: [&[u8]; 2] = [&[0xFF, 0xFE], &[0xFE, 0xFF]];

/// Some of the records of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyPart {
    /// The records, after what stands before the first record of the body.
    pub bytes: Vec<u8>,
    /// Lines of the body that are left out before them.
    pub line_base: usize,
}

/// Cuts one body.
#[derive(Debug)]
pub struct Cutter {
    part_len: usize,
    /// The most bytes of a part, which is one record where it is larger than others.
    most: usize,
    pending: Vec<u8>,
    /// Up to where `pending` was looked at.
    n_scanned: usize,
    scan: Scan,
    /// What each part begins with: the lines before the first record.
    head: Option<Vec<u8>>,
    /// Lines of the body before `pending`.
    n_lines_before: usize,
    /// Whether a part was handed on.
    has_cut: bool,
}

/// What ends a record.
#[derive(Debug)]
enum Scan {
    /// Nothing that can be seen from outside: the body is one part.
    Never,
    Lines,
    Csv(CsvScan),
}

#[derive(Debug)]
struct CsvScan {
    delimiter: u8,
    quote: Option<u8>,
    /// Lines that are skipped, and then the header.
    n_skipped: usize,
    has_header: bool,
    is_open: bool,
    may_open: bool,
    is_blank: bool,
}

impl BodyStyle {
    /// Returns what cuts a body of this style, whose parts have at most `most` bytes; `None` where the spec does not say that it is NDJSON or CSV.
    pub fn cutter(&self, content_type: Option<&str>, most: usize) -> Option<Cutter> {
        let label = Label { content_type, file: None };
        let scan = match self.format? {
            Format::Ndjson => Scan::Lines,
            Format::Csv => Scan::Csv(CsvScan {
                delimiter: self.csv.delimiter.unwrap_or_else(|| label.delimiter()),
                quote: self.csv.quote,
                n_skipped: self.csv.skip,
                has_header: self.csv.header == Header::First,
                is_open: false,
                may_open: true,
                is_blank: true,
            }),
            Format::Json | Format::Xml => return None,
        };
        let charset = self.csv.encoding.as_deref().or(label.charset()).unwrap_or("").to_ascii_lowercase();
        let scan = if charset.starts_with("utf-16") { Scan::Never } else { scan };
        let needs_head = matches!(&scan, Scan::Csv(csv) if csv.n_skipped > 0 || csv.has_header);
        Some(Cutter {
            part_len: PART.min(most / PARTS_OF_MOST).max(1),
            most,
            pending: Vec::new(),
            n_scanned: 0,
            scan,
            head: (!needs_head).then(Vec::new),
            n_lines_before: 0,
            has_cut: false,
        })
    }

    /// Returns whether the body of an answer is one that the spec lets arrive in parts.
    pub fn has_parts(&self) -> bool {
        matches!(self.format, Some(Format::Ndjson | Format::Csv))
    }
}

impl Cutter {
    /// Takes a piece of the body.
    pub fn push(&mut self, piece: &[u8], style: &BodyStyle) {
        let is_first = self.pending.len() < LONGEST_MARK && !self.has_cut;
        self.pending.extend_from_slice(piece);
        if is_first && (UTF16.iter().any(|mark| self.pending.starts_with(mark)) || (!style.is_never_packed && is_packed(&self.pending))) {
            self.scan = Scan::Never;
        }
    }

    /// Returns the next part, when enough of the body came. Where it ends depends on nothing but the body. Fails when a record is larger than a
    /// part may be.
    pub fn next_part(&mut self) -> Result<Option<BodyPart>, Fault> {
        if let Some(end) = self.end_of_part() {
            return Ok(Some(self.cut(end)));
        }
        if self.pending.len() > self.most {
            let mib = self.most >> 20;
            return Err(Fault::whole(format!("a record of the body is larger than {mib} MiB, or the body cannot be cut into records")));
        }
        Ok(None)
    }

    /// Returns the rest of the body: its last part.
    pub fn finish(mut self) -> BodyPart {
        let head = self.head.take().filter(|_| self.has_cut).unwrap_or_default();
        let line_base = self.n_lines_before.saturating_sub(n_lines(&head));
        BodyPart { bytes: [head, self.pending].concat(), line_base }
    }

    fn cut(&mut self, end: usize) -> BodyPart {
        let rest = self.pending.split_off(end);
        let records = std::mem::replace(&mut self.pending, rest);
        let n_lines_before = self.n_lines_before;
        self.n_lines_before += n_lines(&records);
        self.n_scanned = 0;
        // The first part has its head itself.
        let head = self.head.as_deref().filter(|_| self.has_cut).unwrap_or_default();
        let line_base = n_lines_before.saturating_sub(n_lines(head));
        let bytes = if head.is_empty() { records } else { [head, &records].concat() };
        self.has_cut = true;
        BodyPart { bytes, line_base }
    }

    /// Returns the first end of a record that makes a part long enough, if that came.
    fn end_of_part(&mut self) -> Option<usize> {
        match &mut self.scan {
            Scan::Never => None,
            Scan::Lines => {
                let start = self.n_scanned.max(self.part_len - 1).min(self.pending.len());
                let end = memchr::memchr(b'\n', &self.pending[start..]).map(|place| start + place + 1);
                self.n_scanned = self.pending.len();
                end
            }
            Scan::Csv(csv) => {
                let mut start = self.n_scanned;
                if start == 0 && !self.has_cut {
                    if self.pending.len() < BYTE_ORDER_MARK.len() {
                        return None;
                    }
                    start = if self.pending.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
                }
                for idx in start..self.pending.len() {
                    let (byte, next) = (self.pending[idx], self.pending.get(idx + 1).copied());
                    if matches!(byte, b'\r' | b'\n') && next.is_none() {
                        self.n_scanned = idx;
                        return None;
                    }
                    let Some(is_filled) = csv.ends_record(byte, next) else { continue };
                    match &self.head {
                        // Blank lines, which are values where there is one column, stay with the record before them.
                        Some(_) if idx + 1 >= self.part_len && !matches!(next, Some(b'\r' | b'\n')) => return Some(idx + 1),
                        None if csv.is_past_head(is_filled) && idx < MOST_HEAD => self.head = Some(self.pending[..=idx].to_vec()),
                        _ => {}
                    }
                }
                self.n_scanned = self.pending.len();
                None
            }
        }
    }
}

impl CsvScan {
    /// Takes a byte, which another one follows. At the end of a record or of a blank line, returns whether there was something in it.
    #[inline]
    fn ends_record(&mut self, byte: u8, next: Option<u8>) -> Option<bool> {
        let is_quote = Some(byte) == self.quote && self.n_skipped == 0;
        if self.is_open {
            self.is_open = !is_quote;
            // A second quote opens it again.
            self.may_open = is_quote;
            return None;
        }
        if is_quote && self.may_open {
            (self.is_open, self.is_blank) = (true, false);
            return None;
        }
        // Lines and records end with a carriage return, too, even one alone.
        let is_end = byte == b'\n' || (byte == b'\r' && next != Some(b'\n'));
        self.may_open = is_end || byte == b'\r' || byte == self.delimiter;
        if is_end {
            return Some(!std::mem::replace(&mut self.is_blank, true));
        }
        self.is_blank &= byte == b'\r';
        None
    }

    /// Returns whether the head ends with this line: all lines that are skipped, and the header if there is one.
    fn is_past_head(&mut self, is_filled: bool) -> bool {
        if self.n_skipped > 0 {
            self.n_skipped -= 1;
            return self.n_skipped == 0 && !self.has_header;
        }
        is_filled
    }
}

fn n_lines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

#[cfg(test)]
mod tests {
    use super::super::format::CsvStyle;
    use super::*;
    use crate::document::{BodyWeight, Node, Parser, View};
    use proptest::prelude::*;

    const MOST: u64 = 64 << 20;

    fn style_of(format: Format, csv: CsvStyle) -> BodyStyle {
        BodyStyle { format: Some(format), csv, ..BodyStyle::default() }
    }

    /// Returns the parts of a body that comes in pieces of `piece_len` bytes.
    fn parts_of(style: &BodyStyle, body: &[u8], piece_len: usize, part_len: usize) -> Vec<BodyPart> {
        let mut cutter = style.cutter(None, 1 << 20).unwrap();
        cutter.part_len = part_len;
        let mut parts = Vec::new();
        for piece in body.chunks(piece_len) {
            cutter.push(piece, style);
            while let Some(part) = cutter.next_part().unwrap() {
                parts.push(part);
            }
        }
        parts.push(cutter.finish());
        parts
    }

    fn records_of(style: &BodyStyle, bytes: &[u8]) -> Result<Vec<String>, Fault> {
        let body = style.open(bytes.to_vec(), None, MOST)?;
        let weight = BodyWeight::AtMost(0).of_opened(&body, MOST);
        let list = |root: Node<'_>| match root.view() {
            View::Array(records) => records.map(|record| record.to_json()).collect(),
            _ => vec![root.to_json()],
        };
        Parser::default().read_body(&body, weight, MOST, list)
    }

    #[test]
    fn each_part_has_the_names_and_counts_its_lines() {
        let style = style_of(Format::Csv, CsvStyle { skip: 1, ..CsvStyle::default() });
        let parts = parts_of(&style, b"report \"x\n\na,b\n1,\"x\ny\"\n2,z\n3,\n", 1, 4);
        let texts: Vec<(&str, usize)> = parts.iter().map(|part| (std::str::from_utf8(&part.bytes).unwrap(), part.line_base)).collect();
        let head = "report \"x\n\na,b\n";
        let expected = [(format!("{head}1,\"x\ny\"\n"), 0), (format!("{head}2,z\n"), 2), (format!("{head}3,\n"), 3)];
        assert_eq!(texts, expected.iter().map(|(text, base)| (text.as_str(), *base)).collect::<Vec<_>>());
    }

    #[test]
    fn what_cannot_be_cut_is_one_part() {
        let style = style_of(Format::Ndjson, CsvStyle::default());
        for body in [&b"\x1f\x8b\x08\n\n\n\n\n\n"[..], b"PK\x03\x04\n\n\n\n", b"\xFF\xFE1\0\n\x002\0\n\0"] {
            assert_eq!(parts_of(&style, body, 8, 2).len(), 1, "{body:?}");
        }
        let utf16 = style_of(Format::Csv, CsvStyle { encoding: Some("UTF-16LE".into()), ..CsvStyle::default() });
        assert_eq!(parts_of(&utf16, b"a\0\n\x001\0\n\0", 1, 1).len(), 1);
        assert!(style_of(Format::Json, CsvStyle::default()).cutter(None, 1).is_none() && BodyStyle::default().cutter(None, 1).is_none());
        let mut cutter = style.cutter(None, 10).unwrap();
        cutter.push(b"{\"a\": \"long\"", &style);
        let err = cutter.next_part().unwrap_err();
        assert!(err.to_string().contains("a record of the body is larger than"), "{err}");
    }

    #[test]
    fn a_fault_counts_the_lines_of_the_body() {
        let style = style_of(Format::Csv, CsvStyle::default());
        let part = parts_of(&style, b"a,b\n1,2\n3,4\n5\n", 1, 4).remove(2);
        let body = style.open_part(part.bytes, None, MOST, part.line_base).unwrap();
        let weight = BodyWeight::AtMost(0).of_opened(&body, MOST);
        let fault = Parser::default().read_body(&body, weight, MOST, |_| ()).unwrap_err();
        assert!(fault.to_string().contains("the record at line 4 has 1 fields"), "{fault}");
        let style = style_of(Format::Ndjson, CsvStyle::default());
        let part = parts_of(&style, b"1\n\n2\n{\n", 1, 2).remove(2);
        let body = style.open_part(part.bytes, None, MOST, part.line_base).unwrap();
        let weight = BodyWeight::AtMost(0).of_opened(&body, MOST);
        let fault = Parser::default().read_body(&body, weight, MOST, |_| ()).unwrap_err();
        assert!(fault.to_string().contains("at line 4"), "{fault}");
    }

    fn field() -> impl Strategy<Value = String> {
        "[a-b,;\"\n\r ]{0,5}"
    }

    proptest! {
        /// The law of parts: wherever a body is cut, its records are the same, each once.
        #[test]
        fn parts_have_the_records_of_the_whole(
            records in (1..3_usize).prop_flat_map(|n_fields| prop::collection::vec(prop::collection::vec(field(), n_fields), 0..12)),
            (piece_len, part_len) in (1..9_usize, 1..40_usize),
            (skip, header) in (0..3_usize, any::<bool>()),
            (mark, ends) in ("\u{feff}?", prop::collection::vec("\n|\r\n|\n\n|\r", 13)),
        ) {
            let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
            let line = |(record, end): (&Vec<String>, &String)| format!("{}{end}", record.iter().map(quoted).collect::<Vec<_>>().join(","));
            let skipped = format!("report, \"as of{}", ends[12].replace("\n\n", "\n")).repeat(skip);
            let is_one = records.first().is_none_or(|record| record.len() == 1);
            let names = match (header, is_one) {
                (true, true) => format!("\"x\ny\"{}", ends[12]),
                (true, false) => format!("\"x\ny\",z{}", ends[12]),
                (false, _) => String::new(),
            };
            let body = format!("{mark}{skipped}{names}{}", records.iter().zip(&ends).map(line).collect::<String>());
            let header = if header { Header::First } else { Header::Absent };
            let style = style_of(Format::Csv, CsvStyle { skip, header, ..CsvStyle::default() });
            let whole = records_of(&style, body.as_bytes()).unwrap();
            // In one column a blank line is a value.
            let lines = ends[..records.len()].iter().chain(ends[12..].iter().filter(|_| !names.is_empty()));
            let n_blank = lines.filter(|end| is_one && *end == "\n\n").count();
            prop_assert_eq!(whole.len(), records.len() + n_blank);
            let parts = parts_of(&style, body.as_bytes(), piece_len, part_len);
            let found: Vec<String> = parts.iter().flat_map(|part| records_of(&style, &part.bytes).unwrap()).collect();
            prop_assert_eq!(found, whole);
            // However the body arrives.
            prop_assert_eq!(parts_of(&style, body.as_bytes(), body.len().max(1), part_len), parts);
        }

        #[test]
        fn lines_in_parts_are_the_lines_of_the_whole(
            values in prop::collection::vec(crate::document::tests::json_value(), 0..8),
            (piece_len, part_len) in (1..20_usize, 1..60_usize),
        ) {
            let body: String = values.iter().map(|value| format!("{value}\n")).collect();
            let style = style_of(Format::Ndjson, CsvStyle::default());
            let parts = parts_of(&style, body.as_bytes(), piece_len, part_len);
            let found: Vec<String> = parts.iter().flat_map(|part| records_of(&style, &part.bytes).unwrap()).collect();
            prop_assert_eq!(found, records_of(&style, body.as_bytes()).unwrap());
        }
    }
}
