// DICOM: one image a file, 16-bit MONOCHROME2, as computed tomography is stored; the content is the
// pixels, and the label stands in a private element.
//
//   128 B | "DICM" | file meta group | data set: ..., label, rows, columns, (7FE0,0010) pixels,
//   (FFFC,FFFC) padding
//
// The image is about square: 512 KiB are 512 x 512 pixels. What does not fill a row stands in the
// element for padding after the pixels, Data Set Trailing Padding. The label is (0029,1000) UL
// of the private creator "FEEDRATE". Lengths have 32 bits, so a payload ends below 4 GiB.
//
// Option transfer_syntax: `explicit` (Explicit VR Little Endian, the default) or `implicit`.
//
// index() walks the elements of a file in either syntax or with encapsulated pixel data, through
// sequences of defined and undefined length, without reading their values. A big-endian file is
// kUnsupported; of a deflated one the data set is taken as it is. DICOM has no checksums: in a
// foreign file there is nothing to verify.
//
// Reference reader: pydicom.dcmread(path).pixel_array. strace (pydicom 2.3.1, Python 3.11, Debian
// 12) shows reads of 4096 B through the elements, then all whole pages of the pixels in one read
// and the rest in another. Here a transfer is at most 4 MiB, so that a reader's memory is bounded;
// the page cache's readahead cuts a larger one anyway. Decoder: DCMTK's dcmdata, to the array of
// pixels; run-length encoded ones too, those that need another library (JPEG) are kUnsupported.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& dicom_format();

}  // namespace feedrate
