#include "feedrate/request/train_checkpoints.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/system_options.h"
#include "feedrate/storage/directories.h"
#include "feedrate/workload/checkpoint_tensors.h"

namespace feedrate {

void TrainCheckpointOptions::declare(OptionTable& table) {
  using enum OptionType;
  constexpr std::string_view kPrefix = "checkpoint-", kBeside = "--checkpoint-every=500steps";
  constexpr std::string_view kGroup = "Checkpoints in the middle of it";
  table.add(kGroup, {{{"--checkpoint-every", kText, "", "STEPS|TIME",
                       "500steps, or 10m of training, between two checkpoints"},
                      every_}});
  table.add(kGroup,
            {{{"--to", kDirectory, "", "", "where to write; null storage needs none"}, to_},
             {rows::kModelName.usually("what the workload trains"), model_.model},
             {rows::kScale, scale_},
             {rows::kZero, model_.zero},
             {rows::kLayout, layout_},
             {rows::kKeep.usually("2"), keep_},
             {rows::kChanged, changed_}},
            kPrefix, kBeside);
  modes_.declare(table, kPrefix, kBeside);
}

Result<std::optional<CheckpointsOfRun>> TrainCheckpointOptions::resolve(
    const TrainingSetup& setup, const RunOptions& options, const TrainingPlan& plan) const {
  if (every_.empty()) return std::optional<CheckpointsOfRun>();
  CheckpointsOfRun run;
  FEEDRATE_CHECK(resolve_every(run.checkpoints));
  FEEDRATE_CHECK(resolve_model(setup, plan, run));
  FEEDRATE_CHECK(resolve_storage(setup, options, plan, run));
  return std::optional<CheckpointsOfRun>(std::move(run));
}

Result<> TrainCheckpointOptions::resolve_every(TrainingCheckpoints& checkpoints) const {
  std::string_view text = every_;
  for (const std::string_view unit : {"steps", "step"})
    if (text.ends_with(unit)) {
      text.remove_suffix(unit.size());
      FEEDRATE_TRY(checkpoints.every_steps,
                   parse_count(std::string(trim(text)), "--checkpoint-every", 1, 1'000'000'000));
      return {};
    }
  FEEDRATE_TRY(checkpoints.every, parse_duration(every_, "--checkpoint-every"));
  if (checkpoints.every <= Duration::zero())
    return fail(ErrorKind::kUsage, fmt::format("--checkpoint-every: {} is too short", every_),
                "write it like 500steps or 10m");
  return {};
}

Result<> TrainCheckpointOptions::resolve_model(const TrainingSetup& setup, const TrainingPlan& plan,
                                               CheckpointsOfRun& run) const {
  CheckpointWriteJob& job = run.checkpoints.job;
  FEEDRATE_TRY(const std::optional<ModelShape> model,
               model_.resolve_model(model_of_workload(setup.workload.name), nullptr));
  if (!model)
    return fail(
        ErrorKind::kUsage,
        fmt::format("--checkpoint-model: no source says what model {} trains", setup.workload.name),
        fmt::format("name one of {}", fmt::join(model_names(), ", ")));
  if (!model_.zero.empty()) FEEDRATE_CHECK(parse_count(model_.zero, "--checkpoint-zero", 0, 3));
  ModelOptions ranks = model_;
  ranks.tensor = fmt::to_string(plan.tensor_parallel);
  ranks.pipeline = fmt::to_string(plan.pipeline_parallel);
  FEEDRATE_TRY(job.head.parallelism,
               ranks.resolve_parallelism(&*model, fmt::to_string(plan.accelerators()),
                                         "--accelerators", plan.accelerators()));
  if (!scale_.empty()) {
    FEEDRATE_TRY(job.head.scale, parse_fraction(scale_, "--checkpoint-scale", 1e-9, 1));
  }
  if (!changed_.empty()) {
    FEEDRATE_TRY(job.head.content.changed,
                 parse_fraction(changed_, "--checkpoint-changed", 0.001, 1));
  }
  // Two are kept by default, so that one is left when the newest turns out to be damaged.
  job.keep = 2;
  if (!keep_.empty()) {
    FEEDRATE_TRY(job.keep, parse_count(keep_, "--checkpoint-keep", 1, 1'000'000));
  }
  job.head.model = model->name;
  job.head.layout = layout_.empty() ? "safetensors" : layout_;
  job.head.content.seed = plan.seed;
  // Checkpoints are called by the step of training that they are of, where that is known before.
  job.step_stride = std::max<std::uint64_t>(1, run.checkpoints.every_steps);
  job.head.step = job.step_stride;
  auto layout = make_checkpoint_layout(job.head.layout, "--checkpoint-layout");
  if (!layout) return fail(layout.error());
  run.layout = std::move(*layout);
  job.layout = run.layout.get();
  const Precision precision = published_precision(*model);
  job.head.optimizer_bytes = precision.optimizer.value();
  std::vector<RankGroups> groups;
  for (std::uint64_t rank = 0; rank < job.head.parallelism.ranks(); ++rank)
    groups.push_back(
        {rank, checkpoint_tensors(scaled(*model, job.head.scale), job.head.parallelism, precision,
                                  place_of_rank(job.head.parallelism, rank))});
  job.ranks = run.layout->place(groups);
  run.described.model = model->name;
  run.described.ranks = job.ranks.size();
  run.described.layout = job.head.layout;
  run.described.every = run.checkpoints.every_steps > 0
                            ? format_counted(run.checkpoints.every_steps, "step")
                            : format_duration(run.checkpoints.every);
  return {};
}

Result<> TrainCheckpointOptions::resolve_storage(const TrainingSetup& setup,
                                                 const RunOptions& options,
                                                 const TrainingPlan& plan,
                                                 CheckpointsOfRun& run) const {
  CheckpointWriteJob& job = run.checkpoints.job;
  const bool moves_data =
      setup.place.spec.facts.carries_data && setup.world.clock == ClockKind::kReal;
  if (to_.empty() && moves_data)
    return fail(ErrorKind::kUsage, "--checkpoint-to: no directory is named for the checkpoints",
                "add --checkpoint-to=DIRECTORY");
  for (const auto& [flag, value] :
       {std::pair{"--checkpoint-to", &to_}, std::pair{"--checkpoint-keep", &keep_}})
    if (!moves_data && !value->empty())
      return fail(ErrorKind::kUsage,
                  fmt::format("{}: {} has no use on storage '{}', which keeps nothing", flag,
                              *value, setup.place.spec.word),
                  "leave it out, or write to a directory with --storage=posix");
  if (!moves_data && !modes_.incremental && !changed_.empty())
    return fail(ErrorKind::kUsage,
                fmt::format("--checkpoint-changed: {} has no use where nothing is kept and each "
                            "checkpoint is written whole",
                            changed_),
                "leave it out, or add --checkpoint-incremental");
  job.directory = to_.empty() ? "checkpoints" : to_;
  FEEDRATE_CHECK(modes_.resolve(moves_data, job));
  FEEDRATE_TRY(const IoMode wanted, parse_io_mode(options.io, "--io"));
  // A described storage has one limit for training and checkpoints, so the run's own storage is
  // used there.
  if (moves_data && !setup.place.spec.facts.described) {
    const std::string directory = existing_directory(job.directory);
    FEEDRATE_TRY(const IoMode mode, resolve_io_mode(wanted, directory));
    run.checkpoints.storage = make_storage_factory(setup.place.spec, mode, directory, plan.seed);
  }
  FEEDRATE_TRY(const std::optional<StoragePlace> local, modes_.local_place(moves_data, wanted));
  if (local) run.checkpoints.local = local->make_storage(plan.seed + 1);
  RunCheckpoints& described = run.described;
  described.directory = to_;
  described.mode = job.asynchronous ? "asynchronous" : "synchronous";
  if (job.head.sum_block_bytes > 0) described.mode += ", incremental";
  if (!job.local.empty()) described.mode += ", two levels";
  return {};
}

}  // namespace feedrate
