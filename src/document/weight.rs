//! What a body will take while it is parsed and converted, told from its bytes before anything is built of it.

use crate::{Error, Result};

const MIB: u64 = 1 << 20;
/// The body, the copy that the fast parser changes, its texts, and the texts of the columns.
pub(super) const COPIES: u64 = 4;
/// Of a key or a value: its node, where it stands, and what becomes of it in a column.
const NODE: u64 = 32 + 8 + 8;
/// The same, where numbers keep all their digits: a value is a tree then.
const TREE_NODE: u64 = 112;
/// What a list or an object of a tree takes besides, since each reserves capacity for some elements.
const TREE_GROUP: u64 = 480;
/// What the parser of lines puts behind each, as a part of what [`COPIES`] makes of it.
const LINE_END: u64 = 16;
/// Nodes that an element of XML takes for each of its marks, and an attribute.
const MARK_NODES: u64 = 6;
const ATTRIBUTE_NODES: u64 = 4;
/// Bytes that are counted side by side, and the most that a byte can count.
const LANES: usize = 64;
const MOST_COUNTED: usize = 255;
/// What takes less is not asked for before.
const SMALL: u64 = MIB;

/// How much a body holds: at most so many keys, values, lists and objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weight {
    n_bytes: u64,
    n_separators: u64,
    n_groups: u64,
}

impl Weight {
    /// Counts what separates keys and values, in one pass. Those in texts count, too, unless the body is then taken to need more than
    /// `most` bytes: then a slower pass leaves them out.
    pub fn of(body: &[u8], most: u64) -> Weight {
        let weight = Weight::counted(body);
        if weight.parsed_bytes() > most {
            return Weight::outside_texts(body);
        }
        weight
    }

    /// Weighs NDJSON.
    pub(super) fn of_lines(body: &[u8], most: u64) -> Weight {
        let n_lines = memchr::memchr_iter(b'\n', body).count() as u64 + 1;
        let weight = Weight::of(body, most);
        Weight { n_bytes: weight.n_bytes + n_lines * LINE_END, n_separators: weight.n_separators + n_lines, ..weight }
    }

    /// Weighs CSV: each field is a key and a value.
    pub(super) fn of_fields(body: &[u8], delimiter: u8) -> Weight {
        let n_of = |end: u8| memchr::memchr_iter(end, body).count() as u64;
        let n_lines = n_of(b'\n').max(n_of(b'\r')) + 1;
        let n_delimiters = memchr::memchr_iter(delimiter, body).count() as u64;
        Weight { n_bytes: body.len() as u64, n_separators: 2 * (n_delimiters + n_lines), n_groups: n_lines }
    }

    /// Weighs XML.
    pub(super) fn of_elements(body: &[u8]) -> Weight {
        let n_marks = memchr::memchr_iter(b'<', body).count() as u64;
        let n_equals = memchr::memchr_iter(b'=', body).count() as u64;
        Weight { n_bytes: body.len() as u64, n_separators: MARK_NODES * n_marks + ATTRIBUTE_NODES * n_equals, n_groups: n_marks }
    }

    /// Returns the weight of two bodies together.
    pub(super) fn and(self, other: Weight) -> Weight {
        Weight {
            n_bytes: self.n_bytes + other.n_bytes,
            n_separators: self.n_separators + other.n_separators,
            n_groups: self.n_groups + other.n_groups,
        }
    }

    fn counted(body: &[u8]) -> Weight {
        let (mut n_separators, mut n_groups) = (0, 0);
        for part in body.chunks(LANES * MOST_COUNTED) {
            // Many counters of a byte each, side by side: the compiler makes few instructions of them.
            let (mut separators, mut groups) = ([0_u8; LANES], [0_u8; LANES]);
            let words = part.chunks_exact(LANES);
            let rest = words.remainder();
            for word in words {
                for ((&byte, separators), groups) in word.iter().zip(&mut separators).zip(&mut groups) {
                    *separators += u8::from(is_separator(byte));
                    *groups += u8::from(is_group(byte));
                }
            }
            let sum = |counters: &[u8; LANES]| counters.iter().map(|&count| u64::from(count)).sum::<u64>();
            n_separators += sum(&separators) + rest.iter().filter(|&&byte| is_separator(byte)).count() as u64;
            n_groups += sum(&groups) + rest.iter().filter(|&&byte| is_group(byte)).count() as u64;
        }
        Weight { n_bytes: body.len() as u64, n_separators, n_groups }
    }

    fn outside_texts(body: &[u8]) -> Weight {
        let mut weight = Weight { n_bytes: body.len() as u64, n_separators: 0, n_groups: 0 };
        let mut bytes = body.iter();
        let mut is_in_text = false;
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => is_in_text = !is_in_text,
                b'\\' if is_in_text => _ = bytes.next(),
                byte if !is_in_text => {
                    weight.n_separators += u64::from(is_separator(*byte));
                    weight.n_groups += u64::from(is_group(*byte));
                }
                _ => {}
            }
        }
        weight
    }

    /// Returns at most how many keys and values there are.
    pub fn n_nodes(&self) -> u64 {
        self.n_separators + self.n_groups + 1
    }

    /// Returns how many bytes the body takes while it is parsed and converted.
    pub fn parsed_bytes(&self) -> u64 {
        self.n_bytes * COPIES + self.n_nodes() * NODE
    }

    /// Returns the same for a body with numbers that only their digits represent.
    pub fn tree_bytes(&self) -> u64 {
        self.n_bytes * COPIES + self.n_nodes() * TREE_NODE + self.n_groups * TREE_GROUP
    }

    /// Returns how much is reserved at once, which may be more than is used.
    fn reserved_bytes(&self) -> u64 {
        // The parser reserves capacity for a node at each mark: keys, values, and what stands between them.
        self.parsed_bytes() + (self.n_nodes() + self.n_groups) * NODE
    }

    /// Fails when the body would take more than `most` bytes, and when the machine does not have the memory now.
    pub fn check(&self, most: u64) -> Result<()> {
        self.check_bytes(self.parsed_bytes(), most).map_err(Error::data)?;
        check_free(self.reserved_bytes())
    }

    /// Returns what is wrong when a body of `n_bytes` in memory takes more than `most`.
    pub(in crate::document) fn check_bytes(&self, n_bytes: u64, most: u64) -> std::result::Result<(), String> {
        if n_bytes <= most {
            return Ok(());
        }
        Err(too_much(&format!("{} MiB with {} keys and values", self.n_bytes.div_ceil(MIB), self.n_nodes()), n_bytes, most))
    }
}

#[inline]
fn is_separator(byte: u8) -> bool {
    (byte == b',') | (byte == b':')
}

/// Returns whether a list or an object begins; their marks differ in one bit.
#[inline]
fn is_group(byte: u8) -> bool {
    byte | 0x20 == b'{'
}

/// Returns what to say of a page that takes more than it may.
pub fn too_much(what: &str, n_bytes: u64, most: u64) -> String {
    let (needed, most) = (n_bytes.div_ceil(MIB), most / MIB);
    format!(
        "the page takes too much memory: {what} take {needed} MiB, and one page may take {most} MiB; ask for smaller pages, or raise 'unify_memory_limit'"
    )
}

/// Fails when the process cannot get so many bytes now. They are given back at once: whoever needs them takes them then, and a shortage is an
/// error here, where it would end the process there.
pub fn check_free(n_bytes: u64) -> Result<()> {
    if n_bytes < SMALL {
        return Ok(());
    }
    let is_free = usize::try_from(n_bytes).is_ok_and(|len| Vec::<u8>::new().try_reserve_exact(len).is_ok());
    match is_free {
        true => Ok(()),
        false => Err(Error::data(short_of_memory(n_bytes))),
    }
}

/// Returns what to say where memory is short.
pub fn short_of_memory(n_bytes: u64) -> String {
    format!(
        "there is not enough memory for the page, which takes {} MiB; ask for smaller pages, or give it more memory",
        n_bytes.div_ceil(MIB)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{parse, Node, View};
    use proptest::prelude::*;

    fn n_nodes(node: Node<'_>) -> u64 {
        match node.view() {
            View::Array(elements) => 1 + elements.map(n_nodes).sum::<u64>(),
            View::Object(entries) => 1 + entries.map(|(_, node)| 1 + n_nodes(node)).sum::<u64>(),
            _ => 1,
        }
    }

    fn document() -> impl Strategy<Value = serde_json::Value> {
        let leaf =
            prop_oneof![Just(serde_json::Value::Null), any::<i32>().prop_map(Into::into), "[a,:\\[{\"\\\\]{0,9}".prop_map(Into::into)];
        leaf.prop_recursive(4, 60, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::vec(("[a-c,\"]{0,3}", inner), 0..5)
                    .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// The law: no body holds more than it is said to, and what stands in texts does not count in the end.
        #[test]
        fn what_a_body_holds_is_told_before(value in document()) {
            let body = value.to_string().into_bytes();
            let n_held = n_nodes(parse(&mut body.clone()).unwrap().root());
            let (rough, exact) = (Weight::of(&body, u64::MAX), Weight::of(&body, 0));
            prop_assert!(n_held <= exact.n_nodes() && exact.n_nodes() <= rough.n_nodes());
            // Only empty lists and objects have no first element.
            prop_assert!(exact.n_nodes() <= n_held + exact.n_groups);
        }
    }

    #[test]
    fn a_page_of_small_values_is_refused_and_one_of_long_texts_is_not() {
        let small = format!("[{}1]", "1,".repeat(1 << 20)).into_bytes();
        let err = Weight::of(&small, 16 << 20).check(16 << 20).unwrap_err();
        assert!(err.message().contains("3 MiB with 1048578 keys and values take 57 MiB, and one page may take 16 MiB"), "{err}");
        let long = format!("[\"{}\"]", "a,b\\\"".repeat(400_000)).into_bytes();
        assert!(Weight::of(&long, 16 << 20).check(16 << 20).is_ok());
    }

    #[test]
    fn every_mark_of_a_long_body_counts() {
        let body = [b"[{:,".repeat(40_000), b"x,".repeat(7)].concat();
        let weight = Weight::counted(&body);
        assert_eq!((weight.n_separators, weight.n_groups), (80_007, 80_000));
        assert_eq!(Weight::outside_texts(&body), weight);
    }

    #[test]
    fn memory_that_is_not_there_is_an_error() {
        assert!(check_free(1).is_ok() && check_free(2 << 20).is_ok());
        assert!(check_free(u64::MAX).unwrap_err().message().contains("not enough memory for the page"));
    }
}
