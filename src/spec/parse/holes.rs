//! Checks what fills holes: that each name is known where it stands, and has a value where it must have one.

use super::foreign::{meant_by, needed, Known};
use super::Node;
use crate::source::{PagePart, Paging};
use crate::spec::{Builtin, Hole, OptionSpec, Part, Template, FIELDS_HOLE, JOB_HOLE, OBJECT_HOLE, SETUP_HOLE};
use crate::yaml::Mistakes;

/// Which names that a load fills have a value at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// `now` and `today`: a header of the spec.
    Now,
    /// Those of a table's param, which are for any load.
    Load,
    /// Those of a refresh by updates, too.
    Updates,
    /// What goes into every request of a table. `cursor` and `timestamp` have a value once the table is loaded.
    Request,
}

/// What is discovered of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Discovers {
    pub objects: bool,
    pub fields: bool,
}

impl Discovers {
    /// Returns whether a hole of that name has a value.
    fn fill(self, name: &str) -> bool {
        (self.objects && name.starts_with(OBJECT_HOLE)) || (self.fields && name == FIELDS_HOLE)
    }

    /// Returns what it takes for a hole of discovery to have a value.
    fn lack(self, name: &str) -> &'static str {
        match name == FIELDS_HOLE {
            true => "the table needs 'discover' with 'fields'; where it is a param of this name, give that another name",
            false => "the table needs 'discover' with 'objects'",
        }
    }
}

/// A place in a spec where holes stand.
pub(super) struct HolePlace<'a> {
    pub options: &'a [&'a OptionSpec],
    /// Params that have a value there.
    pub params: Vec<&'a str>,
    pub given: Given,
    /// Params that have a value in refreshes alone.
    pub of_refresh: Vec<&'a str>,
    /// Whether a table's refresh asks for updates, and whether by a cursor.
    pub updates: Option<bool>,
    /// Whether a server gives tokens, whose answers have values.
    pub has_tokens: bool,
    /// What look-ups fill.
    pub setup: Vec<&'a str>,
    /// What is discovered of the table.
    pub discovers: Discovers,
    /// What the steps of a job before this place captured.
    pub captured: Vec<&'a str>,
    /// The table's; `None` where there are no pages.
    pub paging: Option<&'a Paging>,
    /// Whether it is in requests for later pages alone: the first has one of its own.
    pub is_later: bool,
    /// Whether the table's range is cut into windows.
    pub has_window: bool,
    /// Whether a hole may be written `{name}`.
    pub is_path: bool,
    /// Such as `header 'X' of table 'orders'`.
    pub name: String,
    pub node: &'a Node,
    pub mistakes: &'a Mistakes,
}

impl HolePlace<'_> {
    /// Adds the mistakes of a text's holes.
    pub fn check(&self, template: &Template) {
        for (idx, part) in template.parts().iter().enumerate() {
            let Part::Hole(hole) = part else { continue };
            // A hole of another tool is told by itself.
            if self.is_path && is_in_braces(template.parts(), idx) {
                continue;
            }
            let at = At { place: self, template, hole };
            at.check_hole(template.only_hole().is_some());
            for name in hole.filter_names() {
                at.check_filter_name(name);
            }
        }
    }

    fn is_param(&self, name: &str) -> bool {
        self.params.contains(&name)
    }

    /// Returns whether the name is that of a param that only a refresh has. An option of the name stands before it.
    fn is_of_refresh(&self, name: &str) -> bool {
        self.of_refresh.contains(&name) && self.option(name).is_none()
    }

    fn option(&self, name: &str) -> Option<&OptionSpec> {
        self.options.iter().find(|option| option.name == name).copied()
    }
}

/// A hole of a template at a place.
struct At<'a> {
    place: &'a HolePlace<'a>,
    template: &'a Template,
    hole: &'a Hole,
}

impl At<'_> {
    /// Adds a mistake in the line of each value that has the hole.
    fn mistake(&self, text: impl std::fmt::Display) {
        for node in self.nodes() {
            self.place.mistakes.at(node, format!("{} {text}", self.place.name));
        }
    }

    /// Returns the values that are the template. Where none is, as that is made of several, those that have the hole.
    fn nodes(&self) -> Vec<&Node> {
        let place = self.place;
        let parse = if place.is_path { Template::parse_path } else { Template::parse_value };
        // Paths of steps stand beside their bodies.
        let read = |node: &Node| [parse, Template::parse_path].map(|parse| parse(&node.written).unwrap_or_default());
        let having = |is_it: &dyn Fn(&Template) -> bool| -> Vec<&Node> {
            place.node.scalars().into_iter().filter(|node| read(node).iter().any(is_it)).collect()
        };
        let same = having(&|template| template == self.template);
        let same = if same.is_empty() { having(&|template| template.holes().any(|hole| hole == self.hole)) } else { same };
        if same.is_empty() {
            vec![place.node]
        } else {
            same
        }
    }

    fn check_hole(&self, is_alone: bool) {
        let hole = self.hole;
        let name = hole.name.as_str();
        let may_be_nothing = is_alone || hole.has_default();
        if self.place.given == Given::Request && self.place.is_param(name) {
            return;
        }
        match Builtin::named(name) {
            Some(builtin) => self.check_builtin(name, builtin, may_be_nothing),
            None if self.place.is_param(name) => {}
            None if self.place.is_of_refresh(name) => {
                if !may_be_nothing && self.place.given != Given::Updates {
                    self.mistake(format!(
                        "has a hole '{name}', a param that only 'refresh' has: it has no value at the first load; write \
                         '${{{name} | default(...)}}', or give the table a param '{name}'"
                    ));
                }
            }
            None => match self.place.option(name) {
                None => self.unknown(name),
                Some(option) if !may_be_nothing && option.default.is_none() && !option.required => {
                    self.mistake(format!("has a hole '{name}', an option without a value; give it 'default' or 'required: true'"));
                }
                Some(_) => {}
            },
        }
    }

    fn check_builtin(&self, name: &str, builtin: Builtin, may_be_nothing: bool) {
        match builtin {
            Builtin::Now => {}
            Builtin::Token if self.place.has_tokens => {}
            Builtin::Setup if self.place.setup.iter().any(|known| name.strip_prefix(SETUP_HOLE) == Some(known)) => {}
            Builtin::Setup => self.mistake(format!("has a hole '{name}', which no 'capture' of 'setup' gives before")),
            Builtin::Token => self.mistake(format!("has a hole '{name}', and no 'auth' of the spec gets tokens from a server")),
            Builtin::Job => self.check_captured(name),
            Builtin::Since if self.place.given == Given::Updates => {}
            Builtin::Page if matches!(self.place.given, Given::Load | Given::Updates | Given::Request) => {
                self.check_page(name, may_be_nothing)
            }
            Builtin::Since if self.place.given == Given::Request => self.check_since(name, may_be_nothing),
            Builtin::Since if self.place.given == Given::Load => {
                self.mistake(format!(
                    "has a hole '{name}', which only a refresh fills; write it in 'params' of 'refresh', with 'strategy: updates'"
                ));
            }
            Builtin::Discovered if self.place.discovers.fill(name) => {}
            Builtin::Discovered => self.mistake(format!("has a hole '{name}', which nothing fills: {}", self.place.discovers.lack(name))),
            Builtin::Window if self.place.given != Given::Now && self.place.has_window => {}
            Builtin::Window if self.place.given != Given::Now => {
                self.mistake(format!("has a hole '{name}', but the table has no 'window', whose bounds fill it"));
            }
            Builtin::Since | Builtin::Page | Builtin::Window => {
                self.mistake(format!(
                    "has a hole '{name}', which has no value there; it may stand in the params, headers, path and body of a table"
                ));
            }
        }
    }

    /// What changed since then is asked for by a refresh. A first load has no such moment.
    fn check_since(&self, name: &str, may_be_nothing: bool) {
        match self.place.updates {
            None => self.mistake(format!("has a hole '{name}', which a refresh fills that asks for updates; the table needs 'refresh' with 'strategy: updates'")),
            Some(false) if name == "cursor" => self.mistake("has a hole 'cursor', but the refresh has no 'cursor'"),
            Some(_) if !may_be_nothing => self.mistake(format!(
                "has a hole '{name}' inside a text, which has no value at the first load; let it stand alone, or write '${{{name} | default(...)}}'"
            )),
            Some(_) => {}
        }
    }

    fn check_page(&self, name: &str, may_be_nothing: bool) {
        let Some(paging) = self.place.paging else {
            self.mistake(format!("has a hole '{name}', but no pages"));
            return;
        };
        let part = PagePart::of_hole(name);
        if !paging.gives(name) {
            let needed = match part {
                Some(part) => format!("it needs 'paging' with 'strategy: {}'", part.strategy()),
                None => "it needs 'paging' with 'strategy: pagerToken', and 'tokens' with that name or 'carry'".to_string(),
            };
            self.mistake(format!("has a hole '{name}', which the table's paging does not fill; {needed}"));
        } else if part.is_none_or(PagePart::comes_with_answers) && !may_be_nothing && !self.place.is_later {
            self.mistake(format!(
                "has a hole '{name}' inside a text, which has no value at the first page; let it stand alone, write \
                 '${{{name} | default(...)}}', or give the first page a request of its own with 'first'"
            ));
        }
    }

    fn check_captured(&self, name: &str) {
        let captured = name.strip_prefix(JOB_HOLE).unwrap_or(name);
        if !self.place.captured.contains(&captured) {
            let hint = self.place.mistakes.suggestions().hint("; ", captured, self.place.captured.iter().copied());
            self.mistake(format!("has a hole '{name}', which no earlier step of a 'job' captures{hint}"));
        }
    }

    fn check_filter_name(&self, name: &str) {
        if !self.place.is_param(name) && self.place.option(name).is_none() {
            self.unknown(name);
        }
    }

    fn unknown(&self, name: &str) {
        let suggestions = self.place.mistakes.suggestions();
        let own = || self.place.params.iter().copied().chain(self.place.options.iter().map(|option| option.name.as_str()));
        if self.place.given == Given::Now {
            let hint = suggestions.hint("; ", name, own().chain(Builtin::NAMES));
            self.mistake(format!("has a hole '{name}' that is not an option{hint}"));
            return;
        }
        let near = Some(suggestions.hint("", name, own())).filter(|hint| !hint.is_empty());
        let known =
            Known { params: self.place.params.clone(), options: self.place.options.iter().map(|option| option.name.as_str()).collect() };
        let near_ours = || Some(suggestions.hint("", name, Builtin::NAMES)).filter(|hint| !hint.is_empty());
        let hint = near.or_else(|| meant_by(name, self.place.is_path, &known)).or_else(near_ours).unwrap_or_else(|| needed(name));
        self.mistake(format!("has a hole '{name}' that no param or option fills; {hint}"));
    }
}

/// Returns whether a hole stands in braces of its own, as in `{{name}}`.
fn is_in_braces(parts: &[Part], idx: usize) -> bool {
    let literal = |idx: Option<usize>| match idx.and_then(|idx| parts.get(idx)) {
        Some(Part::Literal(text)) => text.as_str(),
        _ => "",
    };
    literal(idx.checked_sub(1)).ends_with('{') && literal(idx.checked_add(1)).starts_with('}')
}
