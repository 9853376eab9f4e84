//! `Link` headers (RFC 8288).

use super::Headers;
use url::Url;

/// A link of an answer to another resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// As it is written.
    pub target: String,
    /// `None` when the target is not a URL.
    pub url: Option<Url>,
    /// Relation types, in lower case.
    pub rels: Vec<String>,
    /// Its other attributes, as they are written.
    pub attributes: Vec<(String, String)>,
}

impl Link {
    /// Returns whether the link has that relation type.
    pub fn has_rel(&self, rel: &str) -> bool {
        self.rels.iter().any(|own| own == rel)
    }

    /// Returns whether the link has an attribute of that name and value; they compare without case.
    pub fn has_attribute(&self, name: &str, value: &str) -> bool {
        self.attributes.iter().any(|(own, written)| own.eq_ignore_ascii_case(name) && written.eq_ignore_ascii_case(value))
    }
}

/// Returns the links in all `Link` headers that have a relation type, relative ones resolved against `base`. One whose target cannot be
/// read is among them, without a URL.
pub fn links_of(headers: &Headers, base: &Url) -> Vec<Link> {
    let mut links = Vec::new();
    for header in headers.all("link") {
        let mut rest = header;
        while let Some((target, after)) = target_of(rest) {
            let (params, next) = params_of(after);
            rest = next;
            let rel = params.iter().find(|(name, _)| name.eq_ignore_ascii_case("rel"));
            let is_elsewhere = params.iter().any(|(name, _)| name.eq_ignore_ascii_case("anchor"));
            let (Some((_, rel)), false) = (rel, is_elsewhere) else { continue };
            links.push(Link {
                target: target.text().to_string(),
                url: target.in_brackets().and_then(|target| base.join(target).ok()),
                rels: rel.split_whitespace().map(str::to_ascii_lowercase).collect(),
                attributes: params.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("rel")).cloned().collect(),
            });
        }
    }
    links
}

/// Where a link leads, as it is written.
enum Target<'a> {
    InBrackets(&'a str),
    /// Without the brackets that a target has.
    Bare(&'a str),
}

impl<'a> Target<'a> {
    fn text(&self) -> &'a str {
        match self {
            Target::InBrackets(text) | Target::Bare(text) => text,
        }
    }

    fn in_brackets(&self) -> Option<&'a str> {
        match self {
            Target::InBrackets(text) => Some(text),
            Target::Bare(_) => None,
        }
    }
}

/// Returns the next link's target, and what follows.
fn target_of(text: &str) -> Option<(Target<'_>, &str)> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    if text.is_empty() {
        return None;
    }
    let bare_len = text.find([';', ',']).unwrap_or(text.len());
    let bracket = text.find('<').filter(|start| *start < bare_len);
    let in_brackets = bracket.and_then(|start| Some((start + 1, start + text[start..].find('>')?)));
    match in_brackets {
        Some((start, end)) => Some((Target::InBrackets(text[start..end].trim()), &text[end + 1..])),
        None => Some((Target::Bare(text[..bare_len].trim()), &text[bare_len..])),
    }
}

/// Returns the `;`-separated parameters up to the next link's comma, and what follows it.
fn params_of(text: &str) -> (Vec<(String, String)>, &str) {
    let mut params = Vec::new();
    let mut rest = text.trim_start();
    while let Some(after) = rest.strip_prefix(';') {
        let after = after.trim_start();
        let name_len = after.find(['=', ';', ',']).unwrap_or(after.len());
        let name = after[..name_len].trim().to_string();
        rest = &after[name_len..];
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            (value, rest) = value_of(after.trim_start());
        }
        params.push((name, value));
        rest = rest.trim_start();
    }
    let next = rest.find(',').map_or("", |comma| &rest[comma + 1..]);
    (params, next)
}

/// Returns a token or quoted string, and what follows.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let len = text.find([';', ',']).unwrap_or(text.len());
        return (text[..len].trim().to_string(), &text[len..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((idx, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[idx + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(headers: &[&str], expected: &[(&str, &str)]) {
        let headers = Headers::new(headers.iter().map(|value| ("Link".to_string(), value.to_string())).collect());
        let base = Url::parse("https://api.test/v1/items?page=1").unwrap();
        let links: Vec<(String, String)> =
            links_of(&headers, &base).into_iter().map(|link| (link.rels.join(" "), link.url.map_or(link.target, String::from))).collect();
        let links: Vec<(&str, &str)> = links.iter().map(|(rel, url)| (rel.as_str(), url.as_str())).collect();
        assert_eq!(links, expected);
    }

    #[test]
    fn links_of_one_header() {
        check(
            &["<https://api.test/v1/items?page=2>; rel=\"next\", <https://api.test/v1/items?page=9>; rel=\"last\""],
            &[("next", "https://api.test/v1/items?page=2"), ("last", "https://api.test/v1/items?page=9")],
        );
    }

    #[test]
    fn several_headers_and_relative_targets() {
        check(
            &["</v1/items?page=2>;rel=next", "<?page=9> ; rel = last"],
            &[("next", "https://api.test/v1/items?page=2"), ("last", "https://api.test/v1/items?page=9")],
        );
    }

    #[test]
    fn quoted_params_may_hold_anything() {
        check(
            &["<a,b;c>; title=\"x, <y>; rel=\\\"no\\\"\"; REL=\"prev NEXT\"; foo, <d>; rel=last"],
            &[("prev next", "https://api.test/v1/a,b;c"), ("last", "https://api.test/v1/d")],
        );
    }

    #[test]
    fn what_is_no_link_is_skipped() {
        check(
            &["", "nonsense", "<unfinished", "<a>", "<b>; rel", "<x>; anchor=\"#foo\"; rel=next", "<c>; rel=\"next", "x <d>;rel=last"],
            &[("", "https://api.test/v1/b"), ("next", "https://api.test/v1/c"), ("last", "https://api.test/v1/d")],
        );
    }

    #[test]
    fn a_link_that_cannot_be_read_is_no_missing_link() {
        check(
            &[
                "<https://api.test:99999/x>; rel=next, <http://[bad>; rel=\"prev\"",
                "<unfinished; rel=next",
                "https://a.test/?a=1; rel=next",
            ],
            &[("next", "https://api.test:99999/x"), ("prev", "http://[bad"), ("next", "<unfinished"), ("next", "https://a.test/?a=1")],
        );
    }

    #[test]
    fn a_link_after_many_others_is_found() {
        let many = "<x>; rel=item, ".repeat(1000) + "<y>; rel=next";
        let headers = Headers::new(vec![("link".to_string(), many)]);
        let links = links_of(&headers, &Url::parse("https://api.test/").unwrap());
        assert!(links.iter().any(|link| link.has_rel("next")), "{}", links.len());
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_panic(text in ".*") {
            let headers = Headers::new(vec![("link".to_string(), text)]);
            links_of(&headers, &Url::parse("https://api.test/").unwrap());
        }
    }
}
