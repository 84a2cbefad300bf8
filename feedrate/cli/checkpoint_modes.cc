#include "feedrate/cli/checkpoint_modes.h"

#include <fmt/format.h>

#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/cli/system_options.h"
#include "feedrate/plan/checkpoint.h"

namespace feedrate {
namespace {

Result<double> bytes_per_second(const std::string& text, std::string_view flag) {
  FEEDRATE_TRY(const BytesPerSecond rate, parse_rate(text, flag));
  return rate.value();
}

}  // namespace

void CheckpointModeOptions::declare(CLI::App& app, const char* prefix) {
  prefix_ = prefix;
  const char* group = "How checkpoints are taken";
  const auto add = [&](const char* name, std::string& value, const char* help) {
    app.add_option(flag(name), value, help)->group(group);
  };
  app.add_flag(flag("async"), asynchronous,
               "training goes on once the state is in host memory; it is written behind")
      ->group(group);
  add("snapshot-bandwidth", snapshot_bandwidth,
      "asynchronous: of each accelerator to host memory; default: as fast as this host copies, "
      "26.4GiB/s where no data are moved");
  add("write-bandwidth", write_bandwidth,
      "limit of what is written behind training, all ranks together");
  app.add_flag(flag("incremental"), incremental,
               "store only blocks that changed since the one before")
      ->group(group);
  add("increments", increments, "incremental ones in a row before a whole one; default 10");
  add("local", local,
      "two levels: training waits for this node-local directory, the shared copy comes behind");
  add("local-storage", local_storage,
      "of the node-local level; default: posix, or null where no data are moved");
  app.add_option(flag("slow-rank"), slow_ranks, "RANK=BANDWIDTH: a rank that writes no faster")
      ->group(group);
}

Result<> CheckpointModeOptions::resolve(bool moves_data, CheckpointWriteJob& job) const {
  const auto needs = [this](const std::string& value, const char* name, const std::string& what) {
    return fail(ErrorKind::kUsage,
                fmt::format("{}: {} has no use without {}", flag(name), value, what),
                fmt::format("add {}, or leave it out", what));
  };
  job.asynchronous = asynchronous;
  job.local = local;
  if (!snapshot_bandwidth.empty()) {
    if (!asynchronous) return needs(snapshot_bandwidth, "snapshot-bandwidth", flag("async"));
    FEEDRATE_TRY(job.snapshot_bytes_per_second,
                 bytes_per_second(snapshot_bandwidth, flag("snapshot-bandwidth")));
  } else if (asynchronous && !moves_data) {
    job.snapshot_bytes_per_second = CheckpointJob().snapshot.value.value();
  }
  if (!write_bandwidth.empty()) {
    if (!asynchronous && local.empty())
      return needs(write_bandwidth, "write-bandwidth",
                   fmt::format("{} or {}", flag("async"), flag("local")));
    FEEDRATE_TRY(job.write_bytes_per_second,
                 bytes_per_second(write_bandwidth, flag("write-bandwidth")));
  }
  if (!local_storage.empty() && local.empty())
    return needs(local_storage, "local-storage", flag("local"));
  if (!increments.empty()) {
    if (!incremental) return needs(increments, "increments", flag("incremental"));
    FEEDRATE_TRY(job.increments_max, parse_count(increments, flag("increments"), 1, 1'000'000));
  }
  if (!local.empty() &&
      std::filesystem::weakly_canonical(local) == std::filesystem::weakly_canonical(job.directory))
    return fail(
        ErrorKind::kUsage,
        fmt::format("{}: {} is the shared directory, too", flag("local"), quote_path(local)),
        "name a directory of this node");
  if (incremental) job.head.sum_block_bytes = job.head.content.block_bytes;
  return resolve_slow_ranks(job);
}

Result<> CheckpointModeOptions::resolve_slow_ranks(CheckpointWriteJob& job) const {
  const std::uint64_t ranks = job.data.empty() ? job.ranks.size() : job.data_ranks;
  for (const std::string& text : slow_ranks) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos)
      return fail(ErrorKind::kUsage, fmt::format("{}: {} has no '='", flag("slow-rank"), text),
                  "write it like 3=100MB/s");
    FEEDRATE_TRY(const std::uint64_t rank,
                 parse_count(text.substr(0, equals), flag("slow-rank"), 0, ranks - 1));
    FEEDRATE_TRY(job.slow_ranks[rank],
                 bytes_per_second(text.substr(equals + 1), flag("slow-rank")));
  }
  return {};
}

Result<StorageFactory> CheckpointModeOptions::local_factory(bool moves_data, IoMode wanted) const {
  if (local.empty()) return StorageFactory();
  StorageSpec spec = moves_data ? local_files() : costs_nothing();
  if (!local_storage.empty()) {
    FEEDRATE_TRY(spec, parse_storage(local_storage, flag("local-storage")));
  }
  const std::string directory = existing_directory(local);
  IoMode mode = IoMode::kBuffered;
  if (spec.facts.carries_data) {
    FEEDRATE_TRY(mode, resolve_io_mode(wanted, directory));
  }
  return make_storage_factory(spec, mode, directory, 2);
}

std::string checkpoint_progress_text(const char* what, const CheckpointProgress& progress) {
  const std::uint64_t total = progress.bytes_total, done = progress.bytes_done;
  if (done == 0) return "";
  if (total == 0) return fmt::format("{} {}", what, format_bytes(done));
  return fmt::format("{} {} of {}", what, format_bytes(done), format_bytes(total));
}

}  // namespace feedrate
