// Reads small YAML files strictly. Every error says where ("mine.yaml:7:3"), what was found, what
// is allowed, and the remedy. libyaml stays inside the .cc. Tags are refused, since no file of ours
// needs them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/units.h"

namespace feedrate {

inline constexpr std::size_t kYamlBytesMax = std::size_t{1} << 20U;

// One node of a document. It is cheap to copy.
class YamlNode {
 public:
  // Parses a document, which must be a mapping. `origin` is the file name in errors.
  static Result<YamlNode> parse(std::string_view text, std::string_view origin);

  // The following are for mappings.
  Result<> expect_mapping(std::string_view what) const;
  // Returns an error unless every key is among `known`.
  Result<> expect_keys(std::string_view what, std::initializer_list<std::string_view> known) const;
  Result<> expect_keys(std::string_view what, const std::vector<std::string>& known) const;
  bool has(std::string_view key) const;
  Result<YamlNode> at(std::string_view key) const;  // kUsage when it is missing
  Result<std::vector<std::pair<std::string, YamlNode>>> entries() const;
  bool is_mapping() const;

  // The following are for sequences.
  bool is_sequence() const;
  Result<std::vector<YamlNode>> items() const;

  bool is_null() const;  // "key:" with nothing behind it

  // The following are for scalars. Limits are inclusive.
  Result<std::string> text() const;
  Result<std::string> text_at(std::string_view key) const;  // of the value of that key
  Result<bool> flag() const;                                // "true" or "false"
  Result<std::uint64_t> count(std::uint64_t minimum, std::uint64_t maximum) const;
  Result<double> number(double minimum, double maximum) const;
  Result<Duration> duration(Duration minimum, Duration maximum) const;
  Result<std::uint64_t> bytes(std::uint64_t minimum, std::uint64_t maximum) const;
  Result<double> bytes_per_second() const;         // "2GB/s"
  Result<std::vector<std::string>> texts() const;  // a sequence of scalars

  // Returns an error at this node.
  std::unexpected<Error> error(std::string message, std::string hint = {}) const;

 private:
  struct Impl;
  explicit YamlNode(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace feedrate
