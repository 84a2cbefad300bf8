// The decoder of PNG files. Private to png/.
#pragma once

#include <memory>

#include "feedrate/format/format.h"

namespace feedrate::png {

// Decodes to 8-bit RGB, into a buffer that is kept for the next image.
std::unique_ptr<Decoder> make_decoder();

}  // namespace feedrate::png
