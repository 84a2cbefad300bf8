// Parts that the results of several verbs share, for their JSON views; private to result/.
#pragma once

#include <nlohmann/json.hpp>

#include "feedrate/result/run_result.h"

namespace feedrate {

nlohmann::ordered_json latency_json(const LatencySummary& latency);
LatencySummary latency_of(const nlohmann::ordered_json& json);
nlohmann::ordered_json host_json(const HostFacts& host);
HostFacts host_of(const nlohmann::ordered_json& json);
std::string latency_text(const LatencySummary& latency);

// Parts of the text views.
std::string result_row(std::string_view label, const std::string& value);
std::string dataset_text(const RunResult& run);
std::string one_accelerator_text(const RunResult& run);  // or one replica
// Which step time the verdict rests on, and what another would have asked of the storage.
std::string timing_text(const std::string& set, const std::vector<OtherTiming>& others);
std::string warnings_text(const RunResult& run);
std::string setting_of(const RunResult& run, const std::string& key);

}  // namespace feedrate
