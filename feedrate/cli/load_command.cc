#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/checkpoint/data_files.h"
#include "feedrate/checkpoint/load.h"
#include "feedrate/checkpoint/restore.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/report.h"
#include "feedrate/cli/stuck_reporter.h"
#include "feedrate/host/proc_files.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/checkpoint_modes.h"
#include "feedrate/request/model_options.h"
#include "feedrate/request/system_options.h"
#include "feedrate/result/load_result.h"
#include "feedrate/storage/directories.h"

namespace feedrate {
namespace {

// Returns the bytes that this process had read from storage so far, through the page cache as well.
std::optional<std::uint64_t> storage_reads() {
  const std::optional<std::string> text = read_host_file("/proc/self/io");
  if (!text) return std::nullopt;
  constexpr std::string_view kKey = "\nread_bytes: ";
  const std::size_t at = text->find(kKey);
  if (at == std::string::npos) return std::nullopt;
  std::uint64_t bytes = 0;
  const char* begin = text->data() + at + kKey.size();
  std::from_chars(begin, text->data() + text->size(), bytes);
  return bytes;
}

class LoadCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    using enum OptionType;
    table.add("", {{{"model", kModel, "", "", "a model of the catalogue, or its YAML file"}, name_},
                   {{"directory", kDirectory, "", "",
                     "that 'feedrate checkpoint' wrote to, or with the files of a model"},
                    directory_}});
    table.add("The replicas", {{rows::kReplicas.usually("1"), replicas_},
                               {rows::kTensorParallel.usually("1").within("1 to 10000"), tensor_},
                               {rows::kStep, step_},
                               {rows::kWeightBytes.within(kTensorBytes), weight_bytes_}});
    system_.declare(table);
  }

  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(system_.json, "--json", context.stop));
    LoadResult result;
    FEEDRATE_TRY(const ModelShape model,
                 read_described(name_, "model file", find_model, parse_model));
    result.model = model.name;
    result.title = model.title;
    if (!replicas_.empty()) {
      FEEDRATE_TRY(result.replicas, parse_count(replicas_, "--replicas", 1, 100'000));
    }
    if (!tensor_.empty()) {
      FEEDRATE_TRY(result.tensor, parse_count(tensor_, "--tensor-parallel", 1, 10'000));
    }
    FEEDRATE_CHECK(check_source());
    FEEDRATE_TRY(const System system,
                 resolve_system(system_, directory_, result.replicas * result.tensor));
    FEEDRATE_TRY(auto group, ReactorGroup::make(system.clock, system.engine, system.threads));
    const StuckReporter stuck(*group);
    const bool described = !system.carries_data;
    const bool ours = std::filesystem::exists(std::filesystem::path(directory_) /
                                              std::string(kCheckpointsMarker));
    FEEDRATE_CHECK(check_uses(described, ours));
    // The counter is of the whole process, so only its growth from here on is the load's.
    const std::optional<std::uint64_t> before = storage_reads();
    const Result<> loaded = described ? load_described(model, system, *group, context, result)
                            : ours    ? load_checkpoint(model, system, *group, context, result)
                                      : load_foreign(model, system, *group, context, result);
    describe(system, described, before, *group, result);
    if (!loaded) return report_failure(context, "load", result, loaded.error(), false, json);
    fill_envelope(context, "load", result);
    FEEDRATE_CHECK(show_report(result, json));
    return 0;
  }

 private:
  // Checks the directory. On described storage nothing is read and it need not exist.
  Result<> check_source() const {
    constexpr std::string_view kHint =
        "'feedrate checkpoint MODEL DIRECTORY --weights-only' writes one to load";
    std::error_code ignored;
    FEEDRATE_TRY(const StorageSpec spec, parse_storage(system_.storage));
    if (spec.facts.described || !spec.facts.carries_data) return {};
    FEEDRATE_CHECK(check_directory(directory_, kHint));
    if (std::filesystem::exists(directory_, ignored)) return {};
    return fail(ErrorKind::kUsage, fmt::format("there is no directory {}", quote_path(directory_)),
                std::string(kHint));
  }

  Result<> check_uses(bool described, bool ours) const {
    const auto unused = [](const char* flag, const std::string& value, const char* why) {
      return fail(ErrorKind::kUsage, fmt::format("{}: {} has no use {}", flag, value, why),
                  "leave it out");
    };
    if (!step_.empty() && (described || !ours))
      return unused("--step", step_, "where there is no checkpoint of ours");
    if (!tensor_.empty() && !described && !ours)
      return unused("--tensor-parallel", tensor_,
                    "with files that are not ours: each replica reads them whole");
    if (!weight_bytes_.empty() && !described)
      return unused("--weight-bytes", weight_bytes_, "where the files say it");
    return {};
  }

  // Reads the shards of the model as they would be written, on storage without data.
  Result<> load_described(const ModelShape& model, const System& system, ReactorGroup& group,
                          const CommandContext& context, LoadResult& result) const {
    Precision precision{Bytes(2), Bytes(0)};
    if (!weight_bytes_.empty()) {
      FEEDRATE_TRY(const double bytes,
                   parse_number(weight_bytes_, "--weight-bytes", 0.125, 16, "2"));
      FEEDRATE_CHECK(check_tensor_bytes(bytes));
      precision.weights = Bytes(bytes);
    }
    const Parallelism parallel{.tensor = result.tensor, .pipeline = 1, .data = 1, .zero_stage = 0};
    FEEDRATE_TRY(const auto layout, make_checkpoint_layout("safetensors"));
    std::vector<RankGroups> groups;
    for (std::uint64_t rank = 0; rank < result.tensor; ++rank)
      groups.push_back(
          {rank, checkpoint_tensors(model, parallel, precision, place_of_rank(parallel, rank))});
    result.source = "described files";
    return load_whole(
        {directory_, layout->place(groups), result.replicas, system.block, system.at_once}, system,
        group, context, result);
  }

  Result<> load_whole(const LoadJob& job, const System& system, ReactorGroup& group,
                      const CommandContext& context, LoadResult& result) const {
    for (const RankFiles& rank : job.ranks)
      for (const FilePlan& file : rank.files) result.needed_bytes += file.bytes;
    CheckpointProgress progress;
    Result<LoadSummary> summary = fail(ErrorKind::kCancelled, "");
    {
      const ProgressLine line(context.quiet || system.clock == ClockKind::kVirtual,
                              [&progress] { return checkpoint_progress_text("loaded", progress); });
      summary = load_files(group, system.storage, job, progress, context.stop);
    }
    result.read_bytes = progress.bytes_done;
    if (!summary) return fail(summary.error());
    for (const Duration ready : summary->ready) result.ready_seconds.push_back(to_seconds(ready));
    result.read_latency = summarise_latency(summary->read_latency);
    return {};
  }

  // Lets every rank of every replica read what it needs of a checkpoint of ours.
  Result<> load_checkpoint(const ModelShape& model, const System& system, ReactorGroup& group,
                           const CommandContext& context, LoadResult& result) const {
    CheckpointRestoreJob job;
    job.directory = directory_;
    if (!step_.empty()) {
      FEEDRATE_TRY(job.step, parse_count(step_, "--step", 0, UINT64_MAX));
    }
    const std::uint64_t tensor = result.tensor;
    job.topology = [tensor](const CheckpointManifest&) -> Result<Parallelism> {
      return Parallelism{.tensor = tensor, .pipeline = 1, .data = 1, .zero_stage = 0};
    };
    job.model = [&model](const CheckpointManifest& manifest) -> Result<ModelShape> {
      if (manifest.model == model.name) return model;
      return fail(
          ErrorKind::kUsage,
          fmt::format("the checkpoint is of model {}, not of {}", manifest.model, model.name),
          "name the model that was written");
    };
    job.replicas = result.replicas;
    job.weights_only = true;
    job.block_bytes = system.block;
    job.reads_at_once = system.at_once;
    CheckpointProgress progress;
    Result<CheckpointRestoreSummary> summary = fail(ErrorKind::kCancelled, "");
    {
      const ProgressLine line(context.quiet,
                              [&progress] { return checkpoint_progress_text("loaded", progress); });
      summary = restore_checkpoint(group, system.storage, job, progress, context.stop);
    }
    result.read_bytes = progress.bytes_done;
    if (!summary) return fail(summary.error());
    result.source = fmt::format("step {} in {}", summary->manifest.step, quote_path(directory_));
    result.scale = summary->manifest.scale;
    result.needed_bytes = summary->needed_bytes / result.replicas;
    result.read_bytes = summary->bytes;
    result.verified = true;
    result.effective["step"] = std::to_string(summary->manifest.step);
    result.ready_seconds.assign(result.replicas, 0);
    for (std::size_t rank = 0; rank < summary->ranks.size(); ++rank) {
      double& ready = result.ready_seconds[rank / tensor];
      ready = std::max(ready, to_seconds(summary->ranks[rank].elapsed));
    }
    result.read_latency = summarise_latency(summary->read_latency);
    for (const SkippedCheckpoint& skipped : summary->skipped)
      result.skipped.push_back(fmt::format("step {}: {}", skipped.step, skipped.reason));
    return {};
  }

  // Reads the files of a real model; every replica reads all of them.
  Result<> load_foreign(const ModelShape& model, const System& system, ReactorGroup& group,
                        const CommandContext& context, LoadResult& result) const {
    static constexpr std::string_view kEndings[] = {".safetensors", ".bin",  ".pt",
                                                    ".pth",         ".gguf", ".onnx"};
    FEEDRATE_TRY(auto lister, ReactorGroup::make(ClockKind::kReal, system.engine, 1));
    Result<std::vector<RankFiles>> files = fail(ErrorKind::kCancelled, "interrupted");
    std::unique_ptr<Storage> storage;
    struct Body {
      static Task<> list(Storage& where, const std::string& directory,
                         Result<std::vector<RankFiles>>& found) {
        found = co_await plan_data_files(where, directory, 1);
      }
    };
    lister->run(
        [&](unsigned, Reactor& reactor) {
          storage = system.storage(reactor);
          reactor.spawn(Body::list(*storage, directory_, files));
        },
        [&](unsigned) { storage.reset(); }, context.stop);
    if (!files) return fail(files.error());
    LoadJob job{directory_, std::move(*files), result.replicas, system.block, system.at_once};
    std::uint64_t bytes = 0;
    std::erase_if(job.ranks[0].files, [](const FilePlan& file) {
      return file.bytes == 0 || std::ranges::none_of(kEndings, [&file](std::string_view ending) {
               return file.path.ends_with(ending);
             });
    });
    for (FilePlan& file : job.ranks[0].files) {
      file.path = file.pieces[0].piece.name;
      bytes += file.bytes;
    }
    if (job.ranks[0].files.empty())
      return fail(ErrorKind::kUsage,
                  fmt::format("{} has no files of a model: none ends in {}", quote_path(directory_),
                              fmt::join(kEndings, ", ")),
                  "name a directory with the files of a model, or one that 'feedrate checkpoint' "
                  "wrote to");
    const double each = static_cast<double>(bytes) / model.parameters().value();
    if (each < 0.4 || each > 20)
      result.warnings.push_back(fmt::format("{} are {:.2f} B for each of the {} parameters of {}",
                                            format_bytes(bytes), each,
                                            format_count(model.parameters().value()), model.name));
    result.source = fmt::format("{} in {}", format_counted(job.ranks[0].files.size(), "file"),
                                quote_path(directory_));
    return load_whole(job, system, group, context, result);
  }

  void describe(const System& system, bool described, std::optional<std::uint64_t> before,
                const ReactorGroup& group, LoadResult& result) const {
    describe_system(system_, system, directory_, result);
    result.block_bytes = system.block;
    result.at_once = system.at_once;
    result.threads = system.threads;
    const std::optional<std::uint64_t> after = storage_reads();
    if (described) {
      result.storage_basis = "nothing is moved";
    } else if (system.io == IoMode::kDirect) {
      result.storage_bytes = result.read_bytes;
      result.storage_basis = "direct I/O";
    } else if (before && after) {
      result.storage_bytes = *after - *before;
      result.storage_basis = "read_bytes of /proc/self/io; the rest came from the page cache";
    } else {
      result.storage_basis = "this kernel does not count it (/proc/self/io)";
    }
    describe_group(group, result);
    result.effective["replicas"] = std::to_string(result.replicas);
    result.effective["tensor-parallel"] = std::to_string(result.tensor);
  }

  SystemOptions system_;
  std::string name_, directory_, replicas_, tensor_, step_, weight_bytes_;
};

}  // namespace

std::unique_ptr<Command> make_load_command() { return std::make_unique<LoadCommand>(); }

}  // namespace feedrate
