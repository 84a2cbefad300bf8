#include "feedrate/checkpoint/write.h"

#include <algorithm>
#include <mutex>

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

Task<> stop_all(ReactorGroup& group, Reactor& reactor, Duration after) {
  co_await reactor.sleep_for(after);
  group.stop();
}

// Bytes a second of one core that makes and sums up content: of the largest file, for 20 ms.
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

Result<CheckpointWriteSummary> write_checkpoints(ReactorGroup& group, const StorageFactory& storage,
                                                 const StorageFactory& local,
                                                 const CheckpointWriteJob& job,
                                                 CheckpointProgress& progress,
                                                 const std::stop_token& stop,
                                                 CheckpointWriteSummary* before_error) {
  CheckpointWriting writing(job, group.size(), progress);
  // A figure of this host, which a simulation must not depend on.
  if (job.data.empty() && !group.reactor(0).is_virtual())
    writing.summary().generation_bytes_per_second = generation_rate(job);
  std::vector<std::unique_ptr<CheckpointWriter>> writers(group.size());
  group.run(
      [&](unsigned index, Reactor& reactor) {
        writers[index] = std::make_unique<CheckpointWriter>(
            writing, index, reactor, storage(reactor), local ? local(reactor) : nullptr);
        reactor.spawn(run_writer(*writers[index], reactor, job));
        if (index == 0 && job.stop_after > Duration::zero())
          reactor.spawn(stop_all(group, reactor, job.stop_after));
      },
      [&](unsigned index) { writers[index].reset(); }, stop);
  CheckpointWriteSummary& summary = writing.summary();
  summary.stopped = summary.written.size() < job.count;
  const bool cancelled =
      writing.error() && writing.error()->kind() == ErrorKind::kCancelled && summary.stopped;
  std::optional<Error> error;
  if (writing.error() && !cancelled) {
    error = *writing.error();
    if (error->kind() == ErrorKind::kNoSpace && !summary.written.empty())
      error = error->with_hint(
          "the checkpoints before it are whole; --keep fewer, or use another file system");
  } else if (stop.stop_requested() && summary.stopped) {
    error = Error(ErrorKind::kCancelled, "interrupted; published checkpoints are kept");
  }
  if (!error) return std::move(summary);
  if (before_error != nullptr) *before_error = std::move(summary);
  return fail(*error);
}

}  // namespace feedrate
