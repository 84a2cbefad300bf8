// feedrate.json: the file that marks a directory as ours, and says what is in it.
//
// It is written before the first file with "complete": false, and again at the end with true, each
// time to a temporary name, synced and renamed. Only directories with this file are ever written
// into or removed from. Its keys are feedrate_manifest (the version), complete, and the fields of
// DatasetPlan.
#pragma once

#include <string>
#include <string_view>

#include "feedrate/dataset/dataset.h"

namespace feedrate {

struct Manifest {
  DatasetPlan plan;
  bool complete = false;
};

std::string manifest_to_json(const Manifest& manifest);
// Returns kCorrupt when it is not a manifest of ours, or one of a newer version.
Result<Manifest> manifest_from_json(std::string_view json, std::string_view origin);
// Returns kNotFound when the directory has none.
Result<Manifest> read_manifest(const std::string& directory);

}  // namespace feedrate
