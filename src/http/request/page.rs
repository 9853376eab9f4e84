//! What names a page, as what fills holes.

use crate::source::PageValues;
use crate::spec::{Filled, PAGE_HOLE};

/// Returns what fills a hole of that name in the request for a page.
pub fn of_page(page: &PageValues, name: &str) -> Option<Filled> {
    let own = match name {
        "page.token" => page.token.as_ref().map(|token| Filled::Json(token.to_json())),
        "page.number" => page.number.map(Filled::integer),
        "page.offset" => page.offset.map(Filled::integer),
        "page.size" => page.size.map(Filled::integer),
        _ => None,
    };
    own.or_else(|| {
        let name = name.strip_prefix(PAGE_HOLE)?;
        page.carried.iter().find(|(own, _)| own == name).map(|(_, token)| Filled::Json(token.to_json()))
    })
}
