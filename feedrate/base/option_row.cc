#include "feedrate/base/option_row.h"

namespace feedrate {

std::string_view to_string(OptionType type) {
  switch (type) {
    case OptionType::kFlag:
      return "flag";
    case OptionType::kCount:
      return "count";
    case OptionType::kNumber:
      return "number";
    case OptionType::kFraction:
      return "fraction";
    case OptionType::kBytes:
      return "bytes";
    case OptionType::kSize:
      return "size";
    case OptionType::kRate:
      return "rate";
    case OptionType::kDuration:
      return "duration";
    case OptionType::kFile:
      return "file";
    case OptionType::kDirectory:
      return "directory";
    case OptionType::kWords:
      return "words";
    case OptionType::kWorkload:
      return "workload";
    case OptionType::kModel:
      return "model";
    case OptionType::kText:
      return "text";
  }
  return "";
}

}  // namespace feedrate
