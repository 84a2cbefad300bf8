// WAV: 16-bit mono PCM at 16 kHz, the form of LibriSpeech for RNN-T training; the content is the
// samples.
//
//   "RIFF", size | "WAVE" | "fmt ", 16, format | "data", size, samples
//
// Ours is byte for byte the file of soundfile.write (libsndfile 1.2.0) for these samples. An odd
// payload is filled up to a whole sample with a zero byte. From 4 GiB on, where the size fields
// end, they hold 0xFFFFFFFF, as programs write that do not know the length.
//
// A WAV file has no checksums: in a foreign one there is nothing to verify.
//
// Reference reader: soundfile.read(path). strace (libsndfile 1.2.0, Debian 12) shows the header in
// reads of 2 to 12 B, then the samples in reads of 8192 B.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& wav_format();

}  // namespace feedrate
