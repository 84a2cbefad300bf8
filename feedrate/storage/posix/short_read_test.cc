// Tests what the backend does with file systems that return less than was asked for.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <vector>

#include "feedrate/runtime/buffers.h"
#include "feedrate/runtime/reactor.h"
#include "feedrate/storage/backends.h"
#include "feedrate/storage/posix/own_directories.h"

namespace feedrate {
namespace {

// Has one file in memory, behind a driver that answers each read as a test says.
class ScriptedReactor final : public Reactor, private IoDriver {
 public:
  // Takes the offset and the most bytes that are left in the file, and returns the result of the
  // read.
  using Answer = std::function<std::int32_t(std::uint64_t offset, std::uint32_t length)>;
  ScriptedReactor(std::vector<char> content, Answer answer)
      : content_(std::move(content)), answer_(std::move(answer)) {}

  Instant refresh_now() override { return now(); }
  bool is_virtual() const override { return true; }
  void post_remote(std::span<const std::coroutine_handle<>>) override {}
  void stop_remote() override {}
  void offload_job(OffloadJob& job) override {
    job.execute();
    post(job.waiter);
  }
  void run() override {
    while (loop_.live_tasks > 0) drain_ready();
  }
  IoDriver& io() override { return *this; }
  std::string_view name() const override { return "scripted"; }
  std::int16_t register_buffers(std::span<std::byte>) override { return -1; }
  void submit(IoRequest& request) override {
    request.result = 0;
    if (request.kind == IoKind::kRead || request.kind == IoKind::kReadFile) read(request);
    post(request.waiter);
  }
  std::vector<std::uint64_t> offsets;  // The offsets of the reads, in order.

 private:
  void read(IoRequest& request) {
    offsets.push_back(request.offset);
    const std::uint64_t left =
        request.offset < content_.size() ? content_.size() - request.offset : 0;
    const auto most = static_cast<std::uint32_t>(std::min<std::uint64_t>(request.length, left));
    request.result = answer_(request.offset, most);
    if (request.result > 0)
      std::memcpy(request.buffer, content_.data() + request.offset,
                  static_cast<std::size_t>(request.result));
  }

  std::vector<char> content_;
  Answer answer_;
};

struct Given {
  std::string error;  // The error; "" when all bytes came.
  std::string bytes;
  std::vector<std::uint64_t> offsets;
};

constexpr std::size_t kFileBytes = 20'000;

std::vector<char> content() {
  std::vector<char> bytes(kFileBytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 % 251);
  return bytes;
}
std::string part(std::size_t offset, std::size_t length) {
  const std::vector<char> all = content();
  return {all.data() + offset, length};
}

Task<> read_part(Storage& storage, BufferPool& pool, std::uint64_t offset, std::uint64_t length,
                 bool whole, Given& given) {
  const std::string path = "file";
  Buffer buffer = co_await pool.acquire();
  if (whole) {
    const Result<ReadOutcome> outcome = co_await storage.read_file(path, length, buffer);
    if (!outcome) given.error = outcome.error().message();
    if (outcome)
      given.bytes.assign(reinterpret_cast<const char*>(outcome->bytes.data()),
                         outcome->bytes.size());
    co_return;
  }
  Result<FileHandle> file = co_await storage.open(path, OpenMode::kRead);
  const Result<ReadOutcome> outcome = co_await storage.read(**file, offset, length, buffer);
  if (!outcome) given.error = outcome.error().message();
  if (outcome)
    given.bytes.assign(reinterpret_cast<const char*>(outcome->bytes.data()), outcome->bytes.size());
}

Given read(IoMode mode, std::uint64_t offset, std::uint64_t length,
           const ScriptedReactor::Answer& answer, bool whole = false) {
  ScriptedReactor reactor(content(), answer);
  StorageFacts facts = local_files().facts;
  facts.alignment_bytes = mode == IoMode::kDirect ? 4096 : 1;
  const auto storage = make_posix_storage(reactor, mode, facts, std::make_shared<OwnDirectories>());
  BufferPool pool(reactor, {.block_bytes = 1U << 16U, .blocks = 1, .will_carry_data = false});
  Given given;
  reactor.spawn(read_part(*storage, pool, offset, length, whole, given));
  reactor.run();
  given.offsets = reactor.offsets;
  return given;
}

// Behaves like a network or user-space file system: it reads at any offset, but returns 3,000 bytes
// at most.
std::int32_t in_small_pieces(std::uint64_t, std::uint32_t most) {
  return static_cast<std::int32_t>(std::min(most, 3000U));
}

TEST(ShortRead, GoesOnUntilAllIsThereAtUnalignedPlacesToo) {
  for (const IoMode mode : {IoMode::kBuffered, IoMode::kDirect}) {
    const Given given = read(mode, 4096, 8000, in_small_pieces);
    EXPECT_EQ(given.error, "");
    EXPECT_EQ(given.bytes, part(4096, 8000));
    EXPECT_EQ(given.offsets, (std::vector<std::uint64_t>{4096, 7096, 10096}));
  }
  const Given whole = read(IoMode::kDirect, 0, kFileBytes, in_small_pieces, true);
  EXPECT_EQ(whole.error, "");
  EXPECT_EQ(whole.bytes, part(0, kFileBytes));
}

TEST(ShortRead, OnlyNothingIsTheEnd) {
  const Given given = read(IoMode::kDirect, 16384, 8000, in_small_pieces);
  EXPECT_EQ(given.error, "read \"file\" at offset 16384: the file ended after 3616 of 8000 bytes");
  EXPECT_EQ(given.offsets, (std::vector<std::uint64_t>{16384, 19384, 20000}));
}

TEST(ShortRead, WhereOnlyBlocksAreReadTheBlockIsReadAgain) {
  int reads = 0;
  const auto blocks_only = [&](std::uint64_t offset, std::uint32_t most) {
    if (offset % 4096 != 0) return -EINVAL;
    return ++reads == 1 ? 5000 : static_cast<std::int32_t>(most);
  };
  const Given given = read(IoMode::kDirect, 0, 12000, blocks_only);
  EXPECT_EQ(given.error, "");
  EXPECT_EQ(given.bytes, part(0, 12000));
  EXPECT_EQ(given.offsets, (std::vector<std::uint64_t>{0, 5000, 4096}));

  // At the end of the file the same answers mean that the block holds no more than before.
  const Given end = read(IoMode::kDirect, 16384, 8000, blocks_only);
  EXPECT_EQ(end.error, "read \"file\" at offset 16384: the file ended after 3616 of 8000 bytes");
  EXPECT_EQ(end.offsets, (std::vector<std::uint64_t>{16384, 20000, 16384}));
}

TEST(ShortRead, ARefusalAtABlockIsAnError) {
  const auto refused = [](std::uint64_t, std::uint32_t) { return -EINVAL; };
  EXPECT_EQ(read(IoMode::kDirect, 0, 100, refused).error, "read \"file\": Invalid argument");
}

}  // namespace
}  // namespace feedrate
