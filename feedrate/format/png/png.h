// PNG: 8-bit RGB, not interlaced, made at memory speed: no compressor runs.
//
//   signature | IHDR | fdRt... | IDAT... | IEND
//
// The zlib stream in the IDAT chunks consists of stored blocks, one a chunk; each row has filter
// type 0. The content runs through the rows (under the filter types, which hide a byte each), and
// what does not fill a row stands in a private chunk, "fdRt", which readers pass over.
//
// The image is 4:3, up to 89 million pixels: PIL warns of images above 89,478,485. Beyond, at
// 268 MB, the private chunks take the rest. Random bytes are what a compressor can do nothing
// about, so no file of the same pixels would be smaller; but a decoder has less work with stored
// blocks than with the compressed ones of a photograph.
//
// In a foreign file the CRC-32 of each chunk is verified, and that it goes on to IEND.
//
// Reference reader: PIL.Image.open(path).convert("RGB"), as torchvision's default loader calls it.
// PIL asks for the data of a chunk in steps of up to PIL.ImageFile.MAXBLOCK = 65536 B, which
// Python's buffer splits: strace (Pillow 9.4.0, Debian 12) shows 4096 B at the head of the file,
// then 53248 or 57344 B and 4096 B for each chunk of ours. Decoder: libpng, to RGB.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& png_format();

}  // namespace feedrate
