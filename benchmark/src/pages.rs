//! Pages of rows, serialised once, and the links between them.

use crate::rows;
use bytes::Bytes;

/// Rows on a page.
pub const PAGE_SIZE: usize = 100;

/// Returns the pages of a resource of `n_rows` rows; one empty page when there are none.
pub fn serialised(n_rows: usize) -> Vec<Bytes> {
    let rows: Vec<usize> = (0..n_rows).collect();
    let page_of = |rows: &[usize]| Bytes::from(serde_json::Value::from_iter(rows.iter().map(|row_idx| rows::repo(*row_idx))).to_string());
    match rows.is_empty() {
        true => vec![page_of(&rows)],
        false => rows.chunks(PAGE_SIZE).map(page_of).collect(),
    }
}

/// Returns the `Link` header of page `page` (from 1), or `None` when it has no neighbours.
pub fn link_header(base: &str, page: usize, n_pages: usize) -> Option<String> {
    let link = |page: usize, rel: &str| format!("<{base}?page={page}&per_page={PAGE_SIZE}>; rel=\"{rel}\"");
    let mut links = Vec::new();
    if page > 1 {
        links.push(link(page - 1, "prev"));
    }
    if page < n_pages {
        links.push(link(page + 1, "next"));
        links.push(link(n_pages, "last"));
    }
    if page > 1 {
        links.push(link(1, "first"));
    }
    (!links.is_empty()).then(|| links.join(", "))
}

/// Returns the page number the `rel="last"` link of a `Link` header names.
pub fn last_page(link_header: &str) -> Option<usize> {
    let link = link_header.split(", ").find(|link| link.ends_with("rel=\"last\""))?;
    let number = link.split(['?', '&']).find_map(|part| part.strip_prefix("page="))?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_is_short() {
        let n_rows: Vec<usize> =
            serialised(250).iter().map(|page| serde_json::from_slice::<Vec<serde_json::Value>>(page).unwrap().len()).collect();
        assert_eq!(n_rows, [100, 100, 50]);
        assert_eq!(serialised(0), [Bytes::from("[]")]);
    }

    #[test]
    fn links_lead_to_the_last_page_and_end_there() {
        assert_eq!(link_header("http://h/repos", 1, 1), None);
        let first = link_header("http://h/repos", 1, 3).unwrap();
        assert_eq!(first, "<http://h/repos?page=2&per_page=100>; rel=\"next\", <http://h/repos?page=3&per_page=100>; rel=\"last\"");
        assert_eq!(last_page(&first), Some(3));
        assert_eq!(last_page(&link_header("http://h/repos", 3, 3).unwrap()), None);
    }
}
