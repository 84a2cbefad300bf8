// Which model, spread over how many accelerators: options that `plan` and `checkpoint` share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "feedrate/base/error.h"
#include "feedrate/cli/output.h"
#include "feedrate/workload/checkpoint_shards.h"
#include "feedrate/workload/model_shape.h"
#include "feedrate/workload/workload.h"

namespace feedrate {

inline constexpr std::uint64_t kAcceleratorsMax = 10'000'000;

// "2.5": a number, with an optional letter as sizes of models have it: "70B", "340M".
Result<double> parse_number(std::string_view text, std::string_view flag, double minimum,
                            double maximum, std::string_view example);

// A path, and no name of the catalogue.
bool is_file(const std::string& name);

// By its name in the catalogue, or from a file.
template <class T>
Result<T> read_described(const std::string& name, std::string_view what,
                         Result<T> (*find)(std::string_view),
                         Result<T> (*parse)(std::string_view, std::string_view)) {
  if (!is_file(name)) return find(name);
  FEEDRATE_TRY(const std::string text,
               read_text_file(name, what, "give a name of the catalogue or a path"));
  return parse(text, name);
}

// What tensors of a checkpoint can be made of, in bytes a weight; kUsage for --weight-bytes beyond
// that.
inline constexpr std::string_view kTensorBytes = "1, 2 or 4";
Result<> check_tensor_bytes(double weight_bytes);

// How many replicas so many ranks are, each of tensor x pipeline; kUsage names `flag` when they are
// no whole number.
Result<std::uint64_t> whole_replicas(std::uint64_t ranks, std::string_view flag,
                                     const Parallelism& parallel);

struct ModelOptions {
  std::string model, parameters, bytes_per_parameter, weight_bytes, tensor, pipeline, data, zero;

  // By its name in the catalogue or as its workload has it; none when nothing is known of it and
  // the user says nothing.
  Result<std::optional<ModelShape>> resolve_model(const std::string& known,
                                                  const Workload* workload) const;
  // tensor x pipeline x data = accelerators; the last two may follow from each other. `flag` names
  // the option that `count` came from.
  Result<Parallelism> resolve_parallelism(const ModelShape* model, const std::string& count,
                                          std::string_view flag, std::uint64_t default_count) const;
  // The model's published one unless an option says something. `source` is added to, or replaced,
  // when it is not the default.
  Result<Precision> resolve_precision(const ModelShape& shape, std::string& source) const;
};

}  // namespace feedrate
