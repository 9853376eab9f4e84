// Table functions that wait between their steps, and checks of settings.
#pragma once

#include "supplied.hpp"

namespace duckdb {

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
using OptionMap = decltype(std::declval<GlobalUserSettings>().GetExtensionSettings());
OptionMap &Open(GlobalUserSettings &settings, OptionMap *);
mutex &Open(GlobalUserSettings &settings, mutex *);
template struct Opened<GlobalUserSettings, OptionMap, &GlobalUserSettings::extension_parameters>;
template struct Opened<GlobalUserSettings, mutex, &GlobalUserSettings::lock>;

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

} // namespace duckdb
