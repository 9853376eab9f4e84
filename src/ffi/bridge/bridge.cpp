// The bridge: the few things Unify needs of DuckDB that its C API does not offer. Built once per DuckDB line.
//
// It links nothing of DuckDB. Objects that only DuckDB can build (parsed statements, table functions) are built by the host
// through its C API and handed over; the rest is inline code from the headers, plus the one-line members in
// supplied.hpp, which the headers only declare. It translates types and decides nothing. bridge.h says what the functions do.

#include "functions.hpp"
#include "statements.hpp"

//===----------------------------------------------------------------------===//
// The functions of UnifyBridge
//===----------------------------------------------------------------------===//
static bool Register(void *database, void *state, const char *log_type) {
	using namespace duckdb;
	return Contain([&] {
		auto &instance = *reinterpret_cast<DatabaseHandle *>(database)->database->instance;
		// First in the list: the Python host's own scan looks a table name up among the caller's variables, whatever its schema,
		// so a variable `repos` would otherwise hide github.repos.
		PutFirst(instance.config, ReplacementScan(Replace, unique_ptr<ReplacementScanData>(new ReplacementState(state))));
		ParserExtension extension;
		extension.parse_function = Parse;
		extension.plan_function = Plan;
#ifdef UNIFY_DUCKDB_1_5
		extension.parser_info = shared_ptr<ParserExtensionInfo>(new StatementHook(state));
#endif
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

static void *Weak(void *database) {
	using namespace duckdb;
	void *weak = nullptr;
	Contain([&] {
		auto &instance = *reinterpret_cast<DatabaseHandle *>(database)->database->instance;
		weak = new weak_ptr<DatabaseInstance>(instance.shared_from_this());
	});
	return weak;
}

static void WeakFree(void *weak) {
	using namespace duckdb;
	Contain([&] { delete reinterpret_cast<weak_ptr<DatabaseInstance> *>(weak); });
}

static int64_t Users(void *weak) {
	return reinterpret_cast<duckdb::weak_ptr<duckdb::DatabaseInstance> *>(weak)->use_count();
}

static int32_t HasExternalAccess(void *weak) {
	using namespace duckdb;
	constexpr int32_t unknown = -1;
	int32_t answer = unknown;
	Contain([&] {
		auto &database = *reinterpret_cast<weak_ptr<DatabaseInstance> *>(weak);
		auto strong = database.use_count() < 2 ? nullptr : database.lock();
		if (!strong) {
			return;
		}
		auto &settings = strong->config.user_settings;
		lock_guard<mutex> guard(Open(settings, static_cast<mutex *>(nullptr)));
		auto &values = Open(Open(settings, static_cast<UserSettingsMap *>(nullptr)), static_cast<SettingValues *>(nullptr));
		auto idx = static_cast<idx_t>(EnableExternalAccessSetting::SettingIndex);
		auto is_set = idx < values.size() && (values.begin() + static_cast<std::ptrdiff_t>(idx))->is_set;
		if (!is_set) {
			answer = strcmp(EnableExternalAccessSetting::DefaultValue, "true") == 0;
			return;
		}
		auto &value = (values.begin() + static_cast<std::ptrdiff_t>(idx))->value;
		if (value.type().id() == LogicalTypeId::BOOLEAN && !value.IsNull()) {
			answer = *reinterpret_cast<const bool *>(Locate(value, static_cast<ConstantOf *>(nullptr)));
		}
	});
	return answer;
}

static bool MovesFirstRows() {
#ifdef UNIFY_DUCKDB_1_5
	return true;
#else
	return false;
#endif
}

static void *Lock(void *weak) {
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

static void Unlock(void *handle) {
	using namespace duckdb;
	Contain([&] { delete reinterpret_cast<DatabaseHandle *>(handle); });
}

static bool Interrupted(const void *client_context) {
	using namespace duckdb;
	auto &context = *reinterpret_cast<const ClientContext *>(client_context);
#ifdef UNIFY_DUCKDB_1_5
	return context.interrupted.load(std::memory_order_relaxed);
#else
	return context.interrupt_state.load(std::memory_order_relaxed) == ClientInterruptState::INTERRUPTED;
#endif
}

static void Interrupt(const void *client_context) {
	using namespace duckdb;
	auto &context = *const_cast<ClientContext *>(reinterpret_cast<const ClientContext *>(client_context));
#ifdef UNIFY_DUCKDB_1_5
	context.interrupted.store(true, std::memory_order_relaxed);
#else
	auto running = ClientInterruptState::NOT_INTERRUPTED;
	context.interrupt_state.compare_exchange_strong(running, ClientInterruptState::INTERRUPTED);
#endif
}

static bool MakeOptional(void *table_function) {
	using namespace duckdb;
	return Contain([&] {
		auto &function = *reinterpret_cast<TableFunction *>(table_function);
#ifdef UNIFY_DUCKDB_1_5
		function.varargs = *(function.arguments.end() - 1);
		function.arguments.pop_back();
#else
		auto &last = const_cast<FunctionParameter &>(*(function.GetSignature().GetParameters().end() - 1));
		Open(last, static_cast<FunctionParameterKind *>(nullptr)) = FunctionParameterKind::VAR_POSITIONAL;
#endif
	});
}

extern "C" double unify_progress(const void *bind_data);

static bool FeedRowGroups(void *table_function) {
	using namespace duckdb;
	return Contain([&] {
		auto &function = *reinterpret_cast<TableFunction *>(table_function);
		function.init_local = BeginShare;
		function.function = GiveRows;
		function.get_partition_data = BatchIndexOf;
	});
}

static bool RunFunctionInSteps(void *table_function) {
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

static bool CheckSettingOf(void *database, UnifyText name, size_t setting) {
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

static bool NameParameter(void *table_function, size_t idx, UnifyText name) {
	using namespace duckdb;
	return Contain([&] {
#ifndef UNIFY_DUCKDB_1_5
		auto &function = *reinterpret_cast<TableFunction *>(table_function);
		auto &parameter = const_cast<FunctionParameter &>(*(function.GetSignature().GetParameters().begin() + idx));
		parameter.SetName(Identifier(string(name.data, name.size)));
#endif
	});
}

static bool Describe(void *neighbour, UnifyText function, UnifyText description, UnifyText example) {
	using namespace duckdb;
	bool is_found = false;
	auto was_done = Contain([&] {
		string name(function.data, function.size);
		auto &schema = reinterpret_cast<CatalogEntryHandle *>(neighbour)->entry.ParentSchema();
		auto &functions = Open(reinterpret_cast<DuckSchemaEntry &>(schema), static_cast<TableFunctionSet *>(nullptr));
		lock_guard<mutex> guard(Open(functions, static_cast<mutex *>(nullptr)));
		for (auto &named : Open(Open(functions, static_cast<CatalogEntryMap *>(nullptr)), static_cast<EntryTree *>(nullptr))) {
			// The newest of a name comes first, committed or not.
			if (TextOf(named.first) != name || named.second->type != CatalogType::TABLE_FUNCTION_ENTRY) {
				continue;
			}
			FunctionDescription described;
			described.description = string(description.data, description.size);
			described.examples.push_back(string(example.data, example.size));
			auto &descriptions = reinterpret_cast<TableFunctionCatalogEntry &>(*named.second).descriptions;
			descriptions.clear();
			descriptions.push_back(std::move(described));
			is_found = true;
		}
	});
	return was_done && is_found;
}

static UnifyText CopyPath(void *copy_bind_info) {
	return duckdb::Lend(reinterpret_cast<duckdb::CopyBindHandle *>(copy_bind_info)->input.info.file_path);
}

static UnifyText CopyColumn(void *copy_bind_info, size_t idx) {
	return duckdb::Lend(duckdb::TextOf(reinterpret_cast<duckdb::CopyBindHandle *>(copy_bind_info)->names.begin()[idx]));
}

static bool IsUncommitted(void *entry) {
	// duckdb/common/constants.cpp, TRANSACTION_ID_START: what is not committed has the number of its transaction, from here on.
	constexpr duckdb::transaction_t first_transaction = 4611686018427388000ULL;
	return reinterpret_cast<duckdb::CatalogEntryHandle *>(entry)->entry.timestamp.load() >= first_transaction;
}

static const void *ColumnComment(void *entry, size_t idx, UnifyText *name) {
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

static UnifyText CurrentQuery(const void *client_context) {
	auto &context = *const_cast<duckdb::ClientContext *>(reinterpret_cast<const duckdb::ClientContext *>(client_context));
	return duckdb::Lend(context.GetCurrentQuery());
}

#define UNIFY_JOIN2(a, b) a##b
#define UNIFY_JOIN(a, b)  UNIFY_JOIN2(a, b)

extern "C" {
extern const UnifyBridge UNIFY_JOIN(unify_bridge_, UNIFY_LINE);
const UnifyBridge UNIFY_JOIN(unify_bridge_, UNIFY_LINE) = {
    Register,
    Weak,
    WeakFree,
    Users,
    HasExternalAccess,
    MovesFirstRows,
    Lock,
    Unlock,
    Interrupted,
    Interrupt,
    FeedRowGroups,
    RunFunctionInSteps,
    MakeOptional,
    CheckSettingOf,
    NameParameter,
    Describe,
    CopyPath,
    CopyColumn,
    IsUncommitted,
    ColumnComment,
    CurrentQuery,
};
}
