//! From the bytes of a body to a document: the fast parser first, the exact one where the fast one gives up.

use super::digits::loses_digits;
use super::repair::with_lone_surrogates_replaced;
use crate::document::fault::Fault;
use crate::document::node::Node;
use crate::document::weight::{check_free, Weight};
use simd_json::{Buffers, Tape, INPUT_PADDING};

/// The deepest nesting of lists and objects that is accepted.
pub const MAX_DEPTH: usize = 128;

/// A parser does not keep its buffers after a body that takes more than this.
const KEPT_BYTES: u64 = 64 << 20;

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
/// A byte order mark at the start is skipped, of equal keys the last wins, and no digit of a number is lost. Fails, saying
/// where, when the body is empty, not UTF-8, not JSON, or nested deeper than [`MAX_DEPTH`].
pub fn parse(body: &mut [u8]) -> Result<Document<'_>, Fault> {
    let start = json_start(body)?;
    let body = &mut body[start..];
    // The fast parser unescapes in place, so what the exact parser or an error needs has to be kept.
    let original = body.to_vec();
    if loses_digits(&original) {
        return parse_exactly(&original, Place { offset: start, line: 1 }).map(|value| Document { content: Content::Tree(value) });
    }
    let mut buffers = Buffers::with_max_depth(body.len(), MAX_DEPTH);
    match simd_json::to_tape_with_buffers(body, &mut buffers) {
        Ok(tape) => Ok(Document { content: Content::Tape(tape) }),
        Err(_) => parse_exactly(&original, Place { offset: start, line: 1 }).map(|value| Document { content: Content::Tree(value) }),
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
    /// Parses a body of this weight as [`parse`] does and returns what `read` makes of its outermost value. Fails, too, when a body with
    /// numbers that only their digits represent takes more than `most` bytes.
    pub fn read<T>(&mut self, body: &[u8], weight: Weight, most: u64, read: impl FnOnce(Node<'_>) -> T) -> Result<T, Fault> {
        let start = json_start(body)?;
        let exactly = |body: &[u8]| {
            // It is counted anew: what stands in its texts takes nothing.
            let weight = if weight.tree_bytes() > most { Weight::of(body, 0) } else { weight };
            weight.check_bytes(weight.tree_bytes(), most).map_err(Fault::whole)?;
            check_free(weight.tree_bytes()).map_err(|err| Fault::whole(err.message()))?;
            parse_exactly(body, Place { offset: start, line: 1 })
        };
        if weight.parsed_bytes() > KEPT_BYTES {
            return Parser::default().read_from(&body[start..], exactly, read);
        }
        self.read_from(&body[start..], exactly, read)
    }

    fn read_from<T>(
        &mut self,
        body: &[u8],
        exactly: impl Fn(&[u8]) -> Result<serde_json::Value, Fault>,
        read: impl FnOnce(Node<'_>) -> T,
    ) -> Result<T, Fault> {
        if loses_digits(body) {
            return exactly(body).map(|value| read(Node::from_tree(&value)));
        }
        self.padded.clear();
        self.padded.reserve(body.len() + INPUT_PADDING);
        self.padded.extend_from_slice(body);
        self.padded.resize(body.len() + INPUT_PADDING, 0);
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = simd_json::fill_tape_padded(&mut self.padded, body.len(), &mut self.buffers, &mut tape);
        let result = match parsed {
            Ok(()) => Ok(read(Node::from_tape(&tape.0))),
            Err(_) => exactly(body).map(|value| read(Node::from_tree(&value))),
        };
        self.tape = tape.reset();
        result
    }
}

/// Returns a body without the byte order mark at its start.
pub(super) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// Returns where the JSON starts: after a byte order mark.
fn json_start(body: &[u8]) -> Result<usize, Fault> {
    let start = body.len() - without_mark(body).len();
    if body[start..].iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::whole("the body is empty; expected JSON"));
    }
    Ok(start)
}

/// Where the text begins that is parsed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub offset: usize,
    /// The first being 1.
    pub line: usize,
}

impl Place {
    pub(super) const START: Place = Place { offset: 0, line: 1 };
}

/// Parses a text that begins at a place of the body.
pub(super) fn parse_exactly(body: &[u8], place: Place) -> Result<serde_json::Value, Fault> {
    if let Err(err) = std::str::from_utf8(body) {
        let (line, column) = line_and_column(body, err.valid_up_to());
        let line = place.line + line - 1;
        let what = format!("the body is not UTF-8 at line {line}, column {column}; expected JSON in UTF-8");
        return Err(Fault::at(place.offset + err.valid_up_to(), what));
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
        return Err(Fault::whole(format!("the body is nested deeper than {MAX_DEPTH} levels; expected fewer")));
    }
    let (line, column) = (err.line(), err.column());
    let what = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let what = format!("the body is not JSON: {what} at line {}, column {column}", place.line + line.saturating_sub(1));
    Err(Fault::at(place.offset + offset_of(body, line, column), what))
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
