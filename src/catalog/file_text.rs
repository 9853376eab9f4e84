//! Changes the text of a connections file: an entry added, replaced or removed, every other byte as it was.
//!
//! The changed text is parsed again and compared with what was wanted, so that what this module does not understand about a file
//! becomes an error and never a changed file.

use crate::catalog::connections::{entry_nodes, Definition};
use crate::yaml::{parse_into, scalar_of, Mistakes, Node};
use crate::{Error, Result};
use std::ops::Range;

/// What is to be done to a file.
enum Change<'a> {
    /// The entry takes the place of the first one of its name, or comes last.
    Put(&'a Definition),
    /// The entry of the name goes.
    Remove(&'a str),
}

impl Change<'_> {
    fn name(&self) -> &str {
        match self {
            Change::Put(definition) => &definition.name,
            Change::Remove(name) => name,
        }
    }
}

/// Returns the text with the definition's entry: in the place of the one of its name, or as the last. Fails when the file has mistakes, is
/// written so that it cannot be changed, or has several of that name, of which only its owner can tell which one is meant. `file` names it
/// in messages.
pub fn with_entry(file: &str, text: &str, definition: &Definition) -> Result<String> {
    changed(file, text, &Change::Put(definition))
}

/// Returns the text without the entry of that name. Fails as [`with_entry`] does.
pub fn without_entry(file: &str, text: &str, name: &str) -> Result<String> {
    changed(file, text, &Change::Remove(name))
}

/// Returns how many entries a text without mistakes has.
pub fn n_entries(text: &str) -> usize {
    root_of("", text).ok().flatten().as_ref().and_then(Node::list).map_or(0, <[Node]>::len)
}

/// Fails when the file has mistakes: it is left alone until its owner has corrected it.
pub fn check(file: &str, text: &str) -> Result<()> {
    root_of(file, text).map(|_| ())
}

fn changed(file: &str, text: &str, change: &Change<'_>) -> Result<String> {
    let root = root_of(file, text)?;
    let nodes = root.as_ref().and_then(Node::list).unwrap_or(&[]);
    let by_hand = || {
        Error::config(format!("connections file '{file}' is written in a way that Unify does not change; edit it by hand, or write each entry as '- name:' on a line of its own"))
    };
    check_one(file, nodes, change.name())?;
    let layout = Layout::of(text, nodes).ok_or_else(by_hand)?;
    let (new_text, wanted) = match change {
        Change::Put(definition) => layout.put(definition),
        Change::Remove(name) => layout.remove(name),
    };
    let is_wanted = |new_root: Option<Node>| {
        let new_nodes = new_root.as_ref().and_then(Node::list).unwrap_or(&[]);
        new_nodes.len() == wanted.len() && new_nodes.iter().zip(&wanted).all(|(node, wanted)| wanted.is(node))
    };
    match root_of(file, &new_text) {
        Ok(new_root) if is_wanted(new_root.clone()) => Ok(new_text),
        _ => Err(by_hand()),
    }
}

fn check_one(file: &str, nodes: &[Node], name: &str) -> Result<()> {
    let lines: Vec<String> = nodes.iter().filter(|node| is_named(node, name)).map(|node| node.line.to_string()).collect();
    if lines.len() < 2 {
        return Ok(());
    }
    let lines = lines.join(", ");
    Err(Error::config(format!(
        "connections file '{file}' has several entries of that name, at lines {lines}; leave one, by hand, and try again"
    )))
}

fn root_of(file: &str, text: &str) -> Result<Option<Node>> {
    let mistakes = Mistakes::new(file);
    let root = parse_into(text, &mistakes);
    entry_nodes(root.as_ref(), &mistakes);
    let broken = |err: Error| err.within("the connections file has mistakes and is left as it is; correct it first");
    mistakes.into_result().map_err(broken)?;
    Ok(root)
}

/// What an entry of the changed text must be.
enum Wanted<'a> {
    Kept(&'a Node),
    New(&'a Definition),
}

impl Wanted<'_> {
    fn is(&self, node: &Node) -> bool {
        match self {
            Wanted::Kept(kept) => kept.means_the_same(node),
            Wanted::New(definition) => is_entry_of(node, definition),
        }
    }
}

/// Where the entries stand.
struct Layout<'a> {
    /// The lines, each with its end.
    lines: Vec<&'a str>,
    nodes: &'a [Node],
    /// The lines of each entry, without what stands between it and the next.
    entries: Vec<Range<usize>>,
    /// The blanks in front of each entry's dash.
    indent: &'a str,
    /// The line in front of which a last entry comes.
    end: usize,
    line_end: &'static str,
}

impl<'a> Layout<'a> {
    fn of(text: &'a str, nodes: &'a [Node]) -> Option<Layout<'a>> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let starts: Option<Vec<usize>> = nodes.iter().map(|node| dash_line(&lines, node)).collect();
        let starts = starts?;
        let first_content = starts.last().map_or(0, |start| start + 1);
        let is_marker = |line: &&str| line.starts_with("...") || (!nodes.is_empty() && line.starts_with("---"));
        let end = lines[first_content..].iter().position(is_marker).map_or(lines.len(), |at| first_content + at);
        let mut entries = Vec::new();
        for (idx, start) in starts.iter().enumerate() {
            let next = starts.get(idx + 1).copied().unwrap_or(end);
            if next <= *start {
                return None;
            }
            let depth = indent_of(lines[*start]).len();
            let is_own = |line: &&str| {
                let content = line.trim();
                !content.is_empty() && (!content.starts_with('#') || indent_of(line).len() > depth)
            };
            let n_lines = lines[*start..next].iter().rposition(is_own).map_or(1, |last| last + 1);
            entries.push(*start..*start + n_lines);
        }
        let indent = starts.first().map_or("", |start| indent_of(lines[*start]).trim_start_matches('\u{feff}'));
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Some(Layout { lines, nodes, entries, indent, end, line_end })
    }

    fn put(&self, definition: &'a Definition) -> (String, Vec<Wanted<'a>>) {
        let entry = entry_text(definition, self.indent, self.line_end);
        let mut wanted: Vec<Wanted<'_>> = self.nodes.iter().map(Wanted::Kept).collect();
        match self.nodes.iter().position(|node| is_named(node, &definition.name)) {
            Some(idx) => {
                wanted[idx] = Wanted::New(definition);
                (self.text_with(&self.entries[idx], &entry), wanted)
            }
            None => {
                wanted.push(Wanted::New(definition));
                (self.text_with(&(self.end..self.end), &entry), wanted)
            }
        }
    }

    fn remove(&self, name: &str) -> (String, Vec<Wanted<'a>>) {
        let goes: Vec<bool> = self.nodes.iter().map(|node| is_named(node, name)).collect();
        let is_gone = |line: usize| goes.iter().zip(&self.entries).any(|(goes, entry)| *goes && entry.contains(&line));
        let text = self.lines.iter().enumerate().filter(|(line, _)| !is_gone(*line)).map(|(_, text)| *text).collect();
        let kept = self.nodes.iter().zip(&goes).filter(|(_, goes)| !**goes).map(|(node, _)| Wanted::Kept(node));
        (text, kept.collect())
    }

    /// Returns the text with `entry` in the place of the lines `replaced`.
    fn text_with(&self, replaced: &Range<usize>, entry: &str) -> String {
        let mut text: String = self.lines[..replaced.start].concat();
        if !text.is_empty() && !text.ends_with('\n') && text != "\u{feff}" {
            text.push_str(self.line_end);
        }
        text.push_str(entry);
        text.extend(self.lines[replaced.end..].iter().copied());
        text
    }
}

/// Returns the line with the dash of an entry: that of its first key, or one above it with the dash alone.
fn dash_line(lines: &[&str], node: &Node) -> Option<usize> {
    let line = node.line.checked_sub(1)?;
    let front: String = lines.get(line)?.trim_start_matches('\u{feff}').chars().take(node.column.checked_sub(1)?).collect();
    let is_dash = |text: &str| text.trim_start_matches(' ').strip_prefix('-').is_some_and(|rest| rest.trim().is_empty());
    if is_dash(&front) {
        return Some(line);
    }
    if !front.trim().is_empty() {
        return None;
    }
    let above = lines[..line].iter().rposition(|text| !text.trim().is_empty())?;
    is_dash(lines[above]).then_some(above)
}

fn indent_of(line: &str) -> &str {
    let line = line.trim_start_matches('\u{feff}');
    &line[..line.len() - line.trim_start_matches(' ').len()]
}

fn is_named(node: &Node, name: &str) -> bool {
    node.mapping().and_then(<[_]>::first).is_some_and(|(key, _)| key.name.eq_ignore_ascii_case(name))
}

fn entry_text(definition: &Definition, indent: &str, line_end: &str) -> String {
    let mut lines = vec![format!("- {}:", scalar_of(&definition.name)), format!("    adapter: {}", scalar_of(&definition.adapter))];
    if !definition.options.is_empty() {
        lines.push("    options:".to_string());
    }
    for (name, text) in &definition.options {
        lines.push(format!("      {}: {}", scalar_of(name), scalar_of(text.source().expose())));
    }
    lines.iter().map(|line| format!("{indent}{line}{line_end}")).collect()
}

fn is_entry_of(node: &Node, definition: &Definition) -> bool {
    let Some([(key, body)]) = node.mapping() else { return false };
    let text_of = |name: &str| body.get(name).and_then(Node::text);
    let options = body.get("options").and_then(Node::mapping).unwrap_or(&[]);
    let is_option = |((key, node), (name, text)): (&(crate::yaml::Key, Node), &(String, super::option_text::OptionText))| {
        key.name == *name && node.text() == Some(text.source().expose())
    };
    key.name == definition.name
        && text_of("adapter") == Some(definition.adapter.as_str())
        && options.len() == definition.options.len()
        && options.iter().zip(&definition.options).all(is_option)
}

#[cfg(test)]
#[path = "file_text_tests.rs"]
mod tests;
