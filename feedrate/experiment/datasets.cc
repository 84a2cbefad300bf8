#include "feedrate/experiment/datasets.h"

#include "feedrate/base/units.h"
#include "feedrate/storage/directories.h"

namespace feedrate {

Result<GenerateSummary> write_dataset(const Dataset& dataset, unsigned jobs,
                                      GenerateProgress& progress, const RunHooks& hooks) {
  FEEDRATE_CHECK(check_takes_dataset(dataset));
  const std::string parent = existing_directory(dataset.directory());
  FEEDRATE_TRY(World world, World::make({.threads = available_cores()}));
  const std::shared_ptr<void> watching = hooks.watch ? hooks.watch(world.group()) : nullptr;
  // Writes are direct where that works, because the page cache would fill up with a data set that
  // is to be read from storage.
  const IoMode mode = probe_direct_io(parent).works ? IoMode::kDirect : IoMode::kBuffered;
  const StorageFactory storage = world.storage({local_files(), mode, parent}, 0);
  const NewDirectories made(dataset.directory());
  Result<GenerateSummary> summary =
      generate_dataset(world.group(), storage, dataset, {.jobs = jobs}, progress, hooks.stop);
  if (!summary) made.remove_empty();
  return summary;
}

DatagenResult report_dataset(const Workload& workload, const Dataset& dataset,
                             const Result<GenerateSummary>* written,
                             const GenerateProgress& progress) {
  DatagenResult result;
  result.verb = "datagen";
  result.workload = workload.name;
  result.title = workload.title;
  const DatasetPlan& plan = *dataset.plan();
  result.dataset = {dataset.directory(), plan.format, dataset.files(), dataset.samples(),
                    dataset.bytes()};
  result.dry_run = written == nullptr;
  if (result.dry_run) result.files_written = 0;
  result.seeds["content"] = plan.seed;
  result.place.directory = dataset.directory();
  result.effective["size"] = format_bytes(dataset.bytes());
  result.effective["subfolders"] = std::to_string(plan.folders);
  if (written == nullptr) return result;
  result.bytes_written = progress.bytes_written;
  result.files_kept = progress.files_kept;
  if (!*written) return result;
  result.files_written = (*written)->files_written;
  result.effective["jobs"] = std::to_string((*written)->jobs);
  result.seconds = to_seconds((*written)->elapsed);
  return result;
}

}  // namespace feedrate
