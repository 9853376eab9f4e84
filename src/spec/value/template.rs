//! Texts with holes: `{name}` in paths, `${...}` everywhere.

use super::hole::end_of;
use super::name::is_name;
use super::{Filled, Hole, Sources};
use crate::{Error, Result};
use std::fmt;

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    Literal(String),
    Hole(Hole),
}

/// A text with holes, parsed once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// Parses `{name}` and `${...}` holes, as paths and base URLs have them. Braces that enclose no name stay as they are.
    pub fn parse_path(text: &str) -> Result<Template> {
        Template::parse(text, true)
    }

    /// Parses `${...}` holes, as params, headers and bodies have them. Fails when one is not closed, or holds no value.
    pub fn parse_value(text: &str) -> Result<Template> {
        Template::parse(text, false)
    }

    /// Returns the template that is nothing but one hole.
    pub fn of_hole(name: &str) -> Template {
        Template { parts: vec![Part::Hole(Hole::of_name(name))] }
    }

    /// Returns the template that is nothing but a text.
    pub fn of_text(text: &str) -> Template {
        let mut template = Template::default();
        template.push_literal(text);
        template
    }

    fn parse(text: &str, has_short_holes: bool) -> Result<Template> {
        let mut template = Template::default();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, after) = (&rest[..at], &rest[at + 1..]);
            if let Some(before) = before.strip_suffix('$') {
                let end = end_of(after).ok_or_else(|| Error::config(format!("'${{{after}' has no '}}' at its end")))?;
                template.push_literal(before);
                template.parts.push(Part::Hole(Hole::parse(&after[..end])?));
                rest = &after[end + 1..];
                continue;
            }
            let name = after.find('}').map(|end| &after[..end]).filter(|name| has_short_holes && is_name(name));
            template.push_literal(if name.is_some() { before } else { &rest[..at + 1] });
            rest = after;
            if let Some(name) = name {
                template.parts.push(Part::Hole(Hole::of_name(name)));
                rest = &after[name.len() + 1..];
            }
        }
        template.push_literal(rest);
        Ok(template)
    }

    /// Returns the template with another behind it.
    pub fn followed_by(mut self, other: Template) -> Template {
        for part in other.parts {
            match part {
                Part::Literal(text) => self.push_literal(&text),
                hole @ Part::Hole(_) => self.parts.push(hole),
            }
        }
        self
    }

    fn push_literal(&mut self, text: &str) {
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Literal(literal)) => literal.push_str(text),
            _ => self.parts.push(Part::Literal(text.to_string())),
        }
    }

    /// Returns the holes, in order, repeats included.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole(hole) => Some(hole),
            Part::Literal(_) => None,
        })
    }

    /// Returns the names that holes and their filters take values from, in order, repeats included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.holes().flat_map(Hole::names)
    }

    /// Returns the pieces, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Returns the text when there is no hole at all.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns the hole that the template is nothing but.
    pub fn only_hole(&self) -> Option<&Hole> {
        match self.parts.as_slice() {
            [Part::Hole(hole)] => Some(hole),
            _ => None,
        }
    }

    /// Returns whether a value in it is not encoded where it stands in a URL.
    pub fn is_raw(&self) -> bool {
        self.holes().any(Hole::is_raw)
    }

    /// Fills the holes. The template that is only a hole has its value, with its type; `None` where it has none. Fails, naming the hole, when
    /// one inside a text has no value.
    pub fn value(&self, sources: &dyn Sources) -> Result<Option<Filled>> {
        match self.only_hole() {
            Some(hole) => hole.fill(sources),
            None => self.inside(sources).map(|text| Some(Filled::text(text))),
        }
    }

    /// Fills the holes. `None` for a template that is only a hole, and that has no value or null.
    pub fn text(&self, sources: &dyn Sources) -> Result<Option<String>> {
        match self.only_hole() {
            Some(hole) => match hole.fill(sources)? {
                Some(value) => value.to_text(&sources.date_format()).map_err(|err| named(&err, hole)),
                None => Ok(None),
            },
            None => self.inside(sources).map(Some),
        }
    }

    /// Fills the holes. Fails, naming the hole, when one has no value.
    pub fn render(&self, sources: &dyn Sources) -> Result<String> {
        self.inside(sources)
    }

    fn inside(&self, sources: &dyn Sources) -> Result<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Hole(hole) => text.push_str(&hole_text(hole, sources)?),
            }
        }
        Ok(text)
    }

    /// Fills the holes but those whose name is to be kept.
    pub fn partly_filled(&self, sources: &dyn Sources, is_kept: impl Fn(&str) -> bool) -> Result<Template> {
        let mut filled = Template::default();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => filled.push_literal(literal),
                Part::Hole(hole) if is_kept(&hole.name) => filled.parts.push(part.clone()),
                Part::Hole(hole) => filled.push_literal(&hole_text(hole, sources)?),
            }
        }
        Ok(filled)
    }
}

/// Returns the text of a hole inside a text. Fails, naming it, when it has none.
pub fn hole_text(hole: &Hole, sources: &dyn Sources) -> Result<String> {
    let text = match hole.fill(sources)? {
        Some(value) => value.to_text(&sources.date_format()).map_err(|err| named(&err, hole))?,
        None => None,
    };
    text.ok_or_else(|| Error::config(format!("no value for '{}'", hole.name)))
}

fn named(err: &Error, hole: &Hole) -> Error {
    Error::new(err.kind(), format!("the value of '{}' {}", hole.name, err.message()))
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Literal(literal) => f.write_str(literal),
            // A name that would be read as something else between `${` and `}`, as in `/jobs/{today-1d}`.
            Part::Hole(hole) if !hole.is_read_back() => write!(f, "{{{hole}}}"),
            Part::Hole(hole) => write!(f, "${{{hole}}}"),
        })
    }
}
