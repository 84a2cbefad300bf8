// The names of units, and quantities whose unit is known at run time only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "feedrate/base/quantity.h"

namespace feedrate {

enum class Unit : std::uint8_t {
  kNone,      // words, yes and no, lists of things
  kCount,     // of whatever the key names
  kFraction,  // 0.9 is 90 %
  kRatio,     // of two values of one unit; 2 is twice as much
  kBytes,
  kBytesPerSecond,
  kSeconds,
  kMilliseconds,
  kNanoseconds,
  kPerSecond,
  kMoney,
  kMoneyPerHour,
};
std::string_view to_string(Unit unit);  // "bytes_per_second"; "" for kNone
std::optional<Unit> unit_of(std::string_view name);

// A quantity whose unit is known at run time only. It is made from those whose unit the compiler
// knows.
class Measure {
 public:
  Measure() = default;
  Measure(Count value) : value_(value.value()), unit_(Unit::kCount) {}
  Measure(Bytes value) : value_(value.value()), unit_(Unit::kBytes) {}
  Measure(BytesPerSecond value) : value_(value.value()), unit_(Unit::kBytesPerSecond) {}
  Measure(Seconds value) : value_(value.value()), unit_(Unit::kSeconds) {}
  Measure(PerSecond value) : value_(value.value()), unit_(Unit::kPerSecond) {}
  Measure(Money value) : value_(value.value()), unit_(Unit::kMoney) {}
  Measure(MoneyPerSecond value) : value_(value.value() * 3600), unit_(Unit::kMoneyPerHour) {}
  static Measure fraction(Count value) { return {value.value(), Unit::kFraction}; }
  static Measure of(double value, Unit unit) { return {value, unit}; }

  double value() const { return value_; }  // in the unit's base: bytes, seconds, 1, an hour's money
  Unit unit() const { return unit_; }
  // Returns "13.1 GB/s", "112 GB (104.70 GiB)", "14m 30s", "1,786/s", "90.0 %".
  std::string text() const;
  // Returns a text for formulas, with one unit only: "112 GB".
  std::string brief() const;

 private:
  Measure(double value, Unit unit) : value_(value), unit_(unit) {}
  double value_ = 0;
  Unit unit_ = Unit::kCount;
};

inline std::string show(const Measure& value) { return value.brief(); }

}  // namespace feedrate
