//! Guesses how a list is cut into pages, by the names of its parameters and of what it answers.

use super::names::folded;
use super::operation::{Operation, Parameter};
use super::records::Records;
use super::schema::{Schema, Shape};
use crate::document::JsonPath;

const COUNT_PARAMS: &[&str] = &[
    "perpage",
    "pagesize",
    "limit",
    "maxresults",
    "maxitems",
    "itemsperpage",
    "resultsperpage",
    "pagelimit",
    "maxperpage",
    "pagesizelimit",
    "size",
    "count",
    "top",
    "take",
    "rows",
    "numresults",
    "maxrecords",
    "first",
    "num",
    "maxpagesize",
    "recordsperpage",
    "resultlimit",
    "batchsize",
];
const PAGE_PARAMS: &[&str] = &["page", "pagenumber", "pageno", "pageindex", "pagenum", "p", "currentpage"];
const OFFSET_PARAMS: &[&str] = &["offset", "startat", "start", "skip", "from", "startindex", "firstresult", "pageoffset", "startposition"];
const TOKEN_PARAMS: &[&str] = &[
    "cursor",
    "pagetoken",
    "nexttoken",
    "nextpagetoken",
    "startingafter",
    "after",
    "pageafter",
    "pagecursor",
    "continuationtoken",
    "continue",
    "continuation",
    "marker",
    "starttoken",
    "scrollid",
    "paginationtoken",
    "nextcursor",
    "bookmark",
    "startafter",
    "pagestate",
    "pagingtoken",
    "offset",
    "nextpage",
    "position",
    "nextpageid",
    "startcursor",
    "pagekey",
];
const TOKENS: &[&str] = &[
    "nextcursor",
    "nextpagetoken",
    "nexttoken",
    "nextpagecursor",
    "cursor",
    "endcursor",
    "pagetoken",
    "continuationtoken",
    "nextmarker",
    "marker",
    "nextpageid",
    "nextcontinuationtoken",
    "scrollid",
    "bookmark",
    "nextstartingafter",
    "nextpagekey",
    "after",
    "offset",
    "nextoffset",
    "next",
    "nextpage",
    "startingafter",
    "position",
    "nextposition",
    "continue",
    "pageafter",
];
const LINKS: &[&str] =
    &["nexturl", "nextpageurl", "nextpageuri", "nextlink", "nexthref", "nextpagelink", "odatanextlink", "next", "nextpage"];
/// Links within an object that is called `next`.
const LINKS_OF_NEXT: &[&str] = &["href", "url", "uri", "link"];
/// Objects in which notes about the page stand.
const WRAPPERS: &[&str] = &[
    "meta",
    "metadata",
    "paging",
    "pagination",
    "page",
    "pageinfo",
    "links",
    "responsemetadata",
    "cursors",
    "cursor",
    "nextpage",
    "next",
    "pages",
    "resultinfo",
    "data",
    "result",
    "pagingmetadata",
    "paginginfo",
    "responsemeta",
    "listinfo",
];
const TOTALS: &[&str] = &["total", "totalcount", "totalresults", "totalelements", "totalitems", "totalrecords", "totalsize", "totalrows"];
const HAS_MORE: &[&str] = &["hasmore", "hasnextpage", "morepages", "moreresults", "hasnext", "ismore"];
/// Parameters that are moments in some APIs, and words that tell of one.
const MAY_BE_MOMENTS: &[&str] = &["from", "start", "after", "startafter"];
const MOMENTS: &[&str] = &["timestamp", "epoch", "iso 8601", "iso8601", "rfc3339", "rfc 3339", "start date", "start time", "date-time"];
/// Rows asked for at once when the description does not say what may be asked for.
const PAGE_SIZE: i64 = 100;
const MOST_ROWS: i64 = 1000;

/// A paging, as the keys of the spec.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PagingKeys {
    pub strategy: &'static str,
    /// The other keys, in order, with their values.
    pub keys: Vec<(&'static str, String)>,
}

/// What was found out about the pages of a list.
pub struct Guess {
    pub paging: Option<PagingKeys>,
    pub doubt: Option<String>,
}

impl PagingKeys {
    /// Returns whether the request for the first page has the parameter. A token is only known after it.
    pub fn begins_with(&self, parameter: &str) -> bool {
        self.keys.iter().any(|(key, value)| ["page_param", "offset_param", "count_param"].contains(key) && value == parameter)
    }
}

impl Guess {
    fn sure(paging: PagingKeys) -> Guess {
        Guess { paging: Some(paging), doubt: None }
    }
}

/// Returns the paging of a list.
pub fn paging_of(operation: &Operation<'_>, records: &Records<'_>) -> Guess {
    let pages = Pages { operation, records, count: operation.query_parameter(is_count) };
    let found = pages.by_token().or_else(|| pages.by_link()).or_else(|| pages.by_link_header());
    let found = found.or_else(|| pages.by_number()).or_else(|| pages.by_offset());
    let found = found.filter(|paging| paging.keys.iter().all(|(key, value)| !key.ends_with("_path") || JsonPath::parse(value).is_ok()));
    found.map(Guess::sure).unwrap_or_else(|| pages.unsure())
}

/// Returns what a parameter has when the first page is asked for: how many rows, the page's number, or the rows before it. `None` for any other.
pub fn first_value(parameter: &Parameter<'_>) -> Option<i64> {
    let name = folded(parameter.name);
    let is_number = parameter.schema.has_type("integer") || parameter.schema.has_type("number");
    let least = |otherwise: i64| parameter.schema.number("minimum").unwrap_or(otherwise);
    match name.as_str() {
        _ if is_moment(parameter) => None,
        _ if is_count(parameter) => Some(page_size(parameter)),
        name if PAGE_PARAMS.contains(&name) && is_number => Some(least(1)),
        name if OFFSET_PARAMS.contains(&name) && is_number => Some(least(0)),
        _ => None,
    }
}

fn is_count(parameter: &Parameter<'_>) -> bool {
    COUNT_PARAMS.contains(&folded(parameter.name).as_str()) && !parameter.schema.has_type("boolean")
}

/// Returns whether a parameter is a moment: `from` and `start` are rows in one API and days in another.
fn is_moment(parameter: &Parameter<'_>) -> bool {
    let text = parameter.whole_text().to_lowercase();
    let told = || MAY_BE_MOMENTS.contains(&folded(parameter.name).as_str()) && MOMENTS.iter().any(|word| text.contains(word));
    parameter.schema.text("format").is_some_and(|format| format.starts_with("date")) || told()
}

struct Pages<'o, 'a> {
    operation: &'o Operation<'a>,
    records: &'o Records<'a>,
    count: Option<&'o Parameter<'a>>,
}

impl<'a> Pages<'_, 'a> {
    fn param(&self, names: &[&str]) -> Option<&Parameter<'a>> {
        names.iter().find_map(|wanted| {
            self.operation.parameters.iter().find(|parameter| {
                parameter.place == super::operation::Place::Query
                    && folded(parameter.name) == *wanted
                    && !parameter.schema.has_type("boolean")
                    && !is_moment(parameter)
            })
        })
    }

    /// Returns the answer where it has notes beside the records.
    fn body(&self) -> Option<Schema<'a>> {
        self.operation.answer.filter(|_| !self.records.path.is_empty())
    }

    fn by_token(&self) -> Option<PagingKeys> {
        let param = self.param(TOKEN_PARAMS)?;
        let body = self.body()?;
        let is_token = |name: &str, schema: Schema<'_>| TOKENS.contains(&name) && schema.shape() != Shape::Object && !is_link(name, schema);
        let is_number_param = OFFSET_PARAMS.contains(&folded(param.name).as_str()) && param.schema.has_type("integer");
        let token = find(body, &is_token).filter(|_| !is_number_param);
        let has_more = find(body, &|name, schema| HAS_MORE.contains(&name) && schema.shape() == Shape::Scalar);
        // The id of the last record is the token where the answer says only whether there is more.
        let by_last = || {
            let is_after = ["startingafter", "after", "startafter"].contains(&folded(param.name).as_str());
            let has_id = self.records.record.is_some_and(|record| record.property("id").is_some());
            (is_after && has_id && has_more.is_some()).then(|| format!("{}[-1:].id", json_path(&self.records.path)))
        };
        let token = token.map(|path| json_path(&path)).or_else(by_last)?;
        let mut keys = vec![("token_param", param.name.to_string())];
        keys.extend(self.size_keys());
        keys.push(("pager_token_path", token));
        keys.extend(has_more.map(|path| ("has_more_path", json_path(&path))));
        Some(PagingKeys { strategy: "pagerToken", keys })
    }

    fn by_link(&self) -> Option<PagingKeys> {
        let link = find(self.body()?, &is_link)?;
        Some(PagingKeys { strategy: "nextLink", keys: vec![("pager_link_path", json_path(&link))] })
    }

    fn by_link_header(&self) -> Option<PagingKeys> {
        self.operation.has_link_header.then(|| PagingKeys { strategy: "linkHeader", keys: self.size_keys() })
    }

    fn by_number(&self) -> Option<PagingKeys> {
        let param = self.param(PAGE_PARAMS).filter(|param| param.schema.shape() != Shape::Object)?;
        let first = param.schema.number("default").or_else(|| param.schema.number("minimum").filter(|least| *least == 0));
        let mut keys = vec![("page_param", param.name.to_string())];
        // Without a parameter for the size every page with a row counts as full, and an empty one is the end.
        keys.extend(if self.count.is_some() { self.size_keys() } else { vec![("page_size", "1".to_string())] });
        if first == Some(0) {
            keys.push(("first_page", "0".to_string()));
        }
        keys.extend(self.total());
        Some(PagingKeys { strategy: "pageAndCount", keys })
    }

    fn by_offset(&self) -> Option<PagingKeys> {
        let param = self.param(OFFSET_PARAMS).filter(|param| param.schema.shape() != Shape::Object)?;
        self.count?;
        let mut keys = vec![("offset_param", param.name.to_string())];
        keys.extend(self.size_keys());
        keys.extend(self.total());
        Some(PagingKeys { strategy: "offsetAndCount", keys })
    }

    fn unsure(&self) -> Guess {
        let Some(param) = self.param(TOKEN_PARAMS).or_else(|| self.param(OFFSET_PARAMS)).or(self.count) else {
            return Guess { paging: None, doubt: None };
        };
        if self.records.path.is_empty() && self.param(TOKEN_PARAMS).is_some() {
            let doubt = format!("parameter '{}' takes a token that the description does not show; a Link header is expected", param.name);
            return Guess { paging: Some(PagingKeys { strategy: "linkHeader", keys: self.size_keys() }), doubt: Some(doubt) };
        }
        let doubt = format!("parameter '{}' suggests pages, but nothing tells how the next one is asked for", param.name);
        Guess { paging: None, doubt: Some(doubt) }
    }

    fn size_keys(&self) -> Vec<(&'static str, String)> {
        let Some(count) = self.count else { return Vec::new() };
        vec![("count_param", count.name.to_string()), ("page_size", page_size(count).to_string())]
    }

    fn total(&self) -> Option<(&'static str, String)> {
        let is_total = |name: &str, schema: Schema<'_>| TOTALS.contains(&name) && schema.has_type("integer");
        find(self.body()?, &is_total).map(|path| ("total_path", json_path(&path)))
    }
}

/// Returns how many rows to ask for: as many as may be, where the description says so.
fn page_size(count: &Parameter<'_>) -> i64 {
    let most = count.schema.number("maximum").or_else(|| told_maximum(count.whole_text())).filter(|most| *most > 0);
    let usual = count.schema.number("default").filter(|usual| *usual > 0);
    most.or(usual).unwrap_or(PAGE_SIZE).min(MOST_ROWS)
}

/// Returns the maximum that a text tells: `(max 100)`, `between 1 and 100`.
fn told_maximum(text: &str) -> Option<i64> {
    let lower = text.to_lowercase();
    let number_after = |word: &str, reach: usize| -> Option<i64> {
        let (_, after) = lower.split_once(word)?;
        let start = after.find(|c: char| c.is_ascii_digit()).filter(|start| *start <= reach)?;
        let digits: String = after[start..].chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let between =
        lower.find("between").or_else(|| lower.find("range")).and_then(|_| number_after(" and ", 2).or_else(|| number_after(" to ", 2)));
    between.or_else(|| number_after("max", 30)).filter(|most| (1..=100_000).contains(most))
}

/// Returns whether a value is the address of the next page.
fn is_link(name: &str, schema: Schema<'_>) -> bool {
    if !LINKS.contains(&name) || schema.shape() == Shape::Object || schema.has_type("integer") {
        return false;
    }
    let is_uri = schema.text("format").is_some_and(|format| format.starts_with("uri") || format == "url");
    let named_so = ["url", "uri", "link", "href"].iter().any(|ending| name.ends_with(ending));
    let told_so =
        schema.text("description").is_some_and(|text| ["URL", "url", "URI", "link", "Link"].iter().any(|word| text.contains(word)));
    named_so || is_uri || told_so
}

/// Returns the way down to the first property that is as wanted, the nearest to the top first.
fn find<'a>(body: Schema<'a>, is_it: &dyn Fn(&str, Schema<'_>) -> bool) -> Option<Vec<&'a str>> {
    let mut level: Vec<(Vec<&str>, Schema<'_>)> = vec![(Vec::new(), body)];
    for _ in 0..3 {
        let mut below = Vec::new();
        for (path, schema) in &level {
            for (name, property) in schema.properties() {
                let fold = folded(name);
                let way = || path.iter().copied().chain([name]).collect::<Vec<&str>>();
                let is_next = path.last().is_some_and(|last| ["next", "nextpage"].contains(&folded(last).as_str()));
                let is_link_of_next = is_next && LINKS_OF_NEXT.contains(&fold.as_str()) && is_it("nexturl", property);
                if is_it(&fold, property) && !is_back(path) || is_link_of_next {
                    return Some(way());
                }
                if WRAPPERS.contains(&fold.as_str()) && property.shape() == Shape::Object && below.len() < 16 {
                    below.push((way(), property));
                }
            }
        }
        level = below;
    }
    None
}

/// Returns whether a way leads to what is about the page before.
fn is_back(path: &[&str]) -> bool {
    path.iter().any(|name| ["prev", "previous"].contains(&folded(name).as_str()))
}

/// Writes keys as a JSONPath below the answer.
pub fn json_path(keys: &[&str]) -> String {
    let is_plain = |key: &str| {
        let mut letters = key.chars();
        letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_') && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if let [only] = keys {
        if only.starts_with('@') && !only.contains(['[', '\'', '"', '\\']) {
            return only.to_string();
        }
    }
    let mut path = String::new();
    for key in keys {
        match (is_plain(key), path.is_empty()) {
            (true, true) => path.push_str(key),
            (true, false) => path.push_str(&format!(".{key}")),
            (false, _) => path.push_str(&format!("['{}']", key.replace('\\', "\\\\").replace('\'', "\\'"))),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_maximum_is_read_from_texts() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(told_maximum(text), expected, "{text}");
        check("The number of results per page (max 100).", Some(100));
        check("Limit can range between 1 and 250, and the default is 10.", Some(250));
        check("Maximum: 50", Some(50));
        check("How many", None);
        check("The maximum number of things, which is never more than that on Tuesdays of 2024", None);
    }

    proptest! {
        #[test]
        fn a_way_is_a_json_path(keys in prop::collection::vec("[a-zA-Z_][a-zA-Z0-9_]{0,8}|[@a-z$'\\\\\" -]{1,8}", 1..4)) {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let path = json_path(&keys);
            prop_assert!(JsonPath::parse(&path).is_ok(), "{path}");
        }
    }
}
