// The tensors of a model that is not a transformer, one by one, as a YAML file lists them: pure.
//
//   tensors:
//     - {name: conv1.weight, shape: [64, 3, 7, 7]}
//     - name: "layer1.{0..2}"                       # a group: names within it follow a dot
//       tensors:
//         - {name: "bn1.{weight,bias}", shape: [64]}
//
// Braces stand for each of several names, as in a shell: {weight,bias} or {0..23}.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/yaml_reader.h"

namespace feedrate {

inline constexpr std::size_t kTensorDimensionsMax = 5;  // a three-dimensional convolution's
inline constexpr std::size_t kTensorsMax = 100'000;     // of one model
inline constexpr std::uint64_t kParametersMax = 1'000'000'000'000'000;  // of one model

struct ModelTensor {
  std::string name;
  std::vector<std::uint64_t> shape;  // 1 to kTensorDimensionsMax sizes, each at least 1
  // Whether it is an embedding table whose rows are spread over the data-parallel ranks, as
  // torchrec's sharding type row_wise does. Everything else is on each of them.
  bool row_wise = false;
  std::uint64_t elements() const;
  bool operator==(const ModelTensor&) const = default;
};

// Returns kUsage, with file, line and column, for a tensor without a name or shape, for a name that
// occurs twice, and for more than kTensorsMax tensors or kParametersMax elements.
Result<std::vector<ModelTensor>> read_tensors(const YamlNode& list);
std::uint64_t elements_of(const std::vector<ModelTensor>& tensors);

// Returns the same tensors with about `share` of the elements, 0 < share <= 1. Tables that are
// spread over ranks lose rows. The others shrink in their first two dimensions by the square root,
// so that what fits together still does, and kernels keep their size.
std::vector<ModelTensor> scaled(std::vector<ModelTensor> tensors, double share);

}  // namespace feedrate
