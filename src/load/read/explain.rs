//! What a refresh would do: parents, requests, and how long it takes. Reads what is known and sends nothing.

use crate::columns::timestamp_text;
use crate::http::{ApiClient, ParamSet};
use crate::load::clock::now_micros;
use crate::load::identity::{asked_hash, set_keys, spec_hash, Identity};
use crate::load::job::report::LoadAction;
use crate::load::known::{KnownJob, RunningJob};
use crate::load::plan::asked::Asking;
use crate::load::plan::parents::is_stale;
use crate::load::plan::resume::{SetWork, StagedChildren, Start, Unfinished};
use crate::load::plan::scope::Scope;
use crate::load::plan::sets::{Planned, PlannedSets};
use crate::load::plan::updates::Moments;
use crate::load::read::estimate::{age_text, duration_text, seconds, Kind, LastLoad};
use crate::load::read::first_request::request_at;
use crate::load::read::reader::Reader;
use crate::load::read::scope_text::scope_text;
use crate::load::records::store::Store;
use crate::load::target::TableTarget;
use crate::session::{Session, Settings};
use crate::source::Paging;
use crate::spec::{ParamValue, ParamValues, TableDef};
use crate::{Error, Result};
use std::sync::Arc;

/// Most requests of one table that are listed one by one.
const MOST_LISTED: usize = 1000;

/// A part of a refresh, in the order in which it would be done.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// `connection.table`; the connection alone for its budget.
    pub table: String,
    /// `none`, `load`, `reload`, `updates`, then a `request` per parameter set; at last `budget`.
    pub action: &'static str,
    /// The first request of a parameter set, redacted.
    pub request: Option<String>,
    /// How many it takes with the pages that follow; of a budget, how many are left. `None`: unknown.
    pub requests: Option<u64>,
    pub seconds: Option<f64>,
    pub reason: String,
}

/// What a step takes; `None`: unknown.
#[derive(Clone, Copy, Default)]
struct Cost {
    requests: Option<u64>,
    seconds: Option<f64>,
}

/// What explaining works with.
struct Explaining<'a> {
    session: Box<dyn Session>,
    client: Arc<ApiClient>,
    settings: &'a Settings,
    jobs: Vec<KnownJob>,
    running: Vec<(String, i64)>,
    /// The moment the refresh would begin.
    now: i64,
    /// Tables that have their steps already.
    seen: Vec<String>,
    steps: Vec<PlannedStep>,
}

/// A table as it is, and what is asked for.
struct Asked<'a> {
    target: &'a TableTarget,
    child: Option<&'a str>,
    table_def: &'a TableDef,
    store: Store,
    spec: String,
    is_loaded: bool,
}

/// The calls of a table.
struct Calls {
    kind: Kind,
    sets: Vec<ParamSet>,
    work: Vec<SetWork>,
    /// What the calls ask for, and what an unfinished load has of it.
    reason: String,
}

impl Asked<'_> {
    /// Returns the table as those calls have it.
    fn table_def_of(&self, calls: &Calls) -> &TableDef {
        match calls.kind {
            Kind::Everything => self.table_def,
            Kind::Updates => self.table_def.for_updates(),
        }
    }

    fn role(&self) -> String {
        self.child.map_or(String::new(), |child| format!("parent of {child}, "))
    }
}

impl Reader {
    /// Returns what refreshing these tables of one connection would do, one after the other.
    pub(in crate::load) fn explain(
        &self,
        targets: &[TableTarget],
        settings: &Settings,
        jobs: Vec<KnownJob>,
        running: Vec<RunningJob>,
    ) -> Result<Vec<PlannedStep>> {
        let Some(first) = targets.first() else { return Ok(Vec::new()) };
        let services = &self.services;
        let running = running.into_iter().filter(|job| job.connection.eq_ignore_ascii_case(&first.connection.name));
        let mut explaining = Explaining {
            session: services.database.connect()?,
            client: services.client(&first.connection, settings).map_err(|err| err.at(first.place()))?,
            settings,
            jobs,
            running: running.map(|job| (job.table, job.id)).collect(),
            now: now_micros(),
            seen: Vec::new(),
            steps: Vec::new(),
        };
        for target in targets {
            let target = target.filler()?;
            if !explaining.seen.contains(&target.table) {
                explaining.table(&target, LoadAction::Refresh, None).map_err(|err| err.at(target.place()))?;
            }
        }
        let mut limits: Vec<Option<&str>> = Vec::new();
        for target in targets {
            let own = target.table_def()?.throttle.as_deref();
            if own.is_some() && !limits.contains(&own) {
                limits.push(own);
            }
        }
        for own in limits.into_iter().chain([None]) {
            let budget = explaining.budget(&first.connection.name, own);
            explaining.steps.push(budget);
        }
        Ok(explaining.steps)
    }
}

impl Explaining<'_> {
    /// Adds the steps of a table, which may be a child's parent, its own parents' first.
    fn table(&mut self, target: &TableTarget, action: LoadAction, child: Option<&str>) -> Result<()> {
        let table_def = target.table_def()?;
        self.seen.push(target.table.clone());
        let is_complete = self.parents(target, table_def)?;
        let store = target.store(self.session.as_mut())?;
        let is_loaded = store.is_loaded(self.session.as_mut())?;
        let asked = Asked { target, child, table_def, store, spec: spec_hash(&target.connection, table_def), is_loaded };
        match is_complete {
            true => {
                let calls = self.calls(&asked, action)?;
                self.add_calls(&asked, calls)
            }
            false => self.add_unknown(&asked),
        }
    }

    /// Adds the steps of the tables that the params query. Returns whether all of them are there to be queried now.
    fn parents(&mut self, target: &TableTarget, table_def: &TableDef) -> Result<bool> {
        let mut is_complete = true;
        for parent in table_def.parents() {
            let parent = TableTarget { table: parent.to_string(), ..target.clone() }.filler()?;
            let store = parent.store(self.session.as_mut())?;
            let is_loaded = store.is_loaded(self.session.as_mut())?;
            is_complete &= is_loaded;
            if self.seen.contains(&parent.table) {
                continue;
            }
            let is_stale = is_stale(self.session.as_mut(), &parent, table_def.max_staleness, self.now)?;
            if is_loaded && !is_stale {
                let started = store.started(self.session.as_mut())?;
                let age = started.map_or(String::new(), |started| format!(" {} ago", age_text(started)));
                let may = match table_def.max_staleness {
                    Some(most) => format!("may be {} old", duration_text(most.as_secs())),
                    None => "may be of any age".to_string(),
                };
                let reason = format!("parent of {}, loaded{age}, which {may}", target.table);
                self.step(&parent, "none", Cost { requests: Some(0), seconds: Some(0.0) }, reason);
                continue;
            }
            let action = if is_stale { LoadAction::Refresh } else { LoadAction::Load };
            self.table(&parent, action, Some(&target.table))?;
        }
        Ok(is_complete)
    }

    /// Returns the calls that a job would make.
    fn calls(&mut self, asked: &Asked<'_>, action: LoadAction) -> Result<Calls> {
        let Asked { target, table_def, store, spec, is_loaded, .. } = asked;
        let session = self.session.as_mut();
        let loaded = if *is_loaded { store.loaded(session, spec)? } else { None };
        let asking = Asking {
            planned: Planned { connection: &target.connection, table_def, catalog: &target.catalog },
            store,
            redactor: self.client.redactor(),
            loaded: loaded.as_ref(),
            spec,
            is_refresh: action == LoadAction::Refresh,
            now: self.now,
        };
        let (scope, PlannedSets { sets, .. }) = asking.asked(session)?;
        let table_def = scope.table_def(table_def);
        let kind = if matches!(scope, Scope::Updates(_)) { Kind::Updates } else { Kind::Everything };
        let mut reason = scope_text(table_def, kind, *is_loaded, loaded.as_ref());
        let keys = set_keys(&sets, self.client.redactor());
        let mut start = Start::default();
        if store.is_ours(session, &store.staging.table, None)? {
            let asked = asked_hash(spec, &target.connection, table_def, &sets);
            match Unfinished::find(session, store, &Identity::new(asked, &sets, self.client.redactor(), &target.connection))? {
                Unfinished::Staged(staged) => {
                    let n_rows = staged.n_rows;
                    start = Start::after(*staged, StagedChildren::default());
                    let n_done = start.n_done();
                    reason.push_str(&format!("; goes on with an unfinished load of {n_rows} rows, parameter sets done: {n_done}"));
                }
                Unfinished::Useless(why) => reason.push_str(&format!("; an unfinished load starts over: {why}")),
                Unfinished::Nothing => {}
            }
        }
        let (work, _) = start.work(&target.connection, &sets, keys, false)?;
        Ok(Calls { kind, sets, work, reason })
    }

    fn add_calls(&mut self, asked: &Asked<'_>, calls: Calls) -> Result<()> {
        let Asked { target, store, .. } = asked;
        let table_def = asked.table_def_of(&calls);
        let last = LastLoad::find(self.session.as_mut(), store, target, &self.jobs, calls.kind)?;
        let (n_sets, n_left) = (calls.sets.len() as u64, calls.work.len() as u64);
        let last_requests = last.and_then(|last| last.requests(&table_def.paging, n_sets));
        let paged = match last {
            Some(_) => last_requests,
            None => table_def.paging.n_pages(0, n_sets).filter(|_| table_def.paging == Paging::None),
        };
        let of_set = paged.map(|n_requests| n_requests.div_ceil(n_sets.max(1)).max(1));
        let n_requests = match n_left == n_sets {
            true => paged.map(|n_requests| n_requests.max(n_sets)),
            false => of_set.map(|of_set| of_set * n_left),
        };
        let time = n_requests.and_then(|n_requests| self.seconds(table_def, n_requests, last.zip(last_requests)));
        let mut reason = format!("{}{}, parameter sets: {n_left}", asked.role(), calls.reason);
        if let Some(last) = last {
            let took = format!("; the last time {} rows came in {:.1} s", last.n_rows, last.seconds);
            reason.push_str(&took);
        }
        if let Some((_, id)) = self.running.iter().find(|(table, _)| table.eq_ignore_ascii_case(&target.table)) {
            reason.push_str(&format!("; job {id} is loading it now and is waited for first"));
        }
        let action = match calls.kind {
            Kind::Updates => "updates",
            Kind::Everything if asked.is_loaded => "reload",
            Kind::Everything => "load",
        };
        self.step(target, action, Cost { requests: n_requests, seconds: time }, reason);
        self.add_requests(asked, &calls, of_set)
    }

    /// Adds the first request of each set, or of the first ones where they are many.
    fn add_requests(&mut self, asked: &Asked<'_>, calls: &Calls, of_set: Option<u64>) -> Result<()> {
        let target = asked.target;
        let table_def = asked.table_def_of(calls);
        for work in calls.work.iter().take(MOST_LISTED) {
            let set = work
                .half
                .as_deref()
                .or_else(|| calls.sets.get(work.number))
                .ok_or_else(|| Error::internal("a parameter set is missing"))?;
            let request = request_at(&target.connection, table_def, set, work.point.as_ref(), self.settings.max_pages)?;
            let Some(request) = request else { continue };
            let reason = match table_def.paging {
                _ if table_def.job.is_some() => "a job of the API, then its results",
                Paging::None => "one page",
                _ => "the first page, then those that follow",
            };
            self.step(target, "request", Cost { requests: of_set, seconds: None }, reason.to_string());
            if let Some(step) = self.steps.last_mut() {
                step.request = Some(self.client.text_with_body(&request));
            }
        }
        if table_def.recurse.is_some() {
            let reason = "the levels below, whose parameter sets are known when the one above is loaded";
            self.step(target, "request", Cost::default(), reason.to_string());
        }
        let n_more = calls.work.len().saturating_sub(MOST_LISTED) as u64;
        if n_more > 0 {
            self.step(
                target,
                "request",
                Cost { requests: of_set.map(|of_set| of_set * n_more), seconds: None },
                format!("{n_more} more parameter sets"),
            );
        }
        Ok(())
    }

    /// Adds the steps of a table whose parameter sets are not known before its parents are loaded.
    fn add_unknown(&mut self, asked: &Asked<'_>) -> Result<()> {
        let Asked { target, table_def, is_loaded, .. } = asked;
        let has_updates = *is_loaded && table_def.refresh.updates().is_some();
        let action = match (is_loaded, has_updates) {
            (false, _) => "load",
            (true, true) => "updates",
            (true, false) => "reload",
        };
        let parents = table_def.parents().join(", ");
        self.step(target, action, Cost::default(), format!("{}its parameter sets are known when {parents} is loaded", asked.role()));
        let hole = |name: &String| (name.clone(), ParamValue::Text(format!("{{{name}}}")));
        let mut load = Moments { now: self.now, last_start: None }.values(&table_def.date_format);
        load.window = table_def.window.as_ref().map(|window_def| window_def.sample(self.now));
        let mut set = ParamSet { load: Arc::new(load), ..ParamSet::default() };
        for param_def in &table_def.params {
            match &param_def.values {
                ParamValues::One(value) => set.values.extend(param_def.names.iter().map(|name| (name.clone(), value.clone()))),
                ParamValues::Each(_) | ParamValues::Query(_) => set.values.extend(param_def.names.iter().map(hole)),
            }
        }
        let request = request_at(&target.connection, table_def, &set, None, self.settings.max_pages)?;
        let request = request.ok_or_else(|| Error::internal("a table has no first page"))?;
        self.step(target, "request", Cost::default(), "once for each parameter set".to_string());
        if let Some(step) = self.steps.last_mut() {
            step.request = Some(self.client.text_with_body(&request).replace("%7B", "{").replace("%7D", "}"));
        }
        Ok(())
    }

    fn budget(&self, connection: &str, own: Option<&str>) -> PlannedStep {
        let (n_at_once, spacing) = self.client.pace(own);
        let mut reason = format!("at most {n_at_once} requests at once");
        if !spacing.is_zero() {
            reason.push_str(&format!(", {:.3} s apart", spacing.as_secs_f64()));
        }
        let pause = self.client.paused_for(own);
        if !pause.is_zero() {
            reason.push_str(&format!("; the API takes none for {:.1} s", pause.as_secs_f64()));
        }
        let left = self.client.budget_left(own);
        match left {
            None => reason.push_str("; the API has not told how many are left"),
            Some(left) => {
                let of = left.limit.map_or(String::new(), |limit| format!(" of {limit}"));
                reason.push_str(&format!("; {} ago the API told that {}{of} are left", age_text(left.told_at), left.requests));
                if let Some(resets_at) = left.resets_at {
                    reason.push_str(&format!(" until {}", timestamp_text(resets_at)));
                }
            }
        }
        let credentials = self.client.credentials(own);
        if !credentials.is_empty() {
            reason.push_str(&format!("; {}", credentials.join(", ")));
        }
        let resets_in = left.and_then(|left| left.resets_at).map(|at| (at.saturating_sub(self.now) as f64 / 1e6).max(0.0));
        PlannedStep {
            table: own.map_or(connection.to_string(), |own| format!("{connection} ({own})")),
            action: "budget",
            request: None,
            requests: left.map(|left| left.requests.max(0.0) as u64),
            seconds: resets_in,
            reason,
        }
    }

    fn seconds(&self, table_def: &TableDef, n_requests: u64, last: Option<(LastLoad, u64)>) -> Option<f64> {
        let own = table_def.throttle.as_deref();
        let (_, spacing) = self.client.pace(own);
        seconds(n_requests, last.map(|(last, n_last)| (last.seconds, n_last)), spacing, self.client.paused_for(own))
    }

    fn step(&mut self, target: &TableTarget, action: &'static str, cost: Cost, reason: String) {
        let table = format!("{}.{}", target.connection.name, target.table);
        self.steps.push(PlannedStep { table, action, request: None, requests: cost.requests, seconds: cost.seconds, reason });
    }
}
