//! From the bytes of a body to a document: the fast parser first, the exact one where the fast one gives up.

use super::node::Node;
use super::repair::with_lone_surrogates_replaced;
use crate::{Error, Result};
use simd_json::{Buffers, Tape, INPUT_PADDING};

/// The deepest nesting of lists and objects that is accepted.
pub const MAX_DEPTH: usize = 128;

/// The most characters of a body that an error shows.
const EXCERPT_CHARS: usize = 60;

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

/// Parses a body, reusing its bytes: they are not JSON any more afterwards.
///
/// A byte order mark at the start is skipped, of equal keys the last wins, and no digit of an integer is lost. Fails, saying
/// where and showing a short excerpt, when the body is empty, not UTF-8, not JSON, or nested deeper than [`MAX_DEPTH`].
pub fn parse(body: &mut [u8]) -> Result<Document<'_>> {
    let start = json_start(body)?;
    let body = &mut body[start..];
    // The fast parser unescapes in place, so what the exact parser or an error needs has to be kept.
    let original = body.to_vec();
    let mut buffers = Buffers::with_max_depth(body.len(), MAX_DEPTH);
    match simd_json::to_tape_with_buffers(body, &mut buffers) {
        Ok(tape) => Ok(Document { content: Content::Tape(tape) }),
        Err(_) => parse_exactly(&original).map(|value| Document { content: Content::Tree(value) }),
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
    pub fn read<T>(&mut self, body: &[u8], read: impl FnOnce(Node<'_>) -> Result<T>) -> Result<T> {
        let body = &body[json_start(body)?..];
        if body.len() > KEPT_BYTES {
            return Parser::default().read_into(body, read);
        }
        self.read_into(body, read)
    }

    fn read_into<T>(&mut self, body: &[u8], read: impl FnOnce(Node<'_>) -> Result<T>) -> Result<T> {
        self.padded.clear();
        self.padded.reserve(body.len() + INPUT_PADDING);
        self.padded.extend_from_slice(body);
        self.padded.resize(body.len() + INPUT_PADDING, 0);
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = simd_json::fill_tape_padded(&mut self.padded, body.len(), &mut self.buffers, &mut tape);
        let result = match parsed {
            Ok(()) => read(Node::from_tape(&tape.0)),
            Err(_) => parse_exactly(body).and_then(|value| read(Node::from_tree(&value))),
        };
        self.tape = tape.reset();
        result
    }
}

/// Returns where the JSON starts: after a byte order mark.
fn json_start(body: &[u8]) -> Result<usize> {
    let start = if body.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    if body[start..].iter().all(u8::is_ascii_whitespace) {
        return Err(Error::data("the body is empty; expected JSON"));
    }
    Ok(start)
}

fn parse_exactly(body: &[u8]) -> Result<serde_json::Value> {
    if let Err(err) = std::str::from_utf8(body) {
        let (line, column) = line_and_column(body, err.valid_up_to());
        let excerpt = excerpt(body, err.valid_up_to());
        return Err(Error::data(format!(
            "the body is not UTF-8 at line {line}, column {column}, near '{excerpt}'; expected JSON in UTF-8"
        )));
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
        return Err(Error::data(format!("the body is nested deeper than {MAX_DEPTH} levels; expected fewer")));
    }
    let (line, column) = (err.line(), err.column());
    let what = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let excerpt = excerpt(body, offset_of(body, line, column));
    Err(Error::data(format!("the body is not JSON: {what} at line {line}, column {column}, near '{excerpt}'")))
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

/// Returns at most [`EXCERPT_CHARS`] characters around `offset`, on one line.
fn excerpt(body: &[u8], offset: usize) -> String {
    let start = offset.saturating_sub(EXCERPT_CHARS / 2);
    let end = (start + EXCERPT_CHARS).min(body.len());
    let text = String::from_utf8_lossy(&body[start..end]);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(EXCERPT_CHARS).collect();
    text.trim_matches(|c: char| c == ' ' || c == char::REPLACEMENT_CHARACTER).to_string()
}
