//! `pagerToken`: each answer has what asks for the next page: a token, or several params.

use super::chain::Chain;
use super::ends::Ends;
use super::next_at::NextAt;
use super::size::Size;
use super::strategy::Strategy;
use super::told::Told;
use crate::document::{quoted, JsonPath, Node, View};
use crate::source::{PageFacts, PageKey, PagePart, Seen, Source, Token};
use crate::yaml::Fields;
use crate::{Error, Result};

/// Each answer has what asks for the next page.
#[derive(Debug, Clone, PartialEq)]
pub struct PagerToken {
    /// The param that takes the token; `None`: holes of the request take it, or the answer names the params.
    pub token_param: Option<String>,
    pub size: Size,
    pub tells: Tells,
    /// Tokens that say that there is no next page.
    pub end_tokens: Vec<String>,
    pub ends: Ends,
    /// Whether later pages are asked for with the token only, without the table's other params.
    pub only_token: bool,
    /// Whether each page begins with the last record of the page before.
    pub inclusive: bool,
    /// How pages are counted, where requests say that, too.
    pub numbers: Option<Numbers>,
    /// The values for the next page that holes of the table's requests take, by name.
    pub in_holes: Vec<String>,
}

/// How pages are counted besides their tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// The param that takes the number; `None`: a hole of the request does.
    pub param: Option<String>,
    pub first: u64,
}

/// What tells the next page.
#[derive(Debug, Clone, PartialEq)]
pub enum Tells {
    Token(Told),
    /// Params and where the value of each is.
    Tokens(Vec<(String, Told)>),
    /// An object whose fields are params.
    Carried(JsonPath),
}

impl PagerToken {
    /// The keys of a spec besides those of [`Size`], [`Told`] and [`Ends`].
    pub const KEYS: [&'static str; 8] =
        ["token_param", "tokens", "carry", "end_token", "only_token", "inclusive", "page_param", "first_page"];

    /// Reads the strategy.
    pub fn parse(fields: &Fields<'_>) -> Option<PagerToken> {
        let tells = Tells::parse(fields);
        let token_param = fields.text("token_param");
        if let (Some(Tells::Tokens(_) | Tells::Carried(_)), Some(node)) = (&tells, fields.get("token_param")) {
            let message =
                format!("{} has 'token_param', but the answer has several params, with their names; leave it out", fields.place());
            fields.mistakes().at(node, message);
        }
        let strategy = PagerToken {
            token_param,
            size: Size::parse(fields),
            tells: tells?,
            end_tokens: fields.texts("end_token"),
            ends: Ends::parse(fields),
            only_token: fields.boolean("only_token").unwrap_or(false),
            numbers: Numbers::parse(fields),
            in_holes: Vec::new(),
            inclusive: fields.boolean("inclusive").unwrap_or(false),
        };
        strategy.check_inclusive(fields);
        Some(strategy)
    }

    /// A page that begins with the record before needs a record, and room for another one.
    fn check_inclusive(&self, fields: &Fields<'_>) {
        let Some(node) = fields.get("inclusive").filter(|_| self.inclusive) else { return };
        let (place, mistakes) = (fields.place(), fields.mistakes());
        if !self.needs_last_row() {
            mistakes.at(node, format!("{place} has 'inclusive', which goes with 'last_row'"));
        }
        if self.size.page_size < 2 {
            mistakes
                .at(node, format!("{place} has 'inclusive', and each page begins with the record before; set 'page_size' to 2 or more"));
        }
    }

    /// Returns what asks for the next page, whatever the flags say. Tokens `end_tokens` do not.
    fn next(&self, seen: &Seen<'_>, end_tokens: &[String]) -> Result<Option<PageKey>> {
        let is_end = |token: &Token| end_tokens.iter().any(|end| end == token.as_text());
        let read = |told: &Told, in_hole| Ok::<_, Error>(told.read(seen, in_hole)?.filter(|token| !is_end(token)));
        let params = match &self.tells {
            Tells::Token(told) => return Ok(read(told, self.token_param.is_none())?.map(|token| PageKey::Token(Some(token)))),
            Tells::Tokens(tokens) => {
                let read = |(name, told): &(String, Told)| {
                    Some(read(told, self.in_holes.contains(name)).transpose()?.map(|token| (name.clone(), token)))
                };
                tokens.iter().filter_map(read).collect::<Result<Vec<_>>>()?
            }
            Tells::Carried(path) => self.carried(path, seen.root)?.into_iter().filter(|(_, token)| !is_end(token)).collect(),
        };
        Ok(Some(PageKey::Params(params)).filter(PageKey::is_announced))
    }
}

impl PagerToken {
    /// Returns the fields of the object at a path.
    fn carried(&self, path: &JsonPath, root: Node<'_>) -> Result<Vec<(String, Token)>> {
        let fields = path.find(root, |node| match node.view() {
            View::Null | View::Boolean(false) => Ok(Vec::new()),
            View::Object(entries) => {
                let read = |(name, node): (&str, Node<'_>)| {
                    let next = NextAt::of(node);
                    let in_hole = self.in_holes.iter().any(|own| own == name);
                    match if in_hole { next.token_for_hole() } else { next.token() } {
                        Ok(token) => Ok(token.map(|token| (name.to_string(), token))),
                        Err(kind) => Err(format!("field '{name}' of '{}' is {kind}; expected a text or a number", path.as_text())),
                    }
                };
                entries.filter_map(|entry| read(entry).transpose()).collect()
            }
            view => Err(format!("'{}' is {}; expected an object whose fields are params", path.as_text(), view.kind())),
        });
        let checked = fields.unwrap_or_else(|| Ok(Vec::new()));
        checked.map_err(|message| Error::api(format!("the next page's params: {message}; check 'carry'")))
    }
}

impl Numbers {
    /// Reads how pages are counted; `None` where they are not.
    fn parse(fields: &Fields<'_>) -> Option<Numbers> {
        let is_counted = ["page_param", "first_page"].iter().any(|key| fields.get(key).is_some());
        let numbers = Numbers { param: fields.text("page_param"), first: fields.count("first_page", 0).unwrap_or(1) };
        is_counted.then_some(numbers)
    }

    fn identity(&self) -> String {
        let param = self.param.as_ref().map_or(String::new(), |param| format!(" {}", quoted(param)));
        format!(" counted{param} from {}", self.first)
    }
}

/// The keys that tell the next page, for messages.
const TELLS: &str = "'pager_token_path', 'pager_token_header', 'last_row', 'tokens' and 'carry'";

impl Tells {
    fn parse(fields: &Fields<'_>) -> Option<Tells> {
        let n_before = fields.mistakes().len();
        let tokens = fields.get("tokens").map(|node| {
            let place = format!("'tokens' of {}", fields.place());
            if node.mapping().is_none_or(<[_]>::is_empty) {
                fields.wrong("tokens", node, "a mapping of params to JSONPaths");
            }
            let entries = node.mapping().unwrap_or_default().iter();
            let read = |(key, node): &(crate::yaml::Key, _)| {
                Some((key.name.clone(), Told::parse_one(node, &format!("'{}' in {place}", key.name), fields)?))
            };
            Tells::Tokens(entries.filter_map(read).collect())
        });
        let carried = fields.json_path("carry").map(Tells::Carried);
        let mut found: Vec<Tells> = Told::parse(fields).into_iter().map(Tells::Token).chain(tokens).chain(carried).collect();
        if found.len() > 1 {
            let several = format!("{} has several of {TELLS}, which tell the next page; keep one", fields.place());
            fields.mistakes().at(fields.mapping_node(), several);
        } else if found.is_empty() && fields.mistakes().len() == n_before {
            fields.mistakes().at(fields.mapping_node(), format!("{} has none of {TELLS}, which tell the next page", fields.place()));
        }
        found.pop()
    }

    /// Returns the key of a spec that says so.
    fn key(&self) -> &'static str {
        match self {
            Tells::Token(told) => told.key(),
            Tells::Tokens(_) => "tokens",
            Tells::Carried(_) => "carry",
        }
    }

    fn identity(&self, token_param: Option<&String>) -> String {
        match self {
            Tells::Token(told) => match token_param {
                Some(param) => format!("token {} at {}", quoted(param), told.identity()),
                None => format!("token at {}", told.identity()),
            },
            Tells::Tokens(tokens) => {
                let tokens: Vec<String> = tokens.iter().map(|(name, told)| format!(" {} at {}", quoted(name), told.identity())).collect();
                format!("tokens{}", tokens.concat())
            }
            Tells::Carried(path) => format!("carry {}", quoted(path.as_text())),
        }
    }
}

impl Strategy for PagerToken {
    fn parts(&self) -> &'static [PagePart] {
        match (&self.tells, &self.numbers) {
            (Tells::Token(_), None) => &[PagePart::Token, PagePart::Size],
            (Tells::Token(_), Some(_)) => &[PagePart::Token, PagePart::Number, PagePart::Size],
            (Tells::Tokens(_) | Tells::Carried(_), None) => &[PagePart::Size],
            (Tells::Tokens(_) | Tells::Carried(_), Some(_)) => &[PagePart::Number, PagePart::Size],
        }
    }

    fn gives_named(&self, name: &str) -> bool {
        match &self.tells {
            Tells::Token(_) => false,
            Tells::Tokens(tokens) => tokens.iter().any(|(own, _)| own == name),
            Tells::Carried(_) => true,
        }
    }

    fn set_holes(&mut self, names: &[&str]) {
        self.in_holes = names.iter().filter_map(|name| name.strip_prefix("page.")).map(str::to_string).collect();
    }

    fn params(&self) -> Vec<(&str, PagePart)> {
        let tokens = match &self.tells {
            Tells::Tokens(tokens) => tokens.as_slice(),
            Tells::Token(_) | Tells::Carried(_) => &[],
        };
        let tokens = tokens.iter().map(|(name, _)| (name.as_str(), PagePart::Carried));
        let token = self.token_param.as_deref().map(|name| (name, PagePart::Token));
        let number = self.numbers.as_ref().and_then(|numbers| Some((numbers.param.as_deref()?, PagePart::Number)));
        token.into_iter().chain(tokens).chain(number).chain(self.size.param()).collect()
    }

    fn size(&self) -> Option<&Size> {
        Some(&self.size)
    }

    fn size_mut(&mut self) -> Option<&mut Size> {
        Some(&mut self.size)
    }

    fn read(&self, seen: &Seen<'_>, facts: &mut PageFacts) -> Result<()> {
        self.ends.read(seen, facts);
        if facts.has_more == Some(false) {
            return Ok(());
        }
        // A page that only has the record that the page before told of has nothing new.
        let is_end = self.inclusive && facts.n_rows <= 1;
        facts.next = if is_end { None } else { self.next(seen, &self.end_tokens)? };
        self.ends.check_next(facts, "token", self.tells.key())?;
        if facts.next.is_none() && !self.end_tokens.is_empty() && self.next(seen, &[])?.is_some() {
            facts.has_more = Some(false);
        }
        Ok(())
    }

    fn source(&self, max_pages: u64) -> Box<dyn Source> {
        let first = match self.tells {
            Tells::Token(_) => PageKey::Token(None),
            Tells::Tokens(_) | Tells::Carried(_) => PageKey::Params(Vec::new()),
        };
        let first = match &self.numbers {
            Some(numbers) => PageKey::Numbered { number: numbers.first, key: Box::new(first) },
            None => first,
        };
        Box::new(Chain::new(first, max_pages))
    }

    fn n_pages(&self, n_rows: u64) -> Option<u64> {
        Some(self.size.n_pages(n_rows))
    }

    fn identity(&self) -> String {
        let ends: String = self.end_tokens.iter().map(|end| format!(" end token {}", quoted(end))).collect();
        let only = if self.only_token { " only token" } else { "" };
        let inclusive = if self.inclusive { " inclusive" } else { "" };
        let numbers = self.numbers.as_ref().map_or(String::new(), Numbers::identity);
        format!(
            "{}{}{}{ends}{only}{inclusive}{numbers}",
            self.tells.identity(self.token_param.as_ref()),
            self.size.identity(),
            self.ends.identity()
        )
    }

    fn ends_unsaid(&self, facts: &PageFacts, records: &[String]) -> bool {
        // Where a record tells the next page, one that is not there is the end.
        let is_past_records = match &self.tells {
            Tells::Token(Told::Path(path)) => path.leads_past(records, facts.n_rows),
            _ => self.needs_last_row(),
        };
        facts.next.is_none() && facts.has_more != Some(false) && !is_past_records
    }

    fn needs_last_row(&self) -> bool {
        match &self.tells {
            Tells::Token(told) => told.needs_last_row(),
            Tells::Tokens(tokens) => tokens.iter().any(|(_, told)| told.needs_last_row()),
            Tells::Carried(_) => false,
        }
    }

    fn only_token(&self) -> bool {
        self.only_token
    }

    fn repeats_last_row(&self) -> bool {
        self.inclusive
    }

    fn unplaced(&self) -> Option<(&'static str, PagePart)> {
        let is_in_hole = |name: &str| self.in_holes.iter().any(|own| own == name);
        let has_no_token = self.token_param.is_none() && matches!(self.tells, Tells::Token(_)) && !is_in_hole("token");
        let has_no_number = self.numbers.as_ref().is_some_and(|numbers| numbers.param.is_none());
        match (has_no_token, has_no_number) {
            (true, _) => Some(("token_param", PagePart::Token)),
            (false, true) => Some(("page_param", PagePart::Number)),
            (false, false) => None,
        }
    }
}
