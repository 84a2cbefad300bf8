#include "feedrate/experiment/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/checkpoint/data_files.h"
#include "feedrate/checkpoint/load.h"
#include "feedrate/host/byte_origin.h"
#include "feedrate/workload/checkpoint_tensors.h"

namespace feedrate {
namespace {

// Each weight of a model takes so many bytes in any format that is in use; other sizes are probably
// the files of another model.
constexpr double kBytesMin = 0.4, kBytesMax = 20;

LoadResult begin_report(const LoadSetup& setup) {
  LoadResult result;
  result.verb = "load";
  result.model = setup.model.name;
  result.title = setup.model.title;
  result.replicas = setup.replicas;
  result.tensor = setup.tensor;
  describe_transfer(setup, setup.directory, true, result);
  result.block_bytes = setup.block_bytes;
  result.at_once = setup.at_once;
  result.threads = setup.world.threads;
  result.effective["replicas"] = std::to_string(setup.replicas);
  if (setup.source != LoadSource::kForeign)
    result.effective["tensor-parallel"] = std::to_string(setup.tensor);
  if (setup.source == LoadSource::kDescribed)
    result.effective["weight-bytes"] = fmt::format("{}", setup.weight_bytes);
  return result;
}

// Plans the shards of the model as they would be written.
Result<std::vector<RankFiles>> plan_described(const LoadSetup& setup, LoadResult& result) {
  const Parallelism parallel{.tensor = setup.tensor, .pipeline = 1, .data = 1, .zero_stage = 0};
  const Precision precision{Bytes(setup.weight_bytes), Bytes(0)};
  FEEDRATE_TRY(const auto layout, make_checkpoint_layout("safetensors"));
  std::vector<RankGroups> groups;
  for (std::uint64_t rank = 0; rank < setup.tensor; ++rank)
    groups.push_back({rank, checkpoint_tensors(setup.model, parallel, precision,
                                               place_of_rank(parallel, rank))});
  result.source = "described files";
  return layout->place(groups);
}

Task<> list_files(Storage& storage, const std::string& directory,
                  Result<std::vector<RankFiles>>& found) {
  found = co_await plan_data_files(storage, directory, 1);
}

// Finds the files of a model in a user's directory, with reactors of its own, since those of the
// load run once.
Result<std::vector<RankFiles>> find_foreign(const LoadSetup& setup, const std::stop_token& stop,
                                            LoadResult& result) {
  static constexpr std::string_view kEndings[] = {".safetensors", ".bin",  ".pt",
                                                  ".pth",         ".gguf", ".onnx"};
  FEEDRATE_TRY(const auto lister,
               WorldSpec(setup.world.clock, setup.world.io_engine, 1).make_group());
  Result<std::vector<RankFiles>> found = fail(ErrorKind::kCancelled, "interrupted");
  std::unique_ptr<Storage> storage;
  const StorageFactory make = setup.place.make_storage(1);
  lister->run(
      [&](unsigned, Reactor& reactor) {
        storage = make(reactor);
        reactor.spawn(list_files(*storage, setup.directory, found));
      },
      [&](unsigned) { storage.reset(); }, stop);
  if (!found) return found;
  std::vector<FilePlan>& files = found->front().files;
  std::erase_if(files, [](const FilePlan& file) {
    return file.bytes == 0 || std::ranges::none_of(kEndings, [&file](std::string_view ending) {
             return file.path.ends_with(ending);
           });
  });
  if (files.empty())
    return fail(ErrorKind::kUsage,
                fmt::format("{} has no files of a model: none ends in {}",
                            quote_path(setup.directory), fmt::join(kEndings, ", ")),
                "name a directory with the files of a model, or one that 'feedrate checkpoint' "
                "wrote to");
  std::uint64_t bytes = 0;
  for (FilePlan& file : files) {
    file.path = file.pieces[0].piece.name;
    bytes += file.bytes;
  }
  const double parameters = setup.model.parameters().value();
  const double each = static_cast<double>(bytes) / parameters;
  if (each < kBytesMin || each > kBytesMax)
    result.warnings.push_back(fmt::format("{} are {:.2f} B for each of the {} parameters of {}",
                                          format_bytes(bytes), each, format_count(parameters),
                                          setup.model.name));
  result.source =
      fmt::format("{} in {}", format_counted(files.size(), "file"), quote_path(setup.directory));
  return found;
}

// Lets each replica read all of these files.
Result<> load_whole(const LoadSetup& setup, std::vector<RankFiles> files, TransferWorld& world,
                    LoadResult& result) {
  for (const RankFiles& rank : files)
    for (const FilePlan& file : rank.files) result.needed_bytes += file.bytes;
  const LoadJob job{setup.directory, std::move(files), setup.replicas, setup.block_bytes,
                    setup.at_once};
  const Result<LoadSummary> summary =
      load_files(world.group(), world.storage(), job, world.progress(), world.stop());
  result.read_bytes = world.progress().bytes_done;
  if (!summary) return fail(summary.error());
  for (const Duration ready : summary->ready) result.ready_seconds.push_back(to_seconds(ready));
  result.read_latency = summarise_latency(summary->read_latency);
  return {};
}

CheckpointRestoreJob job_of_ours(const LoadSetup& setup) {
  CheckpointRestoreJob job;
  job.directory = setup.directory;
  job.step = setup.step;
  job.topology = [&setup](const CheckpointManifest&) -> Result<Parallelism> {
    return Parallelism{.tensor = setup.tensor, .pipeline = 1, .data = 1, .zero_stage = 0};
  };
  job.model = [&setup](const CheckpointManifest& manifest) -> Result<ModelShape> {
    if (manifest.model == setup.model.name) return setup.model;
    return fail(
        ErrorKind::kUsage,
        fmt::format("the checkpoint is of model {}, not of {}", manifest.model, setup.model.name),
        "name the model that was written");
  };
  job.replicas = setup.replicas;
  job.weights_only = true;
  job.block_bytes = setup.block_bytes;
  job.reads_at_once = setup.at_once;
  return job;
}

// Lets every rank of every replica read what it needs of a checkpoint of ours.
Result<> load_ours(const LoadSetup& setup, TransferWorld& world, LoadResult& result) {
  const Result<CheckpointRestoreSummary> summary = restore_checkpoint(
      world.group(), world.storage(), job_of_ours(setup), world.progress(), world.stop());
  result.read_bytes = world.progress().bytes_done;
  if (!summary) return fail(summary.error());
  result.source = fmt::format("step {} in {}", summary->manifest.step, quote_path(setup.directory));
  result.scale = summary->manifest.scale;
  result.needed_bytes = summary->needed_bytes / setup.replicas;
  result.read_bytes = summary->bytes;
  result.verified = true;
  result.effective["step"] = std::to_string(summary->manifest.step);
  result.ready_seconds.assign(setup.replicas, 0);
  for (std::size_t rank = 0; rank < summary->ranks.size(); ++rank) {
    double& ready = result.ready_seconds[rank / setup.tensor];
    ready = std::max(ready, to_seconds(summary->ranks[rank].elapsed));
  }
  result.read_latency = summarise_latency(summary->read_latency);
  result.skipped = skipped_texts(summary->skipped);
  return {};
}

Result<> load_from(const LoadSetup& setup, TransferWorld& world, LoadResult& result) {
  if (setup.source == LoadSource::kOurs) return load_ours(setup, world, result);
  FEEDRATE_TRY(std::vector<RankFiles> files, setup.source == LoadSource::kDescribed
                                                 ? plan_described(setup, result)
                                                 : find_foreign(setup, world.stop(), result));
  return load_whole(setup, std::move(files), world, result);
}

// Says how much came from storage. `before` and `after` are the counter of the whole process, so
// that only its growth is the load's.
void add_storage_bytes(const StoragePlace& place, std::optional<std::uint64_t> before,
                       std::optional<std::uint64_t> after, LoadResult& result) {
  if (!place.carries_data()) {
    result.storage_basis = "nothing is moved";
  } else if (place.io == IoMode::kDirect) {
    result.storage_bytes = result.read_bytes;
    result.storage_basis = "direct I/O";
  } else if (before && after) {
    result.storage_bytes = *after - *before;
    result.storage_basis = "read_bytes of /proc/self/io; the rest came from the page cache";
  } else {
    result.storage_basis = "this kernel does not count it (/proc/self/io)";
  }
}

}  // namespace

LoadSource find_load_source(const StoragePlace& place, const std::string& directory) {
  if (!place.carries_data()) return LoadSource::kDescribed;
  std::error_code unreadable;
  const auto marker = std::filesystem::path(directory) / kCheckpointsMarker;
  return std::filesystem::exists(marker, unreadable) ? LoadSource::kOurs : LoadSource::kForeign;
}

Reported<LoadResult> load(const LoadSetup& setup, const RunHooks& hooks) {
  LoadResult result = begin_report(setup);
  Result<TransferWorld> world = TransferWorld::make(setup, hooks);
  if (!world) return {std::move(result), fail(world.error())};
  const std::optional<std::uint64_t> before = read_process_bytes(setup.host);
  const Result<> loaded = load_from(setup, *world, result);
  add_storage_bytes(setup.place, before, read_process_bytes(setup.host), result);
  describe_group(world->group(), result);
  return {std::move(result), loaded, loaded.has_value()};
}

}  // namespace feedrate
