// Private to png/.
#pragma once

#include <memory>

#include "feedrate/format/format.h"

namespace feedrate::png {

// To 8-bit RGB, in a buffer that is kept.
std::unique_ptr<Decoder> make_decoder();

}  // namespace feedrate::png
