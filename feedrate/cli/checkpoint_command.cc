#include <fmt/format.h>

#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/checkpoint/restore.h"
#include "feedrate/checkpoint/write.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/output.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/report.h"
#include "feedrate/cli/stuck_reporter.h"
#include "feedrate/experiment/together.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/options/settings.h"
#include "feedrate/request/checkpoint_modes.h"
#include "feedrate/request/directories.h"
#include "feedrate/request/goodput_options.h"
#include "feedrate/request/model_options.h"
#include "feedrate/request/system_options.h"
#include "feedrate/result/checkpoint_result.h"

namespace feedrate {
namespace {

void describe_parallelism(const Parallelism& used, Settings& settings) {
  settings["ranks"] = std::to_string(used.ranks());
  settings["tensor-parallel"] = std::to_string(used.tensor);
  settings["pipeline-parallel"] = std::to_string(used.pipeline);
  settings["data-parallel"] = std::to_string(used.data);
  settings["zero"] = std::to_string(used.zero_stage);
}

void add_parallelism(const Parallelism& parallel, CheckpointResult& result) {
  result.tensor = parallel.tensor;
  result.pipeline = parallel.pipeline;
  result.data = parallel.data;
  result.zero_stage = parallel.zero_stage;
}

constexpr std::uint64_t kCountMax = 1'000'000;
constexpr Duration kEveryLeast = std::chrono::milliseconds(1);

std::vector<RankTimeResult> rank_times(const std::vector<RankTime>& times) {
  std::vector<RankTimeResult> result;
  for (const RankTime& time : times)
    result.push_back({time.rank, time.bytes, to_seconds(time.elapsed)});
  return result;
}

// Begins the result of checkpoint or restore with what is known before the work.
CheckpointResult begin_result(const SystemOptions& options, const System& system,
                              const std::string& directory) {
  CheckpointResult result;
  describe_system(options, system, directory, result);
  result.block_bytes = system.block;
  result.at_once = system.at_once;
  result.threads = system.threads;
  result.kept_on = system.spec.facts.persists ? quote_path(directory) : "";
  return result;
}

// Shows the result; `ended` says how the work ended.
Result<int> show(const CommandContext& context, const Result<>& ended, std::string_view verb,
                 CheckpointResult& result, const ResultTarget& json) {
  if (verb == "checkpoint") result.effective["layout"] = result.layout;
  if (!ended)
    return report_failure(context, verb, result, ended.error(), !result.passes.empty(), json);
  fill_envelope(context, verb, result);
  FEEDRATE_CHECK(show_report(result, json));
  return 0;
}

class CheckpointCommand final : public JobCommand {
 public:
  void declare(OptionTable& table) override {
    using enum OptionType;
    table.add("",
              {{{"model", kModel, "", "",
                 "a model of the catalogue, its YAML file, or a directory with files of your "
                 "own"},
                name_},
               {{"directory", kDirectory, "", "", "where to write; made if missing"}, directory_}});
    table.add("Model and its parallelism",
              {{rows::kRanks.usually("the published job's, or 1"), ranks_},
               {rows::kTensorParallel, options_.tensor},
               {rows::kPipelineParallel, options_.pipeline},
               {rows::kDataParallel, options_.data},
               {rows::kZero, options_.zero},
               {rows::kBytesPerParameter, options_.bytes_per_parameter},
               {rows::kWeightBytes.within(kTensorBytes), options_.weight_bytes},
               {{"--weights-only", kFlag, "", "", "the final model: no state of the optimizer"},
                weights_only_},
               {{"--subset", kCount, "all", "1 to --ranks", "write the first so many ranks only"},
                subset_},
               {rows::kScale, scale_}});
    table.add("Checkpoints",
              {{rows::kLayout, layout_},
               {{"--count", kCount, "1", "1 to 1000000", "how many checkpoints"}, count_},
               {{"--every", kDuration, "", "",
                 "time of training between two; default: none, with --mtbf the best by Daly's "
                 "formula"},
                every_},
               {{"--step-stride", kCount, "1", "1 to 1000000000",
                 "steps from one checkpoint to the next"},
                stride_},
               {rows::kKeep, keep_},
               {rows::kChanged, changed_},
               {rows::kSeed, seed_}});
    modes_.declare(table, "", "");
    goodput_.declare(table);
    system_.declare(table);
  }

  Result<int> run(const CommandContext& given) override {
    CommandContext context = given;
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(system_.json, "--json", context.stop));
    // A user's own files have no tensors, so the defaults of these options would say nothing.
    if (is_data())
      for (const auto& [flag, value] : options_of_models()) context.settings.erase(flag + 2);
    System system;
    FEEDRATE_TRY(const CheckpointSetup setup, resolve(system, false));
    const GoodputSetting setting{
        [&system] { return ReactorGroup::make(system.clock, system.engine, system.threads); },
        system.storage, setup.local};
    if (goodput_.wanted()) {
      GoodputResult goodput;
      const Result<CheckpointWriteSummary> summary =
          goodput_.run(setting, setup.job, system.carries_data, context.stop, goodput);
      CheckpointResult result =
          report_checkpoints(setup, summary ? *summary : CheckpointWriteSummary());
      if (summary) result.goodput = goodput;
      return show(context, summary ? Result<>() : fail(summary.error()), "checkpoint", result,
                  json);
    }
    FEEDRATE_TRY(auto group, setting.make_group());
    const StuckReporter stuck(*group);
    const NewDirectories made(directory_);
    CheckpointProgress progress;
    CheckpointWriteSummary before_error;
    Result<CheckpointWriteSummary> summary = fail(ErrorKind::kCancelled, "");
    {
      const ProgressLine line(
          context.quiet, [&progress] { return checkpoint_progress_text("written", progress); });
      summary = write_checkpoints(*group, system.storage, setup.local, setup.job, progress,
                                  context.stop, &before_error);
    }
    // A run that wrote nothing leaves no directory of ours behind.
    if (!summary) made.remove_empty(kCheckpointsMarker);
    CheckpointResult result = report_checkpoints(setup, summary ? *summary : before_error);
    describe_group(*group, result);
    return show(context, summary ? Result<>() : fail(summary.error()), "checkpoint", result, json);
  }

  Result<JobSetup> beside(const CommandContext& /*context*/) override {
    if (goodput_.wanted())
      return fail(ErrorKind::kUsage, "--mtbf: a run that fails has no job beside it",
                  "leave --mtbf out");
    if (every_.empty() && count_.empty())
      return fail(ErrorKind::kUsage, "--every: beside another job checkpoints need their interval",
                  "add --every=5m, or say with --count how many there are");
    System system;
    FEEDRATE_TRY(CheckpointSetup setup, resolve(system, true));
    if (count_.empty() && setup.job.between < kEveryLeast)
      return fail(ErrorKind::kUsage,
                  fmt::format("--every: {} is too short beside another job, at least 1ms is needed",
                              every_),
                  "write it like 5m");
    return JobSetup{"", std::move(setup)};
  }

 private:
  // Resolves everything that the words say. `beside` is for a job that goes on for as long as
  // another one.
  Result<CheckpointSetup> resolve(System& system, bool beside) const {
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
      FEEDRATE_CHECK(place(model, job));
      setup.model = model.name;
      setup.title = model.title;
    }
    const std::uint64_t ranks = is_data() ? job.data_ranks : job.ranks.size();
    FEEDRATE_TRY(system, resolve_system(system_, directory_, ranks, job.head.content.seed));
    if (is_data() && !system.carries_data)
      return fail(ErrorKind::kUsage, "--storage: your own files are not simulated",
                  "name a model instead of a directory, or leave out --storage and --clock");
    FEEDRATE_CHECK(modes_.resolve(system.carries_data, job));
    FEEDRATE_TRY(setup.local, modes_.local_factory(system.carries_data, system.wanted_io,
                                                   job.head.content.seed));
    job.block_bytes = system.block;
    job.writes_at_once = system.at_once;
    FEEDRATE_CHECK(check_effects(job, system));
    FEEDRATE_CHECK(goodput_.check(!count_.empty(), system.spec.facts.persists, system.clock));
    const StorageFacts& facts = system.spec.facts;
    if (!facts.persists && !facts.takes_time && system.clock == ClockKind::kReal)
      return fail(ErrorKind::kUsage,
                  fmt::format("--storage: '{}' keeps nothing and takes no time, so that a "
                              "checkpoint there measures nothing",
                              system_.storage),
                  "add --clock=virtual to simulate it, or write to a directory with "
                  "--storage=posix");
    setup.place = {system.spec, system.io, existing_directory(directory_)};
    setup.world = {system.clock, system.engine, system.threads};
    setup.begun = begin_result(system_, system, directory_);
    describe_parallelism(job.head.parallelism, setup.begun.effective);
    if (job.data.empty()) {
      setup.begun.effective["weight-bytes"] = fmt::format("{}", job.head.weight_bytes);
      setup.begun.effective["bytes-per-parameter"] =
          fmt::format("{}", job.head.weight_bytes + job.head.optimizer_bytes);
    }
    return setup;
  }

  // Returns whether a user's directory is meant, and no model of the catalogue.
  bool is_data() const {
    std::error_code error;
    return !find_model(name_) && std::filesystem::is_directory(name_, error);
  }

  // Fails for options that would change nothing as things are.
  Result<> check_effects(const CheckpointWriteJob& job, const System& system) const {
    const bool moves_data = system.carries_data, incremental = job.head.sum_block_bytes > 0;
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
    if (!moves_data && !incremental && !system.spec.facts.described && !seed_.empty())
      return no_use("--seed", seed_, "where nothing is drawn: no content, and no latency");
    if (job.count == 1 && !every_.empty())
      return no_use("--every", every_, "with one checkpoint: there is no training between two");
    if (job.count == 1 && !incremental && !changed_.empty())
      return no_use("--changed", changed_, "with one whole checkpoint: all of it is written");
    return {};
  }

  // Returns the options that have no use for a user's own files.
  std::vector<std::pair<const char*, const std::string*>> options_of_models() const {
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

  Result<> resolve_data(CheckpointWriteJob& job) const {
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

  Result<ModelShape> resolve_model(CheckpointWriteJob& job) const {
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

  Result<> resolve_job(CheckpointWriteJob& job) const {
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

  Result<> place(const ModelShape& model, CheckpointWriteJob& job) const {
    const Parallelism& parallel = job.head.parallelism;
    std::uint64_t subset = parallel.ranks();
    if (!subset_.empty()) {
      FEEDRATE_TRY(subset, parse_count(subset_, "--subset", 1, parallel.ranks()));
    }
    const Precision precision{Bytes(job.head.weight_bytes), Bytes(job.head.optimizer_bytes)};
    std::vector<RankGroups> groups;
    for (std::uint64_t rank = 0; rank < subset; ++rank)
      groups.push_back(
          {rank, checkpoint_tensors(model, parallel, precision, place_of_rank(parallel, rank))});
    job.ranks = job.layout->place(groups);
    return {};
  }

  ModelOptions options_;
  CheckpointModeOptions modes_;
  GoodputOptions goodput_;
  bool weights_only_ = false;
  SystemOptions system_;
  std::string name_, directory_, ranks_, subset_, scale_, layout_, count_, every_, stride_, keep_,
      changed_, seed_;
};

class RestoreCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    using enum OptionType;
    table.add("", {{{"directory", kDirectory, "", "", "that 'feedrate checkpoint' wrote to"},
                    directory_}});
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

  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(system_.json, "--json", context.stop));
    CheckpointRestoreJob job;
    job.directory = directory_;
    job.local = local_;
    job.verify = !no_verify_;
    FEEDRATE_CHECK(resolve_topology(job));
    if (!step_.empty()) {
      FEEDRATE_TRY(job.step, parse_count(step_, "--step", 0, UINT64_MAX));
    }
    // The number of ranks is in a manifest that is not read yet, so it limits no threads here.
    FEEDRATE_TRY(System system, resolve_system(system_, directory_, UINT64_MAX));
    FEEDRATE_CHECK(check_kept(system, system_.storage, "restore"));
    job.block_bytes = system.block;
    job.reads_at_once = system.at_once;
    if (system.io != IoMode::kDirect)
      system.warnings.emplace_back(
          "reads go through the page cache: what this host's memory holds did not come from "
          "storage");
    FEEDRATE_TRY(auto group, ReactorGroup::make(system.clock, system.engine, system.threads));
    const StuckReporter stuck(*group);
    CheckpointProgress progress;
    Result<CheckpointRestoreSummary> summary = fail(ErrorKind::kCancelled, "");
    {
      const ProgressLine line(context.quiet,
                              [&progress] { return checkpoint_progress_text("read", progress); });
      summary = restore_checkpoint(*group, system.storage, job, progress, context.stop);
    }
    CheckpointResult result = begin_result(system_, system, directory_);
    describe_group(*group, result);
    if (!summary) return show(context, fail(summary.error()), "restore", result, json);
    fill(*summary, result);
    result.verified = job.verify;
    return show(context, {}, "restore", result, json);
  }

 private:
  Result<> resolve_topology(CheckpointRestoreJob& job) const {
    const bool other = !ranks_.empty() || !options_.tensor.empty() || !options_.pipeline.empty() ||
                       !options_.data.empty() || !options_.zero.empty();
    if (!other && !options_.model.empty())
      return fail(ErrorKind::kUsage,
                  fmt::format("--model: {} has no use where every rank reads what it wrote",
                              options_.model),
                  "add --tensor-parallel or others of the job that reads, or leave it out");
    if (!other) return {};
    // Checked now, so that a mistake is told before anything is read, and again once the manifest
    // tells what was not given.
    FEEDRATE_CHECK(options_.resolve_parallelism(nullptr, ranks_, "--ranks", 1));
    job.topology = [this](const CheckpointManifest& manifest) -> Result<Parallelism> {
      ModelOptions all = options_;
      const Parallelism& wrote = manifest.parallelism;
      if (all.tensor.empty()) all.tensor = fmt::to_string(wrote.tensor);
      if (all.pipeline.empty()) all.pipeline = fmt::to_string(wrote.pipeline);
      if (all.data.empty() && ranks_.empty()) all.data = fmt::to_string(wrote.data);
      if (all.zero.empty()) all.zero = fmt::to_string(wrote.zero_stage);
      return all.resolve_parallelism(nullptr, ranks_, "--ranks", 1);
    };
    job.model = [this](const CheckpointManifest& manifest) {
      const std::string& name = options_.model.empty() ? manifest.model : options_.model;
      return read_described(name, "model file", find_model, parse_model);
    };
    return {};
  }

  static void fill(const CheckpointRestoreSummary& summary, CheckpointResult& result) {
    const CheckpointManifest& manifest = summary.manifest;
    result.model = manifest.model;
    result.title = fmt::format("step {}", manifest.step);
    result.layout = manifest.layout;
    add_parallelism(manifest.parallelism, result);
    describe_parallelism(summary.topology, result.effective);
    result.scale = manifest.scale;
    result.ranks_written = manifest.ranks.size();
    for (const RankRecord& rank : manifest.ranks) result.files += rank.files.size();
    result.incremental = manifest.parent.has_value();
    result.steps_read = summary.steps_read;
    result.kept_on = quote_path(summary.directory);
    result.effective["step"] = std::to_string(manifest.step);
    if (summary.other_topology) {
      const Parallelism& by = summary.topology;
      result.read_by = fmt::format("tensor {} x pipeline {} x data {} = {} ranks, ZeRO {}",
                                   by.tensor, by.pipeline, by.data, by.ranks(), by.zero_stage);
      result.needed_bytes = summary.needed_bytes;
    }
    CheckpointPass pass;
    pass.step = manifest.step;
    pass.bytes = pass.stored_bytes = summary.bytes;
    pass.seconds = to_seconds(summary.elapsed);
    pass.ranks = rank_times(summary.ranks);
    pass.summarise();
    result.passes.push_back(std::move(pass));
    result.read_latency = summarise_latency(summary.read_latency);
    for (const SkippedCheckpoint& skipped : summary.skipped)
      result.skipped.push_back(fmt::format("step {}: {}", skipped.step, skipped.reason));
  }

  ModelOptions options_;
  SystemOptions system_;
  std::string directory_, step_, local_, ranks_;
  bool no_verify_ = false;
};

}  // namespace

std::unique_ptr<Command> make_checkpoint_command() { return std::make_unique<CheckpointCommand>(); }
std::unique_ptr<Command> make_restore_command() { return std::make_unique<RestoreCommand>(); }

}  // namespace feedrate
