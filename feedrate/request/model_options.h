// The options that `plan` and `checkpoint` share: which model, and over how many accelerators it is
// spread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "feedrate/base/error.h"
#include "feedrate/request/text_file.h"
#include "feedrate/workload/checkpoint_shards.h"
#include "feedrate/workload/model_shape.h"
#include "feedrate/workload/workload.h"

namespace feedrate {

inline constexpr std::uint64_t kAcceleratorsMax = 10'000'000;

// Parses a number such as "2.5"; a letter may follow, as in the sizes of models: "70B", "340M".
Result<double> parse_number(std::string_view text, std::string_view flag, double minimum,
                            double maximum, std::string_view example);

// Returns whether this is a path rather than a name of the catalogue.
bool is_file(const std::string& name);

// Reads what is described under a name of the catalogue or in a file.
template <class T>
Result<T> read_described(const std::string& name, std::string_view what,
                         Result<T> (*find)(std::string_view),
                         Result<T> (*parse)(std::string_view, std::string_view)) {
  if (!is_file(name)) return find(name);
  FEEDRATE_TRY(const std::string text,
               read_text_file(name, what, "give a name of the catalogue or a path"));
  return parse(text, name);
}

// The bytes that one weight of a checkpoint's tensors can have; any other --weight-bytes is kUsage.
inline constexpr std::string_view kTensorBytes = "1, 2 or 4";
Result<> check_tensor_bytes(double weight_bytes);

// Returns how many replicas these ranks make, each of tensor x pipeline ranks. Fails with kUsage,
// which names `flag`, when that is no whole number.
Result<std::uint64_t> whole_replicas(std::uint64_t ranks, std::string_view flag,
                                     const Parallelism& parallel);

struct ModelOptions {
  std::string model, parameters, bytes_per_parameter, weight_bytes, tensor, pipeline, data, zero;

  // Finds the model by its name in the catalogue, or as the workload names it. Returns none when
  // nothing is known of it and the user says nothing.
  Result<std::optional<ModelShape>> resolve_model(const std::string& known,
                                                  const Workload* workload) const;
  // The product tensor x pipeline x data must be the number of accelerators; each of the last two
  // follows from the others when it is not given. `flag` names the option that `count` came from.
  Result<Parallelism> resolve_parallelism(const ModelShape* model, const std::string& count,
                                          std::string_view flag, std::uint64_t default_count) const;
  // Returns the model's published precision unless an option says something else. `source` is added
  // to, or replaced, when the result is not the default.
  Result<Precision> resolve_precision(const ModelShape& shape, std::string& source) const;
};

}  // namespace feedrate
