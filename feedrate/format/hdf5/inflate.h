// Undoes libhdf5's deflate and shuffle filters: chunks that lie end to end become values.
#pragma once

#include <memory>

#include "feedrate/format/format.h"

namespace feedrate::hdf5 {

std::unique_ptr<Decoder> make_inflater(bool shuffled);

}  // namespace feedrate::hdf5
