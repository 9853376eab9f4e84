//! From the bytes of a body to a document: the fast parser first, the exact one where the fast one gives up.

use super::node::Node;
use super::repair::with_lone_surrogates_replaced;
use crate::Error;
use simd_json::{Buffers, Tape, INPUT_PADDING};
use std::fmt;

/// The deepest nesting of lists and objects that is accepted.
pub const MAX_DEPTH: usize = 128;

/// A parser does not keep its buffers after a body longer than this.
const KEPT_BYTES: usize = 8 << 20;

/// A parsed body. Its texts point into the body where they can.
#[derive(Debug)]
pub struct Document<'b> {
    content: Content<'b>,
}

#[derive(Debug)]
enum Content<'b> {
    Tape(Tape<'b>),
    /// For bodies with numbers that only their digits represent.
    Tree(serde_json::Value),
}

impl Document<'_> {
    /// Returns the outermost value.
    pub fn root(&self) -> Node<'_> {
        match &self.content {
            Content::Tape(tape) => Node::from_tape(&tape.0),
            Content::Tree(value) => Node::from_tree(value),
        }
    }
}

/// Why a body is no document: what is wrong and where, without a piece of the body, which may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    what: String,
    offset: Option<usize>,
}

impl JsonFault {
    /// Returns the byte of the body where it is wrong; `None` when that is the body as a whole.
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }

    fn whole(what: impl Into<String>) -> JsonFault {
        JsonFault { what: what.into(), offset: None }
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl From<JsonFault> for Error {
    fn from(fault: JsonFault) -> Error {
        Error::data(fault.what)
    }
}

/// Parses a body, reusing its bytes: they are not JSON any more afterwards.
///
/// A byte order mark at the start is skipped, of equal keys the last wins, and no digit of an integer is lost. Fails, saying
/// where, when the body is empty, not UTF-8, not JSON, or nested deeper than [`MAX_DEPTH`].
pub fn parse(body: &mut [u8]) -> Result<Document<'_>, JsonFault> {
    let start = json_start(body)?;
    let body = &mut body[start..];
    // The fast parser unescapes in place, so what the exact parser or an error needs has to be kept.
    let original = body.to_vec();
    let mut buffers = Buffers::with_max_depth(body.len(), MAX_DEPTH);
    match simd_json::to_tape_with_buffers(body, &mut buffers) {
        Ok(tape) => Ok(Document { content: Content::Tape(tape) }),
        Err(_) => parse_exactly(&original, start).map(|value| Document { content: Content::Tree(value) }),
    }
}

/// A parser that keeps its buffers from body to body: for many pages on one thread, much cheaper than [`parse`].
pub struct Parser {
    /// The body being parsed, with the padding the fast parser reads beyond its end.
    padded: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
}

impl Default for Parser {
    fn default() -> Parser {
        Parser { padded: Vec::new(), buffers: Buffers::with_max_depth(0, MAX_DEPTH), tape: Tape(Vec::new()) }
    }
}

impl std::fmt::Debug for Parser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parser").finish_non_exhaustive()
    }
}

impl Parser {
    /// Parses a body as [`parse`] does and returns what `read` makes of its outermost value.
    pub fn read<T>(&mut self, body: &[u8], read: impl FnOnce(Node<'_>) -> T) -> Result<T, JsonFault> {
        let start = json_start(body)?;
        if body.len() > KEPT_BYTES {
            return Parser::default().read_from(body, start, read);
        }
        self.read_from(body, start, read)
    }

    fn read_from<T>(&mut self, body: &[u8], start: usize, read: impl FnOnce(Node<'_>) -> T) -> Result<T, JsonFault> {
        let body = &body[start..];
        self.padded.clear();
        self.padded.reserve(body.len() + INPUT_PADDING);
        self.padded.extend_from_slice(body);
        self.padded.resize(body.len() + INPUT_PADDING, 0);
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = simd_json::fill_tape_padded(&mut self.padded, body.len(), &mut self.buffers, &mut tape);
        let result = match parsed {
            Ok(()) => Ok(read(Node::from_tape(&tape.0))),
            Err(_) => parse_exactly(body, start).map(|value| read(Node::from_tree(&value))),
        };
        self.tape = tape.reset();
        result
    }
}

/// Returns where the JSON starts: after a byte order mark.
fn json_start(body: &[u8]) -> Result<usize, JsonFault> {
    let start = if body.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    if body[start..].iter().all(u8::is_ascii_whitespace) {
        return Err(JsonFault::whole("the body is empty; expected JSON"));
    }
    Ok(start)
}

/// Parses what stands in the body from `start` on.
fn parse_exactly(body: &[u8], start: usize) -> Result<serde_json::Value, JsonFault> {
    if let Err(err) = std::str::from_utf8(body) {
        let (line, column) = line_and_column(body, err.valid_up_to());
        let what = format!("the body is not UTF-8 at line {line}, column {column}; expected JSON in UTF-8");
        return Err(JsonFault { what, offset: Some(start + err.valid_up_to()) });
    }
    let err = match serde_json::from_slice(body) {
        Ok(value) => return Ok(value),
        Err(err) => err,
    };
    if let Some(repaired) = with_lone_surrogates_replaced(body) {
        if let Ok(value) = serde_json::from_slice(&repaired) {
            return Ok(value);
        }
    }
    let text = err.to_string();
    if text.starts_with("recursion limit") {
        return Err(JsonFault::whole(format!("the body is nested deeper than {MAX_DEPTH} levels; expected fewer")));
    }
    let (line, column) = (err.line(), err.column());
    let what = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let what = format!("the body is not JSON: {what} at line {line}, column {column}");
    Err(JsonFault { what, offset: Some(start + offset_of(body, line, column)) })
}

fn line_and_column(body: &[u8], offset: usize) -> (usize, usize) {
    let before = &body[..offset.min(body.len())];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |idx| idx + 1);
    (before.iter().filter(|&&byte| byte == b'\n').count() + 1, before.len() - line_start + 1)
}

fn offset_of(body: &[u8], line: usize, column: usize) -> usize {
    let line_start = match line {
        0 | 1 => 0,
        _ => body.iter().enumerate().filter(|(_, &byte)| byte == b'\n').nth(line - 2).map_or(0, |(idx, _)| idx + 1),
    };
    (line_start + column.saturating_sub(1)).min(body.len())
}
