// The keys of a YAML file as rows: how a value is read, what it may be, what it means, and what
// leaving it out means. Files are read by these rows and docs are made of them, so that neither can
// know a key, or a limit, that the other does not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "feedrate/base/yaml_reader.h"

namespace feedrate {

inline constexpr std::string_view kNeeded = "needed";

// Reads a value into its owner, and says for docs what it may be.
template <class Owner>
struct YamlValue {
  Result<> (*read)(const YamlNode& node, Owner& owner) = nullptr;
  std::string (*values)() = nullptr;
};

template <class Owner>
struct YamlRow {
  std::string_view key;
  YamlValue<Owner> value;
  std::string_view help;    // one sentence
  std::string_view absent;  // what leaving it out means, or kNeeded
};

// 1000000 is "1,000,000".
std::string grouped(double number);
// "1 to 1,000".
std::string range_of_numbers(double minimum, double maximum);
// "1 ms to 1 h".
std::string range_of_times(Duration minimum, Duration maximum);
// A line of a table in Markdown: key, what it says, values, left out.
std::string yaml_table_line(std::string_view key, std::string_view help, std::string_view values,
                            std::string_view absent);
std::string yaml_table_head();

namespace yaml {

template <class>
struct OfMember;
template <class Owner, class Value>
struct OfMember<Value Owner::*> {
  using OwnerType = Owner;
  using ValueType = Value;
};
template <auto kMember>
using OwnerOf = typename OfMember<decltype(kMember)>::OwnerType;
template <auto kMember>
using ValueOf = typename OfMember<decltype(kMember)>::ValueType;

template <auto kMember>
inline constexpr YamlValue<OwnerOf<kMember>> text{
    [](const YamlNode& node, OwnerOf<kMember>& owner) -> Result<> {
      FEEDRATE_TRY(owner.*kMember, node.text());
      return {};
    },
    [] { return std::string("text"); }};

template <auto kMember>
inline constexpr YamlValue<OwnerOf<kMember>> texts{
    [](const YamlNode& node, OwnerOf<kMember>& owner) -> Result<> {
      FEEDRATE_TRY(owner.*kMember, node.texts());
      return {};
    },
    [] { return std::string("a list of texts"); }};

template <auto kMember>
inline constexpr YamlValue<OwnerOf<kMember>> flag{
    [](const YamlNode& node, OwnerOf<kMember>& owner) -> Result<> {
      FEEDRATE_TRY(owner.*kMember, node.flag());
      return {};
    },
    [] { return std::string("`true`, `false`"); }};

template <auto kMember, std::uint64_t kMinimum, std::uint64_t kMaximum>
inline constexpr YamlValue<OwnerOf<kMember>> count{
    [](const YamlNode& node, OwnerOf<kMember>& owner) -> Result<> {
      FEEDRATE_TRY(const std::uint64_t value, node.count(kMinimum, kMaximum));
      owner.*kMember = static_cast<ValueOf<kMember>>(value);
      return {};
    },
    [] { return range_of_numbers(static_cast<double>(kMinimum), static_cast<double>(kMaximum)); }};

template <auto kMember, double kMinimum, double kMaximum>
inline constexpr YamlValue<OwnerOf<kMember>> number{
    [](const YamlNode& node, OwnerOf<kMember>& owner) -> Result<> {
      FEEDRATE_TRY(const double value, node.number(kMinimum, kMaximum));
      owner.*kMember = ValueOf<kMember>(value);
      return {};
    },
    [] { return range_of_numbers(kMinimum, kMaximum); }};

// A size: 80GB, 1 at least.
template <auto kMember, std::uint64_t kMaximum>
inline constexpr YamlValue<OwnerOf<kMember>> bytes{
    [](const YamlNode& node, OwnerOf<kMember>& owner) -> Result<> {
      FEEDRATE_TRY(const std::uint64_t value, node.bytes(1, kMaximum));
      owner.*kMember = ValueOf<kMember>(static_cast<double>(value));
      return {};
    },
    [] { return "1 B to " + format_bytes(kMaximum); }};

template <auto kMember>
inline constexpr YamlValue<OwnerOf<kMember>> rate{
    [](const YamlNode& node, OwnerOf<kMember>& owner) -> Result<> {
      FEEDRATE_TRY(const double value, node.bytes_per_second());
      owner.*kMember = ValueOf<kMember>(value);
      return {};
    },
    [] { return std::string("a rate: 2GB/s"); }};

// Limits in nanoseconds.
template <auto kMember, Duration::rep kMinimum, Duration::rep kMaximum>
inline constexpr YamlValue<OwnerOf<kMember>> time{
    [](const YamlNode& node, OwnerOf<kMember>& owner) -> Result<> {
      FEEDRATE_TRY(const Duration value, node.duration(Duration(kMinimum), Duration(kMaximum)));
      if constexpr (std::is_same_v<ValueOf<kMember>, Duration>)
        owner.*kMember = value;
      else
        owner.*kMember = ValueOf<kMember>(to_seconds(value));
      return {};
    },
    [] { return range_of_times(Duration(kMinimum), Duration(kMaximum)); }};

}  // namespace yaml

// Each key of a mapping is known. `what` is what errors call it.
template <class Rows>
Result<> expect_rows(const YamlNode& node, std::string_view what, const Rows& rows) {
  std::vector<std::string> keys;
  for (const auto& row : rows) keys.emplace_back(row.key);
  return node.expect_keys(what, keys);
}

// All keys of a mapping: each is known, and those that are needed are there.
template <class Rows, class Owner>
Result<> read_rows(const YamlNode& node, std::string_view what, const Rows& rows, Owner& owner) {
  FEEDRATE_CHECK(expect_rows(node, what, rows));
  for (const YamlRow<Owner>& row : rows) {
    if (!node.has(row.key) && row.absent != kNeeded) continue;
    FEEDRATE_TRY(const YamlNode child, node.at(row.key));
    FEEDRATE_CHECK(row.value.read(child, owner));
  }
  return {};
}

// The rows as lines of a table, each key behind `prefix`.
template <class Rows>
std::string table_lines(std::string_view prefix, const Rows& rows) {
  std::string lines;
  for (const auto& row : rows)
    lines += yaml_table_line(std::string(prefix) + std::string(row.key), row.help,
                             row.value.values(), row.absent);
  return lines;
}

}  // namespace feedrate
