#include "feedrate/workload/model_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <unordered_set>

namespace feedrate {
namespace {

constexpr std::size_t kNameBytesMax = 255;

using Names = std::vector<std::string>;

std::unexpected<Error> too_many(const YamlNode& node) {
  return node.error(fmt::format("more than {} tensors", kTensorsMax),
                    "list the layers of one model");
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Returns the texts that one pair of braces stands for: "weight,bias" or "0..23".
Result<Names> alternatives(const YamlNode& node, std::string_view text) {
  const std::size_t dots = text.find("..");
  const auto wrong = [&] {
    return node.error(fmt::format("'{{{}}}' stands for no names", text),
                      "write it like {0..23} or {weight,bias}");
  };
  Names names;
  if (dots == std::string_view::npos) {
    if (text.empty() || text.find('{') != std::string_view::npos) return wrong();
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t comma = std::min(text.find(',', at), text.size());
      names.emplace_back(text.substr(at, comma - at));
      at = comma + 1;
    }
    return names;
  }
  const auto first = number_of(text.substr(0, dots)), last = number_of(text.substr(dots + 2));
  if (!first || !last || *last < *first) return wrong();
  if (*last - *first >= kTensorsMax) return too_many(node);
  for (std::uint64_t index = 0; index <= *last - *first; ++index)
    names.push_back(fmt::to_string(*first + index));
  return names;
}

// Returns all names that a text with braces stands for; the last braces change fastest.
Result<Names> expand(const YamlNode& node) {
  FEEDRATE_TRY(const std::string text, node.text());
  const auto no_name = [&] {
    return node.error(fmt::format("'{}' is not a name for a tensor", text),
                      fmt::format("use letters, digits and ._-/, at most {}", kNameBytesMax));
  };
  if (text.size() > kNameBytesMax) return no_name();
  std::string_view rest = text;
  Names names{""};
  while (!rest.empty()) {
    const std::size_t open = std::min(rest.find('{'), rest.size());
    const std::string_view literal = rest.substr(0, open);
    for (std::string& name : names) name += literal;
    rest.remove_prefix(open);
    if (rest.empty()) break;
    const std::size_t close = rest.find('}');
    if (close == std::string_view::npos)
      return node.error(fmt::format("'{}' has braces that do not close", text),
                        "write it like {0..23} or {weight,bias}");
    FEEDRATE_TRY(const Names several, alternatives(node, rest.substr(1, close - 1)));
    rest.remove_prefix(close + 1);
    // The product is checked before the names are made, so that a short text with many braces
    // cannot ask for unbounded memory.
    if (names.size() * several.size() > kTensorsMax) return too_many(node);
    Names longer;
    for (const std::string& name : names)
      for (const std::string& other : several) longer.push_back(name + other);
    names = std::move(longer);
  }
  for (const std::string& name : names) {
    const bool plain = std::ranges::all_of(name, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             c == '.' || c == '_' || c == '-' || c == '/';
    });
    if (!plain || name.empty() || name.size() > kNameBytesMax) return no_name();
  }
  return names;
}

Result<bool> read_sharding(const YamlNode& entry) {
  if (!entry.has("sharding")) return false;
  FEEDRATE_TRY(const YamlNode node, entry.at("sharding"));
  FEEDRATE_TRY(const std::string sharding, node.text());
  if (sharding != "row_wise")
    return node.error(fmt::format("unknown sharding '{}'", sharding),
                      "use row_wise for the rows of an embedding table, or leave it out");
  return true;
}

Result<std::vector<std::uint64_t>> read_shape(const YamlNode& node) {
  FEEDRATE_TRY(const std::vector<YamlNode> sizes, node.items());
  if (sizes.empty() || sizes.size() > kTensorDimensionsMax)
    return node.error(fmt::format("a tensor of {} dimensions", sizes.size()),
                      fmt::format("write 1 to {} sizes", kTensorDimensionsMax));
  std::vector<std::uint64_t> shape;
  std::uint64_t product = 1;
  for (const YamlNode& size : sizes) {
    FEEDRATE_TRY(shape.emplace_back(), size.count(1, kParametersMax));
    if (__builtin_mul_overflow(product, shape.back(), &product) || product > kParametersMax)
      return node.error(fmt::format("the tensor has more than {} elements", kParametersMax),
                        "check its sizes");
  }
  return shape;
}

Result<std::vector<ModelTensor>> read_list(const YamlNode& list);

// Reads an entry, which is one tensor, several that are alike, or a group of them.
Result<std::vector<ModelTensor>> read_entry(const YamlNode& entry) {
  FEEDRATE_CHECK(entry.expect_keys("a tensor", {"name", "shape", "tensors", "sharding"}));
  if (entry.has("shape") == entry.has("tensors"))
    return entry.error("a tensor has either 'shape' or, if it is a group, 'tensors'",
                       "write it like {name: fc.weight, shape: [1000, 2048]}");
  FEEDRATE_TRY(const YamlNode name_node, entry.at("name"));
  FEEDRATE_TRY(const Names names, expand(name_node));
  FEEDRATE_TRY(const bool row_wise, read_sharding(entry));
  std::vector<ModelTensor> result;
  if (entry.has("shape")) {
    FEEDRATE_TRY(const YamlNode shape_node, entry.at("shape"));
    FEEDRATE_TRY(const std::vector<std::uint64_t> shape, read_shape(shape_node));
    for (const std::string& name : names) result.push_back({name, shape, row_wise});
    return result;
  }
  FEEDRATE_TRY(const YamlNode list, entry.at("tensors"));
  FEEDRATE_TRY(const std::vector<ModelTensor> members, read_list(list));
  if (names.size() * members.size() > kTensorsMax) return too_many(list);
  for (const std::string& name : names)
    for (const ModelTensor& member : members) {
      result.push_back({name + "." + member.name, member.shape, row_wise || member.row_wise});
      if (result.back().name.size() > kNameBytesMax)
        return list.error(fmt::format("a tensor's name is longer than {} bytes", kNameBytesMax),
                          "use shorter names");
    }
  return result;
}

Result<std::vector<ModelTensor>> read_list(const YamlNode& list) {
  FEEDRATE_TRY(const std::vector<YamlNode> entries, list.items());
  if (entries.empty())
    return list.error("there are no tensors", "write it like [{name: a, shape: [2, 3]}]");
  std::vector<ModelTensor> result;
  for (const YamlNode& entry : entries) {
    FEEDRATE_TRY(const std::vector<ModelTensor> tensors, read_entry(entry));
    if (result.size() + tensors.size() > kTensorsMax) return too_many(list);
    result.insert(result.end(), tensors.begin(), tensors.end());
  }
  return result;
}

}  // namespace

std::uint64_t ModelTensor::elements() const {
  std::uint64_t product = 1;
  for (const std::uint64_t size : shape) product *= size;
  return product;
}

std::uint64_t elements_of(const std::vector<ModelTensor>& tensors) {
  std::uint64_t sum = 0;
  for (const ModelTensor& tensor : tensors) sum += tensor.elements();
  return sum;
}

Result<std::vector<ModelTensor>> read_tensors(const YamlNode& list) {
  FEEDRATE_TRY(std::vector<ModelTensor> tensors, read_list(list));
  std::unordered_set<std::string_view> names;
  std::uint64_t sum = 0;
  for (const ModelTensor& tensor : tensors) {
    if (!names.insert(tensor.name).second)
      return list.error(fmt::format("tensor '{}' stands here twice", tensor.name),
                        "give each its own name");
    sum += tensor.elements();
    if (sum > kParametersMax)
      return list.error(fmt::format("the tensors have more than {} elements", kParametersMax),
                        "check their sizes");
  }
  return tensors;
}

std::vector<ModelTensor> scaled(std::vector<ModelTensor> tensors, double share) {
  FEEDRATE_ASSERT(share > 0 && share <= 1);
  const auto shrink = [](std::uint64_t& size, double factor) {
    const auto smaller = std::llround(static_cast<double>(size) * factor);
    size = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(smaller));
  };
  for (ModelTensor& tensor : tensors) {
    if (tensor.row_wise) {
      shrink(tensor.shape[0], share);
      continue;
    }
    for (std::size_t dimension = 0; dimension < std::min<std::size_t>(2, tensor.shape.size());
         ++dimension)
      shrink(tensor.shape[dimension], std::sqrt(share));
  }
  return tensors;
}

}  // namespace feedrate
