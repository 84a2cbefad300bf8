#include "feedrate/checkpoint/write.h"

#include <algorithm>
#include <utility>

#include "feedrate/checkpoint/file_bytes.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kGenerationBlock = std::uint64_t{4} << 20U;

Task<> run_writer(CheckpointWriter& writer, Reactor& reactor, const CheckpointWriteJob& job) {
  co_await writer.start();
  for (std::uint64_t number = 0; number < job.count; ++number) {
    const bool train = number > 0 || job.train_first;
    if (train && job.between > Duration::zero()) co_await reactor.sleep_for(job.between);
    const bool written = co_await writer.checkpoint();
    if (!written) break;
  }
  co_await writer.finish();
}

// Returns the bytes/s at which one core makes content and its checksums, measured on the largest
// file for 20 ms.
double generation_rate(const CheckpointWriteJob& job) {
  const FilePlan* largest = nullptr;
  for (const RankFiles& rank : job.ranks)
    for (const FilePlan& file : rank.files)
      if (largest == nullptr || file.bytes > largest->bytes) largest = &file;
  if (largest == nullptr) return 0;
  std::vector<std::byte> block(std::min<std::uint64_t>(largest->bytes, kGenerationBlock));
  const Duration before = thread_cpu_time();
  Duration took{};
  std::uint64_t made = 0;
  while (took < std::chrono::milliseconds(20)) {
    FileRenderer renderer(*largest, *job.layout,
                          emulated_bytes(*largest, job.head.content, job.head.step),
                          job.head.sum_block_bytes);
    for (std::uint64_t count = 1; count > 0 && took < std::chrono::milliseconds(20);
         made += count) {
      count = renderer.next(block);
      took = thread_cpu_time() - before;
    }
  }
  return static_cast<double>(made) / to_seconds(took);
}

}  // namespace

CheckpointRun::CheckpointRun(ReactorGroup& group, StorageFactory storage, StorageFactory local,
                             const CheckpointWriteJob& job, CheckpointProgress& progress)
    : job_(job),
      storage_(std::move(storage)),
      local_(std::move(local)),
      writing_(job, group.size(), progress),
      writers_(group.size()) {
  // This is a figure of this host, on which a simulation must not depend.
  if (job.data.empty() && !group.is_virtual())
    writing_.summary().generation_bytes_per_second = generation_rate(job);
}

void CheckpointRun::start(unsigned index, Reactor& reactor) {
  writers_[index] = std::make_unique<CheckpointWriter>(writing_, index, reactor, storage_(reactor),
                                                       local_ ? local_(reactor) : nullptr);
  reactor.spawn(run_writer(*writers_[index], reactor, job_));
  if (index == 0 && job_.stop_after > Duration::zero()) reactor.spawn(stop_later(reactor));
}

Task<> CheckpointRun::stop_later(Reactor& reactor) {
  co_await reactor.sleep_for(job_.stop_after);
  stop();
}

Result<CheckpointWriteSummary> CheckpointRun::outcome(bool interrupted,
                                                      CheckpointWriteSummary* before_error) {
  CheckpointWriteSummary& summary = writing_.summary();
  summary.stopped = summary.written.size() < job_.count;
  std::optional<Error> error = writing_.error();
  // A writer that a stop cut short reports kCancelled; whether that is an error depends on who
  // asked for the stop.
  if (error && error->kind() == ErrorKind::kCancelled && summary.stopped) error.reset();
  if (error) {
    if (error->kind() == ErrorKind::kNoSpace && !summary.written.empty())
      error = error->with_hint(
          "the checkpoints before it are whole; --keep fewer, or use another file system");
  } else if (interrupted && summary.stopped) {
    error = Error(ErrorKind::kCancelled, "interrupted; published checkpoints are kept");
  }
  if (!error) return std::move(summary);
  if (before_error != nullptr) *before_error = std::move(summary);
  return fail(*error);
}

Result<CheckpointWriteSummary> write_checkpoints(ReactorGroup& group, const StorageFactory& storage,
                                                 const StorageFactory& local,
                                                 const CheckpointWriteJob& job,
                                                 CheckpointProgress& progress,
                                                 const std::stop_token& stop,
                                                 CheckpointWriteSummary* before_error) {
  CheckpointRun writing(group, storage, local, job, progress);
  Job* const alone = &writing;
  group.run({&alone, 1}, stop);
  return writing.outcome(stop.stop_requested(), before_error);
}

}  // namespace feedrate
