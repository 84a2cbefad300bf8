// The layout "safetensors": for each group of a rank one file of a JSON header and the tensors'
// data, and model.safetensors.index.json, which says what lies where, as Hugging Face's loaders
// expect it. A piece that is not a whole tensor is named NAME@BEGIN ("...weight@1024,0"), because
// the format itself knows no cut tensors. https://huggingface.co/docs/safetensors
#pragma once

#include "feedrate/checkpoint/layout.h"

namespace feedrate {

std::unique_ptr<CheckpointLayout> make_safetensors_layout();

}  // namespace feedrate
