//! Reads `paging`.

use super::text::{json_path, required_json_path};
use crate::spec::yaml::{suggestion, Fields, Mistakes, Node};
use crate::spec::{Paging, Total};

const STRATEGIES: &[&str] = &["none", "pageAndCount", "offsetAndCount", "pagerToken", "nextLink", "linkHeader"];
/// Size of a page when the spec does not say and the API's answers tell the end anyway.
const PAGE_SIZE: u64 = 100;

/// Reads a `paging` mapping; `None`, and mistakes, when it is wrong.
pub(super) fn paging_of(node: &Node, place: &str, mistakes: &Mistakes) -> Option<Paging> {
    let written = node.get("strategy").and_then(Node::text).unwrap_or("");
    if written.eq_ignore_ascii_case("relay") {
        mistakes.at(node, "paging strategy 'relay' is not supported yet");
        return None;
    }
    let strategy = STRATEGIES.iter().find(|strategy| strategy.eq_ignore_ascii_case(written)).copied();
    let Some(strategy) = strategy else {
        // Reports a node that is no mapping, and a strategy that is absent, in their own words.
        let any_key: Vec<&str> = node.mapping().unwrap_or_default().iter().map(|(key, _)| key.name.as_str()).collect();
        Fields::of(node, place, &any_key, mistakes)?.required_text("strategy")?;
        mistakes.at(
            node.get("strategy").unwrap_or(node),
            format!("paging strategy '{written}' is unknown; {}", suggestion(written, STRATEGIES)),
        );
        return None;
    };
    let fields = Fields::of(node, place, keys_of(strategy), mistakes)?;
    match strategy {
        "none" => Some(Paging::None),
        "pageAndCount" => Some(Paging::PageAndCount {
            page_param: fields.required_text("page_param")?,
            count_param: fields.text("count_param"),
            page_size: required_page_size(&fields)?,
            first_page: fields.count("first_page", 0).unwrap_or(1),
            total: total_of(&fields),
        }),
        "offsetAndCount" => Some(Paging::OffsetAndCount {
            offset_param: fields.required_text("offset_param")?,
            count_param: fields.text("count_param"),
            page_size: required_page_size(&fields)?,
            total: total_of(&fields),
        }),
        "pagerToken" => Some(Paging::PagerToken {
            token_param: fields.required_text("token_param")?,
            count_param: fields.text("count_param"),
            page_size: fields.count("page_size", 1).unwrap_or(PAGE_SIZE),
            token_path: required_json_path(&fields, "pager_token_path")?,
            has_more_path: json_path(&fields, "has_more_path"),
        }),
        "nextLink" => Some(Paging::NextLink { link_path: required_json_path(&fields, "pager_link_path")? }),
        _ => Some(Paging::LinkHeader {
            count_param: fields.text("count_param"),
            page_size: fields.count("page_size", 1).unwrap_or(PAGE_SIZE),
        }),
    }
}

fn keys_of(strategy: &str) -> &'static [&'static str] {
    match strategy {
        "none" => &["strategy"],
        "pageAndCount" => {
            &["strategy", "page_param", "count_param", "page_size", "first_page", "total_path", "total_header", "total_pages_path"]
        }
        "offsetAndCount" => &["strategy", "offset_param", "count_param", "page_size", "total_path", "total_header", "total_pages_path"],
        "pagerToken" => &["strategy", "token_param", "count_param", "page_size", "pager_token_path", "has_more_path"],
        "nextLink" => &["strategy", "pager_link_path"],
        _ => &["strategy", "count_param", "page_size"],
    }
}

/// Reads the page size of a strategy that ends at a short page, and so must know what a full one is.
fn required_page_size(fields: &Fields<'_>) -> Option<u64> {
    fields.required_text("page_size")?;
    fields.count("page_size", 1)
}

fn total_of(fields: &Fields<'_>) -> Option<Total> {
    let totals = [
        json_path(fields, "total_path").map(Total::RowsPath),
        fields.text("total_header").map(Total::RowsHeader),
        json_path(fields, "total_pages_path").map(Total::PagesPath),
    ];
    let mut totals = totals.into_iter().flatten();
    let total = totals.next();
    if totals.next().is_some() {
        fields.mistakes().at(
            fields.mapping_node(),
            format!("{} has several of total_path, total_header and total_pages_path; keep one", fields.place()),
        );
    }
    total
}
