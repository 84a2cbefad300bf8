// Layouts of tensors one after another without any header: "raw" has one file for each group of a
// rank, and "shared" has one file that all ranks write, each at its own place (N-to-1). The
// checkpoint's manifest says where a tensor lies.
#pragma once

#include "feedrate/checkpoint/layout.h"

namespace feedrate {

std::unique_ptr<CheckpointLayout> make_raw_layout();
std::unique_ptr<CheckpointLayout> make_shared_layout();

}  // namespace feedrate
