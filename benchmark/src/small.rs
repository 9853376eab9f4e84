//! Rows that are small: what a request or a refresh costs beside them.

use std::fmt::Write as _;

/// Rows on a page of the table that changes.
pub const PAGE_SIZE: u64 = 1_000;

/// Returns a row as JSON.
pub fn row(id: u64) -> String {
    format!(
        "{{\"id\":{id},\"name\":\"item {id}\",\"state\":\"open\",\"price\":{}.25,\"created\":\"2026-01-01T00:00:00Z\",\
         \"tags\":[\"a\",\"b\"],\"owner\":{{\"id\":{},\"login\":\"example\"}}}}",
        id % 1000,
        id % 97
    )
}

/// Returns page `page` (from 1) of `n_rows` rows, as JSON; empty beyond the last one.
pub fn page(page: u64, n_rows: u64) -> String {
    let start = (page.max(1) - 1).saturating_mul(PAGE_SIZE);
    listed(start..start.saturating_add(PAGE_SIZE).min(n_rows))
}

/// Returns the owners, each of whom has a page of repositories, as JSON.
pub fn owners(n_owners: usize) -> String {
    let mut text = String::from("[");
    for id in 0..n_owners {
        let separator = if id > 0 { "," } else { "" };
        let _ = write!(text, "{separator}{{\"id\":{id},\"login\":\"org-{id}\"}}");
    }
    text + "]"
}

fn listed(ids: std::ops::Range<u64>) -> String {
    let rows: Vec<String> = ids.map(row).collect();
    format!("[{}]", rows.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_last_page_is_short_and_the_next_one_empty() {
        let n_rows = |text: &str| serde_json::from_str::<Vec<Value>>(text).unwrap().len();
        assert_eq!([1, 2, 3, 4].map(|number| n_rows(&page(number, 2_500))), [1000, 1000, 500, 0]);
        assert_eq!(n_rows(&owners(3)), 3);
    }
}
