//! The request for the first page of a table.

use crate::http::{request_of, request_of_step, ParamSet, Request, Step};
use crate::load::clock::now_micros;
use crate::load::plan::scope::Scope;
use crate::load::plan::sets::{parameter_sets, Planned};
use crate::load::plan::updates::Moments;
use crate::load::target::TableTarget;
use crate::session::{Session, Settings};
use crate::source::ResumePoint;
use crate::spec::{Connection, TableDef};
use crate::Result;

/// The request for the first page of a table.
pub struct FirstRequest {
    /// Whose page it is.
    pub set: ParamSet,
    pub request: Request,
}

impl FirstRequest {
    /// Returns the request for the first of the sets, or for the newest window; `None` when there are none.
    pub fn of(target: &TableTarget, settings: &Settings, sets: Vec<ParamSet>) -> Result<Option<FirstRequest>> {
        let table_def = target.table_def()?;
        let mut sets = sets.into_iter();
        let set = if table_def.window.is_some() { sets.last() } else { sets.next() };
        let Some(set) = set else { return Ok(None) };
        let request = request_at(&target.connection, table_def, &set, None, settings.max_pages)?;
        Ok(request.map(|request| FirstRequest { set, request }))
    }
}

/// Returns the first request of a set, or the one by which an unfinished load goes on at its point; `None` when it needs none.
pub fn request_at(
    connection: &Connection,
    table_def: &TableDef,
    set: &ParamSet,
    point: Option<&ResumePoint>,
    max_pages: u64,
) -> Result<Option<Request>> {
    if let Some(def) = &table_def.job {
        let request = match point.and_then(|point| point.job.as_ref()) {
            Some(job) => request_of_step(connection, table_def, &set.with_job(job.created.clone()), Step::Wait, def),
            None => request_of_step(connection, table_def, set, Step::Create, def),
        };
        return request.map(Some);
    }
    let mut pager = match point {
        Some(point) => table_def.paging.source_at(max_pages, point)?,
        None => table_def.paging.source_from(max_pages, set.link.as_deref()),
    };
    pager.next_position().map(|place| request_of(connection, table_def, set, &place.key)).transpose()
}

/// Returns the request for the first page of a table whose parents, if it has any, are loaded.
pub fn first_request(target: &TableTarget, settings: &Settings, session: &mut dyn Session) -> Result<Option<FirstRequest>> {
    FirstRequest::of(target, settings, first_sets(target, session)?)
}

/// Returns the parameter sets of a table whose parents, if it has any, are loaded.
pub fn first_sets(target: &TableTarget, session: &mut dyn Session) -> Result<Vec<ParamSet>> {
    let planned = Planned { connection: &target.connection, table_def: target.table_def()?, catalog: &target.catalog };
    let scope = Scope::Everything(Moments { now: now_micros(), last_start: None });
    Ok(parameter_sets(planned, &scope, session)?.sets)
}
