// What crosses between Rust and the bridge. Plain C, the same for every DuckDB line.
#pragma once
#include <cstddef>
#include <cstdint>

extern "C" {

//! Text lent for the length of a call.
struct UnifyText {
	const char *data;
	size_t size;
};

//! Rust's answer to a question.
struct UnifyAnswer {
	int32_t kind;   // what each function says
	UnifyText text; // owned by Rust until unify_answer_free
};

// Implemented in Rust (src/ffi/callbacks.rs). None of them unwinds.
//! A statement DuckDB could not parse, in one piece or a piece a token. `kind` 0: not ours, 1: ours, text is the SQL to run, -1: ours
//! but wrong, text is the message with the place of the mistake.
UnifyAnswer unify_parse_statement(const UnifyText *pieces, size_t n_pieces);
//! The exception to throw for a statement of ours that is wrong, as DuckDB writes it. `query` is the text of the statement that runs, if
//! any; `known` is what unify_parse_statement said.
UnifyAnswer unify_mistake(UnifyText query, UnifyText known);
//! Checks a value, a duckdb_value lent for the call, before a setting takes it. `kind` -1: text is the exception to throw.
UnifyAnswer unify_check_setting(size_t setting, void *value);
void unify_answer_free(UnifyAnswer answer);
//! A duckdb_extracted_statements that holds one SELECT, or null when the name is not one of ours. `database` is a
//! duckdb_database lent for the call, `context` the ClientContext that binds.
void *unify_replace_table(void *state, void *database, const void *context, UnifyText catalog, UnifyText schema,
                          UnifyText table);
//! The statements of `sql`, parsed by the host: a duckdb_extracted_statements, or null.
void *unify_extract(void *database, UnifyText sql);
void unify_extracted_free(void *extracted);
void *unify_table_function_new();
void unify_table_function_free(void *table_function);
//! The exception to throw, as DuckDB writes it, when `kind` is -1: what the callback of a table function that this thread ran last left.
UnifyAnswer unify_take_exception();
//! What the table function that this thread ran last waits for, or null when it does not. Freed with unify_wait_free.
void *unify_take_wait();
//! Waits a while. `kind` -1: it waits in vain, and text is the exception to throw, as DuckDB writes it.
UnifyAnswer unify_wait_a_while(void *wait);
//! The message for a user who interrupts the statement that waits; `kind` 0 when it need not wait any more.
UnifyAnswer unify_wait_interrupted(void *wait);
void unify_wait_free(void *wait);
//! Drops what Rust keeps for the database; called once, when the database goes away.
void unify_state_free(void *state);
}
