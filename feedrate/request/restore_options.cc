#include "feedrate/request/restore_options.h"

#include <fmt/format.h>

#include "feedrate/base/units.h"
#include "feedrate/options/option_rows.h"

namespace feedrate {

void RestoreOptions::declare(OptionTable& table) {
  using enum OptionType;
  table.add(
      "", {{{"directory", kDirectory, "", "", "that 'feedrate checkpoint' wrote to"}, directory_}});
  table.add("Checkpoints",
            {{rows::kStep, step_},
             {{"--no-verify", kFlag, "", "", "read the bytes without checking them"}, no_verify_},
             {rows::kLocal, local_}});
  constexpr std::string_view kWritten = "as written";
  table.add("Onto another topology: each rank reads just what it needs",
            {{rows::kRanks.usually(kWritten), ranks_},
             {rows::kTensorParallel.usually(kWritten), options_.tensor},
             {rows::kPipelineParallel.usually(kWritten), options_.pipeline},
             {rows::kDataParallel, options_.data},
             {rows::kZero.usually(kWritten), options_.zero},
             {rows::kModelName.usually(kWritten), options_.model}});
  system_.declare(table);
}

Result<RestoreSetup> RestoreOptions::resolve() const {
  RestoreSetup setup;
  CheckpointRestoreJob& job = setup.job;
  job.directory = directory_;
  job.local = local_;
  job.verify = !no_verify_;
  FEEDRATE_CHECK(resolve_topology(job));
  if (!step_.empty()) {
    FEEDRATE_TRY(job.step, parse_count(step_, "--step", 0, UINT64_MAX));
  }
  // The number of ranks is in a manifest that is not read yet, so it limits no threads here.
  FEEDRATE_TRY(static_cast<TransferSetup&>(setup), system_.resolve(directory_, UINT64_MAX));
  FEEDRATE_CHECK(check_kept(setup, directory_, "restore"));
  return setup;
}

Result<> RestoreOptions::resolve_topology(CheckpointRestoreJob& job) const {
  const bool other = !ranks_.empty() || !options_.tensor.empty() || !options_.pipeline.empty() ||
                     !options_.data.empty() || !options_.zero.empty();
  if (!other && !options_.model.empty())
    return fail(
        ErrorKind::kUsage,
        fmt::format("--model: {} has no use where every rank reads what it wrote", options_.model),
        "add --tensor-parallel or others of the job that reads, or leave it out");
  if (!other) return {};
  // Checked now, so that a mistake is told before anything is read, and again once the manifest
  // tells what was not given.
  FEEDRATE_CHECK(options_.resolve_parallelism(nullptr, ranks_, "--ranks", 1));
  job.topology = [options = options_,
                  ranks = ranks_](const CheckpointManifest& manifest) -> Result<Parallelism> {
    ModelOptions all = options;
    const Parallelism& wrote = manifest.parallelism;
    if (all.tensor.empty()) all.tensor = fmt::to_string(wrote.tensor);
    if (all.pipeline.empty()) all.pipeline = fmt::to_string(wrote.pipeline);
    if (all.data.empty() && ranks.empty()) all.data = fmt::to_string(wrote.data);
    if (all.zero.empty()) all.zero = fmt::to_string(wrote.zero_stage);
    return all.resolve_parallelism(nullptr, ranks, "--ranks", 1);
  };
  job.model = [given = options_.model](const CheckpointManifest& manifest) {
    const std::string& name = given.empty() ? manifest.model : given;
    return read_described(name, "model file", find_model, parse_model);
  };
  return {};
}

}  // namespace feedrate
