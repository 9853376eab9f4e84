//! The request for one page of a table: URL and headers, without credentials.

mod path;

pub use path::request_of_path;

use super::PageKey;
use crate::spec::{Connection, Paging, ParamValue, Part, TableDef, Template};
use crate::{Error, Result};
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};
use url::Url;

/// What a path segment may hold as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Values for the params of a table: one element of the product of its lists and queries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParamSet {
    pub values: Vec<(String, ParamValue)>,
    /// Whether a value came from a query over a parent table.
    pub from_parent: bool,
}

impl ParamSet {
    fn value(&self, name: &str) -> Option<&ParamValue> {
        self.values.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

/// A GET request without credentials. Its URL may still hold secret option values: print it through a [`super::Redactor`].
#[derive(Clone, PartialEq, Eq)]
pub struct ApiRequest {
    pub url: Url,
    /// The base URL, whose origin may have the credentials.
    pub base: Url,
    pub headers: Vec<(String, String)>,
}

/// Builds the request for the page `key` of a table. Params fill the holes of base URL and path, percent-encoded; what no hole
/// takes goes to the query string, nulls left out; the pager's params replace those of the same name. Fails when a hole has no
/// value or its value cannot be a path segment.
pub fn request_of(connection: &Connection, table_def: &TableDef, param_set: &ParamSet, key: &PageKey) -> Result<ApiRequest> {
    let values = Values { connection, param_set };
    let headers = values.headers(&connection.adapter.headers, &table_def.headers)?;
    let base = values.url(&connection.adapter.base_url, &Template::default())?;
    if let PageKey::Link(link) = key {
        let url = Url::parse(link).map_err(|err| Error::api(format!("the API's link to the next page is no URL: {err}")))?;
        return Ok(ApiRequest { url, base, headers });
    }
    let mut url = values.url(&connection.adapter.base_url, &table_def.path)?;
    let pager_params = pager_params(&table_def.paging, key);
    let is_hole = |name: &str| connection.adapter.base_url.holes().chain(table_def.path.holes()).any(|hole| hole == name);
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in &param_set.values {
        if is_hole(name) || pager_params.iter().any(|(pager_name, _)| pager_name == name) {
            continue;
        }
        if let Some(text) = values.text_of(value)? {
            pairs.retain(|(other, _)| other != name);
            pairs.push((name.clone(), text));
        }
    }
    pairs.extend(pager_params);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(ApiRequest { url, base, headers })
}

/// Returns whether the pager gives a param its value, whatever the table says.
pub fn pager_sets(paging: &Paging, param: &str) -> bool {
    let (first, second) = match paging {
        Paging::None | Paging::NextLink { .. } => return false,
        Paging::PageAndCount { page_param, count_param, .. } => (Some(page_param), count_param.as_ref()),
        Paging::OffsetAndCount { offset_param, count_param, .. } => (Some(offset_param), count_param.as_ref()),
        Paging::PagerToken { token_param, count_param, .. } => (Some(token_param), count_param.as_ref()),
        Paging::LinkHeader { count_param, .. } => (None, count_param.as_ref()),
    };
    first.into_iter().chain(second).any(|name| name == param)
}

/// Returns the params that ask for this page.
fn pager_params(paging: &Paging, key: &PageKey) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    match (paging, key) {
        (Paging::PageAndCount { page_param, count_param, page_size, .. }, PageKey::Page(page)) => {
            pairs.push((page_param.clone(), page.to_string()));
            pairs.extend(count_param.clone().map(|name| (name, page_size.to_string())));
        }
        (Paging::OffsetAndCount { offset_param, count_param, page_size, .. }, PageKey::Offset { offset, limit }) => {
            pairs.push((offset_param.clone(), offset.to_string()));
            pairs.extend(count_param.clone().map(|name| (name, limit.unwrap_or(*page_size).to_string())));
        }
        (Paging::PagerToken { token_param, count_param, page_size, .. }, PageKey::Token(token)) => {
            pairs.extend(token.clone().map(|token| (token_param.clone(), token)));
            pairs.extend(count_param.clone().map(|name| (name, page_size.to_string())));
        }
        (Paging::LinkHeader { count_param, page_size }, _) => pairs.extend(count_param.clone().map(|name| (name, page_size.to_string()))),
        _ => {}
    }
    pairs
}

/// Where the values of holes come from: the params first, then the connection's options.
pub(super) struct Values<'a> {
    pub connection: &'a Connection,
    pub param_set: &'a ParamSet,
}

impl Values<'_> {
    pub(super) fn option(&self, name: &str) -> Option<String> {
        self.connection.options.values.get(name).map(|value| value.expose().to_string())
    }

    /// Returns the text of a value with its `${option}` holes filled; `None` for null.
    fn text_of(&self, value: &ParamValue) -> Result<Option<String>> {
        match value {
            ParamValue::Template(template) => template.render(|name| self.option(name)).map(Some),
            other => Ok(other.to_text()),
        }
    }

    fn hole(&self, name: &str) -> Result<String> {
        let text = match self.param_set.value(name) {
            Some(value) => self.text_of(value)?,
            None => self.option(name),
        };
        match text {
            Some(text) if text.is_empty() => Err(Error::config(format!("the value of '{name}' is empty, but the URL needs one"))),
            Some(text) => Ok(text),
            None => {
                Err(Error::config(format!("the URL needs a value for '{name}', which is neither a param of the table nor an option set")))
            }
        }
    }

    pub(super) fn headers(&self, common: &[(String, Template)], own: &[(String, Template)]) -> Result<Vec<(String, String)>> {
        let mut headers: Vec<(String, String)> = vec![("Accept".to_string(), "application/json".to_string())];
        for (name, template) in common.iter().chain(own) {
            let value = template.render(|hole| match self.param_set.value(hole) {
                Some(value) => value.to_text(),
                None => self.option(hole),
            });
            let value = value.map_err(|err| err.within(format!("header '{name}'")))?;
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value));
        }
        Ok(headers)
    }

    fn url(&self, base_url: &Template, path: &Template) -> Result<Url> {
        url_of(&self.base_text(base_url)?, &self.path_text(path)?)
    }

    /// Fills the base URL: a value may be the start of the URL, a part of the host, or a part of the path.
    pub(super) fn base_text(&self, template: &Template) -> Result<String> {
        let mut text = String::new();
        for part in template.parts() {
            let name = match part {
                Part::Literal(literal) => {
                    text.push_str(literal);
                    continue;
                }
                Part::Hole(name) => name,
            };
            let value = self.hole(name)?;
            let authority = text.split_once("://").map(|(_, rest)| rest);
            match authority {
                None if text.is_empty() => text.push_str(value.trim()),
                Some(rest) if rest.contains(['/', '?', '#']) => text.push_str(&self.segment(name, &value)?),
                _ if value.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':')) => text.push_str(&value),
                _ => {
                    return Err(Error::config(format!(
                        "option '{name}' is not part of a host name; expected a name without 'https://' and '/'"
                    )))
                }
            }
        }
        Ok(text)
    }

    /// Fills the path.
    pub(super) fn path_text(&self, template: &Template) -> Result<String> {
        let mut text = String::new();
        for part in template.parts() {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Hole(name) => text.push_str(&self.segment(name, &self.hole(name)?)?),
            }
        }
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let climbs = path.split('/').any(|segment| segment == "." || segment == "..");
        if climbs {
            return Err(Error::config("the params make '.' or '..' a segment of the path, which a URL cannot hold"));
        }
        Ok(text)
    }

    /// Returns the value as it stands in one path segment.
    fn segment(&self, name: &str, value: &str) -> Result<String> {
        if value == "." || value == ".." {
            return Err(Error::config(format!("the value of '{name}' is '{value}', which cannot be part of a URL's path")));
        }
        Ok(utf8_percent_encode(value, SEGMENT).to_string())
    }
}

/// Returns the URL of a path below a base URL.
pub(super) fn url_of(base: &str, path: &str) -> Result<Url> {
    let (base, base_query) = base.split_once('?').unwrap_or((base, ""));
    let (path, path_query) = path.split_once('?').unwrap_or((path, ""));
    let mut text = base.trim_end_matches('/').to_string();
    if !path.is_empty() {
        text.push('/');
        text.push_str(path.trim_start_matches('/'));
    }
    let queries: Vec<&str> = [base_query, path_query].into_iter().filter(|query| !query.is_empty()).collect();
    if !queries.is_empty() {
        text.push('?');
        text.push_str(&queries.join("&"));
    }
    let url = Url::parse(&text).map_err(|err| Error::config(format!("'base_url' does not make a URL: {err}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Error::config(format!("'base_url' has the scheme '{}'; expected https", url.scheme())));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{adapter, basic, connection, table};
    use super::*;
    use proptest::prelude::*;

    fn text(value: &str) -> ParamValue {
        ParamValue::Text(value.to_string())
    }

    fn request(path: &str, paging: Paging, values: &[(&str, ParamValue)], key: &PageKey) -> Result<ApiRequest> {
        let connection = connection(adapter(basic()), &[("site", "a/b"), ("password", "s3cr3t")]);
        let values = values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        request_of(&connection, &table(path, paging), &ParamSet { values, from_parent: false }, key)
    }

    fn check(path: &str, values: &[(&str, ParamValue)], expected: &str) {
        assert_eq!(request(path, Paging::None, values, &PageKey::Only).unwrap().url.as_str(), expected);
    }

    #[test]
    fn params_fill_holes_and_the_rest_is_the_query() {
        let values = [
            ("org", text("x")),
            ("n", ParamValue::Integer(3)),
            ("active", ParamValue::Boolean(true)),
            ("gone", ParamValue::Null),
            ("q", text("a b&c=d")),
            ("on", ParamValue::Template(Template::parse_value("site:${site}"))),
        ];
        check("/orgs/{org}/repos", &values, "https://api.test/v1/orgs/x/repos?n=3&active=true&q=a+b%26c%3Dd&on=site%3Aa%2Fb");
        check("orgs/{site}", &[], "https://api.test/v1/orgs/a%2Fb");
        check("/search?type=x&q={q}", &[("q", text("a&b")), ("z", text("1"))], "https://api.test/v1/search?type=x&q=a%26b&z=1");
        check("", &[], "https://api.test/v1");
    }

    #[test]
    fn a_hole_never_escapes_its_segment() {
        check("/users/{id}/x", &[("id", text("../../admin?x=1#y"))], "https://api.test/v1/users/..%2F..%2Fadmin%3Fx%3D1%23y/x");
        check("/users/{id}", &[("id", text("%2e%2e"))], "https://api.test/v1/users/%252e%252e");
        for id in [".", "..", ""] {
            assert!(request("/users/{id}/x", Paging::None, &[("id", text(id))], &PageKey::Only).is_err(), "{id:?}");
        }
        let dots = [("a", text(".")), ("b", text("."))];
        assert!(request("/users/{a}{b}/x", Paging::None, &dots, &PageKey::Only).is_err());
    }

    #[test]
    fn a_hole_without_value_is_an_error() {
        let err = request("/{org}", Paging::None, &[], &PageKey::Only).err().unwrap();
        assert!(err.to_string().contains("'org'"), "{err}");
        assert!(request("/{org}", Paging::None, &[("org", ParamValue::Null)], &PageKey::Only).is_err());
    }

    #[test]
    fn the_pager_overrides_params() {
        let paging = Paging::PageAndCount {
            page_param: "page".into(),
            count_param: Some("per_page".into()),
            page_size: 100,
            first_page: 1,
            total: None,
        };
        let url = request("/r", paging, &[("per_page", ParamValue::Integer(5)), ("sort", text("id"))], &PageKey::Page(3)).unwrap().url;
        assert_eq!(url.as_str(), "https://api.test/v1/r?sort=id&page=3&per_page=100");
        let paging = Paging::OffsetAndCount { offset_param: "o".into(), count_param: Some("n".into()), page_size: 100, total: None };
        let url = request("/r", paging, &[], &PageKey::Offset { offset: 40, limit: Some(7) }).unwrap().url;
        assert_eq!(url.as_str(), "https://api.test/v1/r?o=40&n=7");
    }

    #[test]
    fn the_base_url_may_be_an_option() {
        let check = |base_url: &str, value: &str, expected: Result<&str>| {
            let mut spec = adapter(basic());
            spec.base_url = Template::parse_path(base_url);
            let connection = connection(spec, &[("site", value)]);
            let found = request_of(&connection, &table("/x", Paging::None), &ParamSet::default(), &PageKey::Only);
            match (found, expected) {
                (Ok(request), Ok(expected)) => assert_eq!(request.url.as_str(), expected),
                (Err(err), Err(expected)) => assert!(err.to_string().contains(expected.message()), "{err}"),
                (found, expected) => panic!("{:?} for {expected:?}", found.map(|request| request.url.to_string())),
            }
        };
        check("{site}", "https://me.test/jira/", Ok("https://me.test/jira/x"));
        check("https://{site}.api.test/rest", "acme", Ok("https://acme.api.test/rest/x"));
        check("https://api.test/{site}/", "a/../b", Ok("https://api.test/a%2F..%2Fb/x"));
        check("https://{site}.api.test", "evil.test/", Err(Error::config("not part of a host name")));
        check("https://{site}.api.test", "me@evil", Err(Error::config("not part of a host name")));
        check("{site}", "ftp://me.test", Err(Error::config("expected https")));
        check("{site}", "me.test", Err(Error::config("does not make a URL")));
    }

    #[test]
    fn table_headers_override_the_specs() {
        let mut spec = adapter(basic());
        spec.headers = vec![("accept".into(), Template::parse_value("text/plain")), ("X-A".into(), Template::parse_value("${site}"))];
        let mut table_def = table("/x", Paging::None);
        table_def.headers = vec![("x-a".into(), Template::parse_value("2"))];
        let request = request_of(&connection(spec, &[("site", "s")]), &table_def, &ParamSet::default(), &PageKey::Only).unwrap();
        assert_eq!(request.headers, [("accept".to_string(), "text/plain".to_string()), ("x-a".to_string(), "2".to_string())]);
    }

    proptest! {
        #[test]
        fn any_value_stays_one_segment(value in ".{1,20}") {
            if let Ok(request) = request("/a/{id}/z", Paging::None, &[("id", text(&value))], &PageKey::Only) {
                let segments: Vec<&str> = request.url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 4);
                prop_assert_eq!((segments[0], segments[1], segments[3]), ("v1", "a", "z"));
                let decoded = percent_encoding::percent_decode_str(segments[2]).decode_utf8().unwrap();
                prop_assert_eq!(decoded, value);
                prop_assert_eq!(request.url.query(), None);
            }
        }
    }
}
