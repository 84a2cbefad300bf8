// Tests that extents come back in order, whatever is in flight, and that errors and early ends
// leave nothing behind.
#include "feedrate/storage/stream_reader.h"

#include <gtest/gtest.h>

#include <fstream>

#include "feedrate/runtime/reactor_group.h"
#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {
namespace {

struct Setting {
  std::string storage = "posix";
  ClockKind clock = ClockKind::kReal;
  std::size_t buffers = 7;
  StreamReaderOptions options = {4, 2};
};

struct Outcome {
  std::string bytes;
  std::vector<std::size_t> order;
  std::uint64_t observed = 0;
  std::optional<Error> error;
};

constexpr std::uint64_t kBlock = 8192;

Task<> read_all(Storage& storage, BufferPool& pool, const std::vector<std::string>& paths,
                const std::vector<StreamRead>& reads, const StreamReaderOptions& options,
                std::size_t stop_after, Outcome& outcome) {
  std::vector<FileHandle> files;
  for (const std::string& path : paths) {
    Result<FileHandle> file = co_await storage.open(path, OpenMode::kRead);
    files.push_back(std::move(file).value());
  }
  StreamReader reader(storage, pool, files, reads, options,
                      [&outcome](std::uint64_t bytes, Duration) { outcome.observed += bytes; });
  while (outcome.order.size() < stop_after) {
    auto block = co_await reader.next();
    if (!block) outcome.error = block.error();
    if (!block || !*block) break;
    outcome.order.push_back((*block)->read);
    if (storage.carries_data())
      outcome.bytes.append(reinterpret_cast<const char*>((*block)->bytes.data()),
                           (*block)->bytes.size());
  }
  co_await reader.finish();
  for (FileHandle& file : files) {
    const Result<> closed = co_await storage.close(std::move(file));
    EXPECT_TRUE(closed);
  }
}

Outcome run(const Setting& setting, const std::vector<std::string>& paths,
            const std::vector<StreamRead>& reads, std::size_t stop_after = SIZE_MAX,
            int streams = 1) {
  const auto group = ReactorGroup::make(setting.clock, IoEngine::kAuto, 1).value();
  const auto factory =
      make_storage_factory(parse_storage(setting.storage).value(), IoMode::kBuffered, "/tmp", 1);
  std::vector<Outcome> outcomes(static_cast<std::size_t>(streams));
  std::unique_ptr<Storage> storage;
  std::unique_ptr<BufferPool> pool;
  group->run(
      [&](unsigned, Reactor& reactor) {
        storage = factory(reactor);
        pool = std::make_unique<BufferPool>(
            reactor, BufferPoolOptions{kBlock + storage->slack_bytes(), setting.buffers,
                                       storage->carries_data()});
        for (Outcome& outcome : outcomes)
          reactor.spawn(
              read_all(*storage, *pool, paths, reads, setting.options, stop_after, outcome));
      },
      [&](unsigned) {
        pool.reset();
        storage.reset();
      },
      {});
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.bytes, outcomes[0].bytes);
  return outcomes[0];
}

class StreamReaderFiles : public testing::Test {
 protected:
  StreamReaderFiles() {
    for (int file = 0; file < 2; ++file) {
      std::string text;
      for (int at = 0; at < 20'000; ++at) text += fmt_number(file, at);
      texts_.push_back(text);
      paths_.push_back(directory_.path() + "/" + std::to_string(file));
      std::ofstream(paths_.back(), std::ios::binary) << text;
    }
    for (std::uint64_t index = 0; index < 100; ++index)
      reads_.push_back({index % 2, index * 997 % 90'000, 1 + index * 71 % kBlock});
    for (const StreamRead& read : reads_)
      expected_ += texts_[read.file].substr(read.offset, read.length);
  }
  static std::string fmt_number(int file, int at) {
    return std::to_string(file * 50'000 + at) + ",";
  }

  TemporaryDirectory directory_;
  std::vector<std::string> texts_, paths_;
  std::vector<StreamRead> reads_;
  std::string expected_;
};

TEST_F(StreamReaderFiles, BytesComeInOrder) {
  for (const Setting& setting : {Setting{}, Setting{.options = {1, 0}}, Setting{.options = {16, 5}},
                                 Setting{.buffers = 1}, Setting{.buffers = 3}}) {
    const Outcome outcome = run(setting, paths_, reads_);
    EXPECT_FALSE(outcome.error);
    EXPECT_EQ(outcome.bytes, expected_);
    EXPECT_EQ(outcome.observed, expected_.size());
  }
}

// Several streams share a pool that is too small for any one of them.
TEST_F(StreamReaderFiles, StreamsShareAPool) {
  const Outcome outcome = run({.buffers = 5}, paths_, reads_, SIZE_MAX, 6);
  EXPECT_EQ(outcome.bytes, expected_);
}

TEST_F(StreamReaderFiles, AnErrorComesInItsPlace) {
  reads_[40] = {1, 1'000'000, 10};  // This read begins beyond the end.
  const Outcome outcome = run({}, paths_, reads_);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->kind(), ErrorKind::kShortRead);
  EXPECT_EQ(outcome.order.size(), 40U);
}

TEST_F(StreamReaderFiles, TheCallerMayEndEarlyOrReadNothing) {
  EXPECT_EQ(run({}, paths_, reads_, 3).order, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_TRUE(run({}, paths_, reads_, 0).order.empty());
  EXPECT_TRUE(run({}, paths_, {}).order.empty());
}

TEST(StreamReader, WithoutDataOnBothClocks) {
  const std::vector<StreamRead> reads(50, StreamRead{0, 0, kBlock});
  for (const ClockKind clock : {ClockKind::kReal, ClockKind::kVirtual}) {
    const Outcome outcome = run({.storage = "null", .clock = clock}, {"x"}, reads);
    EXPECT_EQ(outcome.order.size(), 50U);
    EXPECT_EQ(outcome.observed, 50 * kBlock);
  }
}

}  // namespace
}  // namespace feedrate
