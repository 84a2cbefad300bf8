// The decoder of JPEG files. Private to jpeg/.
#pragma once

#include <memory>

#include "feedrate/format/format.h"

namespace feedrate::jpeg {

std::unique_ptr<Decoder> make_decoder();

}  // namespace feedrate::jpeg
