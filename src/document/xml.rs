//! XML as a document: elements are objects, attributes `@name`, texts `#text`, and elements that repeat are lists.

use super::fault::Fault;
use super::scalar::scalar_of;
use super::MAX_DEPTH;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use simd_json::{Node as TapeNode, StaticNode};
use std::collections::HashMap;
use std::ops::Range;

/// The key of the text of an element that has attributes or elements besides.
const TEXT: &str = "#text";
/// Elements with more entries than this find their names with a map.
const FEW_ENTRIES: usize = 16;

/// The elements of a body.
#[derive(Debug, Default)]
pub(super) struct Elements {
    /// The outermost element first, each after the one it is in.
    elements: Vec<Element>,
    /// The names, and the texts without escapes.
    text: String,
}

#[derive(Debug, Default)]
struct Element {
    name: Range<usize>,
    attributes: Vec<(Range<usize>, Range<usize>)>,
    children: Vec<usize>,
    /// The pieces of its text.
    pieces: Vec<Range<usize>>,
}

/// Reads the elements of a body that is UTF-8. Fails, saying where, when it is not well formed, has a document type or entities of its own, or
/// is nested deeper than [`MAX_DEPTH`].
pub(super) fn elements_of(body: &[u8]) -> Result<Elements, Fault> {
    let text = std::str::from_utf8(body).map_err(|err| Fault::at(err.valid_up_to(), "the body is not UTF-8; expected XML"))?;
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut reader = Reader::from_str(&text[start..]);
    let config = reader.config_mut();
    config.check_end_names = true;
    let mut elements = Elements::default();
    let mut open: Vec<usize> = Vec::new();
    loop {
        let offset = start + usize::try_from(reader.buffer_position()).unwrap_or(0);
        let place = |what: String| Fault::at(offset, format!("{what} at {}", line_and_column(body, offset)));
        let event = reader.read_event().map_err(|err| place(format!("the body is not XML: {err}")))?;
        match event {
            Event::Eof if !open.is_empty() => return Err(place("the body is not XML: it ends within an element".to_string())),
            Event::Eof if elements.elements.is_empty() => return Err(Fault::whole("the body is empty; expected XML")),
            Event::Eof => return Ok(elements),
            Event::Start(tag) => {
                if open.len() >= MAX_DEPTH {
                    return Err(Fault::whole(format!("the body is nested deeper than {MAX_DEPTH} levels; expected fewer")));
                }
                let idx = elements.add(&tag, open.last().copied()).map_err(place)?;
                open.push(idx);
            }
            Event::Empty(tag) => _ = elements.add(&tag, open.last().copied()).map_err(place)?,
            Event::End(_) => _ = open.pop(),
            Event::Text(piece) => elements.add_text(&piece.xml10_content(), open.last().copied()).map_err(place)?,
            Event::CData(piece) => elements.add_text(&piece.xml10_content(), open.last().copied()).map_err(place)?,
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                let piece = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    Ok(None) => {
                        predefined(&name).ok_or_else(|| place(format!("the entity '&{name};' is not one that XML defines")))?.to_string()
                    }
                    Err(err) => return Err(place(format!("the body is not XML: {err}"))),
                };
                elements.add_text(&piece, open.last().copied()).map_err(place)?;
            }
            Event::DocType(_) => {
                return Err(place("the body has a document type, which is not read, since it may define entities".to_string()))
            }
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

fn predefined(name: &str) -> Option<&'static str> {
    quick_xml::escape::resolve_predefined_entity(name)
}

fn line_and_column(body: &[u8], offset: usize) -> String {
    let before = &body[..offset.min(body.len())];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |idx| idx + 1);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    format!("line {line}, column {}", before.len() - line_start + 1)
}

impl Elements {
    /// Adds an element and its attributes. Returns its position, or what is wrong.
    fn add(&mut self, tag: &BytesStart<'_>, parent: Option<usize>) -> Result<usize, String> {
        if parent.is_none() && !self.elements.is_empty() {
            return Err("the body is not XML: it has a second outermost element".to_string());
        }
        let mut element = Element { name: self.keep(tag.name().into_inner()), ..Element::default() };
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|err| format!("the body is not XML: {err}"))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|err| format!("the body is not XML: {err}"))?;
            let name = self.keep(&format!("@{}", attribute.key.into_inner()));
            element.attributes.push((name, self.keep(&value)));
        }
        let idx = self.elements.len();
        self.elements.push(element);
        if let Some(parent) = parent {
            self.elements[parent].children.push(idx);
        }
        Ok(idx)
    }

    fn add_text(&mut self, piece: &str, parent: Option<usize>) -> Result<(), String> {
        match parent {
            Some(parent) => {
                let range = self.keep(piece);
                let pieces = &mut self.elements[parent].pieces;
                match pieces.last_mut().filter(|last| last.end == range.start) {
                    Some(last) => last.end = range.end,
                    None => pieces.push(range),
                }
                Ok(())
            }
            None if trimmed(piece).is_empty() => Ok(()),
            None => Err("the body is not XML: there is text outside of its elements".to_string()),
        }
    }

    fn keep(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }

    /// Puts the pieces of each text together, so that the nodes can point to it.
    pub(super) fn joined(mut self) -> Elements {
        for idx in 0..self.elements.len() {
            if self.elements[idx].pieces.len() > 1 {
                let whole: String = self.elements[idx].pieces.iter().map(|piece| &self.text[piece.clone()]).collect();
                let range = self.keep(&whole);
                self.elements[idx].pieces = vec![range];
            }
        }
        self
    }

    /// Returns the document as nodes: an object with the outermost element.
    pub(super) fn tape(&self) -> Vec<TapeNode<'_>> {
        let mut nodes = Vec::with_capacity(2 + self.elements.len() * 3);
        nodes.push(TapeNode::Static(StaticNode::Null));
        if let Some(root) = self.elements.first() {
            nodes.push(TapeNode::String(&self.text[root.name.clone()]));
            self.write(root, &mut nodes);
        }
        let count = nodes.len() - 1;
        nodes[0] = TapeNode::Object { len: usize::from(count > 0), count };
        nodes
    }

    /// Returns the text of an element without white space at its ends.
    fn text_of(&self, element: &Element) -> &str {
        element.pieces.first().map_or("", |piece| trimmed(&self.text[piece.clone()]))
    }

    /// Appends the value of an element. Elements are nested no deeper than [`MAX_DEPTH`].
    fn write<'t>(&'t self, element: &Element, nodes: &mut Vec<TapeNode<'t>>) {
        let text = self.text_of(element);
        if element.attributes.is_empty() && element.children.is_empty() {
            nodes.push(value_of(text));
            return;
        }
        let start = nodes.len();
        nodes.push(TapeNode::Static(StaticNode::Null));
        let mut len = 0;
        for (name, value) in &element.attributes {
            nodes.push(TapeNode::String(&self.text[name.clone()]));
            nodes.push(value_of(&self.text[value.clone()]));
            len += 1;
        }
        for (name, alike) in self.by_name(&element.children) {
            nodes.push(TapeNode::String(name));
            len += 1;
            match alike.as_slice() {
                [only] => self.write(&self.elements[*only], nodes),
                several => {
                    let list = nodes.len();
                    nodes.push(TapeNode::Static(StaticNode::Null));
                    several.iter().for_each(|idx| self.write(&self.elements[*idx], nodes));
                    nodes[list] = TapeNode::Array { len: several.len(), count: nodes.len() - list - 1 };
                }
            }
        }
        if !text.is_empty() {
            nodes.push(TapeNode::String(TEXT));
            nodes.push(value_of(text));
            len += 1;
        }
        nodes[start] = TapeNode::Object { len, count: nodes.len() - start - 1 };
    }

    /// Returns the elements by their names, in the order in which the names come first.
    fn by_name(&self, children: &[usize]) -> Vec<(&str, Vec<usize>)> {
        let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for &idx in children {
            let name = &self.text[self.elements[idx].name.clone()];
            let known = match groups.len() <= FEW_ENTRIES {
                true => groups.iter().position(|(other, _)| *other == name),
                false => places.get(name).copied(),
            };
            match known {
                Some(place) => groups[place].1.push(idx),
                None => {
                    groups.push((name, vec![idx]));
                    if groups.len() == FEW_ENTRIES + 1 {
                        places = groups.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
                    } else if groups.len() > FEW_ENTRIES {
                        places.insert(name, groups.len() - 1);
                    }
                }
            }
        }
        groups
    }
}

/// Returns a text without what XML calls white space at its ends.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// Returns what a text says, as in CSV. An empty one is null.
fn value_of(text: &str) -> TapeNode<'_> {
    match text {
        "" => TapeNode::Static(StaticNode::Null),
        text => scalar_of(text).map_or(TapeNode::String(text), TapeNode::Static),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::node::Node;
    use proptest::prelude::*;

    fn read(body: &str) -> Result<String, Fault> {
        let elements = elements_of(body.as_bytes())?.joined();
        let tape = elements.tape();
        Ok(Node::from_tape(&tape).to_json())
    }

    fn check(body: &str, expected: &str) {
        assert_eq!(read(body).unwrap(), expected, "{body}");
    }

    #[test]
    fn elements_are_objects_and_those_that_repeat_lists() {
        check("<r><i id='1'>a</i><n>x</n><i id='2'/></r>", r##"{"r":{"i":[{"@id":1,"#text":"a"},{"@id":2}],"n":"x"}}"##);
        check("<?xml version=\"1.0\"?>\n<!-- c -->\n<r>\n <a> 007 </a>\n <b/>\n <c></c>\n</r>\n", r#"{"r":{"a":"007","b":null,"c":null}}"#);
        check("<r>12</r>", r#"{"r":12}"#);
        check("<r/>", r#"{"r":null}"#);
        check("\u{feff}<n:r xmlns:n=\"u\"><n:a>1.5</n:a></n:r>", r#"{"n:r":{"@xmlns:n":"u","n:a":1.5}}"#);
    }

    #[test]
    fn texts_are_read_without_escapes() {
        check("<r a='&lt;1&gt;'>a &amp; b&#33;<![CDATA[ <x> ]]></r>", r##"{"r":{"@a":"<1>","#text":"a & b! <x>"}}"##);
        // Other spaces are part of a text.
        check("<r><a>\u{a0}x\u{2003}</a><b>\t\u{a0}\r\n</b></r>", "{\"r\":{\"a\":\"\u{a0}x\u{2003}\",\"b\":\"\u{a0}\"}}");
        check("<r>one <b>two</b> three</r>", r##"{"r":{"b":"two","#text":"one  three"}}"##);
    }

    #[test]
    fn what_is_not_plain_xml_is_an_error_that_says_where() {
        let check = |body: &str, expected: &str| {
            let fault = read(body).unwrap_err();
            assert!(fault.to_string().contains(expected), "{body}: {fault}");
        };
        check("", "the body is empty");
        check("<r>\n<a>1</b></r>", "not XML");
        check("<r><a>1</a>", "not XML");
        check("<r/><s/>", "second outermost element");
        check("x<r/>", "text outside");
        check("<r a='1' a='2'/>", "not XML");
        check(
            "<!DOCTYPE r [<!ENTITY x 'y'>]><r>&x;</r>",
            "the body has a document type, which is not read, since it may define entities at line 1",
        );
        check("<r>\n&x;</r>", "the entity '&x;' is not one that XML defines at line 2");
        check("<r a='&x;'/>", "not XML");
        check("<r>&#xD800;</r>", "not XML");
        check(&format!("{}{}", "<a>".repeat(200), "</a>".repeat(200)), "nested deeper than 128 levels");
        let fault = elements_of(b"<r>\xE9</r>").unwrap_err();
        assert_eq!(fault.offset(), Some(3));
    }

    #[test]
    fn many_names_are_found_like_few() {
        let names: Vec<String> = (0..40).map(|number| format!("n{number}")).collect();
        let once: String = names.iter().map(|name| format!("<{name}>x</{name}>")).collect();
        let found = read(&format!("<r>{once}{once}</r>")).unwrap();
        let expected: Vec<String> = names.iter().map(|name| format!("\"{name}\":[\"x\",\"x\"]")).collect();
        assert_eq!(found, format!("{{\"r\":{{{}}}}}", expected.join(",")));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(body in "(<[ab]( x='1')?/?>|</[ab]>|&amp;|&#0;|&|<!\\[CDATA\\[|\\]\\]>|<!--|-->|<\\?x\\?>|t|\n){0,12}") {
            let _ = read(&body);
        }

        /// The law of XML: each element of a list is read once, in order.
        #[test]
        fn each_element_is_read_once(texts in prop::collection::vec("[a-d<&>'\" ]{1,6}", 2..8)) {
            let escaped = |text: &String| format!("<i>{}</i>", quick_xml::escape::escape(text.as_str()));
            let body = format!("<r>{}</r>", texts.iter().map(escaped).collect::<String>());
            let trimmed = |text: &String| match text.trim() {
                "" => serde_json::Value::Null,
                text => serde_json::Value::from(text),
            };
            let expected = serde_json::json!({"r": {"i": texts.iter().map(trimmed).collect::<Vec<_>>()}});
            prop_assert_eq!(read(&body).unwrap(), expected.to_string());
        }
    }
}
