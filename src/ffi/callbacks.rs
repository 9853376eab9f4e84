//! What the bridge calls. Each function is declared in `bridge/bridge.h`.

use super::calls::progress_of;
use super::database::DatabaseLease;
use super::guard::guard_or;
use super::own::OwnStatement;
use super::raised;
use super::settings::{value_of, ContextSettings};
use super::state::State;
use super::wait::{exception_of, exception_text, Wait};
use crate::session::{quote_literal, Settings};
use crate::sql::{joined, mistake_in, parse_statement, replacement_sql, ParsedStatement};
use libduckdb_sys::{
    duckdb_create_table_function, duckdb_destroy_extracted, duckdb_destroy_table_function, duckdb_extracted_statements,
    duckdb_table_function,
};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// Text lent by the bridge for the length of a call, or given to it until `unify_answer_free`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    data: *const c_char,
    size: usize,
}

impl Text {
    /// Returns the text; what is not UTF-8 counts as empty, since no name or statement of ours is.
    ///
    /// # Safety
    /// `data` points to `size` readable bytes that live as long as the result is used.
    pub unsafe fn as_str<'a>(self) -> &'a str {
        if self.data.is_null() {
            return "";
        }
        // SAFETY: the caller vouches for the bytes.
        let bytes = unsafe { std::slice::from_raw_parts(self.data.cast::<u8>(), self.size) };
        std::str::from_utf8(bytes).unwrap_or("")
    }

    /// Lends a text to the bridge for the length of a call.
    pub fn lend(text: &str) -> Text {
        Text { data: text.as_ptr().cast::<c_char>(), size: text.len() }
    }

    fn give(text: String) -> Text {
        let bytes = text.into_bytes().into_boxed_slice();
        let size = bytes.len();
        Text { data: Box::into_raw(bytes).cast::<c_char>(), size }
    }

    /// No text.
    pub const NONE: Text = Text { data: std::ptr::null(), size: 0 };
}

/// The answer to a question of the bridge.
#[repr(C)]
pub struct Answer {
    kind: i32,
    text: Text,
}

impl Answer {
    const NONE: Answer = Answer { kind: 0, text: Text::NONE };
}

#[no_mangle]
extern "C" fn unify_parse_statement(pieces: *const Text, n_pieces: usize) -> Answer {
    guard_or(Answer::NONE, || {
        if n_pieces == 0 {
            return Answer::NONE;
        }
        // SAFETY: the bridge lends this many texts, one at least, for the length of this call.
        let pieces = unsafe { std::slice::from_raw_parts(pieces, n_pieces) };
        // SAFETY: as above.
        let pieces: Vec<&str> = pieces.iter().map(|piece| unsafe { piece.as_str() }).collect();
        match parse_statement(&joined(&pieces)) {
            ParsedStatement::NotOurs => Answer::NONE,
            ParsedStatement::Call(sql) => Answer { kind: 1, text: Text::give(sql) },
            ParsedStatement::Wrong { message } => Answer { kind: -1, text: Text::give(message) },
        }
    })
}

#[no_mangle]
extern "C" fn unify_mistake(query: Text, known: Text) -> Answer {
    guard_or(Answer::NONE, || {
        // SAFETY: the bridge lends the text for the length of this call.
        let query = unsafe { query.as_str() };
        // SAFETY: as above.
        let known = unsafe { known.as_str() };
        Answer { kind: -1, text: Text::give(exception_text("Parser", &mistake_in(query, known))) }
    })
}

#[no_mangle]
extern "C" fn unify_check_setting(setting: usize, value: *mut c_void) -> Answer {
    guard_or(Answer::NONE, || match value_of(value.cast()).and_then(|value| Settings::check(setting, value)) {
        Ok(()) => Answer::NONE,
        Err(err) => Answer { kind: -1, text: Text::give(exception_of(&err)) },
    })
}

#[no_mangle]
extern "C" fn unify_answer_free(answer: Answer) {
    if !answer.text.data.is_null() {
        let bytes = std::ptr::slice_from_raw_parts_mut(answer.text.data.cast::<u8>().cast_mut(), answer.text.size);
        // SAFETY: a text that is not null was made by `Text::give` and comes back once.
        drop(unsafe { Box::from_raw(bytes) });
    }
}

#[no_mangle]
extern "C" fn unify_replace_table(
    state: *const c_void,
    database: *mut c_void,
    context: *const c_void,
    catalog: Text,
    schema: Text,
    table: Text,
) -> *mut c_void {
    guard_or(std::ptr::null_mut(), || {
        // SAFETY: the bridge owns one reference to the state while the database lives.
        let state = unsafe { &*state.cast::<State>() };
        // SAFETY: the bridge lends the names for the length of this call.
        let catalog = unsafe { catalog.as_str() };
        // SAFETY: as above.
        let schema = unsafe { schema.as_str() };
        // SAFETY: as above.
        let table = unsafe { table.as_str() };
        let scan = || format!("SELECT * FROM unify_scan({}, {})", quote_literal(schema), quote_literal(table));
        if OwnStatement::is_running() {
            // The function refuses; the scans after ours, of which Python's waits for the interpreter, are not asked.
            return DatabaseLease::borrow(database).extract(&scan()).map_or(std::ptr::null_mut(), |extracted| extracted.cast());
        }
        let settings = ContextSettings::of_raw(context);
        let sql = match replacement_sql(state.instance(), &|| settings.read(), catalog, schema, table) {
            Ok(None) => return std::ptr::null_mut(),
            Ok(Some(sql)) => sql,
            // The function raises the same error where DuckDB can report it.
            Err(_) => scan(),
        };
        DatabaseLease::borrow(database).extract(&sql).map_or(std::ptr::null_mut(), |extracted| extracted.cast())
    })
}

#[no_mangle]
extern "C" fn unify_extract(database: *mut c_void, sql: Text) -> *mut c_void {
    guard_or(std::ptr::null_mut(), || {
        // SAFETY: the bridge lends the text for the length of this call.
        let sql = unsafe { sql.as_str() };
        DatabaseLease::borrow(database).extract(sql).map_or(std::ptr::null_mut(), |extracted| extracted.cast())
    })
}

#[no_mangle]
extern "C" fn unify_extracted_free(extracted: *mut c_void) {
    let mut extracted: duckdb_extracted_statements = extracted.cast();
    // SAFETY: the bridge hands back what `unify_extract` or `unify_replace_table` gave, once.
    unsafe { duckdb_destroy_extracted(&mut extracted) };
}

#[no_mangle]
extern "C" fn unify_table_function_new() -> *mut c_void {
    // SAFETY: the function table is filled before the bridge is registered.
    unsafe { duckdb_create_table_function() }.cast()
}

#[no_mangle]
extern "C" fn unify_table_function_free(function: *mut c_void) {
    let mut function: duckdb_table_function = function.cast();
    // SAFETY: made by `unify_table_function_new`, freed once.
    unsafe { duckdb_destroy_table_function(&mut function) };
}

#[no_mangle]
extern "C" fn unify_progress(bind_data: *const c_void) -> f64 {
    guard_or(-1.0, || progress_of(bind_data))
}

#[no_mangle]
extern "C" fn unify_take_exception() -> Answer {
    guard_or(Answer::NONE, || raised::take().map_or(Answer::NONE, |text| Answer { kind: -1, text: Text::give(text) }))
}

#[no_mangle]
extern "C" fn unify_take_wait() -> *mut c_void {
    guard_or(std::ptr::null_mut(), || Wait::take().map_or(std::ptr::null_mut(), |wait| Box::into_raw(Box::new(wait)).cast()))
}

#[no_mangle]
extern "C" fn unify_wait_a_while(wait: *mut c_void) -> Answer {
    guard_or(Answer::NONE, || {
        // SAFETY: the bridge lends what `unify_take_wait` gave; one thread at a time uses it.
        let wait = unsafe { &*wait.cast::<Wait>() };
        match wait.a_while() {
            Ok(()) => Answer::NONE,
            Err(err) => Answer { kind: -1, text: Text::give(exception_of(&err)) },
        }
    })
}

#[no_mangle]
extern "C" fn unify_wait_interrupted(wait: *mut c_void) -> Answer {
    guard_or(Answer::NONE, || {
        // SAFETY: the bridge lends what `unify_take_wait` gave.
        let wait = unsafe { &*wait.cast::<Wait>() };
        wait.interrupted().map_or(Answer::NONE, |err| Answer { kind: 1, text: Text::give(err.message().to_string()) })
    })
}

#[no_mangle]
extern "C" fn unify_wait_free(wait: *mut c_void) {
    guard_or((), || {
        // SAFETY: made by `unify_take_wait`, freed once.
        drop(unsafe { Box::from_raw(wait.cast::<Wait>()) });
    });
}

#[no_mangle]
extern "C" fn unify_state_free(state: *mut c_void) {
    guard_or((), || {
        // SAFETY: `register` gave the bridge this reference, which comes back once, when the database goes away.
        let state = unsafe { Arc::from_raw(state.cast_const().cast::<State>()) };
        state.close();
    });
}
