// The layout "torch": for each group of a rank one file as torch.save writes it for a dict {name:
// tensor}, which torch.load opens: "rank-00007/layer_012-model_03.pt". A rank's part of a cut
// tensor has the whole tensor's name and the part's shape, as in Megatron and DeepSpeed.
#pragma once

#include "feedrate/checkpoint/layout.h"

namespace feedrate {

std::unique_ptr<CheckpointLayout> make_torch_layout();

}  // namespace feedrate
