#include "feedrate/experiment/build_name.h"

namespace feedrate {

std::string_view build_name() {
  static constexpr std::string_view kName = "feedrate " FEEDRATE_VERSION " (" __VERSION__ ")";
  return kName;
}

}  // namespace feedrate
