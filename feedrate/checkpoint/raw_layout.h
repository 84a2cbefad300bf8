// Tensors one after another without any header: "raw", one file for each group of a rank, and
// "shared", one file that all ranks write, each at its own place (N-to-1). Where a tensor lies
// stands in the checkpoint's manifest.
#pragma once

#include "feedrate/checkpoint/layout.h"

namespace feedrate {

std::unique_ptr<CheckpointLayout> make_raw_layout();
std::unique_ptr<CheckpointLayout> make_shared_layout();

}  // namespace feedrate
