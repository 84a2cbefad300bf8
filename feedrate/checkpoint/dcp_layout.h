// The layout "dcp": the directory of PyTorch's distributed checkpoints. Each rank has one file,
// "__7_0.distcp", of all its pieces, each an archive as torch.save writes it for a tensor, one
// after another as FileSystemWriter has them. ".metadata" says which rectangle of which tensor lies
// where.
//
// ".metadata" is a pickle that calls the classes by the names that torch 2.x has for them
// (torch.distributed.checkpoint.metadata and .filesystem), with the arguments that all its versions
// take, so that fields of later versions get their defaults.
//   - Proven by tests/interop/check_checkpoints.py: torch 1.13, whose classes are the same but live
//     in torch.distributed._shard.checkpoint, opens the directory once that module has the other
//     name, too, and puts whole tensors together from the parts of several ranks.
//   - Not proven, only read in its sources: torch 2.x. None could be installed here.
//
// The real writer leaves out pieces that other ranks have, too (norms of tensor-parallel ranks).
// Ours writes every rank's bytes; ".metadata" names the first rank's.
#pragma once

#include "feedrate/checkpoint/layout.h"

namespace feedrate {

std::unique_ptr<CheckpointLayout> make_dcp_layout();

}  // namespace feedrate
