//! From an answer's body to what the load needs of it: typed rows, and what it says about the pages.

use crate::columns::{FlatPage, Lists, RowPlan, TableSchema};
use crate::document::{BodyWeight, Parser};
use crate::http::{check_graphql, facts_of, PageBody};
use crate::load::flow::record_shape::RecordShape;
use crate::load::flow::shifts::may_shift;
use crate::load::pages::fetched::PageBatches;
use crate::source::{PageFacts, PageKey, PageRows, Paging, Seen, Signs};
use crate::spec::{ParamValue, SyncToken, TableDef, Unpaged};
use crate::{Error, Result};
use std::cell::RefCell;
use std::hash::BuildHasher;

thread_local! {
    /// The buffers of the conversion thread, kept from page to page.
    static PARSER: RefCell<Parser> = RefCell::new(Parser::default());
}

/// A page, converted.
pub struct ConvertedPage {
    pub batches: PageBatches,
    pub facts: PageFacts,
    /// What shows that there is more than this page, which is read as the last one: a warning.
    pub more: Option<String>,
    /// What else an answer shows of other pages, where they may end with it.
    pub signs: Option<Signs>,
    /// What a GraphQL API says that its data lacks.
    pub lacking: Option<String>,
}

/// A page, and what it will take to convert it.
pub struct WeighedPage {
    page: PageBody,
    weight: BodyWeight,
}

impl WeighedPage {
    /// Weighs a page for the table and its plan.
    pub fn new(page: PageBody, table_def: &TableDef, row_plan: &RowPlan) -> WeighedPage {
        let weight = table_def.answer.body.weigh(&page.body, page.headers.get("content-type"), row_plan.most_bytes());
        WeighedPage { weight, page }
    }

    /// Returns at most how many bytes it takes while it is unpacked, parsed and converted.
    pub fn n_bytes(&self) -> u64 {
        self.weight.n_bytes()
    }
}

/// What is known of a table before a page of it is converted.
pub struct SoFar<'a> {
    /// The columns so far, of the table and then of its children.
    pub schemas: &'a [TableSchema],
    /// The number of the page's first row, where the table has children.
    pub first_number: i64,
    pub record_shape: &'a RecordShape,
}

/// Converts a page. The columns of the batches are those so far, or wider. `copied` are the values that all of its rows get. Fails before anything
/// is built when the page takes more memory than the plan allows.
pub fn convert(
    table_def: &TableDef,
    row_plan: &RowPlan,
    weighed: WeighedPage,
    so_far: SoFar<'_>,
    copied: &[ParamValue],
) -> Result<ConvertedPage> {
    let SoFar { schemas, first_number, record_shape } = so_far;
    let WeighedPage { mut page, weight } = weighed;
    let bytes = std::mem::take(&mut page.body);
    let most = row_plan.most_bytes();
    let of_body = foldhash::fast::FixedState::default().hash_one(&bytes);
    let style = &table_def.answer.body;
    let opened = style.open_part(bytes, page.headers.get("content-type"), most, page.line_base);
    let body = opened.map_err(|fault| page.unreadable(&fault, &[]))?;
    let weight = weight.of_opened(&body, most);
    weight.check(most)?;
    let converted = PARSER.with_borrow_mut(|parser| {
        parser.read_body(&body, weight, most, |root| {
            let lacking = match table_def.request.graphql_errors {
                Some(errors) => check_graphql(errors, root)?,
                None => None,
            };
            let (schema, child_schemas) =
                schemas.split_first().ok_or_else(|| Error::internal("a page without columns to convert it to"))?;
            if let Some(records) = row_plan.records_of(root)? {
                record_shape.check(records, table_def.result_body_path.is_empty())?;
            }
            let FlatPage { batch, n_records, fingerprint } = row_plan.rows_of(root, schema, copied)?;
            let n_rows = n_records as u64;
            let records =
                if table_def.paging.needs_records(n_rows) || may_shift(table_def) { row_plan.record_hashes(root)? } else { Vec::new() };
            let rows = PageRows { n_rows, fingerprint, body: of_body, records };
            let paging = &table_def.paging;
            let mut facts = match paging.needs_last_row() {
                true => row_plan.with_last_record(root, |last_row| facts_of(paging, &page, &Seen { last_row, ..page.seen(root) }, rows))?,
                false => facts_of(paging, &page, &page.seen(root), rows)?,
            };
            let sync_token = table_def.refresh.updates().and_then(|updates| updates.sync_token.as_ref());
            let batch = match paging.leaves_last_row(&facts) {
                true => row_plan.rows_but_last(root, schema, copied)?.batch,
                false => batch,
            };
            let mut batches = PageBatches::from(batch);
            if row_plan.has_children() {
                batches.own.number_rows(first_number);
                let lists = Lists { schemas: child_schemas, first_number, n_rows: batches.own.n_rows };
                batches.children = row_plan.children_of(root, lists, copied)?;
            }
            facts.sync_token = match table_def.etag {
                true => page.headers.get("etag").map(str::to_string),
                false => sync_token.and_then(|token| token_at(token, &page.seen(root))),
            };
            let signs = signs_of(table_def, &page.seen(root), &facts);
            facts.shows_more = signs.as_ref().is_some_and(|signs| signs.show_more_than(n_rows));
            let more = sign_of_more(table_def, signs.as_ref(), n_rows)?;
            let signs = signs.filter(|_| table_def.paging != Paging::None);
            Ok(ConvertedPage { batches, facts, more, signs, lacking })
        })
    });
    converted.unwrap_or_else(|fault| Err(page.unreadable(&fault, body.bytes_of(&fault))))
}

/// Returns what an answer shows of other pages, where the pages may end with it.
fn signs_of(table_def: &TableDef, seen: &Seen<'_>, facts: &PageFacts) -> Option<Signs> {
    let may_end = match table_def.paging {
        Paging::None => table_def.unpaged != Unpaged::Wanted,
        _ => table_def.paging.ends_unsaid(facts, &table_def.result_body_path),
    };
    may_end.then(|| Signs::of(seen, &table_def.result_body_path))
}

/// Returns what shows that there is more than a page of `n_rows` with which the pages end. Fails where that is an error of the table.
fn sign_of_more(table_def: &TableDef, signs: Option<&Signs>, n_rows: u64) -> Result<Option<String>> {
    let Some(signs) = signs else { return Ok(None) };
    match (&table_def.paging, table_def.unpaged) {
        (Paging::None, Unpaged::Fails) => signs.beyond_only_page(n_rows).map_or(Ok(None), |sign| Err(Error::data(sign))),
        (Paging::None, _) => Ok(signs.beyond_only_page(n_rows)),
        // Pages that are counted go on in spite of it, until one is empty.
        (Paging::Counted(_), _) => Ok(None),
        // An API may always name a next page: where pages are followed, that is not more than a sign.
        _ => Ok(signs.of_next_page()),
    }
}

/// Returns what an answer has to ask for later changes with. A link is absolute; one with what looks like a credential is not kept.
fn token_at(token: &SyncToken, seen: &Seen<'_>) -> Option<String> {
    let text = token.path.find_texts(seen.root).into_iter().find(|text| !text.is_empty())?;
    if token.param.is_some() {
        return Some(text);
    }
    let link = seen.url.join(text.trim()).ok()?.to_string();
    Some(link).filter(|link| !PageKey::Link(link.clone()).holds_credential())
}
