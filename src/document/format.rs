//! What the bodies of a table are: their format, and how they are packed.

use glob::Pattern;

/// The formats of bodies that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    /// A JSON value on each line.
    Ndjson,
    Csv,
    Xml,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 4] = [Format::Json, Format::Ndjson, Format::Csv, Format::Xml];

    /// Returns the name of the format.
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
            Format::Xml => "xml",
        }
    }

    /// Returns the value of `Accept` that asks for the format.
    pub fn accept(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Ndjson => "application/x-ndjson, application/json;q=0.9, */*;q=0.1",
            Format::Csv => "text/csv, */*;q=0.1",
            Format::Xml => "application/xml, text/xml;q=0.9, */*;q=0.1",
        }
    }

    /// Returns what a media type, or the name of a file, says.
    fn of_name(name: &str) -> Option<Format> {
        let is = |words: &[&str]| words.iter().any(|word| name.ends_with(word));
        match name {
            _ if is(&["ndjson", "jsonl", "jsonlines", "json-lines", "x-json-stream"]) => Some(Format::Ndjson),
            _ if is(&["csv", "tsv", "tab-separated-values"]) => Some(Format::Csv),
            _ if is(&["xml"]) => Some(Format::Xml),
            _ if is(&["json"]) => Some(Format::Json),
            _ => None,
        }
    }
}

/// Where the names of the fields of a CSV body are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Header {
    /// In the first record.
    #[default]
    First,
    /// Nowhere: the fields are `column_1`, `column_2` and so on.
    Absent,
    /// In the spec; the body has none.
    Given(Vec<String>),
}

/// How a CSV body is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvStyle {
    /// `None`: a tab where the media type says so, else a comma.
    pub delimiter: Option<u8>,
    /// `None`: fields are not quoted.
    pub quote: Option<u8>,
    pub header: Header,
    /// Lines before the header, or before the first record.
    pub skip: usize,
    /// The name of a charset; `None`: the answer says it, UTF-8 in doubt.
    pub encoding: Option<String>,
    /// Fields of these texts are null.
    pub nulls: Vec<String>,
}

impl Default for CsvStyle {
    fn default() -> CsvStyle {
        CsvStyle { delimiter: None, quote: Some(b'"'), header: Header::First, skip: 0, encoding: None, nulls: vec![String::new()] }
    }
}

/// What the bodies of a table are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BodyStyle {
    /// `None`: as `Content-Type` says, JSON in doubt.
    pub format: Option<Format>,
    pub csv: CsvStyle,
    /// Whether a body that begins as gzip and zip do is taken as it is.
    pub is_never_packed: bool,
    /// The members of a zip that are read; `None`: the only one.
    pub files: Option<Pattern>,
}

impl BodyStyle {
    /// Returns the value of `Accept` that asks for such a body.
    pub fn accept(&self) -> &'static str {
        self.format.unwrap_or(Format::Json).accept()
    }
}

/// What is said about one body besides its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Label<'a> {
    /// The value of `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The name of the member of a zip.
    pub file: Option<&'a str>,
}

impl<'a> Label<'a> {
    /// Returns the media type in small letters, without its parameters.
    fn media_type(&self) -> String {
        let value = self.content_type.unwrap_or("");
        value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
    }

    /// Returns the charset that the `Content-Type` names.
    pub(super) fn charset(&self) -> Option<&'a str> {
        let params = self.content_type?.split(';').skip(1);
        let named = params.filter_map(|param| param.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        named.map(|(_, charset)| charset.trim().trim_matches('"'))
    }

    fn is_tab_separated(&self) -> bool {
        let file = self.file.unwrap_or("").to_ascii_lowercase();
        self.media_type() == "text/tab-separated-values" || file.ends_with(".tsv")
    }

    /// Returns the format of a body of a table that leaves it open.
    pub(super) fn format(&self, body: &[u8]) -> Format {
        let file = self.file.unwrap_or("").to_ascii_lowercase();
        let extension = file.strip_suffix(".gz").unwrap_or(&file).rsplit_once('.').map(|(_, extension)| extension);
        let said = extension.and_then(Format::of_name).or_else(|| Format::of_name(&self.media_type()));
        match said {
            // Some servers call all they send so.
            Some(Format::Xml) if first_byte(body) != Some(b'<') => Format::Json,
            said => said.unwrap_or(Format::Json),
        }
    }

    /// Returns what else a body is that should be CSV by the spec: what an API sends where something went wrong.
    pub(super) fn is_other_than_csv(&self, body: &[u8]) -> Option<&'static str> {
        let media_type = self.media_type();
        match first_byte(body)? {
            b'{' | b'[' if media_type.ends_with("json") => Some("JSON"),
            b'<' if media_type.ends_with("html") => Some("HTML"),
            b'<' if media_type.ends_with("xml") => Some("XML"),
            _ => None,
        }
    }

    /// Returns the delimiter of a CSV body of a table that leaves it open.
    pub(super) fn delimiter(&self) -> u8 {
        if self.is_tab_separated() {
            b'\t'
        } else {
            b','
        }
    }
}

/// Returns the first byte that is not a space or a byte order mark.
fn first_byte(body: &[u8]) -> Option<u8> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    body.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_decides_where_the_spec_does_not() {
        let check = |content_type: &str, body: &str, expected: Format| {
            let label = Label { content_type: Some(content_type), file: None };
            assert_eq!(label.format(body.as_bytes()), expected, "{content_type}");
        };
        check("text/csv; charset=utf-8", "a,b", Format::Csv);
        check("text/tab-separated-values", "a\tb", Format::Csv);
        check("application/x-ndjson", "{}", Format::Ndjson);
        check("Application/JSONL", "{}", Format::Ndjson);
        check("application/atom+xml", "\u{feff} <a/>", Format::Xml);
        check("text/xml", "{\"a\": 1}", Format::Json);
        check("application/vnd.api+json", "{}", Format::Json);
        for unknown in ["", "text/html", "application/octet-stream", "text/plain;charset=csv"] {
            check(unknown, "{}", Format::Json);
        }
        assert_eq!(Label::default().format(b""), Format::Json);
    }

    #[test]
    fn the_name_of_a_file_decides_before_the_media_type_of_its_archive() {
        let label = |file| Label { content_type: Some("application/json"), file: Some(file) };
        for (file, expected) in
            [("a/B.CSV", Format::Csv), ("b.tsv.gz", Format::Csv), ("c.jsonl", Format::Ndjson), ("d", Format::Json), ("e.dat", Format::Json)]
        {
            assert_eq!(label(file).format(b"<"), expected, "{file}");
        }
        assert_eq!((label("a.TSV").delimiter(), label("a.csv").delimiter()), (b'\t', b','));
    }

    #[test]
    fn charsets_are_read_from_the_content_type() {
        let charset = |content_type| Label { content_type: Some(content_type), file: None }.charset();
        assert_eq!(charset("text/csv; header=present; Charset=\"ISO-8859-1\""), Some("ISO-8859-1"));
        assert_eq!(charset("text/csv"), None);
    }
}
