//! What each way to cut a resource into pages has to say.

use super::size::Size;
use crate::source::{PageFacts, PagePart, Seen, Source};
use crate::Result;
use std::fmt::Debug;

/// A way to cut a resource into pages: what requests say, what is read in answers, and which page comes next.
pub trait Strategy: Debug {
    /// Returns what names its pages: holes of a request may take it.
    fn parts(&self) -> &'static [PagePart] {
        &[]
    }

    /// Returns whether answers have a value of that name for the next page, which a hole of the request may take.
    fn gives_named(&self, _name: &str) -> bool {
        false
    }

    /// Notes the names of the holes of the table's requests.
    fn set_holes(&mut self, _names: &[&str]) {}

    /// Returns the query parameters that requests send, and what each takes.
    fn params(&self) -> Vec<(&str, PagePart)> {
        self.size().and_then(Size::param).into_iter().collect()
    }

    /// Returns the variables of a GraphQL query that requests send, and what each takes.
    fn variables(&self) -> Vec<(&str, PagePart)> {
        Vec::new()
    }

    /// Returns how many rows a page has, where there is anything to say about it.
    fn size(&self) -> Option<&Size> {
        None
    }

    /// Returns how many rows a page has, to be changed.
    fn size_mut(&mut self) -> Option<&mut Size> {
        None
    }

    /// Reads what an answer says about the pages. Fails when it names a next page in a way that cannot be read: it is not the last one.
    fn read(&self, seen: &Seen<'_>, facts: &mut PageFacts) -> Result<()>;

    /// Starts at the first page. More than `max_pages` pages are an error.
    fn source(&self, max_pages: u64) -> Box<dyn Source>;

    /// Returns how many pages `n_rows` are; `None` when the API decides.
    fn n_pages(&self, n_rows: u64) -> Option<u64> {
        self.size().filter(|size| size.is_asked_for()).map(|size| size.n_pages(n_rows))
    }

    /// Returns the text that says which pages there are: equal for equal ones. Stored identities of tables hold it.
    fn identity(&self) -> String;

    /// Returns whether pages may be asked for side by side.
    fn is_side_by_side(&self) -> bool {
        false
    }

    /// Returns whether a page of so many rows is told from others record by record.
    fn needs_records(&self, _n_rows: u64) -> bool {
        false
    }

    /// Returns whether it looks at the last record of a page.
    fn needs_last_row(&self) -> bool {
        false
    }

    /// Returns whether a page begins with the last record of the page before.
    fn repeats_last_row(&self) -> bool {
        false
    }

    /// Returns whether later pages are asked for without the table's other params.
    fn only_token(&self) -> bool {
        false
    }

    /// Returns whether links lead below the base URL, whatever host they name.
    fn rebases(&self) -> bool {
        false
    }

    /// Returns the key of a param that the spec does not name: a hole of the request has to take that part.
    fn unplaced(&self) -> Option<(&'static str, PagePart)> {
        None
    }

    /// Returns whether the pages may end with this one though the API does not say so where the spec looks: then it is looked at what else
    /// the answer shows. `records` is the path of the list of records.
    fn ends_unsaid(&self, _facts: &PageFacts, _records: &[String]) -> bool {
        false
    }

    /// Returns where a page with rows should tell how much there is and does not; `None` when it does, or the spec names no place.
    fn missing_total(&self, _facts: &PageFacts) -> Option<String> {
        None
    }
}
