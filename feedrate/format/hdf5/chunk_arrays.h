// The chunk indexes of newer files that are arrays: fixed and extensible ones.
#pragma once

#include <functional>

#include "feedrate/format/hdf5/dataset.h"

namespace feedrate::hdf5 {

// Is called with the entry, the address and the stored bytes of a chunk; the address may be
// undefined.
using TakeEntry = std::function<Result<>(std::uint64_t, std::uint64_t, std::uint64_t)>;

Result<> each_of_fixed_array(Source& source, const Dataset& dataset, const TakeEntry& take);
Result<> each_of_extensible_array(Source& source, const Dataset& dataset, const TakeEntry& take);

}  // namespace feedrate::hdf5
