// The verifier of foreign FLAC files. Private to flac/.
#pragma once

#include <memory>

#include "feedrate/format/format.h"

namespace feedrate::flac {

// Checks the frames of a file that comes in order, in a buffer of fixed size.
std::unique_ptr<Verifier> make_frame_verifier(std::uint64_t file_bytes);

}  // namespace feedrate::flac
