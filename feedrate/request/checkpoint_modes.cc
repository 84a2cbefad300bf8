#include "feedrate/request/checkpoint_modes.h"

#include <fmt/format.h>

#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/plan/checkpoint.h"
#include "feedrate/request/system_options.h"
#include "feedrate/storage/directories.h"

namespace feedrate {
namespace {

Result<double> bytes_per_second(const std::string& text, std::string_view flag) {
  FEEDRATE_TRY(const BytesPerSecond rate, parse_rate(text, flag));
  return rate.value();
}

}  // namespace

void CheckpointModeOptions::declare(OptionTable& table, std::string_view prefix,
                                    std::string_view beside) {
  using enum OptionType;
  prefix_ = prefix;
  OptionRow snapshot = rows::kSnapshotBandwidth;
  snapshot.beside = "--async";
  table.add("How checkpoints are taken",
            {{{"--async", kFlag, "", "",
               "training goes on once the state is in host memory; it is written behind"},
              asynchronous},
             {snapshot, snapshot_bandwidth},
             {{"--write-limit", kRate, "", "",
               "most bytes a second of all that is written behind training",
               "--async or --local=DIR", "--write-bandwidth"},
              write_limit},
             {{"--incremental", kFlag, "", "",
               "store only the blocks that changed since the checkpoint before"},
              incremental},
             {{"--increments", kCount, "10", "1 to 1000000",
               "incremental checkpoints in a row before a whole one", "--incremental"},
              increments},
             {rows::kLocal, local},
             {{"--local-storage", kText, "posix, or null where no data are moved",
               "posix|null|model:FILE", "storage of the node-local level", "--local=DIR"},
              local_storage},
             {OptionRow{"--rank-bandwidth", kText, "", "RANK=RATE",
                        "a straggler: this rank writes no faster"}
                  .once("--slow-rank"),
              rank_bandwidths}},
            prefix, beside);
}

Result<> CheckpointModeOptions::resolve(bool moves_data, CheckpointWriteJob& job) const {
  job.asynchronous = asynchronous;
  job.local = local;
  if (!snapshot_bandwidth.empty()) {
    FEEDRATE_TRY(job.snapshot_bytes_per_second,
                 bytes_per_second(snapshot_bandwidth, flag("snapshot-bandwidth")));
  } else if (asynchronous && !moves_data) {
    job.snapshot_bytes_per_second = CheckpointJob().snapshot.value.value();
  }
  if (!write_limit.empty()) {
    FEEDRATE_TRY(job.write_bytes_per_second, bytes_per_second(write_limit, flag("write-limit")));
  }
  if (!increments.empty()) {
    FEEDRATE_TRY(job.increments_max, parse_count(increments, flag("increments"), 1, 1'000'000));
  }
  if (!local.empty() &&
      std::filesystem::weakly_canonical(local) == std::filesystem::weakly_canonical(job.directory))
    return fail(
        ErrorKind::kUsage,
        fmt::format("{}: {} is the shared directory, too", flag("local"), quote_path(local)),
        "name a directory of this node");
  if (incremental) job.head.sum_block_bytes = job.head.content.block_bytes;
  return resolve_rank_bandwidths(job);
}

Result<> CheckpointModeOptions::resolve_rank_bandwidths(CheckpointWriteJob& job) const {
  const std::uint64_t ranks = job.data.empty() ? job.ranks.size() : job.data_ranks;
  for (const std::string& text : rank_bandwidths) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos)
      return fail(ErrorKind::kUsage, fmt::format("{}: {} has no '='", flag("rank-bandwidth"), text),
                  "write it like 3=100MB/s");
    FEEDRATE_TRY(const std::uint64_t rank,
                 parse_count(text.substr(0, equals), flag("rank-bandwidth"), 0, ranks - 1));
    FEEDRATE_TRY(job.slow_ranks[rank],
                 bytes_per_second(text.substr(equals + 1), flag("rank-bandwidth")));
  }
  return {};
}

Result<std::optional<StoragePlace>> CheckpointModeOptions::local_place(bool moves_data,
                                                                       IoMode wanted) const {
  if (local.empty()) return std::optional<StoragePlace>();
  StoragePlace place{.spec = moves_data ? local_files() : costs_nothing(),
                     .directory = existing_directory(local)};
  if (!local_storage.empty()) {
    FEEDRATE_TRY(place.spec, parse_storage(local_storage, flag("local-storage")));
  }
  if (place.carries_data()) {
    FEEDRATE_TRY(place.io, resolve_io_mode(wanted, place.directory));
  }
  return std::optional(std::move(place));
}

std::string checkpoint_progress_text(const char* what, const CheckpointProgress& progress) {
  const std::uint64_t total = progress.bytes_total, done = progress.bytes_done;
  if (done == 0) return "";
  if (total == 0) return fmt::format("{} {}", what, format_bytes(done));
  return fmt::format("{} {} of {}", what, format_bytes(done), format_bytes(total));
}

}  // namespace feedrate
