// Table functions that wait between their steps and throw exceptions of their own, and checks of settings.
#pragma once

#include "supplied.hpp"

namespace duckdb {

//! Throws the exception that an answer of Rust holds, if it is one.
static void ThrowWrong(UnifyAnswer answer) {
	auto is_wrong = answer.kind < 0;
	string error(answer.text.data ? answer.text.data : "", answer.text.size);
	unify_answer_free(answer);
	if (is_wrong) {
		throw std::runtime_error(error);
	}
}

//===----------------------------------------------------------------------===//
// Table functions that wait
//===----------------------------------------------------------------------===//
//! Owns a wait of Rust's.
struct Wait {
	explicit Wait(void *wait_p) : wait(wait_p) {
	}
	~Wait() {
		unify_wait_free(wait);
	}
	void *wait;
};

struct WaitTask : public AsyncTask {
	explicit WaitTask(shared_ptr<Wait> wait_p) : wait(std::move(wait_p)) {
	}
	void Execute() override {
		ThrowWrong(unify_wait_a_while(wait->wait));
	}
	shared_ptr<Wait> wait;
};

struct RawMessage;
struct FinalMessage;
string &Open(ErrorData &error, RawMessage *);
string &Open(ErrorData &error, FinalMessage *);
template struct Opened<ErrorData, RawMessage, string, &ErrorData::raw_message>;
template struct Opened<ErrorData, FinalMessage, string, &ErrorData::final_message>;

//! What the statement of a session waits for. DuckDB looks for the user's interrupt, too, and often before the wait does; then its error
//! gets the words that the wait would have had for it.
struct SessionWait : public ClientContextState {
	void Begin(shared_ptr<Wait> wait) {
		lock_guard<mutex> guard(lock);
		last = std::move(wait);
	}
	// The statement's tasks have ended.
	void QueryEnd(ClientContext &, optional_ptr<ErrorData> error) override {
		shared_ptr<Wait> wait;
		{
			lock_guard<mutex> guard(lock);
			wait = std::move(last);
		}
		if (!wait || !error || error.get()->Message() != "INTERRUPT Error: Interrupted!") {
			return;
		}
		auto answer = unify_wait_interrupted(wait->wait);
		if (answer.kind != 0) {
			string message(answer.text.data, answer.text.size);
			Open(*error.get(), static_cast<FinalMessage *>(nullptr)) = "INTERRUPT Error: " + message;
			Open(*error.get(), static_cast<RawMessage *>(nullptr)) = std::move(message);
		}
		unify_answer_free(answer);
	}
	mutex lock;
	shared_ptr<Wait> last;
};

//! What the host runs for every table function of its C API.
struct HostFunction {
	table_function_bind_t bind;
	table_function_init_global_t init;
	table_function_t function;

	static const HostFunction &Get() {
		static const HostFunction host = [] {
			auto made = reinterpret_cast<TableFunction *>(unify_table_function_new());
			HostFunction result {made->bind, made->init_global, made->function};
			unify_table_function_free(made);
			return result;
		}();
		return host;
	}
};

// The host's code throws one type of exception for each callback. So a callback that wants another one returns as if all was well.
static unique_ptr<FunctionData> BindOrThrow(ClientContext &context, TableFunctionBindInput &input,
                                            vector<LogicalType> &types, vector<ColumnName> &names) {
	auto result = HostFunction::Get().bind(context, input, types, names);
	ThrowWrong(unify_take_exception());
	return result;
}

static unique_ptr<GlobalTableFunctionState> InitOrThrow(ClientContext &context, TableFunctionInitInput &input) {
	auto result = HostFunction::Get().init(context, input);
	ThrowWrong(unify_take_exception());
	return result;
}

static void RunOrThrow(ClientContext &context, TableFunctionInput &input, DataChunk &output) {
	HostFunction::Get().function(context, input, output);
	ThrowWrong(unify_take_exception());
}

#ifndef UNIFY_DUCKDB_1_5
//! Reads the mode of an InterruptState, which has no getter.
struct OpenInterruptState : public InterruptState {
	static InterruptMode ModeOf(const InterruptState &state) {
		return state.*(&OpenInterruptState::mode);
	}
};
#endif

//! Whether the caller can do other things while the function waits. One that is not a task of the scheduler waits for the scheduler's
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
	RunOrThrow(context, input, output);
	while (auto taken = unify_take_wait()) {
		auto wait = make_shared_ptr<Wait>(taken);
		context.registered_state->GetOrCreate<SessionWait>("unify")->Begin(wait);
		auto task = unique_ptr<AsyncTask>(new WaitTask(std::move(wait)));
		if (CanBlock(input)) {
			vector<unique_ptr<AsyncTask>> tasks;
			tasks.push_back(std::move(task));
			input.async_result = AsyncResult(std::move(tasks));
			return;
		}
		task->Execute();
		RunOrThrow(context, input, output);
	}
}

//===----------------------------------------------------------------------===//
// Rows that are fed to several threads
//===----------------------------------------------------------------------===//
struct FedShare : public LocalTableFunctionState {
	FedShare() : share(unify_share_new()), batch_index(0) {
	}
	~FedShare() override {
		unify_share_free(share);
	}
	void *share;
	uint64_t batch_index;
};

static unique_ptr<LocalTableFunctionState> BeginShare(ExecutionContext &, TableFunctionInitInput &,
                                                      GlobalTableFunctionState *) {
	return unique_ptr<LocalTableFunctionState>(new FedShare());
}

static void GiveRows(ClientContext &, TableFunctionInput &input, DataChunk &output) {
	auto bind_data = reinterpret_cast<const BindDataHandle *>(input.bind_data.get())->bind_data;
	auto share = reinterpret_cast<FedShare *>(input.local_state.get());
	ThrowWrong(unify_give_rows(bind_data, share->share, &share->batch_index, &output));
}

static OperatorPartitionData BatchIndexOf(ClientContext &, TableFunctionGetPartitionInput &input) {
	return OperatorPartitionData(reinterpret_cast<const FedShare *>(input.local_state.get())->batch_index);
}

//===----------------------------------------------------------------------===//
// Descriptions
//===----------------------------------------------------------------------===//
// A scan of functions through the schema first makes the macros that DuckDB only makes when somebody asks for them: it parses their text.
struct TableFunctionSet;
CatalogSet &Open(DuckSchemaEntry &schema, TableFunctionSet *);
template struct Opened<DuckSchemaEntry, TableFunctionSet, CatalogSet, &DuckSchemaEntry::table_functions>;
mutex &Open(CatalogSet &set, mutex *);
template struct Opened<CatalogSet, mutex, mutex, &CatalogSet::catalog_lock>;
CatalogEntryMap &Open(CatalogSet &set, CatalogEntryMap *);
template struct Opened<CatalogSet, CatalogEntryMap, CatalogEntryMap, &CatalogSet::map>;
using EntryTree = std::remove_reference<decltype(std::declval<CatalogEntryMap>().Entries())>::type;
EntryTree &Open(CatalogEntryMap &map, EntryTree *);
template struct Opened<CatalogEntryMap, EntryTree, EntryTree, &CatalogEntryMap::entries>;

//===----------------------------------------------------------------------===//
// Settings
//===----------------------------------------------------------------------===//
using OptionMap = decltype(std::declval<GlobalUserSettings>().GetExtensionSettings());
OptionMap &Open(GlobalUserSettings &settings, OptionMap *);
mutex &Open(GlobalUserSettings &settings, mutex *);
template struct Opened<GlobalUserSettings, OptionMap, OptionMap, &GlobalUserSettings::extension_parameters>;
template struct Opened<GlobalUserSettings, mutex, mutex, &GlobalUserSettings::lock>;

using SettingValues = vector<GenericSetting>;
UserSettingsMap &Open(GlobalUserSettings &settings, UserSettingsMap *);
SettingValues &Open(UserSettingsMap &map, SettingValues *);
template struct Opened<GlobalUserSettings, UserSettingsMap, UserSettingsMap, &GlobalUserSettings::settings_map>;
template struct Opened<UserSettingsMap, SettingValues, SettingValues, &UserSettingsMap::settings>;

//! Where a value that has no parts is: a union of a private type, whose members all begin where it does.
struct ConstantOf;
const void *Locate(const Value &value, ConstantOf *);
template struct Located<Value, ConstantOf, decltype(&Value::value_), &Value::value_>;

// Asked by DuckDB before it keeps a value. The callback is not told which setting is meant, so each has one of its own.
template <size_t setting>
static void CheckSetting(ClientContext &, SetScope, Value &value) {
	ThrowWrong(unify_check_setting(setting, &value));
}

template <size_t... settings>
static set_option_callback_t CheckOf(size_t setting, std::index_sequence<settings...>) {
	static const set_option_callback_t checks[] = {CheckSetting<settings>...};
	return setting < sizeof...(settings) ? checks[setting] : nullptr;
}

} // namespace duckdb
