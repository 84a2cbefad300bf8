// The figures of a plan, each with its unit, its formula with the numbers in it, and the sources of
// those numbers.
#pragma once

#include <string>
#include <string_view>

#include "feedrate/base/measure.h"
#include "feedrate/result/plan_result.h"

namespace feedrate {

// A number of the job that an option changes, and its source.
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

}  // namespace feedrate
