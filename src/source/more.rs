//! What shows in an answer that is taken for all there is that there is more.

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
    "count",
];
/// Keys of the number of all pages.
const TOTAL_PAGES: &[&str] = &["totalpages", "pagecount", "lastpage"];
/// Keys of objects that hold such keys.
const HOLDERS: &[&str] = &["links", "_links", "paging", "pagination", "pageinfo", "pager", "page", "meta", "metadata", "responsemetadata"];

/// Returns what in an answer shows that there are more than its `n_rows` rows, and what to write in the spec; `None` when nothing does.
/// `path` leads to the records. Looks at the headers and at what stands beside the list of records, not at the records.
pub fn sign_of_more(seen: &Seen<'_>, path: &[String], n_rows: u64) -> Option<String> {
    let root = seen.root;
    if links_of(seen.headers, seen.url).iter().any(|link| link.has_rel("next")) {
        return Some(told("the 'Link' header has rel=\"next\"", "{strategy: linkHeader}"));
    }
    if !matches!(root.at(path)?.view(), View::Array(_)) {
        return None;
    }
    let mut node = root;
    for (depth, key) in path.iter().enumerate() {
        let beside = Beside { above: &path[..depth], n_rows };
        let View::Object(entries) = node.view() else { return None };
        if let Some(sign) = entries.filter(|(own, _)| own != key).find_map(|(own, value)| beside.sign(&[own], value)) {
            return Some(sign);
        }
        node = node.get(key)?;
    }
    None
}

/// What stands beside the records, or beside an object that has them.
struct Beside<'a> {
    /// The keys from the body to the object.
    above: &'a [String],
    n_rows: u64,
}

impl Beside<'_> {
    fn sign(&self, keys: &[&str], value: Node<'_>) -> Option<String> {
        let name: String = keys.last()?.chars().filter(|c| !matches!(c, '_' | '-')).collect::<String>().to_ascii_lowercase();
        // `_links` begins with what is left out of other names.
        let is_holder = keys.len() == 1 && HOLDERS.iter().any(|holder| holder.trim_start_matches('_') == name);
        let has = |names: &[&str]| names.contains(&name.as_str());
        match value.view() {
            View::Object(mut entries) if is_holder => entries.find_map(|(own, value)| self.sign(&[keys[0], own], value)),
            View::Object(mut entries) if has(NEXT) => {
                let href = entries.find(|(own, value)| matches!(*own, "href" | "url" | "link") && is_text(*value))?;
                Some(self.link(&[keys, &[href.0]].concat()))
            }
            View::Text(text) if has(NEXT) && is_address(text) => Some(self.link(keys)),
            View::Text(text) if has(NEXT) && !text.trim().is_empty() => Some(self.token(keys)),
            View::Integer(_) if has(NEXT) => Some(self.token(keys)),
            View::Boolean(true) if has(MORE) => Some(self.flag(keys, true)),
            View::Boolean(false) if has(LAST) => Some(self.flag(keys, false)),
            View::Integer(total) if has(TOTAL) && total > i128::from(self.n_rows) => {
                let (path, n_rows) = (self.path(keys), self.n_rows);
                let numbered = format!("{{strategy: pageAndCount or offsetAndCount, total_path: {path}, ...}}");
                Some(told(&format!("'{path}' is {total} and the page has {n_rows} rows"), &numbered))
            }
            View::Integer(pages) if has(TOTAL_PAGES) && pages > 1 => {
                let path = self.path(keys);
                let numbered = format!("{{strategy: pageAndCount, total_pages_path: {path}, ...}}");
                Some(told(&format!("'{path}' is {pages}"), &numbered))
            }
            _ => None,
        }
    }

    fn link(&self, keys: &[&str]) -> String {
        let path = self.path(keys);
        told(
            &format!("'{path}' beside the records has the link of a next page"),
            &format!("{{strategy: nextLink, pager_link_path: {path}}}"),
        )
    }

    fn token(&self, keys: &[&str]) -> String {
        let path = self.path(keys);
        let remedy = format!("{{strategy: pagerToken, pager_token_path: {path}, token_param: ...}}");
        told(&format!("'{path}' beside the records names a next page"), &remedy)
    }

    fn flag(&self, keys: &[&str], value: bool) -> String {
        told(&format!("'{}' beside the records is {value}", self.path(keys)), "{strategy: ...}")
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

fn is_text(node: Node<'_>) -> bool {
    matches!(node.view(), View::Text(text) if !text.trim().is_empty())
}

fn is_address(text: &str) -> bool {
    ["http://", "https://", "/", "?"].iter().any(|start| text.trim_start().starts_with(start))
}

fn told(found: &str, remedy: &str) -> String {
    format!(
        "there is more than this page, since {found}; write 'supports_paging: true' for the spec's 'paging', 'paging: {remedy}' for paging of \
         the table's own, or 'paging: {{strategy: none}}' where one page is wanted"
    )
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
        sign_of_more(&Seen { headers: &headers, url: &url, root: document.root(), last_row: None }, &path, 2)
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
        check(&["d"], r#"{"d":[1,2],"isLast":false}"#, "'isLast' beside the records is false");
        for key in ["total", "total_count", "totalResults", "count"] {
            check(&["d"], &format!(r#"{{"d":[1,2],"{key}":3}}"#), &format!("'{key}' is 3 and the page has 2 rows"));
        }
        check(&["d"], r#"{"d":[1,2],"meta":{"total_pages":3}}"#, "total_pages_path: meta.total_pages");
        let link = sign(&[], "[1,2]", Some("<https://a/2>; rel=\"next\"")).unwrap();
        assert!(link.contains("{strategy: linkHeader}"), "{link}");
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
