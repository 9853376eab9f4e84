//! Bodies in other charsets than UTF-8.

use super::fault::Fault;
use encoding_rs::{Encoding, UTF_8};

/// The longest beginning of an XML body that its declaration may take.
const MOST_DECLARATION: usize = 256;

/// Returns whether a charset of that name is known.
pub fn is_charset(name: &str) -> bool {
    Encoding::for_label(name.as_bytes()).is_some()
}

/// Returns what UTF-8 looks like to those who take it for windows-1252, as HTML says that they should where they are told ISO 8859-1.
pub fn misread(text: &str) -> String {
    encoding_rs::WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0.into_owned()
}

/// Returns the body in UTF-8. A byte order mark says the charset; else what is `declared` does, where that is known. Fails, saying where,
/// when the body is not in its charset. So many lines stand before the body.
pub(super) fn in_utf8(body: Vec<u8>, declared: Option<&str>, line_base: usize) -> Result<Vec<u8>, Fault> {
    let marked = Encoding::for_bom(&body);
    let (encoding, skip) = marked.unwrap_or_else(|| (declared.and_then(|name| Encoding::for_label(name.as_bytes())).unwrap_or(UTF_8), 0));
    if encoding == UTF_8 {
        return match std::str::from_utf8(&body) {
            Ok(_) => Ok(body),
            Err(err) => Err(not_utf8(&body, err.valid_up_to(), line_base)),
        };
    }
    match encoding.decode_without_bom_handling_and_without_replacement(&body[skip..]) {
        Some(text) => Ok(text.into_owned().into_bytes()),
        None => Err(Fault::whole(format!("the body is not {}, as it or its 'Content-Type' says", encoding.name()))),
    }
}

fn not_utf8(body: &[u8], offset: usize, line_base: usize) -> Fault {
    let line = body[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1 + line_base;
    Fault::at(offset, format!("the body is not UTF-8 at line {line}; if it has another charset, name it in the table's spec"))
}

/// Returns JSON in UTF-8, which it is unless it begins as UTF-16 does, or is not UTF-8 and its `Content-Type` names another charset.
pub(super) fn json_in_utf8(body: Vec<u8>, declared: Option<&str>, line_base: usize) -> Result<Vec<u8>, Fault> {
    let is_utf16 = body.starts_with(&[0xFF, 0xFE]) || body.starts_with(&[0xFE, 0xFF]);
    let is_other = |name: &str| Encoding::for_label(name.as_bytes()).is_some_and(|encoding| encoding != UTF_8);
    if is_utf16 || (declared.is_some_and(is_other) && std::str::from_utf8(&body).is_err()) {
        return in_utf8(body, declared, line_base);
    }
    Ok(body)
}

/// Returns the charset that the declaration of an XML body names.
pub(super) fn declared_in_xml(body: &[u8]) -> Option<&str> {
    let start = &body[..body.len().min(MOST_DECLARATION)];
    let end = start.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(&start[..end]).ok()?.strip_prefix("<?xml")?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(body: &[u8], declared: Option<&str>) -> Option<String> {
        in_utf8(body.to_vec(), declared, 0).ok().map(|body| String::from_utf8(body).unwrap())
    }

    #[test]
    fn bodies_are_read_in_the_charset_they_say() {
        assert_eq!(text(b"caf\xE9", Some("iso-8859-1")).as_deref(), Some("caf\u{e9}"));
        assert_eq!(text(b"\x80", Some("windows-1252")).as_deref(), Some("\u{20ac}"));
        assert_eq!(text(b"\xFF\xFEa\0\xE9\0", Some("utf-8")).as_deref(), Some("a\u{e9}"));
        assert_eq!(text("caf\u{e9}".as_bytes(), None).as_deref(), Some("caf\u{e9}"));
        assert_eq!(text("caf\u{e9}".as_bytes(), Some("no such charset")).as_deref(), Some("caf\u{e9}"));
    }

    #[test]
    fn bodies_in_another_charset_are_errors() {
        let err = in_utf8(b"a\nb\xE9".to_vec(), None, 0).unwrap_err();
        assert_eq!(err.offset(), Some(3));
        assert!(err.to_string().contains("not UTF-8 at line 2"), "{err}");
        assert!(in_utf8(b"\x81".to_vec(), Some("shift_jis"), 0).unwrap_err().to_string().contains("not Shift_JIS"));
    }

    #[test]
    fn json_in_utf8_stays_so_whatever_is_said() {
        let body = "\"caf\u{e9}\"".as_bytes().to_vec();
        assert_eq!(json_in_utf8(body.clone(), Some("iso-8859-1"), 0).unwrap(), body);
        assert_eq!(json_in_utf8(b"\"caf\xE9\"".to_vec(), Some("iso-8859-1"), 0).unwrap(), body);
        assert_eq!(json_in_utf8(b"\"caf\xE9\"".to_vec(), None, 0).unwrap(), b"\"caf\xE9\"");
        assert_eq!(json_in_utf8(b"\xFE\xFF\0\"\0a\0\"".to_vec(), None, 0).unwrap(), b"\"a\"");
    }

    #[test]
    fn the_declaration_of_xml_names_its_charset() {
        assert_eq!(declared_in_xml(b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>"), Some("ISO-8859-1"));
        assert_eq!(declared_in_xml(b"<?xml version='1.0' encoding = 'utf-8' standalone='yes'?>"), Some("utf-8"));
        for body in ["<a encoding=\"x\"?>", "<?xml version=\"1.0\"?>", "<?xml encoding=", ""] {
            assert_eq!(declared_in_xml(body.as_bytes()), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_text_or_an_error(body in prop::collection::vec(any::<u8>(), 0..60), declared in prop::option::of("utf-8|utf-16le|latin1|gbk|x")) {
            if let Ok(body) = in_utf8(body, declared.as_deref(), 0) {
                prop_assert!(std::str::from_utf8(&body).is_ok());
            }
        }
    }
}
