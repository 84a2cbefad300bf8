// The demand of serving on storage and network. docs/guide/plan.md has every formula with an
// example.
#pragma once

#include "feedrate/base/quantity.h"
#include "feedrate/plan/figure.h"
#include "feedrate/workload/inference_shape.h"

namespace feedrate {

struct InferenceJob {
  InferenceShape shape;
  InferenceRate rate;  // of one accelerator
  Count accelerators{1};
  // The bytes that are logged for each sample served.
  Setting<Bytes> log_record{Bytes(1024), "--log-record"};
  // Records are gathered until there are this many bytes, and then appended.
  Setting<Bytes> log_append{Bytes(1048576), "--log-append"};
  // The time after which all replicas must have their model.
  Setting<Seconds> load_budget{Seconds(60), "--load-time"};
  PerSecond training;  // measured training rate of one such accelerator; 0: none is published
  std::string training_source;
};

// The demand of all accelerators together in one scenario.
struct Served {
  PerSecond samples;
  BytesPerSecond input, log;
  PerSecond log_appends;
};

struct InferenceNeed {
  Served offline, server;  // without samples there is no such scenario
  Bytes log_day;           // a day's log of server queries, else of offline ones
  Bytes load;
  BytesPerSecond load_rate;
  Count to_training;  // samples served for each one trained on, by one accelerator; 0: not known
};
InferenceNeed inference_need(const InferenceJob& job);
Section inference_section(const InferenceJob& job, const InferenceNeed& need);

}  // namespace feedrate
