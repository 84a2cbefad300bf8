#include "feedrate/engine/reader_habit.h"

#include <algorithm>

#include "feedrate/engine/loader.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

class NativeHabit final : public ReaderHabit {
 public:
  explicit NativeHabit(Loader& loader) : loader_(loader) {}
  Task<> read(StallTrace& trace, std::uint32_t reader) override;

 private:
  Loader& loader_;
};

class WholeBatchHabit final : public ReaderHabit {
 public:
  explicit WholeBatchHabit(Loader& loader) : loader_(loader) {}
  Task<> read(StallTrace& trace, std::uint32_t reader) override;

 private:
  Loader& loader_;
};

class StreamHabit final : public ReaderHabit {
 public:
  explicit StreamHabit(Loader& loader) : loader_(loader) {}
  Task<> read(StallTrace& trace, std::uint32_t reader) override;

 private:
  Task<bool> stream_run(WorkItem item, FileCache::Entry& entry, StallTrace& trace);
  Task<bool> stream_blocks(WorkItem item, FileCache::Entry& entry, StallTrace& trace);

  Loader& loader_;
};

Task<> NativeHabit::read(StallTrace& trace, std::uint32_t /*reader*/) {
  const std::uint64_t samples_max = std::max<std::uint64_t>(
      1, window_batches(loader_.context().plan) * loader_.context().plan.micro_batch_samples() / 2);
  while (!loader_.closed()) {
    const std::optional<WorkItem> item =
        loader_.source().next(loader_.context().plan.transfer_bytes, samples_max);
    if (!item) co_return;
    // A block may have more samples than half the window, and asking for all of it at once would
    // wait for ever.
    const std::uint64_t at_first = std::min(item->samples, samples_max);
    const bool admitted = co_await loader_.window().acquire(at_first);
    if (!admitted) co_return;
    trace.restart(loader_.reactor().now(), item->file, item->epoch);
    const Result<> outcome = co_await loader_.path().read_item(*item, trace);
    bool go_on = loader_.accept(outcome, item->number, at_first, trace);
    if (go_on && at_first < item->samples)
      go_on = co_await loader_.hand_over(Result<>{}, item->number + at_first,
                                         item->samples - at_first, trace);
    if (!go_on) co_return;
  }
}

// PyTorch deals batches out to its workers in turn, however far each of them is, and passes them on
// in order. A slow worker therefore delays its own batches and, once they are due, the training.
Task<> WholeBatchHabit::read(StallTrace& trace, std::uint32_t reader) {
  const std::uint64_t batch = loader_.context().plan.micro_batch_samples(),
                      epoch = loader_.batches_per_epoch();
  for (std::uint64_t first = 0; first < loader_.samples_total() || loader_.samples_total() == 0;
       first += loader_.samples_per_epoch()) {
    for (std::uint64_t turn = reader; turn < epoch; turn += loader_.readers()) {
      co_await loader_.wait_for_epoch(first / loader_.samples_per_epoch());
      co_await loader_.wait_for_dispatch(first / batch + turn);
      co_await loader_.wait_until_asked();
      for (std::uint64_t i = 0; i < batch; ++i) {
        if (loader_.closed()) co_return;
        const WorkItem item = loader_.source().random_item(first + turn * batch + i);
        trace.restart(loader_.reactor().now(), item.file, item.epoch);
        const Result<> outcome = co_await loader_.path().read_item(item, trace);
        if (!loader_.accept(outcome, item.number, item.samples, trace)) co_return;
      }
    }
    // Where there are more readers than batches, some have nothing to do; they must not begin the
    // next epoch before this one is over.
    co_await loader_.wait_for_epoch(first / loader_.samples_per_epoch() + 1);
    if (loader_.closed()) co_return;
  }
}

Task<> StreamHabit::read(StallTrace& trace, std::uint32_t /*reader*/) {
  while (!loader_.closed()) {
    const std::optional<WorkItem> item = loader_.source().next(kNoLimit, kNoLimit);
    if (!item) co_return;
    co_await loader_.wait_for_epoch(item->epoch);
    co_await loader_.wait_until_asked();
    if (loader_.closed()) co_return;
    trace.restart(loader_.reactor().now(), item->file, item->epoch);
    const Result<FileCache::Entry*> entry = co_await loader_.context().files.acquire(item->file);
    trace.add(StallCause::kOpen, loader_.reactor().now());
    if (!entry) {
      if (!loader_.accept(fail(entry.error()), item->number, item->samples, trace)) co_return;
      continue;
    }
    const Result<> metadata = co_await loader_.path().read_metadata(**entry, trace);
    bool go_on = metadata.has_value() || loader_.accept(metadata, 0, 0, trace);
    if (go_on) go_on = co_await stream_run(*item, **entry, trace);
    loader_.context().files.release(**entry);
    if (!go_on) co_return;
  }
}

// Reads a run in transfers of the framework's size. Samples are delivered when their last byte
// arrives, no more at once than the window takes.
Task<bool> StreamHabit::stream_run(WorkItem item, FileCache::Entry& entry, StallTrace& trace) {
  const FileIndex& index = *entry.index;
  if (!index.contiguous()) co_return co_await stream_blocks(item, entry, trace);
  const std::uint64_t last = item.first_sample + item.samples;
  const std::uint64_t end = index.sample(last - 1).end();
  std::uint64_t offset = index.sample(item.first_sample).offset;
  std::uint64_t sample = item.first_sample;
  const Sink sink{trace, entry.verifier.get(), nullptr};
  while (offset < end) {
    co_await loader_.wait_until_asked();
    const std::uint64_t transfer =
        std::min(loader_.context().plan.transfer_bytes, loader_.context().buffer_bytes);
    const Extent piece{offset, std::min(transfer, end - offset)};
    const Result<> outcome = co_await loader_.path().read_piece(*entry.file, piece, sink);
    if (outcome) loader_.context().stats.epoch(item.epoch).located += piece.length;
    offset = piece.end();
    const std::uint64_t arrived = std::min(index.first_ending_after(offset), last);
    const std::uint64_t number = item.number + (sample - item.first_sample);
    const bool go_on = co_await loader_.hand_over(outcome, number, arrived - sample, trace);
    if (!go_on) co_return false;
    if (arrived > sample) trace.restart(loader_.reactor().now(), item.file, item.epoch);
    sample = arrived;
  }
  co_return true;
}

// Does the same where samples come in blocks of several reads: one block after the other.
Task<bool> StreamHabit::stream_blocks(WorkItem item, FileCache::Entry& entry, StallTrace& trace) {
  std::vector<Extent> reads;
  const Sink sink{trace, entry.verifier.get(), nullptr};
  for (std::uint64_t done = 0; done < item.samples;) {
    const std::uint64_t first = item.first_sample + done;
    const std::uint64_t count = entry.index->run_length(first, item.samples - done, 0);
    co_await loader_.wait_until_asked();
    reads.clear();
    entry.index->locate(first, count, reads);
    const Result<> outcome = co_await loader_.path().read_extents(*entry.file, reads, sink);
    if (outcome) loader_.context().stats.epoch(item.epoch).located += total_length(reads);
    const bool go_on = co_await loader_.hand_over(outcome, item.number + done, count, trace);
    if (!go_on) co_return false;
    trace.restart(loader_.reactor().now(), item.file, item.epoch);
    done += count;
  }
  co_return true;
}

}  // namespace

std::unique_ptr<ReaderHabit> make_reader_habit(const TrainingPlan& plan, Loader& loader) {
  if (plan.client == ClientKind::kNative) return std::make_unique<NativeHabit>(loader);
  if (plan.order == AccessOrder::kRandomSamples) return std::make_unique<WholeBatchHabit>(loader);
  return std::make_unique<StreamHabit>(loader);
}

}  // namespace feedrate
