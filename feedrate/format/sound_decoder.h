// Decodes WAV and FLAC through libsndfile, which python3-soundfile and torchaudio use too. Shared
// by the formats, not for users of format.h.
#pragma once

#include <memory>

#include "feedrate/format/format.h"

namespace feedrate {

// Makes a decoder to 16-bit samples, in a buffer of fixed size.
std::unique_ptr<Decoder> make_sound_decoder();

}  // namespace feedrate
