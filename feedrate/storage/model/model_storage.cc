#include <cmath>

#include "feedrate/storage/model/model.h"

namespace feedrate {
namespace {

// The shared queues count in ticks of 1/64 ns. That is fine enough for rounding to cost a millionth
// of a throughput, and 2^63 ticks are 4.5 years, which is enough since the real clock starts when
// the host does.
constexpr std::int64_t kTicksPerNanosecond = 64;
constexpr double kTicksPerSecond = 64e9;
// Leaves room for one more take().
constexpr std::int64_t kTicksMax = INT64_MAX - (std::int64_t{1} << 53U);
// Limits each single wait in seconds (a day), whatever the model's tail or rates ask for.
constexpr double kSecondsMax = 86400;

// Takes `service_seconds` of a shared server that serves in the order of arrival. Returns when that
// service ends.
std::int64_t take(std::atomic<std::int64_t>& free_at_ticks, std::int64_t now_ticks,
                  double service_seconds) {
  const auto service =
      static_cast<std::int64_t>(std::min(service_seconds, kSecondsMax) * kTicksPerSecond + 0.5);
  std::int64_t free_at = free_at_ticks.load(std::memory_order_relaxed);
  std::int64_t end = 0;
  do {
    end = std::min(std::max(free_at, now_ticks) + service, kTicksMax);
  } while (!free_at_ticks.compare_exchange_weak(free_at, end, std::memory_order_relaxed));
  return end;
}

Duration bounded(double seconds) { return from_seconds(std::min(seconds, kSecondsMax)); }

class ModelStorage final : public Storage {
 public:
  ModelStorage(std::unique_ptr<Storage> backing, StorageModel model,
               std::shared_ptr<ModelLimits> limits, std::uint64_t seed)
      : Storage(described(backing->facts())),
        backing_(std::move(backing)),
        model_(std::move(model)),
        limits_(std::move(limits)),
        random_(seed) {}

  std::string_view name() const override { return "model"; }
  Reactor& reactor() override { return backing_->reactor(); }

  Task<Result<FileHandle>> open(const std::string& path, OpenMode mode) override {
    const Instant arrival = reactor().now();
    Result<FileHandle> file = co_await backing_->open(path, mode);
    const bool waited =
        co_await reactor().sleep_until(arrival + model_.open_latency + slowness(path).open);
    if (file && !waited) {
      const Result<> closed = co_await backing_->close(std::move(*file));
      co_return fail(closed ? stopped("open", path) : closed.error());
    }
    co_return file;
  }
  Task<Result<>> close(FileHandle file) override { return backing_->close(std::move(file)); }

  Task<Result<ReadOutcome>> read(StorageFile& file, std::uint64_t offset, std::uint64_t length,
                                 Buffer& buffer) override {
    const Instant ready = completion(reactor().now(), length, slowness(file.path()).latency);
    FEEDRATE_ASSERT(length <= buffer.bytes().size());
    Result<ReadOutcome> outcome = ReadOutcome{buffer.bytes().first(length), length, {}, {}};
    if (backing_->carries_data()) outcome = co_await backing_->read(file, offset, length, buffer);
    const bool waited = co_await reactor().sleep_until(ready);
    if (!waited) co_return fail(stopped("read", file.path()));
    if (outcome) outcome->first_byte_at = ready - transfer_time(length);
    co_return outcome;
  }

  Task<Result<ReadOutcome>> read_file(const std::string& path, std::uint64_t length,
                                      Buffer& buffer) override {
    const StorageModel::SlowPath& slow = slowness(path);
    const Duration open_latency = model_.open_latency + slow.open;
    const Instant opened = reactor().now() + open_latency;
    if (open_latency.count() > 0) {
      const bool waited = co_await reactor().sleep_until(opened);
      if (!waited) co_return fail(stopped("open", path));
    }
    const Instant ready = completion(opened, length, slow.latency);
    FEEDRATE_ASSERT(length <= buffer.bytes().size());
    Result<ReadOutcome> outcome = ReadOutcome{buffer.bytes().first(length), length, opened, {}};
    if (backing_->carries_data()) outcome = co_await backing_->read_file(path, length, buffer);
    const bool waited = co_await reactor().sleep_until(ready);
    if (!waited) co_return fail(stopped("read", path));
    if (outcome) {
      outcome->opened_at = opened;
      outcome->first_byte_at = ready - transfer_time(length);
    }
    co_return outcome;
  }

  Task<Result<>> write(StorageFile& file, std::uint64_t offset, std::uint64_t length,
                       Buffer& buffer) override {
    const Instant ready = completion(reactor().now(), length, Duration{});
    const Result<> outcome = co_await backing_->write(file, offset, length, buffer);
    const bool waited = co_await reactor().sleep_until(ready);
    if (!waited) co_return fail(stopped("write", file.path()));
    co_return outcome;
  }
  Task<Result<>> sync(StorageFile& file) override { return backing_->sync(file); }
  Task<Result<std::vector<DirectoryEntry>>> list(const std::string& path) override {
    return backing_->list(path);
  }
  Task<Result<FileStatus>> stat(const std::string& path) override { return backing_->stat(path); }
  Task<Result<>> rename(const std::string& from, const std::string& to) override {
    return backing_->rename(from, to);
  }
  Task<Result<>> sync_directory(const std::string& path) override {
    return backing_->sync_directory(path);
  }
  Task<Result<std::uint64_t>> free_bytes(const std::string& path) override {
    return backing_->free_bytes(path);
  }
  Task<Result<>> remove(const std::string& path) override { return backing_->remove(path); }
  Task<Result<>> make_directories(const std::string& path) override {
    return backing_->make_directories(path);
  }
  Task<Result<DirectoryClaim>> claim(const std::string& directory) override {
    return backing_->claim(directory);
  }

 private:
  static StorageFacts described(StorageFacts facts) {
    facts.takes_time = facts.described = true;
    return facts;
  }
  static Error stopped(std::string_view operation, const std::string& path) {
    return Error::storage(ErrorKind::kCancelled, operation, path, 0, 0, "the run was interrupted");
  }

  // Returns when a transfer that arrives at `arrival` has passed the model: it waits for the shared
  // queues while its own latency and its stream's rate pass.
  Instant completion(Instant arrival, std::uint64_t bytes, Duration slowness) {
    const Instant admitted = limits_->admit(model_, arrival, bytes);
    Duration alone = draw_latency() + slowness;
    if (model_.stream_bytes_per_second > 0)
      alone += bounded(static_cast<double>(bytes) / model_.stream_bytes_per_second);
    return std::max(admitted, arrival + alone);
  }

  // Returns the time from the first byte to the last, at the slower of the two rates.
  Duration transfer_time(std::uint64_t bytes) const {
    double seconds = 0;
    for (const double rate : {model_.stream_bytes_per_second, model_.bytes_per_second})
      if (rate > 0) seconds = std::max(seconds, static_cast<double>(bytes) / rate);
    return bounded(seconds);
  }

  // Returns the first entry whose text is in the path; what it adds is 0 where there is none.
  const StorageModel::SlowPath& slowness(const std::string& path) const {
    static const StorageModel::SlowPath kNone;
    for (const StorageModel::SlowPath& slow : model_.slow)
      if (path.find(slow.path) != std::string::npos) return slow;
    return kNone;
  }

  Duration draw_latency() {
    switch (model_.latency_shape) {
      case LatencyShape::kFixed:
        return model_.latency;
      case LatencyShape::kExponential:
        return bounded(to_seconds(model_.latency) * random_.exponential());
      case LatencyShape::kLognormal: {
        static constexpr double kNormalP99 = 2.3263478740408408;
        const double sigma =
            std::log(to_seconds(model_.latency_p99) / to_seconds(model_.latency)) / kNormalP99;
        return bounded(to_seconds(model_.latency) * std::exp(sigma * random_.normal()));
      }
    }
    return {};
  }

  std::unique_ptr<Storage> backing_;
  StorageModel model_;
  std::shared_ptr<ModelLimits> limits_;
  RandomStream random_;
};

}  // namespace

Instant ModelLimits::admit(const StorageModel& model, Instant now, std::uint64_t bytes) {
  const std::int64_t now_ticks = now.time_since_epoch().count() * kTicksPerNanosecond;
  std::int64_t end = now_ticks;
  if (model.bytes_per_second > 0)
    end = std::max(end, take(bytes_free_at_ticks_, now_ticks,
                             static_cast<double>(bytes) / model.bytes_per_second));
  if (model.operations_per_second > 0)
    end =
        std::max(end, take(operations_free_at_ticks_, now_ticks, 1 / model.operations_per_second));
  return Instant(Duration(end / kTicksPerNanosecond));
}

std::unique_ptr<Storage> make_model_storage(std::unique_ptr<Storage> backing, StorageModel model,
                                            std::shared_ptr<ModelLimits> limits,
                                            std::uint64_t seed) {
  return std::make_unique<ModelStorage>(std::move(backing), std::move(model), std::move(limits),
                                        seed);
}

}  // namespace feedrate
