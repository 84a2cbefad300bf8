#include "feedrate/checkpoint/goodput_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "feedrate/base/text.h"
#include "feedrate/storage/stream_reader.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kAddressesMax = std::uint64_t{1} << 40U;  // no page is touched

struct Reading {
  const CheckpointWriteJob& job;
  Storage& storage;
  BufferPool& pool;
  Instant end{};
  std::optional<Error> error = {};
};

Task<> read_rank(Reading& reading, const RankFiles& rank) {
  const std::uint64_t block = reading.job.block_bytes;
  for (const FilePlan& plan : rank.files) {
    std::vector<FileHandle> files;
    Result<FileHandle> opened = co_await reading.storage.open(plan.path, OpenMode::kRead);
    if (!opened) reading.error = opened.error();
    if (!opened) co_return;
    files.push_back(std::move(*opened));
    std::vector<StreamRead> reads;
    for (std::uint64_t at = 0; at < plan.bytes; at += block)
      reads.push_back({0, plan.begin + at, std::min(block, plan.bytes - at)});
    StreamReader reader(reading.storage, reading.pool, files, reads,
                        {reading.job.writes_at_once, 2}, [](std::uint64_t, Duration) {});
    while (true) {
      auto next = co_await reader.next();
      if (!next) reading.error = next.error();
      if (!next || !*next) break;
    }
    co_await reader.finish();
    const Result<> closed = co_await reading.storage.close(std::move(files[0]));
    if (!closed) reading.error = closed.error();
  }
  reading.end = std::max(reading.end, reading.storage.reactor().refresh_now());
}

}  // namespace

Result<Stretch> RealGoodput::train(Duration limit) {
  CheckpointWriteJob job = job_;
  job.count = UINT64_MAX;
  job.train_first = true;
  job.stop_after = limit;
  FEEDRATE_TRY(const auto group, setting_.make_group());
  CheckpointProgress progress;
  const auto begin = std::chrono::steady_clock::now();
  FEEDRATE_TRY(const CheckpointWriteSummary summary,
               write_checkpoints(*group, setting_.storage, setting_.local, job, progress, stop_));
  Stretch stretch;
  stretch.elapsed = std::chrono::steady_clock::now() - begin;
  stretch.saved = summary.written.size();
  stretch.begun = summary.begun;
  for (const WrittenCheckpoint& each : summary.written) stretch.blocked += each.blocked;
  // No more than an interval before each checkpoint and one that was cut short; none of that when
  // the failure came while one was written.
  const std::uint64_t intervals = stretch.begun + (stretch.begun > stretch.saved ? 0 : 1);
  stretch.training = std::min(job.between * static_cast<std::int64_t>(intervals),
                              std::max(Duration{}, stretch.elapsed - stretch.blocked));
  stretch.blocked = stretch.elapsed - stretch.training;
  if (!summary.written.empty()) newest_ = summary.written.back().step;
  return stretch;
}

Result<Duration> RealGoodput::restore(Duration limit) {
  if (newest_ == 0) return Duration{};  // from the beginning
  FEEDRATE_TRY(const auto group, setting_.make_group());
  CheckpointProgress progress;
  const auto begin = std::chrono::steady_clock::now();
  FEEDRATE_TRY(const CheckpointRestoreSummary summary,
               restore_checkpoint(*group, setting_.storage, restore_job_, progress, stop_));
  const Duration took = std::chrono::steady_clock::now() - begin;
  if (summary.manifest.step < newest_)
    return fail(ErrorKind::kCorrupt,
                fmt::format("step {} was whole before the failure, a restart finds step {}{}",
                            newest_, summary.manifest.step,
                            summary.skipped.empty() ? "" : ": " + summary.skipped[0].reason));
  return std::min(took, limit);
}

Result<Duration> measure_restore(const GoodputSetting& setting, const CheckpointWriteJob& job,
                                 const std::stop_token& stop) {
  FEEDRATE_TRY(const auto group, setting.make_group());
  std::unique_ptr<Storage> storage;
  std::unique_ptr<BufferPool> pool;
  std::optional<Reading> reading;
  Instant begin{};
  group->run(
      [&](unsigned index, Reactor& reactor) {
        if (index > 0) return;
        storage = setting.storage(reactor);
        const std::size_t block = job.block_bytes + storage->slack_bytes();
        const StreamReaderOptions options{job.writes_at_once, 2};
        pool = std::make_unique<BufferPool>(
            reactor,
            BufferPoolOptions{block,
                              std::min<std::uint64_t>(job.ranks.size() * options.buffers() + 1,
                                                      kAddressesMax / block),
                              storage->carries_data()});
        reading.emplace(Reading{job, *storage, *pool});
        begin = reactor.refresh_now();
        for (const RankFiles& rank : job.ranks) reactor.spawn(read_rank(*reading, rank));
      },
      [&](unsigned index) {
        if (index > 0) return;
        pool.reset();
        storage.reset();
      },
      stop);
  if (reading->error) return fail(*reading->error);
  return std::max(Duration{}, reading->end - begin);
}

}  // namespace feedrate
