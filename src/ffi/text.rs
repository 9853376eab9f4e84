//! Texts that cross to DuckDB and the bridge: names, messages and exceptions.

use crate::{Error, ErrorKind, Result};
use std::ffi::{c_char, CStr, CString};
use std::fmt::Write as _;

/// Text lent by the bridge for the length of a call, or given to it until `unify_answer_free`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    data: *const c_char,
    size: usize,
}

impl Text {
    /// Returns the text; what is not UTF-8 counts as empty, since no name or statement of ours is.
    ///
    /// # Safety
    /// `data` points to `size` readable bytes that live as long as the result is used.
    pub unsafe fn as_str<'a>(self) -> &'a str {
        if self.data.is_null() {
            return "";
        }
        // SAFETY: the caller vouches for the bytes.
        let bytes = unsafe { std::slice::from_raw_parts(self.data.cast::<u8>(), self.size) };
        std::str::from_utf8(bytes).unwrap_or("")
    }

    /// Returns a copy of the text, with U+FFFD for what is not UTF-8.
    ///
    /// # Safety
    /// As for [`Text::as_str`].
    pub unsafe fn to_string_lossy(self) -> String {
        if self.data.is_null() {
            return String::new();
        }
        // SAFETY: the caller vouches for the bytes.
        let bytes = unsafe { std::slice::from_raw_parts(self.data.cast::<u8>(), self.size) };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Lends a text to the bridge for the length of a call.
    pub fn lend(text: &str) -> Text {
        Text { data: text.as_ptr().cast::<c_char>(), size: text.len() }
    }

    /// Gives a text to the bridge, which gives it back with [`Text::take_back`].
    pub fn give(text: String) -> Text {
        let bytes = text.into_bytes().into_boxed_slice();
        let size = bytes.len();
        Text { data: Box::into_raw(bytes).cast::<c_char>(), size }
    }

    /// Frees a text that [`Text::give`] made.
    ///
    /// # Safety
    /// The text was made by `give` and comes back once; one that is null is allowed.
    pub unsafe fn take_back(self) {
        if self.data.is_null() {
            return;
        }
        let bytes = std::ptr::slice_from_raw_parts_mut(self.data.cast::<u8>().cast_mut(), self.size);
        // SAFETY: the caller vouches for where it came from.
        drop(unsafe { Box::from_raw(bytes) });
    }

    /// No text.
    pub const NONE: Text = Text { data: std::ptr::null(), size: 0 };
}

/// Returns `text` as a C string.
pub fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::config("a name or statement holds a NUL character, which SQL cannot"))
}

/// Copies a C string; null is `None`.
///
/// # Safety
/// The text is null, or a C string that lives for the length of this call.
pub unsafe fn text_of(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller vouches for it.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// Returns an error's message as a C string.
pub fn message_of(err: &Error) -> CString {
    CString::new(err.message().replace('\0', " ")).unwrap_or_default()
}

/// Returns an error as the text of a DuckDB exception: its type and message as JSON.
pub fn exception_of(err: &Error) -> String {
    exception_text(if err.kind() == ErrorKind::Interrupted { "INTERRUPT" } else { "Invalid Input" }, err.message())
}

/// Returns the text of a DuckDB exception of that type.
pub fn exception_text(exception_type: &str, text: &str) -> String {
    let mut message = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => message.extend(['\\', c]),
            c if c < ' ' => drop(write!(message, "\\u{:04x}", u32::from(c))),
            c => message.push(c),
        }
    }
    format!("{{\"exception_type\":\"{exception_type}\",\"exception_message\":\"{message}\"}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_json_text() {
        let err = Error::new(ErrorKind::Interrupted, "it\"s \\ a\nline");
        let expected = r#"{"exception_type":"INTERRUPT","exception_message":"it\"s \\ a\u000aline"}"#;
        assert_eq!(exception_of(&err), expected);
    }
}
