// The decoder of DICOM files. Private to dicom/.
#pragma once

#include <memory>

#include "feedrate/format/format.h"

namespace feedrate::dicom {

// Makes the pixels an array, through DCMTK.
std::unique_ptr<Decoder> make_decoder();

}  // namespace feedrate::dicom
