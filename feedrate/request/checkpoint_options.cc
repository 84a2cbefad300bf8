#include "feedrate/request/checkpoint_options.h"

#include <fmt/format.h>

#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/workload/checkpoint_tensors.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kCountMax = 1'000'000;
constexpr Duration kEveryLeast = std::chrono::milliseconds(1);

}  // namespace

void CheckpointOptions::declare(OptionTable& table) {
  using enum OptionType;
  table.add("",
            {{{"model", kModel, "", "",
               "a model of the catalogue, its YAML file, or a directory with files of your "
               "own"},
              name_},
             {{"directory", kDirectory, "", "", "where to write; made if missing"}, directory_}});
  table.add(
      "Model and its parallelism",
      {{rows::kRanks.usually("the published job's, or 1"), ranks_},
       {rows::kTensorParallel, options_.tensor},
       {rows::kPipelineParallel, options_.pipeline},
       {rows::kDataParallel, options_.data},
       {rows::kZero, options_.zero},
       {rows::kBytesPerParameter, options_.bytes_per_parameter},
       {rows::kWeightBytes.within(kTensorBytes), options_.weight_bytes},
       {{"--weights-only", kFlag, "", "", "the final model: no state of the optimizer"},
        weights_only_},
       {{"--subset", kCount, "all", "1 to --ranks", "write the first so many ranks only"}, subset_},
       {rows::kScale, scale_}});
  table.add(
      "Checkpoints",
      {{rows::kLayout, layout_},
       {{"--count", kCount, "1", "1 to 1000000", "how many checkpoints"}, count_},
       {{"--every", kDuration, "", "",
         "time of training between two; default: none, with --mtbf the best by Daly's "
         "formula"},
        every_},
       {{"--step-stride", kCount, "1", "1 to 1000000000", "steps from one checkpoint to the next"},
        stride_},
       {rows::kKeep, keep_},
       {rows::kChanged, changed_},
       {rows::kSeed, seed_}});
  modes_.declare(table, "", "");
  goodput_.declare(table);
  system_.declare(table);
}

Result<CheckpointSetup> CheckpointOptions::resolve_beside() const {
  if (goodput_.wanted())
    return fail(ErrorKind::kUsage, "--mtbf: a run that fails has no job beside it",
                "leave --mtbf out");
  if (every_.empty() && count_.empty())
    return fail(ErrorKind::kUsage, "--every: beside another job checkpoints need their interval",
                "add --every=5m, or say with --count how many there are");
  FEEDRATE_TRY(CheckpointSetup setup, resolve_setup(true));
  if (count_.empty() && setup.job.between < kEveryLeast)
    return fail(
        ErrorKind::kUsage,
        fmt::format("--every: {} is too short beside another job, at least 1ms is needed", every_),
        "write it like 5m");
  return setup;
}

Result<CheckpointSetup> CheckpointOptions::resolve_setup(bool beside) const {
  CheckpointSetup setup;
  CheckpointWriteJob& job = setup.job;
  FEEDRATE_CHECK(resolve_job(job));
  // It ends with the first job, so its own number of checkpoints must not be reached before.
  if (beside && count_.empty()) {
    job.count = kCountMax;
    job.train_first = true;
  }
  if (is_data()) {
    FEEDRATE_CHECK(resolve_data(job));
  }
  FEEDRATE_TRY(setup.layout, make_checkpoint_layout(job.head.layout));
  job.layout = setup.layout.get();
  setup.model = job.head.model;
  setup.title = "files of your own";
  if (!is_data()) {
    FEEDRATE_TRY(const ModelShape model, resolve_model(job));
    FEEDRATE_CHECK(place_files(model, job));
    setup.model = model.name;
    setup.title = model.title;
  }
  FEEDRATE_TRY(static_cast<TransferSetup&>(setup),
               system_.resolve(directory_, is_data() ? job.data_ranks : job.ranks.size()));
  job.block_bytes = setup.block_bytes;
  job.writes_at_once = setup.at_once;
  const StorageFacts& facts = setup.place.spec.facts;
  if (is_data() && !facts.carries_data)
    return fail(ErrorKind::kUsage, "--storage: your own files are not simulated",
                "name a model instead of a directory, or leave out --storage and --clock");
  FEEDRATE_CHECK(resolve_modes(setup));
  FEEDRATE_CHECK(check_effects(setup));
  FEEDRATE_CHECK(goodput_.check(!count_.empty(), facts.persists, setup.world.clock));
  if (!facts.persists && !facts.takes_time && setup.world.clock == ClockKind::kReal)
    return fail(ErrorKind::kUsage,
                fmt::format("--storage: '{}' keeps nothing and takes no time, so that a checkpoint "
                            "there measures nothing",
                            system_.storage),
                "add --clock=virtual to simulate it, or write to a directory with "
                "--storage=posix");
  return setup;
}

// How checkpoints are taken, and the node-local level.
Result<> CheckpointOptions::resolve_modes(CheckpointSetup& setup) const {
  const bool moves_data = setup.place.carries_data();
  FEEDRATE_CHECK(modes_.resolve(moves_data, setup.job));
  FEEDRATE_TRY(const IoMode wanted, parse_io_mode(system_.io, "--io"));
  FEEDRATE_TRY(const std::optional<StoragePlace> local, modes_.local_place(moves_data, wanted));
  if (!local) return {};
  setup.local = local->make_storage(setup.job.head.content.seed + 1);
  setup.local_storage = local->spec.word;
  return {};
}

// Returns whether a user's directory is meant, and no model of the catalogue.
bool CheckpointOptions::is_data() const {
  std::error_code error;
  return !find_model(name_) && std::filesystem::is_directory(name_, error);
}

// Fails for options that would change nothing as things are.
Result<> CheckpointOptions::check_effects(const CheckpointSetup& setup) const {
  const CheckpointWriteJob& job = setup.job;
  const bool moves_data = setup.place.carries_data(), incremental = job.head.sum_block_bytes > 0;
  const auto no_use = [](const char* flag, const std::string& value, std::string_view where) {
    return fail(ErrorKind::kUsage, fmt::format("{}: {} has no use {}", flag, value, where),
                "leave it out");
  };
  if (!moves_data && !keep_.empty()) return no_use("--keep", keep_, "where nothing is kept");
  if (!moves_data && !incremental && !changed_.empty())
    return no_use("--changed", changed_,
                  "where nothing is kept and each checkpoint is written whole");
  if (!moves_data && !incremental && !stride_.empty())
    return no_use("--step-stride", stride_,
                  "where nothing is kept: steps are the names of what is kept");
  if (goodput_.wanted()) return {};
  if (!moves_data && !incremental && !setup.place.spec.facts.described && !seed_.empty())
    return no_use("--seed", seed_, "where nothing is drawn: no content, and no latency");
  if (job.count == 1 && !every_.empty())
    return no_use("--every", every_, "with one checkpoint: there is no training between two");
  if (job.count == 1 && !incremental && !changed_.empty())
    return no_use("--changed", changed_, "with one whole checkpoint: all of it is written");
  return {};
}

// Returns the options that have no use for a user's own files.
std::vector<std::pair<const char*, const std::string*>> CheckpointOptions::options_of_models()
    const {
  return {{"--tensor-parallel", &options_.tensor},
          {"--pipeline-parallel", &options_.pipeline},
          {"--data-parallel", &options_.data},
          {"--zero", &options_.zero},
          {"--bytes-per-parameter", &options_.bytes_per_parameter},
          {"--weight-bytes", &options_.weight_bytes},
          {"--subset", &subset_},
          {"--scale", &scale_},
          {"--layout", &layout_},
          {"--changed", &changed_},
          {"--seed", &seed_}};
}

Result<> CheckpointOptions::resolve_data(CheckpointWriteJob& job) const {
  if (weights_only_)
    return fail(ErrorKind::kUsage, "--weights-only has no use with files of your own",
                "leave it out, or name a model instead of a directory");
  for (const auto& [flag, value] : options_of_models())
    if (!value->empty())
      return fail(ErrorKind::kUsage,
                  fmt::format("{}: {} has no use with files of your own", flag, *value),
                  "leave it out, or name a model instead of a directory");
  job.data = name_;
  job.head.model = std::filesystem::path(name_).lexically_normal().filename().string();
  if (job.head.model.empty()) job.head.model = name_;
  job.head.layout = "raw";
  if (!ranks_.empty()) {
    FEEDRATE_TRY(job.data_ranks, parse_count(ranks_, "--ranks", 1, 1'000'000));
  }
  job.head.parallelism.data = job.data_ranks;
  return {};
}

Result<ModelShape> CheckpointOptions::resolve_model(CheckpointWriteJob& job) const {
  FEEDRATE_TRY(const ModelShape model,
               read_described(name_, "model file", find_model, parse_model));
  const std::uint64_t published = model.parallelism.ranks();
  FEEDRATE_TRY(job.head.parallelism,
               options_.resolve_parallelism(&model, ranks_, "--ranks", published));
  std::string source;
  FEEDRATE_TRY(const Precision precision, options_.resolve_precision(model, source));
  const double weights = precision.weights.value();
  FEEDRATE_CHECK(check_tensor_bytes(weights));
  job.head.weight_bytes = weights;
  job.head.optimizer_bytes = weights_only_ ? 0 : precision.optimizer.value();
  if (weights_only_ && !options_.bytes_per_parameter.empty())
    return fail(ErrorKind::kUsage,
                fmt::format("--bytes-per-parameter: {} has no use with --weights-only",
                            options_.bytes_per_parameter),
                "use --weight-bytes");
  if (!scale_.empty()) {
    FEEDRATE_TRY(job.head.scale, parse_fraction(scale_, "--scale", 1e-9, 1));
  }
  job.head.model = model.name;
  return scaled(model, job.head.scale);
}

Result<> CheckpointOptions::resolve_job(CheckpointWriteJob& job) const {
  job.directory = directory_;
  job.head.layout = layout_.empty() ? "safetensors" : layout_;
  job.head.step = 1;
  if (!count_.empty()) {
    FEEDRATE_TRY(job.count, parse_count(count_, "--count", 1, kCountMax));
  }
  if (!stride_.empty()) {
    FEEDRATE_TRY(job.step_stride, parse_count(stride_, "--step-stride", 1, 1'000'000'000));
  }
  job.head.step = job.step_stride;
  if (!keep_.empty()) {
    FEEDRATE_TRY(job.keep, parse_count(keep_, "--keep", 1, 1'000'000));
  }
  if (!every_.empty()) {
    FEEDRATE_TRY(job.between, parse_duration(every_, "--every"));
  }
  if (!changed_.empty()) {
    FEEDRATE_TRY(job.head.content.changed, parse_fraction(changed_, "--changed", 0.001, 1));
  }
  if (!seed_.empty()) {
    FEEDRATE_TRY(job.head.content.seed, parse_count(seed_, "--seed", 0, UINT64_MAX));
  }
  return {};
}

Result<> CheckpointOptions::place_files(const ModelShape& model, CheckpointWriteJob& job) const {
  const Parallelism& parallel = job.head.parallelism;
  std::uint64_t subset = parallel.ranks();
  if (!subset_.empty()) {
    FEEDRATE_TRY(subset, parse_count(subset_, "--subset", 1, parallel.ranks()));
  }
  place_tensors(model, subset, job);
  return {};
}

}  // namespace feedrate
