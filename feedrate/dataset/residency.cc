#include "feedrate/dataset/residency.h"

namespace feedrate {

FileList files_of(const Dataset& dataset) {
  const std::uint64_t files = dataset.files();
  const std::uint64_t sides = dataset.has_side_files() ? files : 0;
  const std::uint64_t manifests = dataset.label_manifest().path.empty() ? 0 : 1;
  return {files + sides + manifests, [&dataset, files, sides](std::uint64_t number) {
            if (number < files) return dataset.full_path(number);
            const std::string path = number < files + sides ? dataset.side_file(number - files).path
                                                            : dataset.label_manifest().path;
            return path.empty() ? path : dataset.resolve(path);
          }};
}

ResidencySummary dataset_residency(const Dataset& dataset, std::uint64_t files_max) {
  return files_residency(files_of(dataset), files_max);
}

DropSummary drop_page_cache(const Dataset& dataset, const std::stop_token& stop) {
  return drop_files(files_of(dataset), stop);
}

}  // namespace feedrate
