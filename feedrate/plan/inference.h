// What serving asks of storage and network: docs/guide/plan.md has every formula with an example.
#pragma once

#include "feedrate/base/quantity.h"
#include "feedrate/plan/figure.h"
#include "feedrate/workload/inference_shape.h"

namespace feedrate {

struct InferenceJob {
  InferenceShape shape;
  InferenceRate rate;  // of one accelerator
  Count accelerators{1};
  Bytes log_record{1024};     // written for each sample served
  Bytes log_append{1048576};  // records are gathered until there are so many bytes
  Seconds load_budget{60};    // all replicas have their model after this
  PerSecond training;         // measured training rate of one such accelerator; 0: none published
  std::string training_source;
};

struct InferenceNeed {
  PerSecond offline, server;
  BytesPerSecond offline_input, server_input, log;
  PerSecond log_appends;
  Bytes log_day;
  Bytes load;
  BytesPerSecond load_rate;
  Count to_training;  // samples/s served by those trained on, of one accelerator; 0: not known
};
InferenceNeed inference_need(const InferenceJob& job);
Section inference_section(const InferenceJob& job, const InferenceNeed& need);

}  // namespace feedrate
