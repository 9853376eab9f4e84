//! How URLs, HTML, JSON and JavaScript write characters that must not, or need not, stand for themselves.

use std::sync::LazyLock;

/// HTML's names of the punctuation in ASCII.
const NAMES: [(char, &[&str]); 37] = [
    ('\t', &["Tab"]),
    ('\n', &["NewLine"]),
    ('!', &["excl"]),
    ('"', &["quot"]),
    ('#', &["num"]),
    ('$', &["dollar"]),
    ('%', &["percnt"]),
    ('&', &["amp"]),
    ('\'', &["apos"]),
    ('(', &["lpar"]),
    (')', &["rpar"]),
    ('*', &["ast", "midast"]),
    ('+', &["plus"]),
    (',', &["comma"]),
    ('-', &["hyphen", "dash"]),
    ('.', &["period"]),
    ('/', &["sol"]),
    (':', &["colon"]),
    (';', &["semi"]),
    ('<', &["lt"]),
    ('=', &["equals"]),
    ('>', &["gt"]),
    ('?', &["quest"]),
    ('@', &["commat"]),
    ('[', &["lsqb", "lbrack"]),
    ('\\', &["bsol"]),
    (']', &["rsqb", "rbrack"]),
    ('^', &["Hat"]),
    ('_', &["lowbar", "UnderBar"]),
    ('`', &["grave", "DiacriticalGrave"]),
    ('{', &["lcub", "lbrace"]),
    ('|', &["verbar", "vert", "VerticalLine"]),
    ('}', &["rcub", "rbrace"]),
    ('\u{A0}', &["nbsp"]),
    ('\u{E4}', &["auml"]),
    ('\u{F6}', &["ouml"]),
    ('\u{FC}', &["uuml"]),
];

/// Returns the ways to write a character, each in ASCII. Hex digits may be in any case, whatever their case here.
pub(super) fn escapes_of(c: char) -> Vec<Vec<u8>> {
    let code = u32::from(c);
    let mut utf8 = [0; 4];
    let mut utf16 = [0; 2];
    let percent: String = c.encode_utf8(&mut utf8).bytes().map(|byte| format!("%{byte:02x}")).collect();
    let units: String = c.encode_utf16(&mut utf16).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    let mut escapes = vec![percent, units, format!("\\u{{{code:x}}}"), format!("&#{code};"), format!("&#x{code:x};")];
    escapes.extend([format!("&#{code:03};"), format!("&#{code:04};"), format!("&#x{code:02x};"), format!("&#x{code:04x};")]);
    if code < 0x100 {
        escapes.push(format!("\\x{code:02x}"));
        escapes.push(format!("\\{code:03o}"));
    }
    if (0x80..0x100).contains(&code) {
        escapes.push(format!("%{code:02x}"));
    }
    let names = NAMES.iter().filter(|(named, _)| *named == c).flat_map(|(_, names)| names.iter());
    escapes.extend(names.map(|name| format!("&{name};")));
    let letter = match c {
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        '\u{8}' => Some('b'),
        '\u{C}' => Some('f'),
        c if c.is_ascii_punctuation() => Some(c),
        _ => None,
    };
    escapes.extend(letter.map(|letter| format!("\\{letter}")));
    escapes.extend((c == ' ').then(|| "+".to_string()));
    escapes.sort_unstable();
    escapes.dedup();
    escapes.into_iter().map(String::into_bytes).collect()
}

/// Returns the ways to write a byte of ASCII; for any other, none.
pub(super) fn escapes_of_ascii(byte: u8) -> &'static [Vec<u8>] {
    static ESCAPES: LazyLock<Vec<Vec<Vec<u8>>>> = LazyLock::new(|| (0..0x80).map(|byte: u8| escapes_of(char::from(byte))).collect());
    ESCAPES.get(usize::from(byte)).map_or(&[], Vec::as_slice)
}
