// What serving a model asks of storage and network, from catalog/inference/: the bytes of a sample
// that come in, published rates of an accelerator, and the bytes that a replica loads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/quantity.h"

namespace feedrate {

struct InferenceRate {
  std::string accelerator;
  PerSecond offline;  // samples of one accelerator, all available at the start
  PerSecond server;   // Poisson arrivals within the latency bound; 0: no such scenario
};

struct InferenceShape {
  std::string name, title, source;
  Bytes input;             // of a sample, as the accelerator takes it
  std::string input_note;  // how it is counted
  Seconds latency_bound;   // of the server scenario, 99th percentile; 0: none
  Bytes model;             // bytes that a replica loads; 0: no figure with a source
  std::string model_source;
  std::string rates_source;
  std::vector<InferenceRate> rates;
  std::vector<std::string> workloads;  // training workloads of the same model
  std::string not_comparable;  // why its samples differ from those of training; "" if they do not

  Result<InferenceRate> rate(std::string_view accelerator) const;
};

Result<InferenceShape> parse_inference(std::string_view yaml, std::string_view origin);
std::string inference_keys();                // lines of a table in Markdown
std::vector<std::string> inference_names();  // sorted
// Returns kUsage with a spelling hint when there is none of that name.
Result<InferenceShape> find_inference(std::string_view name);
// Returns the name of the one that serves what a workload of the catalogue trains; "" when there is
// none.
std::string inference_of_workload(std::string_view workload);

}  // namespace feedrate
