// Requests as storage backends make them, on each driver.
#include "feedrate/runtime/io_driver.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "feedrate/base/random.h"
#include "feedrate/runtime/buffers.h"
#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {
namespace {

class IoDriverTest : public EveryReactor {
 protected:
  TemporaryDirectory directory_;
};
INSTANTIATE_TEST_SUITE_P(, IoDriverTest, every_reactor(), name_of_param);

IoRequest transfer(IoKind kind, IoFile file, void* buffer, std::size_t length,
                   std::uint64_t offset) {
  IoRequest request;
  request.kind = kind;
  request.file = file;
  request.buffer = buffer;
  request.length = static_cast<std::uint32_t>(length);
  request.offset = offset;
  return request;
}
IoRequest opening(const std::string& path, int flags, bool for_reading) {
  IoRequest request;
  request.kind = IoKind::kOpen;
  request.path = path.c_str();
  request.open_flags = flags | O_CLOEXEC;
  request.mode = 0600;
  request.for_reading = for_reading;
  return request;
}
IoRequest whole_file(const std::string& path, void* buffer, std::size_t length) {
  IoRequest request = transfer(IoKind::kReadFile, {}, buffer, length, 0);
  request.path = path.c_str();
  request.open_flags = O_RDONLY | O_CLOEXEC;
  return request;
}

Task<> close_file(Reactor& reactor, IoFile file) {
  IoRequest request;
  request.kind = IoKind::kClose;
  request.file = file;
  co_await reactor.perform(request);
  EXPECT_EQ(request.result, 0);
}

Task<> write_then_read(Reactor& reactor, const std::string& path) {
  IoRequest create = opening(path, O_WRONLY | O_CREAT | O_TRUNC, false);
  co_await reactor.perform(create);
  EXPECT_EQ(create.result, 0);
  char text[] = "hello, storage";
  IoRequest write = transfer(IoKind::kWrite, create.file, text, 14, 0);
  co_await reactor.perform(write);
  EXPECT_EQ(write.result, 14);
  IoRequest sync;
  sync.kind = IoKind::kSync;
  sync.file = create.file;
  co_await reactor.perform(sync);
  EXPECT_EQ(sync.result, 0);
  co_await close_file(reactor, create.file);

  IoRequest open = opening(path, O_RDONLY, true);
  co_await reactor.perform(open);
  EXPECT_EQ(open.result, 0);
  char got[32] = {};
  IoRequest read = transfer(IoKind::kRead, open.file, got, 7, 7);
  co_await reactor.perform(read);
  EXPECT_EQ(read.result, 7);
  EXPECT_STREQ(got, "storage");
  IoRequest past_end = transfer(IoKind::kRead, open.file, got, 8, 1000);
  co_await reactor.perform(past_end);
  EXPECT_EQ(past_end.result, 0);
  co_await close_file(reactor, open.file);
}
TEST_P(IoDriverTest, WritesSyncsAndReadsBack) {
  run(write_then_read(reactor(), directory_.path("file")));
}

Task<> fail_to_open(Reactor& reactor, const std::string& path, int expected) {
  for (const bool for_reading : {false, true}) {
    IoRequest open = opening(path, O_RDONLY, for_reading);
    co_await reactor.perform(open);
    EXPECT_EQ(open.result, -expected);
  }
  std::array<char, 8> buffer;
  IoRequest chain = whole_file(path, buffer.data(), buffer.size());
  co_await reactor.perform(chain);
  EXPECT_EQ(chain.open_result, -expected);
  EXPECT_EQ(chain.result, -expected);
}
TEST_P(IoDriverTest, ReportsWhyOpenFailed) {
  const std::string missing = directory_.path("missing");
  reactor().spawn(fail_to_open(reactor(), missing, ENOENT));
  const std::string below_file = directory_.write("file", "x") + "/below";
  run(fail_to_open(reactor(), below_file, ENOTDIR));
}

Task<> read_directory(Reactor& reactor, const std::string& path) {
  std::array<char, 8> buffer;
  IoRequest chain = whole_file(path, buffer.data(), buffer.size());
  co_await reactor.perform(chain);
  EXPECT_EQ(chain.open_result, 0);
  EXPECT_EQ(chain.result, -EISDIR);
}
TEST_P(IoDriverTest, TellsAFailedReadFromAFailedOpen) {
  run(read_directory(reactor(), directory_.path()));
}

Task<> read_short_file(Reactor& reactor, const std::string& path) {
  std::array<char, 64> buffer;
  for (int round = 0; round < 3; ++round) {
    const Instant before = reactor.refresh_now();
    IoRequest chain = whole_file(path, buffer.data(), buffer.size());
    co_await reactor.perform(chain);
    EXPECT_EQ(chain.open_result, 0);
    EXPECT_EQ(chain.result, 5);
    EXPECT_GE(chain.opened_at, before);
    EXPECT_LE(chain.opened_at, reactor.refresh_now());
  }
}
TEST_P(IoDriverTest, AShortFileIsReadToItsEndAndClosed) {
  run(read_short_file(reactor(), directory_.write("short", "12345")));
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

Task<> read_chain(Reactor& reactor, const std::string& path, const std::string& content,
                  std::size_t& finished) {
  std::string buffer(content.size(), '\0');
  IoRequest chain = whole_file(path, buffer.data(), buffer.size());
  co_await reactor.perform(chain);
  if (chain.open_result == 0) {
    EXPECT_EQ(chain.result, static_cast<int>(content.size()));
    EXPECT_EQ(buffer, content);
  } else {
    EXPECT_EQ(chain.open_result, -ENOENT);
    EXPECT_EQ(path.substr(path.size() - 7), "missing");
  }
  ++finished;
}
// Far more chains than the ring has slots (1024) and submission entries, with failures among them.
TEST_P(IoDriverTest, ManyMoreChainsThanSlotsAllFinish) {
  std::vector<std::string> paths, contents;
  for (int file = 0; file < 10; ++file) {
    contents.push_back(
        std::string(static_cast<std::size_t>(100 + file), static_cast<char>('a' + file)));
    paths.push_back(directory_.write("file" + std::to_string(file), contents.back()));
  }
  paths.push_back(directory_.path("missing"));
  contents.push_back("nothing");
  const std::size_t before = open_descriptors();
  std::size_t finished = 0;
  for (std::size_t chain = 0; chain < 5000; ++chain)
    reactor().spawn(read_chain(reactor(), paths[chain % 11], contents[chain % 11], finished));
  reactor().run();
  EXPECT_EQ(finished, 5000U);
  EXPECT_LE(open_descriptors(), before + 1);
}

Task<> hold_file_open(Reactor& reactor, const std::string& path, std::size_t& finished) {
  IoRequest open = opening(path, O_RDONLY, true);
  co_await reactor.perform(open);
  EXPECT_EQ(open.result, 0);
  for (int round = 0; round < 3; ++round) {
    char letter = 0;
    IoRequest read = transfer(IoKind::kRead, open.file, &letter, 1, 2);
    co_await reactor.perform(read);
    EXPECT_EQ(read.result, 1);
    EXPECT_EQ(letter, 'c');
  }
  co_await close_file(reactor, open.file);
  ++finished;
}
// Open files take slots up to a half of the table and descriptors after that; chains go on.
TEST_P(IoDriverTest, OpenFilesAndChainsShareTheSlots) {
  const std::string path = directory_.write("file", "abcdef");
  const std::size_t before = open_descriptors();
  std::size_t held = 0, chained = 0;
  const std::string content = "abcdef";
  for (int i = 0; i < 900; ++i) {
    reactor().spawn(hold_file_open(reactor(), path, held));
    reactor().spawn(read_chain(reactor(), path, content, chained));
  }
  reactor().run();
  EXPECT_EQ(held, 900U);
  EXPECT_EQ(chained, 900U);
  EXPECT_LE(open_descriptors(), before + 1);
}

Task<> read_into_pool(Reactor& reactor, BufferPool& pool, const std::string& path,
                      const std::string& content, std::size_t offset, std::size_t& finished) {
  const Buffer buffer = co_await pool.acquire();
  IoRequest chain = whole_file(path, buffer.bytes().data(), 4096);
  chain.offset = offset;
  chain.buffer_index = buffer.registered_index();
  co_await reactor.perform(chain);
  EXPECT_EQ(chain.result, 4096);
  EXPECT_EQ(std::memcmp(buffer.bytes().data(), content.data() + offset, 4096), 0);
  ++finished;
}
TEST_P(IoDriverTest, ReadsIntoRegisteredBuffers) {
  std::string content(16 * 4096, '\0');
  RandomStream random(3);
  for (char& byte : content) byte = static_cast<char>(random.next());
  const std::string path = directory_.write("file", content);
  std::size_t finished = 0;
  {
    BufferPool pool(reactor(), {.block_bytes = 4096, .blocks = 8});
    for (std::size_t i = 0; i < 200; ++i)
      reactor().spawn(
          read_into_pool(reactor(), pool, path, content, random.below(15) * 4096, finished));
    reactor().run();
  }
  EXPECT_EQ(finished, 200U);
}

TEST_P(IoDriverTest, HasAName) {
  const std::string_view name = reactor().io().name();
  EXPECT_EQ(name, is_virtual()                        ? "inline"
                  : GetParam() == ReactorKind::kUring ? "io_uring"
                                                      : "threads");
}

}  // namespace
}  // namespace feedrate
