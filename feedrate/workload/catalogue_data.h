// The YAML files of catalog/, compiled in by cmake/EmbedCatalogue.cmake.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"

namespace feedrate {

struct CatalogueFile {
  std::string_view path;  // relative to catalog/, e.g. "workloads/resnet50.yaml"
  std::string_view text;
};
std::span<const CatalogueFile> catalogue_files();  // sorted by path
// Returns the names in one folder, e.g. "models/", sorted and without folder and extension.
std::vector<std::string> catalogue_folder(std::string_view folder);
// Returns the file of that name in that folder; null when there is none.
const CatalogueFile* find_catalogue_file(std::string_view folder, std::string_view name);

Error unknown_in_catalogue(std::string_view folder, std::string_view what, std::string_view name);
// Returns the value that the file describes, or kUsage with a spelling hint: "unknown WHAT 'NAME'".
template <class T>
Result<T> find_in_catalogue(std::string_view folder, std::string_view what, std::string_view name,
                            Result<T> (*parse)(std::string_view yaml, std::string_view origin)) {
  const CatalogueFile* file = find_catalogue_file(folder, name);
  if (file == nullptr) return fail(unknown_in_catalogue(folder, what, name));
  return parse(file->text, "catalog/" + std::string(file->path));
}

}  // namespace feedrate
