// Opens a data set of ours by its manifest, or indexes a user's own folder or file. The calls
// block; make them before a run.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "feedrate/dataset/dataset.h"

namespace feedrate {

// Returns the data set that generate_dataset wrote here; kNotFound without a manifest, kUsage when
// it is not complete. Files are checked for presence and size when they are read, not here.
Result<std::shared_ptr<const Dataset>> open_dataset(const std::string& directory);

struct ScanOptions {
  std::string format;  // "" to recognise it from names and first bytes
  FormatOptions format_options = {};
  std::string options_format = {};  // the format that these options are for; "" for any
  std::string labels = {};  // "": a directory of files beside the samples', or one file for all
  std::string index_directory = {};  // where indexes are kept; "": in the data set's directory
  std::stop_token stop = {};         // ends the scan with kCancelled
  std::string path = {};             // as the user gave it; filled in by scan_dataset, as this:
  bool one_file = false;             // whether that path is a file
};
struct ScanOutcome {
  std::shared_ptr<const Dataset> dataset;
  std::vector<std::string> warnings;  // what was left out and why, a line each
  // Whether files were looked into; the next scan need not do so.
  bool index_made = false;
};
// Takes all regular files below `path`, sorted; the name of a file's directory is its label. Links
// to files are followed, and links to directories too, each directory once. Hidden files, empty
// files and files that cannot be indexed are left out with a warning. Where a file is a sample and
// nothing is looked into, so are files whose names belong to another format. Returns kUsage when
// nothing is left.
Result<ScanOutcome> scan_dataset(const std::string& path, const ScanOptions& options);

}  // namespace feedrate
