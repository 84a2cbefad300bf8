// FLAC: 16-bit mono at 16 kHz, the form in which LibriSpeech comes, made at memory speed: no
// encoder runs.
//
//   "fLaC" | STREAMINFO | frame...        frame: header, CRC-8 | subframe | CRC-16
//
// Each frame holds 4096 samples (the block size of the flac tool) in a subframe of type VERBATIM,
// so that the content is the samples, most significant byte first. That is what an encoder does
// with noise; a decoder has less work with it than with the predicted samples of speech. An odd
// payload is filled up to a whole sample with a zero byte, an empty one to one sample. The MD5
// signature of the samples is left unset, which FLAC allows.
//
// In a foreign file the CRC-16 of the frames is verified. Only a decoder knows where a frame ends,
// so the verifier looks for the header of the next frame: one with the number that must follow, a
// valid CRC-8 and the properties of the first. At the end, the samples of all frames must be as
// many as STREAMINFO says.
//
// Reference reader: soundfile.read(path). strace (libsndfile 1.2.0, Debian 12) shows the first
// bytes twice, then from the end of the metadata to the end of the file what libFLAC asks for: 8192
// B each.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& flac_format();

}  // namespace feedrate
