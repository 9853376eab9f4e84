//! Runs bound calls of Unify's table functions, in steps where they wait.

use super::chunk::{chunk_rows, LentChunk};
use super::context::RunningContext;
use super::guard::guard;
use super::lent::{carried, free, give, Lent};
use super::raised;
use super::scan::{ScanPlan, ScanRun};
use super::state::State;
use super::user::ContextUser;
use super::wait::Wait;
use crate::columns::Batch;
use crate::lock::lock;
use crate::session::Value;
use crate::sql::{check_end, BoundCall, StatementContext, Step, WaitingCall, Work};
use crate::{Error, ErrorKind, Result};
use libduckdb_sys::*;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::{Mutex, Weak};

/// A bound call.
pub struct Call {
    pub state: Weak<State>,
    /// Of the statement that bound the call and runs it.
    pub context: RunningContext,
    pub catalog: Result<String>,
    pub plan: CallPlan,
    /// The text of the statement of ours that it is, where DuckDB may have cut its end.
    pub written: Option<String>,
}

/// What running a call means.
pub enum CallPlan {
    Rows(Box<dyn BoundCall>),
    Waiting(Box<dyn WaitingCall>),
    Scan(ScanPlan),
    /// It could not be bound, which is said when it runs.
    Failed(Error),
}

/// A call under way.
enum CallRun {
    NotStarted,
    /// The work goes on when the rows it made so far are handed on.
    Working(Box<dyn Work>, Handed),
    Rows(Handed),
    Scan(ScanRun),
}

/// Rows that are handed on, a chunk at a time.
#[derive(Default)]
struct Handed {
    batches: VecDeque<Batch>,
    /// Of the first batch.
    next_row: usize,
}

impl Handed {
    fn new(batches: Vec<Batch>) -> Handed {
        Handed { batches: batches.into(), next_row: 0 }
    }

    /// Returns whether any row is left. Batches that are handed on are dropped.
    fn has_rows(&mut self) -> bool {
        while self.batches.front().is_some_and(|batch| self.next_row >= batch.n_rows) {
            self.batches.pop_front();
            self.next_row = 0;
        }
        !self.batches.is_empty()
    }

    /// Writes the next rows to `output`, of which the statement wants the columns in `projection`.
    fn write(&mut self, projection: &[usize], output: LentChunk<'_>) -> Result<()> {
        let Some(batch) = self.batches.front() else { return Ok(()) };
        let rows = self.next_row..(self.next_row + chunk_rows()).min(batch.n_rows);
        self.next_row = rows.end;
        for (to, from) in projection.iter().enumerate() {
            let Some(column) = batch.columns.get(*from) else { continue };
            output.slots(to)?.write(column, rows.clone(), 0)?;
        }
        output.set_rows(rows.len());
        Ok(())
    }
}

/// Returns what a statement of the user's session works with.
pub fn statement_context<'a>(
    user: &'a ContextUser<'a>,
    catalog: &Result<String>,
    interrupted: &'a dyn Fn() -> bool,
) -> Result<StatementContext<'a>> {
    let context = user.context;
    Ok(StatementContext {
        instance: user.state.instance(),
        settings: user.state.instance().catalog.in_surroundings(context.read()?),
        catalog: catalog.clone(),
        user,
        session: context.session(),
        interrupted,
        has_progress_bar: context.value("enable_progress_bar") == Some(Value::Boolean(true)),
    })
}

/// Returns the error of a call whose database was closed.
pub fn gone() -> Error {
    Error::new(ErrorKind::DatabaseGone, "the database was closed")
}

/// Begins one execution of a call.
///
/// # Safety
/// DuckDB passes its own `info`, valid for the length of the call.
pub unsafe extern "C" fn init(info: duckdb_init_info) {
    // SAFETY: the info is valid.
    let bind_data = unsafe { duckdb_init_get_bind_data(info) };
    // SAFETY: the bind data is a `Call` that lives as long as the plan.
    let call = unsafe { carried::<Call>(bind_data) };
    // SAFETY: DuckDB lends the info for the length of this call.
    let lent = unsafe { Lent::borrow(info) };
    if let Err(err) = guard(|| begin(lent, call)) {
        // SAFETY: the info is valid, the message a C string.
        raised::fail(&err, |message| unsafe { duckdb_init_set_error(info, message) });
    }
}

fn begin(info: Lent<'_, duckdb_init_info>, call: &Call) -> Result<()> {
    let state = call.state.upgrade().ok_or_else(gone)?;
    state.check_process()?;
    if let Some(written) = &call.written {
        let interrupted = || state.is_interrupted(&call.context);
        let user = ContextUser { state: &state, context: &call.context };
        check_end(written, &state.current_query(&call.context), &statement_context(&user, &call.catalog, &interrupted)?)?;
    }
    let run = match &call.plan {
        CallPlan::Rows(_) | CallPlan::Waiting(_) | CallPlan::Failed(_) => {
            RunState { run: CallRun::NotStarted, projection: projection_of(info) }
        }
        CallPlan::Scan(plan) => {
            let interrupted = || state.is_interrupted(&call.context);
            let run = plan.start(&projection_of(info), state.host(), &interrupted)?;
            RunState { run: CallRun::Scan(run), projection: Vec::new() }
        }
    };
    // SAFETY: DuckDB owns the run from here and frees it with `free`.
    unsafe { duckdb_init_set_init_data(info.raw(), give(Mutex::new(run)), Some(free::<Mutex<RunState>>)) };
    // SAFETY: the info is valid.
    unsafe { duckdb_init_set_max_threads(info.raw(), 1) };
    Ok(())
}

struct RunState {
    run: CallRun,
    /// For rows Unify makes: which columns the statement wants, in order.
    projection: Vec<usize>,
}

fn projection_of(info: Lent<'_, duckdb_init_info>) -> Vec<usize> {
    // SAFETY: the info is valid.
    let n_columns = unsafe { duckdb_init_get_column_count(info.raw()) };
    // SAFETY: the column exists.
    (0..n_columns).map(|idx| unsafe { duckdb_init_get_column_index(info.raw(), idx) } as usize).collect()
}

/// Goes on with a call: the next rows into `output`, or a [`Wait`] left for the bridge.
///
/// # Safety
/// DuckDB passes its own `info` and `output`, valid for the length of the call.
pub unsafe extern "C" fn run(info: duckdb_function_info, output: duckdb_data_chunk) {
    // SAFETY: the info is valid.
    let bind_data = unsafe { duckdb_function_get_bind_data(info) };
    // SAFETY: the bind data is a `Call` that lives as long as the plan.
    let call = unsafe { carried::<Call>(bind_data) };
    // SAFETY: the info is valid.
    let init_data = unsafe { duckdb_function_get_init_data(info) };
    // SAFETY: the init data is a `RunState` in its mutex, which lives as long as the execution.
    let run_state = unsafe { carried::<Mutex<RunState>>(init_data) };
    // SAFETY: DuckDB lends the chunk for the length of this call.
    let output = unsafe { LentChunk::borrow(output) };
    if let Err(err) = guard(|| fill(call, &mut lock(run_state), output)) {
        // SAFETY: the info is valid, the message a C string.
        raised::fail(&err, |message| unsafe { duckdb_function_set_error(info, message) });
    }
}

/// Goes on with a call until the next rows are there. Returns what it waits for if they are not.
fn work(call: &Call, run_state: &mut RunState) -> Result<Option<Wait>> {
    if let CallPlan::Failed(err) = &call.plan {
        return Err(err.clone());
    }
    let state = call.state.upgrade().ok_or_else(gone)?;
    let interrupted = || state.is_interrupted(&call.context);
    let user = ContextUser { state: &state, context: &call.context };
    let ctx = statement_context(&user, &call.catalog, &interrupted)?;
    let step = match (&mut run_state.run, &call.plan) {
        (CallRun::NotStarted, CallPlan::Rows(bound)) => Step::Rows(bound.run(&ctx)?),
        (CallRun::NotStarted, CallPlan::Waiting(bound)) => {
            let mut work = bound.start(&ctx)?;
            let step = work.step(&ctx)?;
            run_state.run = CallRun::Working(work, Handed::default());
            step
        }
        (CallRun::Working(work, _), _) => work.step(&ctx)?,
        _ => return Err(Error::internal("a call has nothing to run")),
    };
    match (step, &mut run_state.run) {
        (Step::Waits(awaited), _) => return Ok(Some(Wait::new(awaited, call.state.clone(), call.context))),
        (Step::More(batch), CallRun::Working(_, handed)) => *handed = Handed::new(vec![batch]),
        (Step::More(_), _) => return Err(Error::internal("a call has more rows, but no work")),
        (Step::Rows(batches), run) => *run = CallRun::Rows(Handed::new(batches)),
    }
    Ok(None)
}

fn fill(call: &Call, run_state: &mut RunState, output: LentChunk<'_>) -> Result<()> {
    Wait::leave(None);
    loop {
        let (handed, is_done) = match &mut run_state.run {
            CallRun::Scan(scan) => return scan.next(output),
            CallRun::Rows(handed) => (Some(handed), true),
            CallRun::Working(_, handed) => (Some(handed), false),
            CallRun::NotStarted => (None, false),
        };
        if let Some(handed) = handed {
            if handed.has_rows() {
                return handed.write(&run_state.projection, output);
            }
        }
        if is_done {
            output.set_rows(0);
            return Ok(());
        }
        if let Some(wait) = work(call, run_state)? {
            Wait::leave(Some(wait));
            // The bridge says that there are rows to come.
            output.set_rows(0);
            return Ok(());
        }
    }
}

/// Returns how far the call is, in percent; -1 when unknown.
///
/// # Safety
/// `bind_data` is null, or that of a function of ours whose plan lives.
pub unsafe fn progress_of(bind_data: *const c_void) -> f64 {
    if bind_data.is_null() {
        return -1.0;
    }
    // SAFETY: the bind data of our functions is a `Call`.
    let call = unsafe { carried::<Call>(bind_data) };
    match &call.plan {
        CallPlan::Waiting(bound) => bound.progress().unwrap_or(-1.0),
        CallPlan::Rows(_) | CallPlan::Scan(_) | CallPlan::Failed(_) => -1.0,
    }
}
