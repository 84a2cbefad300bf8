// What a plan is made of: figures, each with its unit, its formula with the numbers in it, and the
// sources of those. Text, JSON and CSV are views of these values and add none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/quantity.h"

namespace feedrate {

enum class Unit : std::uint8_t {
  kCount,
  kFraction,  // 0.9 is 90 %
  kBytes,
  kBytesPerSecond,
  kSeconds,
  kPerSecond,
  kMoney,
  kMoneyPerHour,
};
std::string_view to_string(Unit unit);  // "bytes_per_second"

// A quantity whose unit is known at run time only; made from those that know it when they compile.
class Measure {
 public:
  Measure(Count value) : value_(value.value()), unit_(Unit::kCount) {}
  Measure(Bytes value) : value_(value.value()), unit_(Unit::kBytes) {}
  Measure(BytesPerSecond value) : value_(value.value()), unit_(Unit::kBytesPerSecond) {}
  Measure(Seconds value) : value_(value.value()), unit_(Unit::kSeconds) {}
  Measure(PerSecond value) : value_(value.value()), unit_(Unit::kPerSecond) {}
  Measure(Money value) : value_(value.value()), unit_(Unit::kMoney) {}
  Measure(MoneyPerSecond value) : value_(value.value() * 3600), unit_(Unit::kMoneyPerHour) {}
  static Measure fraction(Count value) { return {value.value(), Unit::kFraction}; }

  double value() const { return value_; }  // in the unit's base: bytes, seconds, 1, an hour's money
  Unit unit() const { return unit_; }
  // "13.1 GB/s", "112 GB (104.70 GiB)", "14m 30s", "1,786/s", "90.0 %".
  std::string text() const;
  // For formulas: one unit only, "112 GB".
  std::string brief() const;

 private:
  Measure(double value, Unit unit) : value_(value), unit_(unit) {}
  double value_;
  Unit unit_;
};

inline std::string show(const Measure& value) { return value.brief(); }

// A number of the job that an option changes, and where it comes from.
template <class Q>
struct Setting {
  Q value;
  std::string_view option;          // "--stall-budget"
  std::string_view published = {};  // source of the default; "" when it is an assumption
  bool given = false;               // by the option
  std::string source() const {
    if (given) return std::string(option);
    if (!published.empty()) return std::string(published);
    return "assumed; " + std::string(option) + " changes it";
  }
};

struct Figure {
  std::string key;    // "read_bandwidth": of JSON and CSV, unique in its section
  std::string label;  // of the text
  Measure value;
  std::string formula;  // "64 readers x 400 samples / 224 ms x 0.9"
  std::string source;   // of what is in the formula and not the user's; "" when nothing is
};

struct Section {
  std::string key, title;
  std::vector<Figure> figures;
  std::vector<std::string> remarks;  // what the figures mean, what is missing and why

  void add(std::string key_text, std::string label, Measure value, std::string formula,
           std::string source = {}) {
    figures.push_back(
        {std::move(key_text), std::move(label), value, std::move(formula), std::move(source)});
  }
  const Figure* find(std::string_view wanted) const;
};

}  // namespace feedrate
