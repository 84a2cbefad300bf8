#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/workload/catalogue_data.h"
#include "feedrate/workload/workload.h"

namespace feedrate {
namespace {

constexpr std::string_view kFolder = "workloads/";
constexpr std::string_view kExtension = ".yaml";

}  // namespace

std::vector<std::string> catalogue_folder(std::string_view folder) {
  std::vector<std::string> names;
  for (const CatalogueFile& file : catalogue_files()) {
    if (!file.path.starts_with(folder)) continue;
    const std::string_view name = file.path.substr(folder.size());
    names.emplace_back(name.substr(0, name.size() - kExtension.size()));
  }
  return names;
}

const CatalogueFile* find_catalogue_file(std::string_view folder, std::string_view name) {
  const std::string path = fmt::format("{}{}{}", folder, name, kExtension);
  for (const CatalogueFile& file : catalogue_files())
    if (file.path == path) return &file;
  return nullptr;
}

Error unknown_in_catalogue(std::string_view folder, std::string_view what, std::string_view name) {
  const std::vector<std::string> names = catalogue_folder(folder);
  return {ErrorKind::kUsage,
          fmt::format("unknown {} '{}'{}", what, name, did_you_mean(name, names)),
          fmt::format("use one of {}, or the path of a YAML file", fmt::join(names, ", "))};
}

std::vector<std::string> catalogue_names() { return catalogue_folder(kFolder); }

Result<Workload> find_workload(std::string_view name) {
  const CatalogueFile* file = find_catalogue_file(kFolder, name);
  if (file != nullptr) return parse_workload(file->text, fmt::format("catalog/{}", file->path));
  const std::vector<std::string> names = catalogue_names();
  return fail(ErrorKind::kUsage,
              fmt::format("unknown workload '{}'{}", name, did_you_mean(name, names)),
              "'feedrate workloads' lists them; the path of a YAML file works too");
}

}  // namespace feedrate
