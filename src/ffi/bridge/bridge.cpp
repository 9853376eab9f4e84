// The bridge: the few things Unify needs of DuckDB that its C API does not offer. Built once per DuckDB line.
//
// It links nothing of DuckDB. Objects that only DuckDB can build (parsed statements, table functions) are built by the host
// through its C API and handed over; the rest is inline code from the headers, plus the one-line members in
// supplied.hpp, which the headers only declare. It translates types and decides nothing. What a function returns to Rust as a bool is, unless
// it says otherwise, whether it was done.

#include "functions.hpp"
#include "statements.hpp"

#define UNIFY_JOIN2(a, b) a##b
#define UNIFY_JOIN(a, b)  UNIFY_JOIN2(a, b)
#define UNIFY_EXPORT(name) UNIFY_JOIN(name, UNIFY_LINE)

//===----------------------------------------------------------------------===//
// Called from Rust
//===----------------------------------------------------------------------===//
//! Registers the statement hook, the replacement scan and a type of log entries with the database behind a duckdb_database.
//! Takes `state`.
extern "C" bool UNIFY_EXPORT(unify_register_)(void *database, void *state, const char *log_type) {
	using namespace duckdb;
	return Contain([&] {
		auto &instance = *reinterpret_cast<DatabaseHandle *>(database)->database->instance;
		// First in the list: the Python host's own scan looks a table name up among the caller's variables, whatever its schema,
		// so a variable `repos` would otherwise hide github.repos.
		PutFirst(instance.config, ReplacementScan(Replace, unique_ptr<ReplacementScanData>(new ReplacementState(state))));
		ParserExtension extension;
		extension.parse_function = Parse;
		extension.plan_function = Plan;
		instance.config.GetCallbackManager().Register(std::move(extension));
		auto &logs = instance.GetLogManager();
		// The type without a name is DuckDB's default one, of plain texts.
		if (auto plain = logs.LookupLogType("")) {
			auto ours = unique_ptr<LogType>(new LogType(*plain));
			ours->name = log_type;
			logs.RegisterLogType(std::move(ours));
		}
	});
}

//! A weak reference to the database, or null: it does not keep it open. Free with unify_weak_free.
extern "C" void *UNIFY_EXPORT(unify_weak_)(void *database) {
	using namespace duckdb;
	void *weak = nullptr;
	Contain([&] {
		auto &instance = *reinterpret_cast<DatabaseHandle *>(database)->database->instance;
		weak = new weak_ptr<DatabaseInstance>(instance.shared_from_this());
	});
	return weak;
}

extern "C" void UNIFY_EXPORT(unify_weak_free_)(void *weak) {
	using namespace duckdb;
	Contain([&] { delete reinterpret_cast<weak_ptr<DatabaseInstance> *>(weak); });
}

//! How many keep the database open: each of its connections, and each object that stands for the database itself.
extern "C" int64_t UNIFY_EXPORT(unify_users_)(void *weak) {
	return reinterpret_cast<duckdb::weak_ptr<duckdb::DatabaseInstance> *>(weak)->use_count();
}

//! Whether DuckDB moves the rows of a transaction that finds the table empty into the table as they are. Else it does so from a row group
//! on, and copies fewer (LocalStorage::Flush).
extern "C" bool UNIFY_EXPORT(unify_moves_first_rows_)() {
#ifdef UNIFY_DUCKDB_1_5
	return true;
#else
	return false;
#endif
}

//! A duckdb_database for duckdb_connect, or null once the database is closed or when memory is short. Unlock as soon as connected.
extern "C" void *UNIFY_EXPORT(unify_lock_)(void *weak) {
	using namespace duckdb;
	void *locked = nullptr;
	Contain([&] {
		auto strong = reinterpret_cast<weak_ptr<DatabaseInstance> *>(weak)->lock();
		if (strong) {
			auto handle = unique_ptr<DatabaseHandle>(new DatabaseHandle());
			handle->database = shared_ptr<DuckDB>(new DuckDB(*strong));
			locked = handle.release();
		}
	});
	return locked;
}

extern "C" void UNIFY_EXPORT(unify_unlock_)(void *handle) {
	using namespace duckdb;
	Contain([&] { delete reinterpret_cast<DatabaseHandle *>(handle); });
}

//! Whether the user interrupted the query that runs in this ClientContext.
extern "C" bool UNIFY_EXPORT(unify_interrupted_)(const void *client_context) {
	using namespace duckdb;
	auto &context = *reinterpret_cast<const ClientContext *>(client_context);
#ifdef UNIFY_DUCKDB_1_5
	return context.interrupted.load(std::memory_order_relaxed);
#else
	return context.interrupt_state.load(std::memory_order_relaxed) == ClientInterruptState::INTERRUPTED;
#endif
}

//! Makes the last positional parameter of a table function one that may be left out (or come more than once).
extern "C" bool UNIFY_EXPORT(unify_make_optional_)(void *table_function) {
	using namespace duckdb;
	return Contain([&] {
		auto &function = *reinterpret_cast<TableFunction *>(table_function);
#ifdef UNIFY_DUCKDB_1_5
		function.varargs = *(function.arguments.end() - 1);
		function.arguments.pop_back();
#else
		auto &last = const_cast<FunctionParameter &>(*(function.GetSignature().GetParameters().end() - 1));
		reinterpret_cast<ParameterLayout &>(last).kind = FunctionParameterKind::VAR_POSITIONAL;
#endif
	});
}

extern "C" double unify_progress(const void *bind_data);

//! Lets a table function made by duckdb_create_table_function wait between its steps, say how far it is (percent, or -1 for unknown), and
//! throw what its callbacks leave to be thrown.
extern "C" bool UNIFY_EXPORT(unify_run_in_steps_)(void *table_function) {
	using namespace duckdb;
	return Contain([&] {
		auto &function = *reinterpret_cast<TableFunction *>(table_function);
		function.bind = BindOrThrow;
		function.init_global = InitOrThrow;
		function.function = RunInSteps;
		function.table_scan_progress = [](ClientContext &, const FunctionData *data, const GlobalTableFunctionState *) -> double {
			return unify_progress(reinterpret_cast<const BindDataHandle *>(data)->bind_data);
		};
	});
}

//! Lets Rust check the values of the setting of that name, which it knows by a number below 64.
extern "C" bool UNIFY_EXPORT(unify_check_setting_of_)(void *database, UnifyText name, size_t setting) {
	using namespace duckdb;
	return Contain([&] {
		auto &settings = reinterpret_cast<DatabaseHandle *>(database)->database->instance->config.user_settings;
		lock_guard<mutex> guard(Open(settings, static_cast<mutex *>(nullptr)));
		for (auto &option : Open(settings, static_cast<OptionMap *>(nullptr))) {
			if (TextOf(option.first) == string(name.data, name.size)) {
				option.second.set_function = CheckOf(setting, std::make_index_sequence<64>());
			}
		}
	});
}

//! Names a positional parameter of a table function; 1.5 has no names for those.
extern "C" bool UNIFY_EXPORT(unify_name_parameter_)(void *table_function, size_t idx, UnifyText name) {
	using namespace duckdb;
	return Contain([&] {
#ifndef UNIFY_DUCKDB_1_5
		auto &function = *reinterpret_cast<TableFunction *>(table_function);
		auto &parameter = const_cast<FunctionParameter &>(*(function.GetSignature().GetParameters().begin() + idx));
		reinterpret_cast<ParameterLayout &>(parameter).name = Identifier(string(name.data, name.size));
#endif
	});
}

//! Describes a table function that the transaction of `context` registered. `neighbour` is a duckdb_catalog_entry in the same schema.
extern "C" bool UNIFY_EXPORT(unify_describe_)(void *neighbour, const void *client_context, UnifyText function,
                                              UnifyText description, UnifyText example) {
	using namespace duckdb;
	return Contain([&] {
		auto &context = *const_cast<ClientContext *>(reinterpret_cast<const ClientContext *>(client_context));
		auto &schema = reinterpret_cast<CatalogEntryHandle *>(neighbour)->entry.ParentSchema();
		schema.Scan(context, CatalogType::TABLE_FUNCTION_ENTRY, [&](CatalogEntry &entry) {
			if (TextOf(entry.name) != string(function.data, function.size)) {
				return;
			}
			FunctionDescription described;
			described.description = string(description.data, description.size);
			described.examples.push_back(string(example.data, example.size));
			auto &descriptions = reinterpret_cast<TableFunctionCatalogEntry &>(entry).descriptions;
			descriptions.clear();
			descriptions.push_back(std::move(described));
		});
	});
}

//! What stands after TO, of the COPY that is bound; lent for the length of the binding.
extern "C" UnifyText UNIFY_EXPORT(unify_copy_path_)(void *copy_bind_info) {
	return duckdb::Lend(reinterpret_cast<duckdb::CopyBindHandle *>(copy_bind_info)->input.info.file_path);
}

//! The name of a column of the COPY that is bound; lent for the length of the binding.
extern "C" UnifyText UNIFY_EXPORT(unify_copy_column_)(void *copy_bind_info, size_t idx) {
	return duckdb::Lend(duckdb::TextOf(reinterpret_cast<duckdb::CopyBindHandle *>(copy_bind_info)->names.begin()[idx]));
}

//! Whether an open transaction made or changed `entry`, a duckdb_catalog_entry.
extern "C" bool UNIFY_EXPORT(unify_is_uncommitted_)(void *entry) {
	// duckdb/common/constants.cpp, TRANSACTION_ID_START: what is not committed has the number of its transaction, from here on.
	constexpr duckdb::transaction_t first_transaction = 4611686018427388000ULL;
	return reinterpret_cast<duckdb::CatalogEntryHandle *>(entry)->entry.timestamp.load() >= first_transaction;
}

//! The comment of a table's column, a duckdb_value lent while the entry lives, and the column's name; null when `entry`, a
//! duckdb_catalog_entry, is no table or has no such column. The C API tells no comments, and DuckDB's own list of columns
//! binds every view there is.
extern "C" const void *UNIFY_EXPORT(unify_column_comment_)(void *entry, size_t idx, UnifyText *name) {
	using namespace duckdb;
	auto &found = reinterpret_cast<CatalogEntryHandle *>(entry)->entry;
	if (found.type != CatalogType::TABLE_ENTRY) {
		return nullptr;
	}
	auto &columns = reinterpret_cast<TableCatalogEntry &>(found).GetColumns();
	if (idx >= columns.LogicalColumnCount()) {
		return nullptr;
	}
	auto &column = columns.GetColumn(LogicalIndex(idx));
	*name = Lend(TextOf(column.Name()));
	return &column.Comment();
}
