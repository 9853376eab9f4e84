//! What shows in an answer that is taken for the last one that there is more.

use super::link::links_of;
use super::seen::Seen;
use crate::document::{Node, View};

/// Keys of the next page's link or token, in small letters without `_` and `-`.
const NEXT: &[&str] = &[
    "next",
    "nextpage",
    "nextpagetoken",
    "nextpageurl",
    "nextpageuri",
    "nextpagelink",
    "nextcursor",
    "nextlink",
    "nexturl",
    "nexturi",
    "nexthref",
    "nexttoken",
    "nextmarker",
    "nextoffset",
    "nextrecordsurl",
    "continuationtoken",
    "@odata.nextlink",
    "odata.nextlink",
];
/// Keys that are true when there is more.
const MORE: &[&str] = &["hasmore", "hasnext", "hasnextpage", "hasmoreitems", "more", "moreavailable", "next", "nextpage"];
/// Keys that are false when there is more.
const LAST: &[&str] = &["islast", "islastpage"];
/// Keys of the number of all rows.
const TOTAL: &[&str] = &[
    "total",
    "totalcount",
    "totalresults",
    "totalrows",
    "totalitems",
    "totalsize",
    "totalrecords",
    "totalelements",
    "totalhits",
    "recordstotal",
    "numfound",
];
/// A key of the number of all rows, or of those of the page.
const COUNT: &str = "count";
/// Keys of the number of all pages.
const TOTAL_PAGES: &[&str] = &["totalpages", "pagecount", "lastpage"];
/// Keys of objects that hold such keys.
const HOLDERS: &[&str] = &["links", "_links", "paging", "pagination", "pageinfo", "pager", "page", "meta", "metadata", "responsemetadata"];

/// What in an answer shows that there is more, whatever the spec says about pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signs {
    /// What names or announces a next page.
    next: Option<Sign>,
    /// How many rows there are, and where the answer says so.
    rows: Option<(u64, String)>,
    /// The same, where it may be the number of rows that a page has or could have.
    count: Option<(u64, String)>,
    /// How many pages there are, and where the answer says so.
    pages: Option<(u64, String)>,
}

/// Something that names or announces a next page, and what to write in the spec.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sign {
    found: String,
    remedy: String,
    /// Whether it says where the next page is, and not only that there is one.
    leads_there: bool,
}

impl Signs {
    /// Returns what an answer shows. `path` leads to the records. Looks at the headers and at what stands beside the list of records, not at the
    /// records.
    pub fn of(seen: &Seen<'_>, path: &[String]) -> Signs {
        let mut signs = Signs::default();
        if links_of(seen.headers, seen.url).iter().any(|link| link.has_rel("next")) {
            signs.note_place("the 'Link' header has rel=\"next\"".to_string(), "{strategy: linkHeader}".to_string());
        }
        if !seen.root.at(path).is_some_and(|records| matches!(records.view(), View::Array(_))) {
            return signs;
        }
        let mut node = seen.root;
        for (depth, key) in path.iter().enumerate() {
            let beside = Beside { above: &path[..depth] };
            let View::Object(entries) = node.view() else { break };
            entries.filter(|(own, _)| own != key).for_each(|(own, value)| beside.look_at(&[own], value, &mut signs));
            let Some(below) = node.get(key) else { break };
            node = below;
        }
        signs
    }

    /// Returns whether they show that there is more than so many rows.
    pub fn show_more_than(&self, n_rows: u64) -> bool {
        self.next.is_some() || self.rows.as_ref().is_some_and(|(total, _)| *total > n_rows)
    }

    /// Returns what shows that there is more than an only page of so many rows, and what to write in the spec; `None` when nothing does.
    pub fn beyond_only_page(&self, n_rows: u64) -> Option<String> {
        let (found, remedy) = match self {
            Signs { next: Some(sign), .. } => (sign.found.clone(), sign.remedy.clone()),
            Signs { rows: Some((total, path)), .. } | Signs { rows: None, count: Some((total, path)), .. } if *total > n_rows => (
                format!("'{path}' is {total} and the page has {n_rows} rows"),
                format!("{{strategy: pageAndCount or offsetAndCount, total_path: {path}, ...}}"),
            ),
            Signs { pages: Some((pages, path)), .. } if *pages > 1 => {
                (format!("'{path}' is {pages}"), format!("{{strategy: pageAndCount, total_pages_path: {path}, ...}}"))
            }
            _ => return None,
        };
        Some(format!(
            "there is more than this page, since {found}; write 'supports_paging: true' for the spec's 'paging', 'paging: {remedy}' for \
             paging of the table's own, or 'paging: {{strategy: none}}' where one page is wanted"
        ))
    }

    /// Returns what names or announces a page after the one with which the table's paging ends, and what to write in the spec; `None` when
    /// nothing does.
    pub fn of_next_page(&self) -> Option<String> {
        let Sign { found, remedy, .. } = self.next.as_ref()?;
        Some(format!(
            "the table's 'paging' finds no page after this one, but there is more, since {found}; check the keys of 'paging', or write \
             'paging: {remedy}'"
        ))
    }

    /// Returns what names or announces a page after one that repeats another; `None` when nothing does.
    pub fn beyond_repeat(&self) -> Option<String> {
        self.next.as_ref().map(|sign| format!("the API gave a page again, but there is more, since {}", sign.found))
    }

    /// Returns what a total says that was not reached with so many rows on so many pages; `None` when nothing does.
    pub fn shortfall(&self, n_rows: u64, n_pages: u64) -> Option<String> {
        match (&self.rows, &self.pages) {
            (Some((total, path)), _) if *total > n_rows => Some(format!("'{path}' is {total}, and {n_rows} rows came")),
            (None, Some((total, path))) if *total > n_pages => Some(format!("'{path}' is {total}, and {n_pages} pages came")),
            _ => None,
        }
    }

    /// Notes where the next page is: the first such place is kept.
    fn note_place(&mut self, found: String, remedy: String) {
        if !self.next.as_ref().is_some_and(|sign| sign.leads_there) {
            self.next = Some(Sign { found, remedy, leads_there: true });
        }
    }
}

/// What stands beside the records, or beside an object that has them.
struct Beside<'a> {
    /// The keys from the body to the object.
    above: &'a [String],
}

impl Beside<'_> {
    fn look_at(&self, keys: &[&str], value: Node<'_>, signs: &mut Signs) {
        let Some(last) = keys.last() else { return };
        let name: String = last.chars().filter(|c| !matches!(c, '_' | '-')).collect::<String>().to_ascii_lowercase();
        // `_links` begins with what is left out of other names.
        let is_holder = keys.len() == 1 && HOLDERS.iter().any(|holder| holder.trim_start_matches('_') == name);
        let has = |names: &[&str]| names.contains(&name.as_str());
        match value.view() {
            View::Object(entries) if is_holder => entries.for_each(|(own, value)| self.look_at(&[keys[0], own], value, signs)),
            View::Object(mut entries) if has(NEXT) => {
                let href = entries.find(|(own, value)| matches!(*own, "href" | "url" | "link") && is_text(*value));
                href.into_iter().for_each(|(own, _)| self.note_link(&[keys, &[own]].concat(), signs));
            }
            View::Text(text) if has(NEXT) && is_address(text) => self.note_link(keys, signs),
            View::Text(text) if has(NEXT) && !text.trim().is_empty() => self.note_token(keys, signs),
            View::Integer(_) if has(NEXT) => self.note_token(keys, signs),
            View::Boolean(true) if has(MORE) => self.note_flag(keys, true, signs),
            View::Boolean(false) if has(LAST) => self.note_flag(keys, false, signs),
            View::Integer(total) if has(TOTAL) => keep_larger(&mut signs.rows, total, self.path(keys)),
            View::Integer(total) if name == COUNT => keep_larger(&mut signs.count, total, self.path(keys)),
            View::Integer(total) if has(TOTAL_PAGES) => keep_larger(&mut signs.pages, total, self.path(keys)),
            _ => {}
        }
    }

    fn note_link(&self, keys: &[&str], signs: &mut Signs) {
        let path = self.path(keys);
        let remedy = format!("{{strategy: nextLink, pager_link_path: {path}}}");
        signs.note_place(format!("'{path}' beside the records has the link of a next page"), remedy);
    }

    fn note_token(&self, keys: &[&str], signs: &mut Signs) {
        let path = self.path(keys);
        let remedy = format!("{{strategy: pagerToken, pager_token_path: {path}, token_param: ...}}");
        signs.note_place(format!("'{path}' beside the records names a next page"), remedy);
    }

    fn note_flag(&self, keys: &[&str], value: bool, signs: &mut Signs) {
        let found = format!("'{}' beside the records is {value}", self.path(keys));
        signs.next.get_or_insert(Sign { found, remedy: "{strategy: ...}".to_string(), leads_there: false });
    }

    /// Returns the JSONPath of keys of this object.
    fn path(&self, keys: &[&str]) -> String {
        let mut path = String::new();
        for key in self.above.iter().map(String::as_str).chain(keys.iter().copied()) {
            if key.chars().all(|c| c.is_alphanumeric() || c == '_') {
                path.push_str(if path.is_empty() { "" } else { "." });
                path.push_str(key);
            } else {
                path.push_str(&format!("[\"{key}\"]"));
            }
        }
        path
    }
}

/// Keeps the larger one of two totals: one of them may count the page.
fn keep_larger(known: &mut Option<(u64, String)>, total: i128, path: String) {
    let Ok(total) = u64::try_from(total) else { return };
    if known.as_ref().is_none_or(|(known, _)| *known < total) {
        *known = Some((total, path));
    }
}

fn is_text(node: Node<'_>) -> bool {
    matches!(node.view(), View::Text(text) if !text.trim().is_empty())
}

fn is_address(text: &str) -> bool {
    ["http://", "https://", "/", "?"].iter().any(|start| text.trim_start().starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;
    use crate::source::Headers;
    use url::Url;

    fn sign(path: &[&str], body: &str, link: Option<&str>) -> Option<String> {
        let url = Url::parse("https://api.test/v1/items").unwrap();
        let headers = Headers::new(link.map(|link| ("link".to_string(), link.to_string())).into_iter().collect());
        let mut bytes = body.as_bytes().to_vec();
        let document = parse(&mut bytes).unwrap();
        let path: Vec<String> = path.iter().map(|key| key.to_string()).collect();
        Signs::of(&Seen { headers: &headers, url: &url, root: document.root(), last_row: None }, &path).beyond_only_page(2)
    }

    fn check(path: &[&str], body: &str, expected: &str) {
        let sign = sign(path, body, None).unwrap_or_default();
        assert!(sign.contains(expected) && !expected.is_empty(), "{body} gave: {sign}");
    }

    #[test]
    fn what_shows_that_there_is_more_is_found_beside_the_records() {
        check(&["d"], r#"{"d":[1,2],"next":"https://a/2"}"#, "{strategy: nextLink, pager_link_path: next}");
        check(&["d"], r#"{"next":"abc","d":[1,2]}"#, "pager_token_path: next,");
        check(&["d"], r#"{"d":[1,2],"next_page":2}"#, "pager_token_path: next_page,");
        check(&["d"], r#"{"d":[1,2],"nextPageToken":"x"}"#, "pager_token_path: nextPageToken,");
        check(&["d"], r#"{"d":[1,2],"next_cursor":"x"}"#, "pager_token_path: next_cursor,");
        check(&["value"], r#"{"value":[],"@odata.nextLink":"https://a/2"}"#, r#"pager_link_path: ["@odata.nextLink"]"#);
        check(&["d"], r#"{"d":[1,2],"links":{"self":"/1","next":"/2"}}"#, "pager_link_path: links.next}");
        check(&["d"], r#"{"d":[1,2],"_links":{"next":{"href":"/2"}}}"#, "pager_link_path: _links.next.href}");
        check(&["d"], r#"{"d":[1,2],"paging":{"next":"/2"}}"#, "pager_link_path: paging.next}");
        check(&["r", "d"], r#"{"r":{"d":[1,2],"next":"/2"}}"#, "pager_link_path: r.next}");
        check(&["d"], r#"{"d":[1,2],"has_more":true}"#, "'has_more' beside the records is true");
        check(&["d"], r#"{"d":[1,2],"has_more":true,"links":{"next":"/2"}}"#, "pager_link_path: links.next}");
        check(&["d"], r#"{"d":[1,2],"isLast":false}"#, "'isLast' beside the records is false");
        for key in ["total", "total_count", "totalResults", "count"] {
            check(&["d"], &format!(r#"{{"d":[1,2],"{key}":3}}"#), &format!("'{key}' is 3 and the page has 2 rows"));
        }
        check(&["d"], r#"{"d":[1,2],"meta":{"total_pages":3}}"#, "total_pages_path: meta.total_pages");
        let link = sign(&[], "[1,2]", Some("<https://a/2>; rel=\"next\"")).unwrap();
        assert!(link.contains("{strategy: linkHeader}"), "{link}");
    }

    #[test]
    fn the_largest_total_is_compared_with_all_rows_that_came() {
        let shortfall = |body: &str, n_rows, n_pages| {
            let url = Url::parse("https://api.test/v1/items").unwrap();
            let mut bytes = body.as_bytes().to_vec();
            let document = parse(&mut bytes).unwrap();
            let seen = Seen { headers: &Headers::new(Vec::new()), url: &url, root: document.root(), last_row: None };
            Signs::of(&seen, &["d".to_string()]).shortfall(n_rows, n_pages)
        };
        let body = r#"{"count":1000,"totalCount":2,"d":[1,2],"meta":{"total":250}}"#;
        assert_eq!(shortfall(body, 100, 1), Some("'meta.total' is 250, and 100 rows came".to_string()));
        assert_eq!(shortfall(body, 250, 3), None);
        let pages = r#"{"d":[1,2],"total_pages":3}"#;
        assert_eq!(shortfall(pages, 100, 1), Some("'total_pages' is 3, and 1 pages came".to_string()));
        assert_eq!(shortfall(pages, 250, 3), None);
    }

    #[test]
    fn what_shows_nothing_is_left_alone() {
        let quiet = [
            r#"{"d":[1,2]}"#,
            r#"{"d":[1,2],"next":null,"total":2,"count":1,"has_more":false,"isLast":true}"#,
            r#"{"d":[1,2],"next":"","links":{"next":null,"prev":"/1"},"total_pages":1}"#,
            r#"{"d":{"a":1},"total":7,"next":"/2"}"#,
            r#"{"d":[{"next":"/2"},{"total":9}]}"#,
        ];
        for body in quiet {
            assert_eq!(sign(&["d"], body, None), None, "{body}");
        }
        // Beside nothing: these are the record's own fields.
        assert_eq!(sign(&[], r#"{"next":"/2","total":9}"#, None), None);
        assert_eq!(sign(&[], "[1,2]", Some("<https://a/1>; rel=\"prev\"")), None);
    }
}
