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

//! What the bridge of a DuckDB line offers to Rust (src/ffi/host.rs has the same fields in the same order). A bool says whether it was
//! done, unless the comment says otherwise.
struct UnifyBridge {
	//! Registers the statement hook, the replacement scan and a type of log entries with the database behind a duckdb_database.
	//! Takes `state`.
	bool (*register_database)(void *database, void *state, const char *log_type);
	//! A weak reference to the database, or null: it does not keep it open. Free with weak_free.
	void *(*weak)(void *database);
	//! Frees what `weak` gave.
	void (*weak_free)(void *weak);
	//! How many keep the database open: each of its connections, and each object that stands for the database itself.
	int64_t (*users)(void *weak);
	//! Whether `enable_external_access` is true: 1 or 0. Any other number says that it cannot tell without a connection, as when one alone keeps
	//! the database open, after whom the caller would have to close it. It does not wait.
	int32_t (*has_external_access)(void *weak);
	//! Whether DuckDB moves the rows of a transaction that finds the table empty into the table as they are. Else it does so from a row group
	//! on, and copies fewer (LocalStorage::Flush).
	bool (*moves_first_rows)();
	//! A duckdb_database for duckdb_connect, or null once the database is closed or when memory is short. Unlock as soon as connected.
	void *(*lock)(void *weak);
	//! Frees what `lock` gave.
	void (*unlock)(void *handle);
	//! Whether the user interrupted the query that runs in this ClientContext.
	bool (*interrupted)(const void *client_context);
	//! Interrupts the query that runs in this ClientContext.
	void (*interrupt)(const void *client_context);
	//! Makes a table function made by duckdb_create_table_function one whose rows Rust gives to several threads, with a batch index.
	bool (*feed_row_groups)(void *table_function);
	//! Lets a table function made by duckdb_create_table_function wait between its steps, say how far it is (percent, or -1 for unknown), and
	//! throw what its callbacks leave to be thrown.
	bool (*run_in_steps)(void *table_function);
	//! Makes the last positional parameter of a table function one that may be left out (or come more than once).
	bool (*make_optional)(void *table_function);
	//! Lets Rust check the values of the setting of that name, which it knows by a number below 64.
	bool (*check_setting_of)(void *database, UnifyText name, size_t setting);
	//! Names a positional parameter of a table function; 1.5 has no names for those.
	bool (*name_parameter)(void *table_function, size_t idx, UnifyText name);
	//! Describes a table function that was registered, in a transaction that is still open too. `neighbour` is a duckdb_catalog_entry in the same
	//! schema, which is DuckDB's own. Whether there is such a function.
	bool (*describe)(void *neighbour, UnifyText function, UnifyText description, UnifyText example);
	//! What stands after TO, of the COPY that is bound; lent for the length of the binding.
	UnifyText (*copy_path)(void *copy_bind_info);
	//! The name of a column of the COPY that is bound; lent for the length of the binding.
	UnifyText (*copy_column)(void *copy_bind_info, size_t idx);
	//! Whether an open transaction made or changed `entry`, a duckdb_catalog_entry.
	bool (*is_uncommitted)(void *entry);
	//! The comment of a table's column, a duckdb_value lent while the entry lives, and the column's name; null when `entry`, a
	//! duckdb_catalog_entry, is not a table or does not have the column. The C API tells no comments, and DuckDB's own list of columns
	//! binds every view there is.
	const void *(*column_comment)(void *entry, size_t idx, UnifyText *name);
	//! The text of the statement that runs in this ClientContext, lent until it ends; empty when none does.
	UnifyText (*current_query)(const void *client_context);
};

// Implemented in Rust (src/ffi/callbacks.rs). None of them unwinds.
//! A statement DuckDB could not parse, in one piece or a piece a token. `kind` 0: not ours, 1: ours, text is the SQL to run, -1: ours
//! but wrong, text is the message with the place of the mistake.
UnifyAnswer unify_parse_statement(const UnifyText *pieces, size_t n_pieces);
//! The same for DuckDB 1.5, which hands over the text of one statement, its end cut, and says what is wrong with the first statement that it could
//! not parse, whichever statement is wrong. `follows_ours`: a statement of ours stands before this one in the script, so that DuckDB would
//! show that. Then `kind` -1 is also DuckDB's own message for this statement alone.
UnifyAnswer unify_parse_text(void *state, UnifyText text, bool follows_ours);
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
//! The statements of `sql`, parsed by the host: a duckdb_extracted_statements, or null. `text` is what `sql` was made of, where
//! DuckDB may have cut its end; else it is empty. It is for the function in `sql`, which this thread binds next.
void *unify_extract(void *database, UnifyText sql, UnifyText text);
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
//! What a thread has of the rows that are fed. Freed with unify_share_free.
void *unify_share_new();
void unify_share_free(void *share);
//! Writes a thread's next rows to a duckdb_data_chunk, none when it is done, and the batch index they have. `kind` -1: text is the exception to
//! throw.
UnifyAnswer unify_give_rows(const void *bind_data, void *share, uint64_t *batch_index, void *chunk);
//! Drops what Rust keeps for the database; called once, when the database goes away.
void unify_state_free(void *state);
}
