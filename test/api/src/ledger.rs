//! Ledgers: tables whose rows carry a revision, behind every way of paging, in books that tests rule one by one.
//!
//! A book is a name below `/ledger`; each has its own rows, faults and counts, so that tests side by side do not see each other.
//! `/ledger/BOOK/sets` lists its sets, `/ledger/BOOK/WAY/SET` has the rows of one set in pages, where WAY is `pages`, `offsets`, `totals`,
//! `tokens`, `links` or `nexts`. `/ledger/BOOK/changes/WAY/SET` has the rows that changed at `since` or later, of which a new revision has a
//! third, and those beyond `base`. Rules and counts of a book are in [`book`] and [`quirks`], which say how to change them.

mod book;
mod list;
mod pages;
mod quirks;
mod rows;

use crate::{answer, bad, Asked};
use axum::response::Response;
use book::{Arrival, Book, Fault};
use pages::{Request, Way};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// All books of a running API. A book is made when it is first named.
#[derive(Default)]
pub struct Ledger {
    books: Mutex<BTreeMap<String, Arc<Book>>>,
}

impl Ledger {
    /// Answers a request below `/ledger`.
    pub async fn answer(&self, asked: &Asked, parts: &[&str]) -> Response {
        let Some((name, rest)) = parts.split_first() else { return answer::error(404, "name a book") };
        let book = self.books.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_string()).or_default().clone();
        match rest {
            ["__book"] => {
                book.change(asked).map_or_else(|message| answer::error(400, &message), |()| answer::body(200, "text/plain", "ok\n"))
            }
            ["__state"] => answer::json(&book.counts()),
            ["__wait"] => book.wait(asked).await,
            ["__truth"] => answer::json(&book.truth(asked.value("way") == Some("changes"), asked.number("arrive", 0))),
            _ if !asked.is_authorized() => answer::error(401, "who are you?"),
            ["sets"] => ruled(&book, "sets", |_| sets(&book)).await,
            [way, set] => page(asked, &book, way, set, false).await,
            ["changes", way, set] => page(asked, &book, way, set, true).await,
            _ => answer::error(404, "no such ledger"),
        }
    }
}

/// Counts the request, holds it and spoils it as the book's rules say, and answers.
async fn ruled(book: &Arc<Book>, set: &str, answer: impl FnOnce(&Arrival) -> Response) -> Response {
    let arrival = book.arrived(set);
    let rules = book.pass(&arrival).await;
    tokio::time::sleep(rules.delay).await;
    match rules.fault {
        None => {
            let answer = answer(&arrival);
            book.answered(&arrival);
            answer
        }
        Some(Fault::Status(status)) => answer::with_header(answer::error(status, "told to fail"), "retry-after", "0"),
        Some(Fault::Drop) => bad::half_body(Duration::ZERO),
        Some(Fault::Half) => bad::half_body(Duration::from_millis(20)),
    }
}

fn sets(book: &Book) -> Response {
    answer::json(&Value::Array((0..book.n_sets()).map(|idx| json!({ "id": format!("s{idx}") })).collect()))
}

/// Answers with a page of a set.
async fn page(asked: &Asked, book: &Arc<Book>, way: &str, set: &str, by_changes: bool) -> Response {
    let Some(way) = Way::named(way) else { return answer::error(404, "no such way of paging") };
    let request = Request { asked, way, by_changes };
    let since = asked.value("since").filter(|_| by_changes);
    let listed = || book.list(set, by_changes, since);
    // Whether it lies beyond the end counts when it is asked for, not when it is answered.
    if listed().map(|list| request.page(&list, false)).is_some_and(|page| page.start > 0 && page.start >= page.n_all) {
        book.beyond();
    }
    ruled(book, set, |arrival| {
        let Some(list) = listed() else { return answer::error(404, "no such set") };
        let is_stale = request.is_stale(&list.quirks);
        if let Some(answer) = list.quirks.expire.filter(|_| is_stale).and_then(|expire| request.expired(expire)) {
            return answer;
        }
        let page = request.page(&list, is_stale);
        let answer = request.answer(&list, &page);
        book.gave(arrival, set, &page);
        answer
    })
    .await
}
