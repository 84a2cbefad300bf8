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

}  // namespace feedrate
