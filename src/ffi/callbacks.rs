//! What the bridge calls. Each function is declared in `bridge/bridge.h`.

use super::answer::Answer;
use super::calls::progress_of;
use super::connection::Extracted;
use super::context::RunningContext;
use super::database::DatabaseLease;
use super::exit::Closes;
use super::guard::guard_or;
use super::lent::{carried, free, give};
use super::own::OwnStatement;
use super::raised;
use super::state::State;
use super::text::{exception_of, exception_text, Text};
use super::value::LentValue;
use super::wait::Wait;
use super::written;
use crate::session::{quote_literal, Settings};
use crate::sql::{joined, mistake_in, parse_cut, parse_statement, replacement_sql, Asking, ParsedStatement};
use libduckdb_sys::{duckdb_create_table_function, duckdb_destroy_table_function, duckdb_table_function};
use std::ffi::c_void;
use std::sync::Arc;

#[no_mangle]
unsafe extern "C" fn unify_parse_statement(pieces: *const Text, n_pieces: usize) -> Answer {
    guard_or(Answer::NONE, || {
        if n_pieces == 0 {
            return Answer::NONE;
        }
        // SAFETY: the bridge lends this many texts, one at least, for the length of this call.
        let pieces = unsafe { std::slice::from_raw_parts(pieces, n_pieces) };
        // SAFETY: as above.
        let pieces: Vec<&str> = pieces.iter().map(|piece| unsafe { piece.as_str() }).collect();
        answer_of(parse_statement(&joined(&pieces)))
    })
}

#[no_mangle]
unsafe extern "C" fn unify_parse_text(state: *const c_void, text: Text, follows_ours: bool) -> Answer {
    guard_or(Answer::NONE, || {
        if OwnStatement::is_running() {
            return Answer::NONE;
        }
        // SAFETY: the bridge lends the text for the length of this call.
        let text = unsafe { text.as_str() };
        let parsed = parse_cut(text);
        if follows_ours && parsed == ParsedStatement::NotOurs {
            // SAFETY: the bridge owns one reference to the state while the database lives.
            let state = unsafe { carried::<State>(state) };
            return state.host().syntax_error(text).map_or(Answer::NONE, |message| Answer { kind: -1, text: Text::give(message) });
        }
        answer_of(parsed)
    })
}

fn answer_of(parsed: ParsedStatement) -> Answer {
    match parsed {
        ParsedStatement::NotOurs => Answer::NONE,
        ParsedStatement::Call(sql) => Answer { kind: 1, text: Text::give(sql) },
        ParsedStatement::Wrong { message } => Answer { kind: -1, text: Text::give(message) },
    }
}

#[no_mangle]
unsafe extern "C" fn unify_mistake(query: Text, known: Text) -> Answer {
    guard_or(Answer::NONE, || {
        // SAFETY: the bridge lends the text for the length of this call.
        let query = unsafe { query.as_str() };
        // SAFETY: as above.
        let known = unsafe { known.as_str() };
        Answer { kind: -1, text: Text::give(exception_text("Parser", &mistake_in(query, known))) }
    })
}

#[no_mangle]
unsafe extern "C" fn unify_check_setting(setting: usize, value: *mut c_void) -> Answer {
    // SAFETY: the bridge lends the value for the length of this call.
    let value = unsafe { LentValue::borrow(value.cast()) };
    guard_or(Answer::NONE, || match value.read().and_then(|value| Settings::check(setting, value)) {
        Ok(()) => Answer::NONE,
        Err(err) => Answer { kind: -1, text: Text::give(exception_of(&err)) },
    })
}

#[no_mangle]
unsafe extern "C" fn unify_answer_free(answer: Answer) {
    // SAFETY: the text of an answer was made by `Text::give` and comes back once.
    unsafe { answer.text.take_back() };
}

#[no_mangle]
unsafe extern "C" fn unify_replace_table(
    state: *const c_void,
    database: *mut c_void,
    context: *const c_void,
    catalog: Text,
    schema: Text,
    table: Text,
) -> *mut c_void {
    guard_or(std::ptr::null_mut(), || {
        // SAFETY: the bridge owns one reference to the state while the database lives.
        let state = unsafe { carried::<State>(state) };
        // SAFETY: the bridge lends the names for the length of this call.
        let catalog = unsafe { catalog.as_str() };
        // SAFETY: as above.
        let schema = unsafe { schema.as_str() };
        // SAFETY: as above.
        let table = unsafe { table.as_str() };
        // SAFETY: the bridge lends the database for the length of this call.
        let database = unsafe { DatabaseLease::borrow(database) };
        let scan = || format!("SELECT * FROM unify_scan({}, {})", quote_literal(schema), quote_literal(table));
        if OwnStatement::is_running() && schema.is_empty() && catalog.is_empty() {
            return std::ptr::null_mut();
        }
        if OwnStatement::is_running() {
            // The function refuses; the scans after ours, of which Python's waits for the interpreter, are not asked.
            return extracted(&database, &scan());
        }
        // SAFETY: a statement is bound in that context for the length of this call.
        let settings = unsafe { RunningContext::at(context) };
        let asking = Asking { settings: &|| settings.read(), search_path: &|| settings.search_path() };
        let sql = match replacement_sql(state.instance(), &asking, catalog, schema, table) {
            Ok(None) => return std::ptr::null_mut(),
            Ok(Some(sql)) => sql,
            // The function raises the same error where DuckDB can report it.
            Err(_) => scan(),
        };
        extracted(&database, &sql)
    })
}

#[no_mangle]
unsafe extern "C" fn unify_extract(database: *mut c_void, sql: Text, text: Text) -> *mut c_void {
    guard_or(std::ptr::null_mut(), || {
        // SAFETY: the bridge lends the text for the length of this call.
        let sql = unsafe { sql.as_str() };
        // SAFETY: as above.
        written::leave(unsafe { text.as_str() });
        // SAFETY: the bridge lends the database for the length of this call.
        let database = unsafe { DatabaseLease::borrow(database) };
        extracted(&database, sql)
    })
}

#[no_mangle]
unsafe extern "C" fn unify_extracted_free(extracted: *mut c_void) {
    guard_or((), || {
        // SAFETY: the bridge hands back what `unify_extract` or `unify_replace_table` gave, once.
        drop(unsafe { Extracted::take_back(extracted.cast()) });
    });
}

/// Parses a statement for the bridge, which gives it back with `unify_extracted_free`; null when it does not parse.
fn extracted(database: &DatabaseLease, sql: &str) -> *mut c_void {
    let extracted = database.connect().and_then(|connection| connection.extract(sql));
    extracted.map_or(std::ptr::null_mut(), |extracted| extracted.into_raw().cast())
}

#[no_mangle]
unsafe extern "C" fn unify_table_function_new() -> *mut c_void {
    // SAFETY: the function table is filled before the bridge is registered.
    unsafe { duckdb_create_table_function() }.cast()
}

#[no_mangle]
unsafe extern "C" fn unify_table_function_free(function: *mut c_void) {
    let mut function: duckdb_table_function = function.cast();
    // SAFETY: made by `unify_table_function_new`, freed once.
    unsafe { duckdb_destroy_table_function(&mut function) };
}

#[no_mangle]
unsafe extern "C" fn unify_progress(bind_data: *const c_void) -> f64 {
    // SAFETY: DuckDB asks for the progress of a function of ours while its plan lives.
    guard_or(-1.0, || unsafe { progress_of(bind_data) })
}

#[no_mangle]
unsafe extern "C" fn unify_take_exception() -> Answer {
    guard_or(Answer::NONE, || raised::take().map_or(Answer::NONE, |text| Answer { kind: -1, text: Text::give(text) }))
}

#[no_mangle]
unsafe extern "C" fn unify_take_wait() -> *mut c_void {
    guard_or(std::ptr::null_mut(), || Wait::take().map_or(std::ptr::null_mut(), give))
}

#[no_mangle]
unsafe extern "C" fn unify_wait_a_while(wait: *mut c_void) -> Answer {
    guard_or(Answer::NONE, || {
        // SAFETY: the bridge lends what `unify_take_wait` gave; one thread at a time uses it.
        let wait = unsafe { carried::<Wait>(wait) };
        match wait.a_while() {
            Ok(()) => Answer::NONE,
            Err(err) => Answer { kind: -1, text: Text::give(exception_of(&err)) },
        }
    })
}

#[no_mangle]
unsafe extern "C" fn unify_wait_interrupted(wait: *mut c_void) -> Answer {
    guard_or(Answer::NONE, || {
        // SAFETY: the bridge lends what `unify_take_wait` gave.
        let wait = unsafe { carried::<Wait>(wait) };
        wait.interrupted().map_or(Answer::NONE, |err| Answer { kind: 1, text: Text::give(err.message().to_string()) })
    })
}

#[no_mangle]
unsafe extern "C" fn unify_wait_free(wait: *mut c_void) {
    // SAFETY: given by `unify_take_wait`, freed once.
    unsafe { free::<Wait>(wait) };
}

#[no_mangle]
unsafe extern "C" fn unify_state_free(state: *mut c_void) {
    guard_or((), || {
        // SAFETY: `register` gave the bridge this reference, which comes back once, when the database goes away.
        let state = unsafe { Arc::from_raw(state.cast_const().cast::<State>()) };
        state.close();
        if state.is_in_fork() {
            // Dropping it would join threads that a fork does not have.
            std::mem::forget(state);
        }
    });
}
