// The hooks of DuckDB's parser and of its search for tables.
#pragma once

#include "supplied.hpp"

namespace duckdb {

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//
struct StatementSql : public ParserExtensionParseData {
	StatementSql(string sql_p, string written_p, bool is_wrong_p)
	    : sql(std::move(sql_p)), written(std::move(written_p)), is_wrong(is_wrong_p) {
	}
	unique_ptr<ParserExtensionParseData> Copy() const override {
		return unique_ptr<ParserExtensionParseData>(new StatementSql(*this));
	}
	string ToString() const override {
		return sql;
	}
	//! The SQL to run, or what is wrong with the statement.
	string sql;
	//! The text that it was made of, where DuckDB may have cut its end.
	string written;
	bool is_wrong;
	//! Lives until the statement and its copies are planned, or given up.
	shared_ptr<bool> unplanned;
};

struct StatementInfo : public TableFunctionInfo {
	StatementInfo(string sql_p, string written_p) : sql(std::move(sql_p)), written(std::move(written_p)) {
	}
	string sql;
	string written;
};

#ifdef UNIFY_DUCKDB_1_5
//! What the hook knows of its database, which outlives it.
struct StatementHook : public ParserExtensionInfo {
	explicit StatementHook(void *state_p) : state(state_p) {
	}
	void *state;
};

// The text is one statement of the script. The place of a mistake is part of the message: error_location would count from the beginning of
// the script, and where in it the statement begins is not known here.
static ParserExtensionParseResult Parse(ParserExtensionInfo *info, const string &query) {
	// The last statement of ours that this thread parsed: it waits to be planned when the rest of its script is parsed.
	static thread_local weak_ptr<bool> last;
	auto state = reinterpret_cast<StatementHook *>(info)->state;
	auto answer = unify_parse_text(state, Lend(query), !last.expired());
	ParserExtensionParseResult result;
	string said(answer.text.data ? answer.text.data : "", answer.text.size);
	if (answer.kind > 0) {
		auto statement = unique_ptr<StatementSql>(new StatementSql(std::move(said), query, false));
		statement->unplanned = make_shared_ptr<bool>(true);
		last = statement->unplanned;
		result.type = ParserExtensionResultType::PARSE_SUCCESSFUL;
		result.parse_data = std::move(statement);
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
		result.parse_data = unique_ptr<ParserExtensionParseData>(new StatementSql(std::move(said), string(), answer.kind < 0));
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
	auto from = TakeFrom(unify_extract(LendDatabase(context, handle), Lend(info.sql), Lend(info.written)));
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
	result.function.function_info = shared_ptr<TableFunctionInfo>(new StatementInfo(data.sql, data.written));
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

#ifndef UNIFY_DUCKDB_1_5
using SharedScans = vector<shared_ptr<ReplacementScan>>;
SharedScans &Open(ReplacementScanList &scans, SharedScans *);
mutex &Open(ReplacementScanList &scans, mutex *);
template struct Opened<ReplacementScanList, SharedScans, SharedScans, &ReplacementScanList::scans>;
template struct Opened<ReplacementScanList, mutex, mutex, &ReplacementScanList::lock>;
#endif

//! Puts a scan before all others.
static void PutFirst(DBConfig &config, ReplacementScan scan) {
#ifdef UNIFY_DUCKDB_1_5
	auto &scans = config.replacement_scans;
	scans.insert(scans.begin(), std::move(scan));
#else
	// Other sessions may be asking the scans that are there.
	auto shared_scan = make_shared_ptr<ReplacementScan>(std::move(scan));
	lock_guard<mutex> guard(Open(config.replacement_scans, static_cast<mutex *>(nullptr)));
	auto &scans = Open(config.replacement_scans, static_cast<SharedScans *>(nullptr));
	scans.insert(scans.begin(), std::move(shared_scan));
#endif
}

static unique_ptr<TableRef> Replace(ClientContext &context, ReplacementScanInput &input,
                                    optional_ptr<ReplacementScanData> data) {
	auto state = reinterpret_cast<ReplacementState *>(data.get())->state;
	DatabaseHandle handle;
	return TakeFrom(unify_replace_table(state, LendDatabase(context, handle), &context, Lend(input.catalog_name),
	                                    Lend(input.schema_name), Lend(input.table_name)));
}

} // namespace duckdb
