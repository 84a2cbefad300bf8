#include "feedrate/engine/loader.h"

#include <algorithm>
#include <utility>

namespace feedrate {
namespace {

bool in_order(const TrainingPlan& plan) { return plan.order == AccessOrder::kRandomSamples; }

}  // namespace

std::uint64_t window_batches(const TrainingPlan& plan) {
  // One in the hands of the training process; of a stream, what is left of the last transfer, too.
  if (plan.reads_in_process()) return in_order(plan) ? 1 : 2;
  if (plan.client == ClientKind::kNative || !in_order(plan)) return plan.prefetch_batches;
  // One batch at least in the hands of every reader, as with PyTorch's prefetch_factor.
  const std::uint64_t per_reader = (plan.prefetch_batches + plan.readers - 1) / plan.readers;
  return per_reader * plan.readers;
}

Loader::Loader(LoaderContext& context, std::uint32_t rank)
    : context_(context),
      reactor_(context.storage.reactor()),
      processing_(context),
      path_(context, processing_),
      habit_(make_reader_habit(context.plan, *this)),
      source_(context.plan, context.orders, rank),
      assembly_(in_order(context.plan), context.plan.micro_batch_samples(),
                context.plan.shuffle_buffer_samples),
      window_(reactor_, window_batches(context.plan) * context.plan.micro_batch_samples() +
                            context.plan.shuffle_buffer_samples),
      moved_(reactor_),
      samples_per_epoch_(context.orders.shape().samples_read_per_rank()),
      samples_total_(samples_per_epoch_ * context.plan.epochs) {}

void Loader::start(Semaphore& finished) {
  readers_active_ = readers();
  for (std::uint32_t reader = 0; reader < readers(); ++reader)
    reactor_.spawn(run_reader(finished, reader));
}

Task<> Loader::run_reader(Semaphore& finished, std::uint32_t reader) {
  StallTrace trace;
  co_await read_label_manifest();
  co_await habit_->read(trace, reader);
  if (--readers_active_ == 0 && !closed_) close();
  finished.release(1);
}

// A job cannot make a batch before it knows the labels: readers wait for the one that reads them.
Task<> Loader::read_label_manifest() {
  const Dataset::SideFile& labels = context_.plan.dataset->label_manifest();
  if (labels.path.empty() || context_.plan.labels_known) co_return;
  if (labels_ == Labels::kUnread) {
    labels_ = Labels::kReading;
    const std::string path = context_.plan.dataset->resolve(labels.path);
    StallTrace ignored;  // the first batch waits for it, and that is start-up anyway
    const Result<> outcome =
        co_await path_.read_whole_file(path, labels.bytes, Sink{ignored, nullptr, nullptr, false});
    if (!outcome) accept(outcome, 0, 0, ignored);
    labels_ = Labels::kRead;
    moved_.signal();
  }
  while (labels_ != Labels::kRead && !closed_) co_await moved_.wait();
}

Task<std::optional<Loader::Batch>> Loader::next_batch(Instant free) {
  struct Awaiter {
    Loader& loader;
    bool await_ready() const { return loader.assembly_.has_batch() || loader.closed_; }
    void await_suspend(std::coroutine_handle<> waiter) {
      loader.accelerator_ = waiter;
      if (loader.context_.plan.reads_in_process()) loader.moved_.signal();
    }
    void await_resume() const {}
  };
  const bool asked = co_await ask(free);
  if (!asked) co_return std::nullopt;
  co_await Awaiter{*this};
  if (!assembly_.has_batch() || reactor_.stopping()) co_return std::nullopt;
  Batch batch;
  const bool first = starts_anew(assembly_.batches_taken());
  batch.ready = assembly_.take_batch();
  batch.pieces = std::move(pieces_.front());
  pieces_.pop_front();
  if (first) batch.pieces = {{batch.ready, StallCause::kStartup}};
  co_return batch;
}

bool Loader::ran_out() const {
  return (samples_total_ > 0 && delivered_ >= samples_total_) ||
         (context_.faithful() && delivered_ > 0 && delivered_ % samples_per_epoch_ == 0);
}

// A framework's loop asks for a batch when the step before it is done. An epoch begins with that,
// and where the training process reads by itself every batch does.
Task<bool> Loader::ask(Instant free) {
  if (!context_.faithful()) co_return true;
  const std::uint64_t batch = assembly_.batches_taken();
  const bool epoch_begins = batch % batches_per_epoch() == 0;
  if (!epoch_begins && !context_.plan.reads_in_process()) co_return true;
  const bool on_time = co_await reactor_.sleep_until(free);
  if (!on_time) co_return false;
  if (epoch_begins) {
    epochs_begun_ = batch / batches_per_epoch() + 1;
    moved_.signal();
  }
  co_return true;
}

// A training process that reads by itself is its own only reader, so it reads while it waits for a
// batch, and never while it computes.
Task<> Loader::wait_until_asked() {
  if (!context_.plan.reads_in_process()) co_return;
  while (!closed_ && !accelerator_) co_await moved_.wait();
}

std::uint64_t Loader::batches_per_epoch() const {
  return context_.orders.shape().steps_per_epoch() * context_.plan.micro_batches;
}

// Whether nothing could have been read ahead for this batch.
bool Loader::starts_anew(std::uint64_t batch) const {
  if (context_.plan.reads_in_process()) return batch == 0;  // nothing ever is
  return batch == 0 || (context_.faithful() && batch % batches_per_epoch() == 0);
}

void Loader::release_batch(Instant busy_until) {
  chain_.busy_until(busy_until);
  window_.release(context_.plan.micro_batch_samples());
  ++batches_released_;
  processing_.release(context_.plan.micro_batch_samples(), assembly_.waiting_samples());
  if (context_.faithful()) moved_.signal();
}

void Loader::close() {
  closed_ = true;
  path_.close();
  window_.close();
  moved_.signal();
  if (accelerator_) reactor_.post(std::exchange(accelerator_, {}));
}

// Delivers samples as the window takes them, a batch at most at a time, and only some of those
// where there is room for some: the batch that frees the rest may lack just them. Emulated decoding
// of a stream takes its time before that, of one sample after the other, and where the training
// process reads by itself only of those that it waits for.
Task<bool> Loader::hand_over(Result<> outcome, std::uint64_t number, std::uint64_t samples,
                             StallTrace& trace) {
  if (samples == 0) co_return outcome.has_value() ? !closed_ : accept(outcome, 0, 0, trace);
  for (std::uint64_t done = 0; done < samples;) {
    const bool decoding =
        context_.faithful() && processing_.emulates_decoding() && outcome.has_value();
    const std::uint64_t room = std::max<std::uint64_t>(1, window_.available());
    const std::uint64_t most = decoding ? 1 : context_.plan.micro_batch_samples();
    const std::uint64_t count = std::min({samples - done, room, most});
    const bool admitted = co_await window_.acquire(count);
    if (!admitted) co_return false;
    if (decoding) co_await wait_until_asked();
    trace.add(StallCause::kQueue, reactor_.now());
    if (decoding) outcome = co_await processing_.emulate_decoding(count);
    trace.add(StallCause::kDecode, reactor_.now());
    if (!accept(outcome, number + done, count, trace)) co_return false;
    if (decoding) trace.restart(reactor_.now(), trace.file(), trace.epoch());
    outcome = {};  // counted once
    done += count;
  }
  co_return !closed_;
}

Task<> Loader::wait_for_epoch(std::uint64_t epoch) {
  while (!closed_ && epochs_begun_ <= epoch) co_await moved_.wait();
}

// A reader holds its batches in advance: a new one is dealt out for each that the accelerator
// starts on.
Task<> Loader::wait_for_dispatch(std::uint64_t batch) {
  while (!closed_ && batch >= batches_released_ + window_batches(context_.plan))
    co_await moved_.wait();
}

// Counts what came, good or bad; false when the reader must end.
bool Loader::accept(const Result<>& outcome, std::uint64_t number, std::uint64_t samples,
                    const StallTrace& trace) {
  if (!outcome) {
    if (outcome.error().kind() == ErrorKind::kCancelled) return false;
    context_.stats.add_error(outcome.error());
    if (context_.plan.on_error == OnError::kStop) {
      context_.on_fatal(outcome.error());
      return false;
    }
  }
  if (samples > 0) deliver(number, samples, trace);
  return !closed_;
}

void Loader::deliver(std::uint64_t number, std::uint64_t samples, const StallTrace& trace) {
  // Checking and copying take time of their own: the batch is complete after them.
  const Instant now = processing_.takes_time() ? reactor_.refresh_now() : reactor_.now();
  const std::uint64_t complete = assembly_.batches_complete();
  if (assembly_.is_next(number)) chain_.advance(trace, now);
  assembly_.deliver(number, samples, now);
  delivered_ += samples;
  context_.stats.samples_read += samples;
  context_.stats.samples.add(now, static_cast<double>(samples));
  context_.progress.samples.fetch_add(samples, std::memory_order_relaxed);
  const bool epoch_ends = delivered_ % samples_per_epoch_ == 0;
  if ((context_.faithful() && epoch_ends) || delivered_ == samples_total_)
    assembly_.end_of_input(now);
  for (std::uint64_t i = complete; i < assembly_.batches_complete(); ++i)
    pieces_.push_back(chain_.take());
  if (assembly_.has_batch() && accelerator_) reactor_.post(std::exchange(accelerator_, {}));
}

}  // namespace feedrate
