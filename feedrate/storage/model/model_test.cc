// Tests that the figures of a model are exact in virtual time, and near enough in real time.
#include "feedrate/storage/model/model.h"

#include <algorithm>
#include <cmath>

#include "feedrate/runtime/reactor_test_support.h"
#include "feedrate/storage/backends.h"

namespace feedrate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kReadBytes = 1U << 20U;

struct Bench {
  explicit Bench(const StorageModel& model, ReactorKind kind = ReactorKind::kVirtual)
      : reactor(std::move(*make_reactor(kind, offload))),
        storage(make_model_storage(
            make_storage_factory(costs_nothing(), IoMode::kBuffered, ".", 1)(*reactor), model,
            std::make_shared<ModelLimits>(), 7)),
        pool(*reactor, {.block_bytes = kReadBytes, .blocks = 64, .will_carry_data = false}) {}
  OffloadPool offload{2};
  std::unique_ptr<Reactor> reactor;
  std::unique_ptr<Storage> storage;
  BufferPool pool;
};

Task<> read_many(Bench& bench, int reads, std::uint64_t bytes, std::vector<Duration>& latencies) {
  static const std::string path = "file";
  Result<FileHandle> file = co_await bench.storage->open(path, OpenMode::kRead);
  Buffer buffer = co_await bench.pool.acquire();
  for (int i = 0; i < reads; ++i) {
    const Instant before = bench.reactor->refresh_now();
    const Result<ReadOutcome> got = co_await bench.storage->read(**file, 0, bytes, buffer);
    EXPECT_TRUE(got);
    latencies.push_back(bench.reactor->now() - before);
  }
  const Result<> closed = co_await bench.storage->close(std::move(*file));
  EXPECT_TRUE(closed);
}

// Returns the seconds that `readers` x `reads` reads of `bytes` take.
double seconds_for(const StorageModel& model, int readers, int reads, std::uint64_t bytes) {
  Bench bench(model);
  std::vector<Duration> latencies;
  for (int reader = 0; reader < readers; ++reader)
    bench.reactor->spawn(read_many(bench, reads, bytes, latencies));
  bench.reactor->run();
  EXPECT_EQ(latencies.size(), static_cast<std::size_t>(readers * reads));
  return to_seconds(bench.reactor->now().time_since_epoch());
}

TEST(ModelThroughput, TotalBandwidthIsExactHoweverManyRead) {
  StorageModel model;
  model.bytes_per_second = 2e9;
  for (const int readers : {1, 2, 7, 50}) {
    const double expected = readers * 100.0 * kReadBytes / 2e9;
    EXPECT_NEAR(seconds_for(model, readers, 100, kReadBytes), expected, 1e-6 * expected);
  }
}

TEST(ModelThroughput, RoundingCostsNothingOverManySmallReads) {
  StorageModel model;
  model.bytes_per_second = 7.05e9;  // 4 KiB take 580.99... ns
  const double expected = 20'000 * 4096 / 7.05e9;
  EXPECT_NEAR(seconds_for(model, 20, 1000, 4096), expected, 2e-5 * expected);
}

TEST(ModelThroughput, StreamBandwidthBoundsEachReaderByItself) {
  StorageModel model;
  model.stream_bytes_per_second = 500e6;
  const double alone = 50.0 * kReadBytes / 500e6;
  for (const int readers : {1, 20})
    EXPECT_NEAR(seconds_for(model, readers, 50, kReadBytes), alone, 1e-6 * alone);
  model.bytes_per_second = 2e9;  // Four streams fill it, forty share it.
  EXPECT_NEAR(seconds_for(model, 4, 50, kReadBytes), alone, 0.02 * alone);
  EXPECT_NEAR(seconds_for(model, 40, 50, kReadBytes), 10 * alone, 0.02 * 10 * alone);
}

TEST(ModelThroughput, OperationRateIsExact) {
  StorageModel model;
  model.operations_per_second = 50'000;
  EXPECT_NEAR(seconds_for(model, 16, 1000, 512), 16'000 / 50e3, 1e-6);
  model.bytes_per_second = 1e6;  // The tighter limit rules.
  EXPECT_NEAR(seconds_for(model, 16, 100, 5000), 8.0, 1e-4);
}

TEST(ModelThroughput, TinyRatesAndHugeReadsDoNotOverflow) {
  StorageModel model;
  model.bytes_per_second = 1;
  model.stream_bytes_per_second = 1;
  ModelLimits limits;
  Instant last{};
  for (int read = 0; read < 100'000; ++read) {
    const Instant end = limits.admit(model, Instant(seconds(1)), 1ULL << 62U);
    ASSERT_GE(end, last);
    last = end;
  }
  EXPECT_GT(seconds_for(model, 1, 1, kReadBytes), 86'000);
}

// The real clock counts from the start of the host, which may be years ago.
TEST(ModelThroughput, LimitsHoldOnAHostThatHasBeenUpForYears) {
  StorageModel model;
  model.bytes_per_second = 1e9;
  const Instant now(std::chrono::hours(24 * 1000));
  ModelLimits limits;
  for (int read = 1; read <= 10; ++read)
    EXPECT_EQ(limits.admit(model, now, 1'000'000) - now, milliseconds(read));
}

TEST(ModelLimits, AnIdleStorageSavesNothingUp) {
  StorageModel model;
  model.bytes_per_second = 1e9;
  ModelLimits limits;
  EXPECT_EQ(limits.admit(model, Instant(seconds(0)), 1'000'000), Instant(milliseconds(1)));
  EXPECT_EQ(limits.admit(model, Instant(seconds(9)), 1'000'000),
            Instant(seconds(9) + milliseconds(1)));
}

std::vector<Duration> sorted_latencies(const StorageModel& model, int reads) {
  Bench bench(model);
  std::vector<Duration> latencies;
  bench.reactor->spawn(read_many(bench, reads, 4096, latencies));
  bench.reactor->run();
  std::sort(latencies.begin(), latencies.end());
  return latencies;
}
double mean_seconds(const std::vector<Duration>& latencies) {
  double sum = 0;
  for (const Duration latency : latencies) sum += to_seconds(latency);
  return sum / static_cast<double>(latencies.size());
}
double quantile_seconds(const std::vector<Duration>& latencies, double share) {
  const auto index = share * static_cast<double>(latencies.size());
  return to_seconds(latencies.at(static_cast<std::size_t>(index)));
}

TEST(ModelLatency, FixedIsExact) {
  StorageModel model;
  model.latency = microseconds(137);
  const auto latencies = sorted_latencies(model, 1000);
  EXPECT_EQ(latencies.front(), microseconds(137));
  EXPECT_EQ(latencies.back(), microseconds(137));
}

TEST(ModelLatency, ExponentialHasItsMeanAndItsTail) {
  StorageModel model;
  model.latency_shape = LatencyShape::kExponential;
  model.latency = milliseconds(1);
  const auto latencies = sorted_latencies(model, 100'000);
  EXPECT_NEAR(mean_seconds(latencies), 1e-3, 0.02e-3);
  EXPECT_NEAR(quantile_seconds(latencies, 0.5), std::log(2.0) * 1e-3, 0.02e-3);
  EXPECT_NEAR(quantile_seconds(latencies, 0.99), std::log(100.0) * 1e-3, 0.15e-3);
}

TEST(ModelLatency, LognormalHasItsMedianAndItsNinetyNinthPercentile) {
  StorageModel model;
  model.latency_shape = LatencyShape::kLognormal;
  model.latency = milliseconds(1);
  model.latency_p99 = milliseconds(20);
  const auto latencies = sorted_latencies(model, 100'000);
  EXPECT_NEAR(quantile_seconds(latencies, 0.5), 1e-3, 0.03e-3);
  EXPECT_NEAR(quantile_seconds(latencies, 0.99), 20e-3, 1.5e-3);
  model.latency_p99 = model.latency;
  const auto fixed = sorted_latencies(model, 100);
  EXPECT_EQ(fixed.front(), fixed.back());
}

TEST(ModelLatency, AnAbsurdTailStaysWithinADay) {
  StorageModel model;
  model.latency_shape = LatencyShape::kLognormal;
  model.latency = Duration(1);
  model.latency_p99 = std::chrono::hours(1);
  for (const Duration latency : sorted_latencies(model, 100'000)) {
    ASSERT_GE(latency, Duration(0));
    ASSERT_LE(latency, std::chrono::hours(24));
  }
}

TEST(ModelLatency, TheSameSeedGivesTheSameLatencies) {
  StorageModel model;
  model.latency_shape = LatencyShape::kExponential;
  model.latency = milliseconds(1);
  EXPECT_EQ(sorted_latencies(model, 1000), sorted_latencies(model, 1000));
}

Task<> open_and_read_file(Bench& bench, Duration& opened, Duration& chain_opened, Duration& chain) {
  static const std::string path = "file";
  const Instant start = bench.reactor->now();
  Result<FileHandle> file = co_await bench.storage->open(path, OpenMode::kRead);
  opened = bench.reactor->now() - start;
  const Result<> closed = co_await bench.storage->close(std::move(*file));
  EXPECT_TRUE(closed);
  const Instant second = bench.reactor->now();
  Buffer buffer = co_await bench.pool.acquire();
  const Result<ReadOutcome> got = co_await bench.storage->read_file(path, 1000, buffer);
  EXPECT_TRUE(got);
  chain_opened = got->opened_at - second;
  chain = bench.reactor->now() - second;
}
TEST(ModelLatency, OpenCostsItsTimeBeforeTheFirstRead) {
  StorageModel model;
  model.open_latency = microseconds(500);
  model.latency = milliseconds(2);
  Bench bench(model);
  Duration opened{}, chain_opened{}, chain{};
  bench.reactor->spawn(open_and_read_file(bench, opened, chain_opened, chain));
  bench.reactor->run();
  EXPECT_EQ(opened, microseconds(500));
  EXPECT_EQ(chain_opened, microseconds(500));
  EXPECT_EQ(chain, microseconds(2500));
}

class ModelInRealTime : public testing::TestWithParam<ReactorKind> {};
INSTANTIATE_TEST_SUITE_P(, ModelInRealTime,
                         testing::Values(ReactorKind::kUring, ReactorKind::kThreads),
                         name_of_param);

// It may never be faster than described. How much slower it is depends on the host, so only gross
// slowness fails.
TEST_P(ModelInRealTime, EmulatesItsBandwidth) {
  OffloadPool offload(1);
  if (const auto reactor = make_reactor(GetParam(), offload); !reactor)
    GTEST_SKIP() << reactor.error().message();
  StorageModel model;
  model.bytes_per_second = 2e9;
  model.latency = microseconds(100);
  Bench bench(model, GetParam());
  std::vector<Duration> latencies;
  const Instant start = bench.reactor->refresh_now();
  for (int reader = 0; reader < 32; ++reader)
    bench.reactor->spawn(read_many(bench, 20, kReadBytes, latencies));
  bench.reactor->run();
  const double took = to_seconds(bench.reactor->refresh_now() - start);
  const double expected = 32 * 20.0 * kReadBytes / 2e9;  // 0.34 s
  EXPECT_GE(took, 0.98 * expected);
  EXPECT_LE(took, expected + 3);
  RecordProperty("slower_than_described", std::to_string(took / expected - 1));
}

Task<> read_until_cancelled(Bench& bench, int& cancelled) {
  static const std::string path = "file";
  Result<FileHandle> file = co_await bench.storage->open(path, OpenMode::kRead);
  EXPECT_TRUE(file);
  Buffer buffer = co_await bench.pool.acquire();
  const Result<ReadOutcome> got = co_await bench.storage->read(**file, 0, 4096, buffer);
  EXPECT_EQ(got.error().render(), "error: read \"file\": the run was interrupted\n");
  EXPECT_EQ(got.error().kind(), ErrorKind::kCancelled);
  const Result<ReadOutcome> whole = co_await bench.storage->read_file(path, 4096, buffer);
  EXPECT_EQ(whole.error().kind(), ErrorKind::kCancelled);
  const Result<> written = co_await bench.storage->write(**file, 0, 4096, buffer);
  EXPECT_EQ(written.error().kind(), ErrorKind::kCancelled);
  const Result<FileHandle> again = co_await bench.storage->open(path, OpenMode::kRead);
  EXPECT_EQ(again.error().kind(), ErrorKind::kCancelled);
  const Result<> closed = co_await bench.storage->close(std::move(*file));
  EXPECT_TRUE(closed);
  ++cancelled;
}
Task<> stop_soon(Reactor& reactor) {
  co_await reactor.sleep_for(milliseconds(1));
  reactor.stop();
}
TEST(ModelStop, WhoeverSleepsInItIsCancelled) {
  for (const ReactorKind kind :
       {ReactorKind::kVirtual, ReactorKind::kUring, ReactorKind::kThreads}) {
    OffloadPool offload(1);
    if (!make_reactor(kind, offload)) continue;
    StorageModel model;
    model.latency = std::chrono::hours(1);
    Bench bench(model, kind);
    int cancelled = 0;
    for (int reader = 0; reader < 5; ++reader)
      bench.reactor->spawn(read_until_cancelled(bench, cancelled));
    bench.reactor->spawn(stop_soon(*bench.reactor));
    bench.reactor->run();
    EXPECT_EQ(cancelled, 5) << reactor_name(kind);
  }
}

}  // namespace
}  // namespace feedrate
