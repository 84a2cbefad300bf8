#include "feedrate/engine/training_part.h"

#include <algorithm>

namespace feedrate {
namespace {

// A quarter of the 47 bits of addresses that a process has.
constexpr std::size_t kAddressesMax = std::size_t{1} << 45U;
// Each reactor keeps so many files open beyond those in use.
constexpr std::size_t kIdleFiles = 512;

// Returns the largest single read. Other files, such as those beside the samples, are read in as
// many transfers as it takes.
std::uint64_t needed_bytes(const TrainingPlan& plan) {
  const bool whole_files =
      plan.order == AccessOrder::kSequential || plan.dataset->one_sample_per_file();
  return std::min(plan.transfer_bytes,
                  std::max(plan.dataset->largest_sample_bytes(),
                           whole_files ? plan.dataset->largest_file_bytes() : std::uint64_t{0}));
}

BufferPoolOptions buffer_options(const TrainingPlan& plan, const Storage& storage,
                                 std::size_t loaders) {
  const std::uint64_t needed = needed_bytes(plan);
  const std::size_t block =
      (needed + storage.slack_bytes() + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
  const bool split = plan.dataset->largest_sample_bytes() > plan.transfer_bytes;
  const std::size_t wanted = loaders * plan.reading() * (split ? plan.transfers_per_sample : 1);
  // Where no bytes move no page is touched, so that room for all buffers costs only addresses.
  if (!storage.carries_data() && wanted <= kAddressesMax / block)
    return {block, wanted, storage.carries_data()};
  const std::size_t affordable = std::max<std::size_t>(2, plan.buffer_bytes / block);
  return {block, std::min(wanted, affordable), storage.carries_data()};
}

}  // namespace

TrainingPart::TrainingPart(Reactor& reactor, std::unique_ptr<Storage> storage, const Shared& shared,
                           std::vector<std::uint32_t> ranks, ReplicaGuest guest,
                           std::unique_ptr<StepGuest::Part> guest_part)
    : reactor_(reactor),
      ranks_(std::move(ranks)),
      group_(shared.group),
      storage_(std::move(storage)),
      guest_part_(std::move(guest_part)),
      guest_(guest),
      stats_(reactor.now()),
      buffers_(reactor, buffer_options(shared.plan, *storage_, ranks_.size())),
      files_(*storage_, *shared.plan.dataset, shared.plan.level == ByteLevel::kVerify, kIdleFiles,
             [this](Duration latency) { stats_.add_open(latency); }),
      context_{.plan = shared.plan,
               .orders = shared.orders,
               .storage = *storage_,
               .buffers = buffers_,
               .files = files_,
               .stats = stats_,
               .progress = shared.progress,
               .buffer_bytes = needed_bytes(shared.plan),
               .on_fatal = shared.on_fatal},
      finished_(reactor, 0) {
  for (const std::uint32_t rank : ranks_)
    loaders_.push_back(std::make_unique<Loader>(context_, rank));
  on_stop_.emplace(reactor, [this] {
    for (const auto& loader : loaders_) loader->close();
  });
}

Task<StreamRate> TrainingPart::measure_stream_rate() {
  std::optional<StreamRate>* const shared = context_.plan.stream_rate.get();
  if (shared != nullptr && *shared) {
    StreamRate known = **shared;
    known.bytes_read = 0;  // This run read nothing for it.
    co_return known;
  }
  const StreamRate rate =
      co_await feedrate::measure_stream_rate(*storage_, buffers_, *context_.plan.dataset);
  if (shared != nullptr) *shared = rate;
  co_return rate;
}

Task<> TrainingPart::prepare() {
  if (guest_part_) co_await guest_part_->prepare();
}

Task<> TrainingPart::run(double stream_bytes_per_second) {
  stats_ = ReaderStats(group_.begin_time());
  began_ = true;
  context_.stream_bytes_per_second = stream_bytes_per_second;
  // Nothing is read for training whose checkpoints cannot be written.
  if (guest_part_ && !guest_part_->works()) {
    on_stop_.reset();
    co_return;
  }
  std::uint64_t parties = 0;
  for (std::size_t i = 0; i < loaders_.size(); ++i) {
    Loader& loader = *loaders_[i];
    loader.start(finished_);
    ReplicaGuest guest = guest_;
    guest.part = i == 0 ? guest_part_.get() : nullptr;
    reactor_.spawn(
        run_replica(loader, reactor_, context_.plan, group_, guest, stats_, ranks_[i], finished_));
    parties += loader.readers() + 1;
  }
  // Every replica and every reader gives a permit when it is through; what they use must outlive
  // them.
  const bool joined = co_await finished_.acquire(parties);
  FEEDRATE_ASSERT(joined);
  if (guest_part_) co_await guest_part_->finish();
  co_await files_.close_all();
  on_stop_.reset();
}

std::vector<std::string> TrainingPart::shortfalls() {
  std::vector<std::string> lines{buffers_.shortfall(), reactor_.io().shortfall()};
  std::erase(lines, "");
  return lines;
}

}  // namespace feedrate
