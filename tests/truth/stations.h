// Storages that the model language cannot say: stations with queues, distributions of service time
// and pauses, on the virtual clock. What tests/truth/judge_events.py simulates without us, run
// under feedrate's own client. The format of the descriptions is in tests/truth/README.md.
#pragma once

#include <nlohmann/json.hpp>

#include "feedrate/storage/storage.h"

namespace feedrate {

// `description` is one of "storages" of storages.json.
StorageFactory make_station_storage(const nlohmann::json& description, std::uint64_t seed);

}  // namespace feedrate
