// JPEG: baseline 4:2:0 colour, as photographs are stored, made at memory speed: no encoder runs.
//
//   SOI | APP0 | DQT | SOF0 | DHT (DC) | DHT (AC) | DRI | COM... | SOS, entropy-coded scan | EOI
//
// The Huffman tables are chosen so that every byte from 0x00 to 0xFD is one coefficient: a code of
// L bits, L - 1 ones and a zero, for coefficients of 8 - L bits, and those bits. A block of the
// image is then a byte of the content for DC, some for AC and 0xFE, the code of 8 bits, for its
// end. Everything is aligned to bytes, 0xFF does not occur, and libjpeg has the true work of
// decoding. A restart marker after each row of blocks resets the DC prediction. The content runs
// through the scan (under the marks, which hide it; bytes of 0xFE and 0xFF lose their top bit), and
// what does not fill a block stands in a comment.
//
// The image is 4:3 with 1.5 bits a pixel, up to 89 million pixels: PIL warns of images above
// 89,478,485. Beyond, at 16.8 MB, blocks get longer, then there are more comments.
//
// A JPEG file has no checksums: in a foreign one there is nothing to verify.
//
// Reference reader: PIL.Image.open(path).convert("RGB"), as torchvision's default loader calls it.
// PIL.ImageFile.MAXBLOCK = 65536 is the size of a read; strace on Pillow 9.4.0 (Debian 12) with a
// 974 kB JPEG confirms: 4096 + 61440 B first (Python's buffer fills with the header), then 65536 B
// each until the end. Decoder: libjpeg-turbo, to RGB.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& jpeg_format();

}  // namespace feedrate
