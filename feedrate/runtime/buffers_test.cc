#include "feedrate/runtime/buffers.h"

#include <set>

#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {
namespace {

using BufferPoolTest = EveryReactor;
INSTANTIATE_TEST_SUITE_P(, BufferPoolTest, every_reactor(), name_of_param);

Task<> take_all(BufferPool& pool) {
  std::vector<Buffer> buffers;
  std::set<std::byte*> starts;
  for (std::size_t i = 0; i < pool.blocks(); ++i) {
    buffers.push_back(co_await pool.acquire());
    const std::span<std::byte> bytes = buffers.back().bytes();
    EXPECT_TRUE(buffers.back());
    EXPECT_EQ(bytes.size(), pool.block_bytes());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % kBufferAlignment, 0U);
    bytes.front() = std::byte{1};
    bytes.back() = std::byte{2};
    starts.insert(bytes.data());
  }
  EXPECT_EQ(starts.size(), pool.blocks());
  std::byte* last = buffers.back().bytes().data();
  buffers.pop_back();
  const Buffer again = co_await pool.acquire();
  EXPECT_EQ(again.bytes().data(), last);  // the warmest block first
}
TEST_P(BufferPoolTest, BlocksAreDistinctAlignedAndWarmestFirst) {
  BufferPool pool(reactor(), {.block_bytes = 5000, .blocks = 7});
  EXPECT_EQ(pool.block_bytes(), 8192U);
  run(take_all(pool));
}

Task<> take_and_log(Reactor& reactor, BufferPool& pool, int name, std::vector<int>& log) {
  const Buffer buffer = co_await pool.acquire();
  log.push_back(name);
  co_await reactor.sleep_for(std::chrono::microseconds(10));
}
TEST_P(BufferPoolTest, WaitersAreServedInOrderOfArrival) {
  BufferPool pool(reactor(), {.block_bytes = 4096, .blocks = 2});
  std::vector<int> log, expected;
  for (int name = 0; name < 50; ++name) {
    reactor().spawn(take_and_log(reactor(), pool, name, log));
    expected.push_back(name);
  }
  reactor().run();
  EXPECT_EQ(log, expected);
}

Task<> move_around(BufferPool& pool) {
  Buffer first = co_await pool.acquire();
  std::byte* block = first.bytes().data();
  Buffer second = std::move(first);
  EXPECT_EQ(second.bytes().data(), block);
  EXPECT_FALSE(first);  // NOLINT: a moved-from buffer is empty by contract
  first = std::move(second);
  EXPECT_EQ(first.bytes().data(), block);
  first = Buffer();
  const Buffer again = co_await pool.acquire();  // the only block: it must have come back
  EXPECT_EQ(again.bytes().data(), block);
}
TEST_P(BufferPoolTest, ABufferGoesBackExactlyOnce) {
  BufferPool pool(reactor(), {.block_bytes = 4096, .blocks = 1});
  run(move_around(pool));
}

Task<> note_index(BufferPool& pool, std::set<std::int16_t>& indices) {
  const Buffer buffer = co_await pool.acquire();
  indices.insert(buffer.registered_index());
}

// The kernel joins neighbouring pools into one mapping; each must still find its huge pages.
TEST_P(BufferPoolTest, NeighbouringPoolsAgreeOnHugePages) {
  BufferPool first(reactor(), {.block_bytes = 1U << 20U, .blocks = 4});
  BufferPool second(reactor(), {.block_bytes = 1U << 20U, .blocks = 4});
  EXPECT_EQ(first.shortfall(), second.shortfall());
}

// Each job has a pool of its own on a reactor that several share.
TEST_P(BufferPoolTest, SeveralPoolsAreRegisteredAndOneAgain) {
  std::vector<std::unique_ptr<BufferPool>> pools;
  for (int i = 0; i < 3; ++i)
    pools.push_back(std::make_unique<BufferPool>(
        reactor(), BufferPoolOptions{.block_bytes = 1U << 16U, .blocks = 2}));
  if (!pools.front()->registered()) GTEST_SKIP() << reactor().io().name() << " registers nothing";
  std::set<std::int16_t> different;
  for (const auto& pool : pools) run(note_index(*pool, different));
  EXPECT_EQ(different.size(), 3U);
}

TEST_P(BufferPoolTest, WithoutDataNoPageIsTouched) {
  BufferPool pool(reactor(), {.block_bytes = 1U << 30U, .blocks = 64, .will_carry_data = false});
  EXPECT_FALSE(pool.registered());
  EXPECT_EQ(pool.shortfall(), "");
  EXPECT_EQ(pool.blocks(), 64U);
}

}  // namespace
}  // namespace feedrate
