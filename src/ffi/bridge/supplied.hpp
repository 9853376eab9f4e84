// What the bridge needs of DuckDB and the headers only declare, layouts of handles, and a way to private members.
#pragma once

#include "bridge.h"

#include <strings.h>

#include "duckdb/catalog/catalog_entry/duck_schema_entry.hpp"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp"
#include "duckdb/function/copy_function.hpp"
#include "duckdb/function/replacement_scan.hpp"
#include "duckdb/function/table_function.hpp"
#include "duckdb/main/client_context.hpp"
#include "duckdb/main/client_context_state.hpp"
#include "duckdb/main/config.hpp"
#include "duckdb/main/database.hpp"
#include "duckdb/logging/log_manager.hpp"
#include "duckdb/logging/log_type.hpp"
#include "duckdb/main/extension_callback_manager.hpp"
#include "duckdb/main/settings.hpp"
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
const ColumnDefinition &ColumnList::GetColumn(LogicalIndex logical) const {
	return *(columns.begin() + static_cast<std::ptrdiff_t>(logical.index));
}
const Value &ColumnDefinition::Comment() const {
	return comment;
}
Function::~Function() {
}
SimpleFunction::~SimpleFunction() {
}
TableFunctionInfo::~TableFunctionInfo() {
}
LocalTableFunctionState::~LocalTableFunctionState() {
}
Value::~Value() {
}
#ifdef UNIFY_DUCKDB_1_5
const ColumnList &TableCatalogEntry::GetColumns() const {
	return columns;
}
const string &ColumnDefinition::Name() const {
	return name;
}
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
//! The beginning of the host's own (duckdb/main/client_context.cpp).
struct ActiveQueryContext {
	string query;
};
#else
const Identifier &ColumnDefinition::Name() const {
	return name;
}
#endif
//! The host's checks that there is a query only in debug builds; here there may be none.
const string &ClientContext::GetCurrentQuery() {
	static const string none;
	return active_query ? active_query->query : none;
}
#ifndef UNIFY_DUCKDB_1_5
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
// Layouts: the C API's handles (duckdb/main/capi/capi_internal.hpp, capi_internal_table.hpp)
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

//! Opens a private member: the argument of an explicit instantiation may name it.
template <class OWNER, class NAME, class MEMBER, MEMBER OWNER::*member>
struct Opened {
	friend MEMBER &Open(OWNER &owner, NAME *) {
		return owner.*member;
	}
};

//! The same for a member whose type is private, too.
template <class OWNER, class NAME, class MEMBER, MEMBER member>
struct Located {
	friend const void *Locate(const OWNER &owner, NAME *) {
		return &(owner.*member);
	}
};

#ifndef UNIFY_DUCKDB_1_5
FunctionParameterKind &Open(FunctionParameter &parameter, FunctionParameterKind *);
template struct Opened<FunctionParameter, FunctionParameterKind, FunctionParameterKind, &FunctionParameter::kind>;
#endif

//! Does what Rust asked for. No exception, such as that memory is short, crosses into Rust, which cannot be unwound from here. Returns
//! whether it was done.
template <class WORK>
static bool Contain(WORK work) noexcept {
	try {
		work();
		return true;
	} catch (...) {
		return false;
	}
}

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

static const string &TextOf(const string &name) {
	return name;
}
#ifndef UNIFY_DUCKDB_1_5
static const string &TextOf(const Identifier &name) {
	return name.GetIdentifierName();
}
#endif

} // namespace duckdb
