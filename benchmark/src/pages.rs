//! Pages of rows, serialised once, and the links between them.

use crate::rows;
use bytes::Bytes;
use std::fmt::Write as _;

/// Rows on a page.
pub const PAGE_SIZE: usize = 100;

/// Rows that are serialised. The pages after theirs are theirs again, but for the numbers of the rows: so a server of any number of rows
/// takes some 1 GB of memory.
const MOST_SERIALISED: usize = 300_000;

/// The pages of a resource.
pub struct Pages {
    serialised: Vec<Serialised>,
    n_rows: usize,
}

/// A page, and where the ids of its rows are.
struct Serialised {
    body: Bytes,
    ids: Vec<usize>,
}

impl Pages {
    /// Makes the pages of a resource of `n_rows` rows; one empty page when there are none.
    pub fn new(n_rows: usize) -> Pages {
        Pages::of(n_rows, MOST_SERIALISED)
    }

    fn of(n_rows: usize, n_serialised: usize) -> Pages {
        let rows: Vec<usize> = (0..n_rows.min(n_serialised)).collect();
        Pages { serialised: rows.chunks(PAGE_SIZE).map(Serialised::new).collect(), n_rows }
    }

    pub fn len(&self) -> usize {
        self.n_rows.div_ceil(PAGE_SIZE).max(1)
    }

    pub fn is_empty(&self) -> bool {
        self.n_rows == 0
    }

    /// Returns page `page_idx` (from 0), or `None` beyond the last one.
    pub fn get(&self, page_idx: usize) -> Option<Bytes> {
        if page_idx >= self.len() {
            return None;
        }
        let Some(page) = self.serialised.get(page_idx % self.serialised.len().max(1)) else { return Some(Bytes::from_static(b"[]")) };
        let n_rows = (self.n_rows - page_idx * PAGE_SIZE).min(PAGE_SIZE);
        Some(if page_idx < self.serialised.len() { page.body.clone() } else { page.renumbered(page_idx * PAGE_SIZE, n_rows) })
    }
}

impl Serialised {
    fn new(row_idxs: &[usize]) -> Serialised {
        let mut body = String::from("[");
        let mut ids = Vec::with_capacity(row_idxs.len());
        for row_idx in row_idxs {
            let separator = if ids.is_empty() { "" } else { "," };
            let _ = write!(body, "{separator}");
            ids.push(body.len() + "{\"id\":".len());
            let _ = write!(body, "{}", rows::repo(*row_idx));
        }
        Serialised { body: Bytes::from(body + "]"), ids }
    }

    /// Returns the page as that of the rows from `first_row` on, the first `n_rows` of them.
    fn renumbered(&self, first_row: usize, n_rows: usize) -> Bytes {
        // What separates a row from the next one stands before the next one's id.
        let end = self.ids.get(n_rows).map_or(self.body.len() - 1, |id| id - ",{\"id\":".len());
        let mut body = Vec::with_capacity(end + 1);
        body.extend_from_slice(&self.body[..end]);
        for (nth, id) in self.ids.iter().take(n_rows).enumerate() {
            let digits = rows::id(first_row + nth).to_string();
            body[*id..id + digits.len()].copy_from_slice(digits.as_bytes());
        }
        body.push(b']');
        Bytes::from(body)
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
    use serde_json::Value;

    #[test]
    fn the_last_page_is_short() {
        let n_rows: Vec<usize> = bodies(&Pages::new(250)).iter().map(Vec::len).collect();
        assert_eq!(n_rows, [100, 100, 50]);
        assert_eq!(bodies(&Pages::new(0)), [Vec::<Value>::new()]);
    }

    #[test]
    fn rows_that_come_again_have_ids_of_their_own() {
        let (few, all) = (bodies(&Pages::of(630, 300)), bodies(&Pages::new(630)));
        let ids = |pages: &[Vec<Value>]| pages.iter().flatten().map(|row| row["id"].clone()).collect::<Vec<Value>>();
        assert_eq!(ids(&few), ids(&all));
        assert_eq!(few[..3], all[..3]);
        assert_eq!(few[6].len(), 30);
        assert_eq!(few[4][7]["name"], few[1][7]["name"]);
    }

    fn bodies(pages: &Pages) -> Vec<Vec<Value>> {
        assert_eq!(pages.get(pages.len()), None);
        (0..pages.len()).map(|page_idx| serde_json::from_slice(&pages.get(page_idx).unwrap()).unwrap()).collect()
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
