//! What fills the holes of a request, and the URLs and headers it makes.

use super::page::of_page;
use super::urls::{check_path, url_of};
use super::ParamSet;
use crate::source::PageValues;
use crate::spec::{
    check_url_part, is_header_value, Builtin, Connection, DateFormat, Filled, Hole, ParamValue, Part, Sources, Template, UrlPart,
    SETUP_HOLE,
};
use crate::{Error, Result};
use percent_encoding::{utf8_percent_encode, AsciiSet, CONTROLS, NON_ALPHANUMERIC};
use url::Url;

/// What a path segment may hold as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// What no path can hold without ending, or as another character.
const ENDS_PATH: &AsciiSet = &CONTROLS.add(b'?').add(b'#').add(b'\\').add(b' ').add(b'"').add(b'<').add(b'>');

/// Where the values of holes come from: the params first, then what the load and the page know, then the connection's options.
pub struct Values<'a> {
    pub connection: &'a Connection,
    pub param_set: &'a ParamSet,
    pub page: &'a PageValues,
}

impl Sources for Values<'_> {
    fn value_of(&self, name: &str) -> Option<Filled> {
        if let Some(value) = self.param_set.value(name) {
            return match value {
                ParamValue::Template(_) => self.text_of(value).ok().flatten().map(Filled::text),
                value => value.filled(),
            };
        }
        let of_page = of_page(self.page, name).or_else(|| self.param_set.load.value_of(name));
        of_page.or_else(|| self.connection.value_of(name))
    }

    fn date_format(&self) -> DateFormat {
        self.param_set.load.format.clone()
    }
}

impl Values<'_> {
    /// Returns the text of a value with its holes filled; `None` for null.
    pub fn text_of(&self, value: &ParamValue) -> Result<Option<String>> {
        match value {
            // A param's own holes are not params any more.
            ParamValue::Template(template) => {
                let none = ParamSet { load: self.param_set.load.clone(), ..ParamSet::default() };
                template.text(&Values { param_set: &none, ..*self })
            }
            other => Ok(other.to_text()),
        }
    }

    /// Returns the headers of a request for `accept`, unless the spec says otherwise; one that is only a hole without a value is left out.
    pub fn headers(
        &self,
        accept: &str,
        common: &[(String, Template)],
        own: &[(String, Template)],
        sources: &dyn Sources,
    ) -> Result<Vec<(String, String)>> {
        let mut headers: Vec<(String, String)> = vec![("Accept".to_string(), accept.to_string())];
        for (name, template) in common.iter().chain(own) {
            let value = template.text(sources).map_err(|err| err.within(format!("header '{name}'")))?;
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            let Some(value) = value else { continue };
            if template.as_literal().is_none() && !is_header_value(&value) {
                let message = "the value holds a character that no HTTP header can, such as a line break or a space at its end";
                return Err(Error::data(message).within(format!("header '{name}'")));
            }
            headers.push((name.clone(), value));
        }
        Ok(headers)
    }

    pub(super) fn url(&self, base_url: &Template, path: &Template) -> Result<Url> {
        url_of(&self.base_text(base_url)?, &self.path_text(path, self)?)
    }

    /// Fills the base URL. What decides which host is asked is an option's or the spec's own to say; the rest is percent-encoded.
    pub fn base_text(&self, template: &Template) -> Result<String> {
        let mut text = String::new();
        let mut found_host = None;
        for (idx, (piece, part)) in template.parts().iter().zip(template.url_parts()).enumerate() {
            let piece = match piece {
                Part::Literal(literal) => literal.clone(),
                Part::Hole(hole) if part.names_the_host() && hole.name.starts_with(SETUP_HOLE) => {
                    let value = url_hole(hole, self.connection)?;
                    let what = format!("the value '{value}' that 'setup' found for '{}'", hole.name);
                    check_url_part(part, &what, template.is_scheme(idx), &value)?;
                    let is_below_own = part == UrlPart::Host && is_own_domain(template.parts().get(idx + 1));
                    if is_below_own && !is_label(&value) {
                        return Err(Error::api(format!("{what} is not one part of a host; expected letters, digits and '-'")));
                    }
                    found_host = found_host.or((!is_below_own).then_some(what));
                    value
                }
                Part::Hole(hole) if part.names_the_host() => self.host_hole(hole, part, template.is_scheme(idx))?,
                Part::Hole(hole) => segment(hole, &url_hole(hole, self)?)?,
            };
            text.push_str(&piece);
        }
        let behind_the_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
        check_path(behind_the_scheme)?;
        // What an answer says decides about the host only among those that the spec lists.
        let is_allowed = || Url::parse(&text).is_ok_and(|url| self.connection.adapter.allows_origin(&url));
        match found_host.filter(|_| !is_allowed()) {
            Some(what) => Err(Error::api(format!("{what} leads to a host that is not in 'allowed_hosts' of the spec"))),
            None => Ok(text),
        }
    }

    /// Returns what fills a hole of the base URL that decides which host is asked: an option, or a value that the spec lists for a param.
    fn host_hole(&self, hole: &Hole, part: UrlPart, is_scheme: bool) -> Result<String> {
        let (spec, name) = (&self.connection.adapter, hole.name.as_str());
        let Some(value) = self.param_set.value(name) else {
            // Only options: neither moments nor what an answer says.
            let text = url_hole(hole, self.connection)?;
            check_url_part(part, &format!("option '{name}'"), is_scheme, &text)?;
            return Ok(text);
        };
        let listed = self.text_of(value)?.ok_or_else(|| empty(name))?;
        if spec.option(name).is_some() || !spec.listed_values(name).contains(&listed) {
            return Err(Error::config(format!(
                "the value of param '{name}' is not one that the spec lists, and it would decide which host is asked; 'base_url' takes those and \
                 options only"
            )));
        }
        let text = url_hole(hole, self)?;
        check_url_part(part, &format!("param '{name}'"), is_scheme, &text)?;
        Ok(text)
    }

    /// Fills the path.
    pub fn path_text(&self, template: &Template, sources: &dyn Sources) -> Result<String> {
        let text = self.filled(template, sources)?;
        check_path(&text)?;
        Ok(text)
    }

    pub(super) fn filled(&self, template: &Template, sources: &dyn Sources) -> Result<String> {
        let mut text = String::new();
        for part in template.parts() {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Hole(hole) => text.push_str(&segment(hole, &url_hole(hole, sources)?)?),
            }
        }
        Ok(text)
    }
}

/// Returns what fills a hole of a URL, not encoded.
fn url_hole(hole: &Hole, sources: &dyn Sources) -> Result<String> {
    let name = &hole.name;
    let text = match hole.fill(sources)? {
        Some(value) => {
            let text = value.to_text(&sources.date_format());
            text.map_err(|err| Error::new(err.kind(), format!("the value of '{name}' {}", err.message())))?
        }
        None => None,
    };
    match text {
        Some(text) if text.is_empty() => Err(empty(name)),
        Some(text) => Ok(text),
        None if Builtin::named(name) == Some(Builtin::Token) => Err(Error::config(format!(
            "the URL needs '{name}', which the answer for a token did not have, or nobody asked for one yet; TEST CONNECTION asks for one"
        ))),
        None if Builtin::named(name) == Some(Builtin::Setup) => Err(Error::config(format!(
            "the URL needs '{name}', which 'setup' of the spec looks up, and nobody did yet; TEST CONNECTION does"
        ))),
        None if Builtin::named(name) == Some(Builtin::Job) => {
            Err(Error::api(format!("the URL needs '{name}', which the answers of the job's steps did not have")))
        }
        None => Err(Error::config(format!("the URL needs a value for '{name}', which is neither a param of the table nor an option set"))),
    }
}

/// Returns whether what stands behind a hole of the host is a domain of the spec's own, such as `.api.example.com`.
fn is_own_domain(next: Option<&Part>) -> bool {
    let Some(Part::Literal(text)) = next else { return false };
    let host = text.split(['/', ':', '?', '#', '\\']).next().unwrap_or_default();
    host.strip_prefix('.').is_some_and(|domain| domain.split('.').filter(|label| !label.is_empty()).count() >= 2)
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Returns a value as it stands in a path: one segment, or with `raw` all that a path may hold.
pub(super) fn segment(hole: &Hole, value: &str) -> Result<String> {
    match value {
        "" => Err(empty(&hole.name)),
        value if hole.is_raw() => Ok(utf8_percent_encode(value, ENDS_PATH).to_string()),
        "." | ".." => Err(Error::config(format!("the value of '{}' is '{value}', which cannot be part of a URL's path", hole.name))),
        value => Ok(utf8_percent_encode(value, SEGMENT).to_string()),
    }
}

fn empty(name: &str) -> Error {
    Error::config(format!("the value of '{name}' is empty, but the URL needs one"))
}
