// The bridge: the few things Unify needs of DuckDB that its C API does not offer. Built once per DuckDB line.
//
// It links nothing of DuckDB. Objects that only DuckDB can build (parsed statements, table functions) are built by the host
// through its C API and handed over; the rest is inline code from the headers, plus the one-line members under "Supplied
// here", which the headers only declare. It translates types and decides nothing.

#include "bridge.h"

#include <strings.h>

#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp"
#include "duckdb/function/copy_function.hpp"
#include "duckdb/function/replacement_scan.hpp"
#include "duckdb/function/table_function.hpp"
#include "duckdb/main/client_context.hpp"
#include "duckdb/main/config.hpp"
#include "duckdb/main/database.hpp"
#include "duckdb/logging/log_manager.hpp"
#include "duckdb/logging/log_type.hpp"
#include "duckdb/main/extension_callback_manager.hpp"
#include "duckdb/main/user_settings.hpp"
#ifndef UNIFY_DUCKDB_1_5
#include "duckdb/main/active_query_context.hpp"
#endif
#include "duckdb/parallel/async_result.hpp"
#include "duckdb/parser/parsed_data/copy_info.hpp"
#include "duckdb/parser/parser_extension.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/statement/select_statement.hpp"
#include "duckdb/parser/tableref.hpp"
// Defines ExtensionCallbackManager::Register and the registry it copies; the linker drops what is unused.
#include "src/main/extension_callback_manager.cpp"

#define UNIFY_JOIN2(a, b) a##b
#define UNIFY_JOIN(a, b)  UNIFY_JOIN2(a, b)
#define UNIFY_EXPORT(name) UNIFY_JOIN(name, UNIFY_LINE)

namespace duckdb {

//===----------------------------------------------------------------------===//
// Supplied here: declared in the headers, defined in DuckDB sources that are not linked
//===----------------------------------------------------------------------===//
ExtensionCallbackManager &DBConfig::GetCallbackManager() {
	return *callback_manager;
}
//! The host's map of log types hashes with Jenkins' one-at-a-time function over lower case; this must give the same.
uint64_t StringUtil::CIHash(const string &text) {
	uint32_t hash = 0;
	for (auto byte : text) {
		hash += static_cast<uint8_t>(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
		hash += hash << 10;
		hash ^= hash >> 6;
	}
	hash += hash << 3;
	hash ^= hash >> 11;
	hash += hash << 15;
	return hash;
}
bool StringUtil::CIEquals(const string &left, const string &right) {
	return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}
LogManager &DatabaseInstance::GetLogManager() const {
	return *log_manager;
}
optional_ptr<const LogType> LogManager::LookupLogType(const string &type) {
	unique_lock<mutex> guard(lock);
	auto entry = registered_log_types.find(type);
	return entry == registered_log_types.end() ? nullptr : entry->second.get();
}
void LogManager::RegisterLogType(unique_ptr<LogType> type) {
	unique_lock<mutex> guard(lock);
	registered_log_types[type->name] = std::move(type);
}
DuckDB::DuckDB(DatabaseInstance &instance_p) : instance(instance_p.shared_from_this()) {
}
DuckDB::~DuckDB() {
}
AsyncResult::AsyncResult(vector<unique_ptr<AsyncTask>> &&tasks
#ifndef UNIFY_DUCKDB_1_5
                         ,
                         TaskSchedulerType pool_type_p
#endif
                         )
    : result_type(AsyncResultType::BLOCKED), async_tasks(std::move(tasks)) {
}
AsyncResult &AsyncResult::operator=(AsyncResult &&other) noexcept {
	result_type = other.result_type;
	async_tasks = std::move(other.async_tasks);
	return *this;
}
Function::~Function() {
}
SimpleFunction::~SimpleFunction() {
}
TableFunctionInfo::~TableFunctionInfo() {
}
Value::~Value() {
}
#ifdef UNIFY_DUCKDB_1_5
LogicalType::LogicalType(const LogicalType &other)
    : id_(other.id_), physical_type_(other.physical_type_), type_info_(other.type_info_) {
}
LogicalType::~LogicalType() {
}
string SimpleFunction::ToString() const {
	return name;
}
SimpleNamedParameterFunction::~SimpleNamedParameterFunction() {
}
string SimpleNamedParameterFunction::ToString() const {
	return name;
}
InternalException::InternalException(const string &msg) : Exception(ExceptionType::INTERNAL, msg) {
}
Exception::Exception(ExceptionType, const string &message) : std::runtime_error(message) {
}
#else
//! The host's checks that there is a query only in debug builds; here there may be none.
const string &ClientContext::GetCurrentQuery() {
	static const string none;
	return active_query ? active_query->query : none;
}
[[noreturn]] void ThrowNullSharedPtrDereference() {
	abort();
}
[[noreturn]] void ThrowNullUniquePtrDereference() {
	abort();
}
[[noreturn]] void ThrowOptionalPointerNotSet() {
	abort();
}
#endif

//===----------------------------------------------------------------------===//
// Layouts: the C API's handles (duckdb/main/capi/capi_internal.hpp, capi_internal_table.hpp), and one class without a setter
//===----------------------------------------------------------------------===//
struct DatabaseHandle {
	shared_ptr<DuckDB> database;
};
struct ExtractedHandle {
	vector<unique_ptr<SQLStatement>> statements;
	string error;
};
struct CatalogEntryHandle {
	CatalogEntry &entry;
};
struct BindDataHandle : public TableFunctionData {
	void *info;
	void *bind_data;
};

#ifdef UNIFY_DUCKDB_1_5
using ColumnName = string;
#else
using ColumnName = Identifier;
#endif
// The beginning of a duckdb_copy_function_bind_info (duckdb/main/capi/copy_function-c.cpp), which tells types and no names.
struct CopyBindHandle {
	ClientContext &context;
	CopyFunctionBindInput &input;
	const vector<LogicalType> &types;
	const vector<ColumnName> &names;
};

#ifndef UNIFY_DUCKDB_1_5
// A FunctionParameter, whose kind cannot be set from outside (duckdb/function/function.hpp).
struct ParameterLayout {
	Identifier name;
	LogicalType type;
	shared_ptr<Value> default_value;
	FunctionParameterKind kind;
};
static_assert(sizeof(ParameterLayout) == sizeof(FunctionParameter), "the layout of FunctionParameter changed");
#endif

static UnifyText Lend(const string &text) {
	return UnifyText {text.data(), text.size()};
}

//! A duckdb_database for the database of `context`, valid while `handle` lives.
static void *LendDatabase(ClientContext &context, DatabaseHandle &handle) {
	handle.database = shared_ptr<DuckDB>(new DuckDB(*context.db));
	return &handle;
}

//! Takes the FROM clause out of the one SELECT that `extracted` holds, and frees it.
static unique_ptr<TableRef> TakeFrom(void *extracted) {
	if (!extracted) {
		return nullptr;
	}
	auto handle = reinterpret_cast<ExtractedHandle *>(extracted);
	auto &select = reinterpret_cast<SelectStatement &>(*handle->statements.begin()->get());
	auto &node = reinterpret_cast<SelectNode &>(*select.node);
	auto from = std::move(node.from_table);
	unify_extracted_free(extracted);
	return from;
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//
struct StatementSql : public ParserExtensionParseData {
	StatementSql(string sql_p, bool is_wrong_p) : sql(std::move(sql_p)), is_wrong(is_wrong_p) {
	}
	unique_ptr<ParserExtensionParseData> Copy() const override {
		return unique_ptr<ParserExtensionParseData>(new StatementSql(sql, is_wrong));
	}
	string ToString() const override {
		return sql;
	}
	//! The SQL to run, or what is wrong with the statement.
	string sql;
	bool is_wrong;
};

struct StatementInfo : public TableFunctionInfo {
	explicit StatementInfo(string sql_p) : sql(std::move(sql_p)) {
	}
	string sql;
};

#ifdef UNIFY_DUCKDB_1_5
// The text is one statement of the script. The place of a mistake is part of the message: error_location would count from the beginning of
// the script, and where in it the statement begins is not known here.
static ParserExtensionParseResult Parse(ParserExtensionInfo *, const string &query) {
	auto statement = Lend(query);
	auto answer = unify_parse_statement(&statement, 1);
	ParserExtensionParseResult result;
	string said(answer.text.data ? answer.text.data : "", answer.text.size);
	if (answer.kind > 0) {
		result.type = ParserExtensionResultType::PARSE_SUCCESSFUL;
		result.parse_data = unique_ptr<ParserExtensionParseData>(new StatementSql(std::move(said), false));
	} else if (answer.kind < 0) {
		result.type = ParserExtensionResultType::DISPLAY_EXTENSION_ERROR;
		result.error = std::move(said);
	}
	unify_answer_free(answer);
	return result;
}
#else
// The tokens run from the statement DuckDB could not parse to the end of the input, without places and comments: nothing here tells what
// the user wrote. So a mistake is told when the statement is planned, where its text is known. DuckDB, too, plans and runs each statement
// of a script before it parses the next.
static ParserExtensionParseResult Parse(ParserExtensionInfo *, const vector<SimpleToken> &tokens) {
	vector<UnifyText> pieces;
	for (auto &token : tokens) {
		if (token.type == TokenType::END_OF_INPUT) {
			break;
		}
		pieces.push_back(Lend(token.text));
		if (token.type == TokenType::TERMINATOR) {
			break;
		}
	}
	auto answer = unify_parse_statement(pieces.data(), pieces.size());
	ParserExtensionParseResult result;
	if (answer.kind != 0) {
		string said(answer.text.data, answer.text.size);
		result.type = ParserExtensionResultType::PARSE_SUCCESSFUL;
		result.parse_data = unique_ptr<ParserExtensionParseData>(new StatementSql(std::move(said), answer.kind < 0));
		result.consumed_tokens = static_cast<int64_t>(pieces.size());
	}
	unify_answer_free(answer);
	return result;
}

[[noreturn]] static void ThrowMistake(ClientContext &context, const string &known) {
	auto answer = unify_mistake(Lend(context.GetCurrentQuery()), Lend(known));
	string said(answer.text.data, answer.text.size);
	unify_answer_free(answer);
	throw std::runtime_error(said);
}
#endif

static unique_ptr<TableRef> BindStatement(ClientContext &context, TableFunctionBindInput &input) {
	auto &info = reinterpret_cast<StatementInfo &>(*input.info);
	DatabaseHandle handle;
	auto from = TakeFrom(unify_extract(LendDatabase(context, handle), Lend(info.sql)));
	if (!from) {
		// DuckDB does not expect that there is nothing.
		throw std::runtime_error("{\"exception_type\":\"Invalid Input\",\"exception_message\":"
		                         "\"a statement of Unify's own does not parse; please report it\"}");
	}
	return from;
}

// The statement becomes `FROM <our table function>(...)`. Binder::Bind(ExtensionStatement) expects a LogicalGet at the root, so
// the SQL from Rust is a plain `SELECT * FROM function(constants)`.
static ParserExtensionPlanResult Plan(ParserExtensionInfo *, ClientContext &context,
                                      unique_ptr<ParserExtensionParseData> parse_data) {
	auto &data = reinterpret_cast<StatementSql &>(*parse_data);
#ifndef UNIFY_DUCKDB_1_5
	if (data.is_wrong) {
		ThrowMistake(context, data.sql);
	}
#endif
	auto host_function = reinterpret_cast<TableFunction *>(unify_table_function_new());
	ParserExtensionPlanResult result {*host_function, {}, {}, true, StatementReturnType::QUERY_RESULT};
	unify_table_function_free(host_function);
	result.function.bind_replace = BindStatement;
	result.function.function_info = shared_ptr<TableFunctionInfo>(new StatementInfo(data.sql));
	return result;
}

//===----------------------------------------------------------------------===//
// Names of tables that are not there yet
//===----------------------------------------------------------------------===//
//! Owns Rust's state of the database: it goes when the database's configuration does.
struct ReplacementState : public ReplacementScanData {
	explicit ReplacementState(void *state_p) : state(state_p) {
	}
	~ReplacementState() override {
		unify_state_free(state);
	}
	void *state;
};

static unique_ptr<TableRef> Replace(ClientContext &context, ReplacementScanInput &input,
                                    optional_ptr<ReplacementScanData> data) {
	if (input.schema_name.empty() && input.catalog_name.empty()) {
		return nullptr;
	}
	auto state = reinterpret_cast<ReplacementState *>(data.get())->state;
	DatabaseHandle handle;
	return TakeFrom(unify_replace_table(state, LendDatabase(context, handle), &context, Lend(input.catalog_name),
	                                    Lend(input.schema_name), Lend(input.table_name)));
}

//===----------------------------------------------------------------------===//
// Table functions that wait
//===----------------------------------------------------------------------===//
struct WaitTask : public AsyncTask {
	explicit WaitTask(void *wait_p) : wait(wait_p) {
	}
	~WaitTask() override {
		unify_wait_free(wait);
	}
	void Execute() override {
		auto answer = unify_wait_a_while(wait);
		auto fails = answer.kind < 0;
		string error(answer.text.data ? answer.text.data : "", answer.text.size);
		unify_answer_free(answer);
		if (fails) {
			throw std::runtime_error(error);
		}
	}
	void *wait;
};

//! What the host runs for every table function of its C API.
static table_function_t HostFunction() {
	static const table_function_t function = [] {
		auto host_function = reinterpret_cast<TableFunction *>(unify_table_function_new());
		auto result = host_function->function;
		unify_table_function_free(host_function);
		return result;
	}();
	return function;
}

#ifndef UNIFY_DUCKDB_1_5
//! Reads the mode of an InterruptState, which has no getter.
struct OpenInterruptState : public InterruptState {
	static InterruptMode ModeOf(const InterruptState &state) {
		return state.*(&OpenInterruptState::mode);
	}
};
#endif

//! Whether the caller can do other things while the function waits. One that is no task of the scheduler waits for the scheduler's
//! threads, of which there may be none but its own.
static bool CanBlock(const TableFunctionInput &input) {
	if (input.results_execution_mode != AsyncResultsExecutionMode::TASK_EXECUTOR) {
		return false;
	}
#ifdef UNIFY_DUCKDB_1_5
	return true;
#else
	return input.interrupt_state && OpenInterruptState::ModeOf(*input.interrupt_state.get()) == InterruptMode::TASK;
#endif
}

// While the function waits, DuckDB does other things: it asks for the progress and obeys interruption. Where it cannot, we wait here.
static void RunInSteps(ClientContext &context, TableFunctionInput &input, DataChunk &output) {
	HostFunction()(context, input, output);
	while (auto wait = unify_take_wait()) {
		auto task = unique_ptr<AsyncTask>(new WaitTask(wait));
		if (CanBlock(input)) {
			vector<unique_ptr<AsyncTask>> tasks;
			tasks.push_back(std::move(task));
			input.async_result = AsyncResult(std::move(tasks));
			return;
		}
		task->Execute();
		HostFunction()(context, input, output);
	}
}

//===----------------------------------------------------------------------===//
// Settings
//===----------------------------------------------------------------------===//
//! Opens a private member: the argument of an explicit instantiation may name it.
template <class MEMBER, MEMBER GlobalUserSettings::*member>
struct Opened {
	friend MEMBER &Open(GlobalUserSettings &settings, MEMBER *) {
		return settings.*member;
	}
};
using OptionMap = decltype(std::declval<GlobalUserSettings>().GetExtensionSettings());
OptionMap &Open(GlobalUserSettings &settings, OptionMap *);
mutex &Open(GlobalUserSettings &settings, mutex *);
template struct Opened<OptionMap, &GlobalUserSettings::extension_parameters>;
template struct Opened<mutex, &GlobalUserSettings::lock>;

// Asked by DuckDB before it keeps a value. The callback is not told which setting is meant, so each has one of its own.
template <size_t setting>
static void CheckSetting(ClientContext &, SetScope, Value &value) {
	auto answer = unify_check_setting(setting, &value);
	auto is_wrong = answer.kind < 0;
	string error(answer.text.data ? answer.text.data : "", answer.text.size);
	unify_answer_free(answer);
	if (is_wrong) {
		throw std::runtime_error(error);
	}
}

template <size_t... settings>
static set_option_callback_t CheckOf(size_t setting, std::index_sequence<settings...>) {
	static const set_option_callback_t checks[] = {CheckSetting<settings>...};
	return setting < sizeof...(settings) ? checks[setting] : nullptr;
}

static const string &TextOf(const string &name) {
	return name;
}
#ifndef UNIFY_DUCKDB_1_5
static const string &TextOf(const Identifier &name) {
	return name.GetIdentifierName();
}
#endif

} // namespace duckdb

//===----------------------------------------------------------------------===//
// Called from Rust
//===----------------------------------------------------------------------===//
//! Registers the statement hook, the replacement scan and a type of log entries with the database behind a duckdb_database.
//! Takes `state`.
extern "C" void UNIFY_EXPORT(unify_register_)(void *database, void *state, const char *log_type) {
	using namespace duckdb;
	auto &instance = *reinterpret_cast<DatabaseHandle *>(database)->database->instance;
	// First in the list: the Python host's own scan looks a table name up among the caller's variables, whatever its schema,
	// so a variable `repos` would otherwise hide github.repos.
	auto &scans = instance.config.replacement_scans;
	ReplacementScan ours(Replace, unique_ptr<ReplacementScanData>(new ReplacementState(state)));
#ifdef UNIFY_DUCKDB_1_5
	scans.insert(scans.begin(), std::move(ours));
#else
	ReplacementScanList reordered;
	reordered.push_back(std::move(ours));
	for (auto &scan : scans.Snapshot()) {
		reordered.push_back(std::move(*scan));
	}
	scans = std::move(reordered);
#endif
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
}

//! A weak reference to the database: it does not keep it open. Free with unify_weak_free.
extern "C" void *UNIFY_EXPORT(unify_weak_)(void *database) {
	using namespace duckdb;
	auto &instance = *reinterpret_cast<DatabaseHandle *>(database)->database->instance;
	return new weak_ptr<DatabaseInstance>(instance.shared_from_this());
}

extern "C" void UNIFY_EXPORT(unify_weak_free_)(void *weak) {
	delete reinterpret_cast<duckdb::weak_ptr<duckdb::DatabaseInstance> *>(weak);
}

//! How many keep the database open: each of its connections, and each object that stands for the database itself.
extern "C" int64_t UNIFY_EXPORT(unify_users_)(void *weak) {
	return reinterpret_cast<duckdb::weak_ptr<duckdb::DatabaseInstance> *>(weak)->use_count();
}

//! A duckdb_database for duckdb_connect, or null once the database is closed. Unlock as soon as connected.
extern "C" void *UNIFY_EXPORT(unify_lock_)(void *weak) {
	using namespace duckdb;
	auto strong = reinterpret_cast<weak_ptr<DatabaseInstance> *>(weak)->lock();
	if (!strong) {
		return nullptr;
	}
	auto handle = new DatabaseHandle();
	handle->database = shared_ptr<DuckDB>(new DuckDB(*strong));
	return handle;
}

extern "C" void UNIFY_EXPORT(unify_unlock_)(void *handle) {
	delete reinterpret_cast<duckdb::DatabaseHandle *>(handle);
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
extern "C" void UNIFY_EXPORT(unify_make_optional_)(void *table_function) {
	using namespace duckdb;
	auto &function = *reinterpret_cast<TableFunction *>(table_function);
#ifdef UNIFY_DUCKDB_1_5
	function.varargs = *(function.arguments.end() - 1);
	function.arguments.pop_back();
#else
	auto &last = const_cast<FunctionParameter &>(*(function.GetSignature().GetParameters().end() - 1));
	reinterpret_cast<ParameterLayout &>(last).kind = FunctionParameterKind::VAR_POSITIONAL;
#endif
}

extern "C" double unify_progress(const void *bind_data);

//! Lets a table function made by duckdb_create_table_function wait between its steps, and say how far it is: percent, or -1 for unknown.
extern "C" void UNIFY_EXPORT(unify_run_in_steps_)(void *table_function) {
	using namespace duckdb;
	auto &function = *reinterpret_cast<TableFunction *>(table_function);
	function.function = RunInSteps;
	function.table_scan_progress = [](ClientContext &, const FunctionData *data, const GlobalTableFunctionState *) -> double {
		return unify_progress(reinterpret_cast<const BindDataHandle *>(data)->bind_data);
	};
}

//! Lets Rust check the values of the setting of that name, which it knows by a number below 64.
extern "C" void UNIFY_EXPORT(unify_check_setting_of_)(void *database, UnifyText name, size_t setting) {
	using namespace duckdb;
	auto &settings = reinterpret_cast<DatabaseHandle *>(database)->database->instance->config.user_settings;
	lock_guard<mutex> guard(Open(settings, static_cast<mutex *>(nullptr)));
	for (auto &option : Open(settings, static_cast<OptionMap *>(nullptr))) {
		if (TextOf(option.first) == string(name.data, name.size)) {
			option.second.set_function = CheckOf(setting, std::make_index_sequence<64>());
		}
	}
}

//! Names a positional parameter of a table function; 1.5 has no names for those.
extern "C" void UNIFY_EXPORT(unify_name_parameter_)(void *table_function, size_t idx, UnifyText name) {
#ifndef UNIFY_DUCKDB_1_5
	using namespace duckdb;
	auto &function = *reinterpret_cast<TableFunction *>(table_function);
	auto &parameter = const_cast<FunctionParameter &>(*(function.GetSignature().GetParameters().begin() + idx));
	reinterpret_cast<ParameterLayout &>(parameter).name = Identifier(string(name.data, name.size));
#endif
}

//! Describes a table function that the transaction of `context` registered. `neighbour` is a duckdb_catalog_entry in the same schema.
extern "C" void UNIFY_EXPORT(unify_describe_)(void *neighbour, const void *client_context, UnifyText function,
                                              UnifyText description, UnifyText example) {
	using namespace duckdb;
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
}

//! What stands after TO, of the COPY that is bound; lent for the length of the binding.
extern "C" const char *UNIFY_EXPORT(unify_copy_path_)(void *copy_bind_info) {
	return reinterpret_cast<duckdb::CopyBindHandle *>(copy_bind_info)->input.info.file_path.c_str();
}

//! The name of a column of the COPY that is bound; lent for the length of the binding.
extern "C" const char *UNIFY_EXPORT(unify_copy_column_)(void *copy_bind_info, size_t idx) {
	return reinterpret_cast<duckdb::CopyBindHandle *>(copy_bind_info)->names.begin()[idx].c_str();
}
