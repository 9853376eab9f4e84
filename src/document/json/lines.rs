//! NDJSON: a JSON value on each line.

use super::digits::loses_digits;
use super::parse::{parse_exactly, without_mark, Place, MAX_DEPTH};
use crate::document::fault::Fault;
use serde_json::Value;
use simd_json::{Buffers, Node as TapeNode, Tape, INPUT_PADDING};

/// The values of the lines, as a list.
#[derive(Debug)]
pub enum Lines<'t> {
    Tape(Vec<TapeNode<'t>>),
    /// For bodies with numbers that only their digits represent.
    Tree(Value),
}

/// Reads the lines of a body that are not blank. `padded` gets what the values' texts point into. Fails, saying where, when a line is not one
/// JSON value, and as `may_build_tree` does where a tree is needed. So many lines
/// of the answer stand before the body.
pub fn read_lines<'t>(
    body: &[u8],
    line_base: usize,
    padded: &'t mut Vec<u8>,
    may_build_tree: &dyn Fn() -> Result<(), Fault>,
) -> Result<Lines<'t>, Fault> {
    let mark = body.len() - without_mark(body).len();
    let lines: Vec<&[u8]> = body[mark..].split(|&byte| byte == b'\n').filter(|line| !line.iter().all(u8::is_ascii_whitespace)).collect();
    if loses_digits(body) {
        may_build_tree()?;
        return exactly(body, &lines, line_base).map(Lines::Tree);
    }
    padded.clear();
    padded.reserve(body.len() + lines.len() * INPUT_PADDING);
    for line in &lines {
        padded.extend_from_slice(line);
        padded.resize(padded.len() + INPUT_PADDING, 0);
    }
    match tape_of(&lines, padded) {
        Some(nodes) => Ok(Lines::Tape(nodes)),
        None => {
            may_build_tree()?;
            exactly(body, &lines, line_base).map(Lines::Tree)
        }
    }
}

/// Returns the values as the nodes of a list; `None` when the fast parser gives up.
fn tape_of<'t>(lines: &[&[u8]], padded: &'t mut [u8]) -> Option<Vec<TapeNode<'t>>> {
    let longest = lines.iter().map(|line| line.len()).max().unwrap_or(0);
    let mut buffers = Buffers::with_max_depth(longest, MAX_DEPTH);
    let mut nodes = vec![TapeNode::Array { len: lines.len(), count: 0 }];
    let mut tape = Tape(Vec::new());
    let mut rest = padded;
    for line in lines {
        let (own, others) = rest.split_at_mut_checked(line.len() + INPUT_PADDING)?;
        rest = others;
        simd_json::fill_tape_padded(own, line.len(), &mut buffers, &mut tape).ok()?;
        nodes.append(&mut tape.0);
    }
    nodes[0] = TapeNode::Array { len: lines.len(), count: nodes.len() - 1 };
    Some(nodes)
}

/// Parses each line with the exact parser.
fn exactly(body: &[u8], lines: &[&[u8]], line_base: usize) -> Result<Value, Fault> {
    let value = |line: &&[u8]| {
        parse_exactly(line, Place::START).map_err(|fault| {
            let offset = line.as_ptr() as usize - body.as_ptr() as usize;
            let place = Place { offset, line: body[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1 + line_base };
            parse_exactly(line, place).err().unwrap_or(fault)
        })
    };
    lines.iter().map(value).collect::<Result<Vec<Value>, Fault>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::node::Node;
    use crate::document::tests::json_value;
    use proptest::prelude::*;

    fn read(body: &[u8]) -> Result<String, Fault> {
        let mut padded = Vec::new();
        Ok(match read_lines(body, 0, &mut padded, &|| Ok(()))? {
            Lines::Tape(nodes) => Node::from_tape(&nodes).to_json(),
            Lines::Tree(value) => Node::from_tree(&value).to_json(),
        })
    }

    #[test]
    fn each_line_is_a_value() {
        assert_eq!(read(b"{\"a\":1}\r\n\n  {\"a\":\"x\\ny\"}\n[1,2]\n3").unwrap(), r#"[{"a":1},{"a":"x\ny"},[1,2],3]"#);
        assert_eq!(read(b"\xEF\xBB\xBF{}\n").unwrap(), "[{}]");
        assert_eq!(read(b"{\"a\":0.1234567890123456789}\n{\"a\":1}").unwrap(), r#"[{"a":0.1234567890123456789},{"a":1}]"#);
        for empty in ["", "\n", " \r\n\t\n"] {
            assert_eq!(read(empty.as_bytes()).unwrap(), "[]");
        }
    }

    #[test]
    fn a_line_that_is_not_one_value_is_an_error_that_says_where() {
        let check = |body: &str, line: usize, offset: usize| {
            let fault = read(body.as_bytes()).unwrap_err();
            assert!(fault.to_string().contains(&format!(" at line {line}, column ")), "{fault}");
            assert_eq!(fault.offset(), Some(offset), "{fault}");
        };
        check("{\"a\":1}\n\n{\"a\":}\n", 3, 14);
        check("{\"a\":1\n\"b\":2}", 1, 5);
        check("{\"a\":1},{\"a\":2}\n", 1, 7);
        check("1\n2 3\n", 2, 4);
        check("[{\"a\": 1},\n{\"a\": 2}]", 1, 9);
        let deep = format!("{{}}\n{}{}", "[".repeat(200), "]".repeat(200));
        assert!(read(deep.as_bytes()).unwrap_err().to_string().contains("nested deeper"));
    }

    proptest! {
        /// The law of lines: they are what a list of the same values is.
        #[test]
        fn lines_are_a_list_of_their_values(values in prop::collection::vec(json_value(), 0..6), end in "\n|\r\n|\n\n") {
            let body: String = values.iter().map(|value| format!("{value}{end}")).collect();
            prop_assert_eq!(read(body.as_bytes()).unwrap(), Value::Array(values).to_string());
        }

        #[test]
        fn any_bytes_are_read_without_panic(body in prop::collection::vec(prop::sample::select(b"{}[]\",:1e. \n\r\\\xe9a".to_vec()), 0..60)) {
            let _ = read(&body);
        }
    }
}
