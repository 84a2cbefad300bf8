// Names the build that made a report.
#pragma once

#include <string_view>

namespace feedrate {

std::string_view build_name();  // Like "feedrate 0.1.0 (12.2.0)", with the version of the compiler.

}  // namespace feedrate
