#include "feedrate/runtime/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "feedrate/runtime/reactor.h"

namespace feedrate {
namespace {

void run(Task<> task) {
  const auto reactor = make_virtual_reactor();
  reactor->spawn(std::move(task));
  reactor->run();
}

Task<int> number(int value) { co_return value; }
Task<int> number_later(Reactor& reactor, int value) {
  co_await reactor.yield();
  co_return value;
}
Task<std::unique_ptr<std::string>> moved_only(std::string text) {
  co_return std::make_unique<std::string>(std::move(text));
}
Task<Result<std::string>> failing(bool fails) {
  if (fails) co_return fail(ErrorKind::kIo, "broken");
  co_return std::string("fine");
}

Task<> await_values() {
  const int answer = co_await number(42);
  EXPECT_EQ(answer, 42);
  const std::unique_ptr<std::string> text = co_await moved_only("moved");
  EXPECT_EQ(*text, "moved");
  const Result<std::string> good = co_await failing(false);
  const Result<std::string> bad = co_await failing(true);
  EXPECT_EQ(*good, "fine");
  EXPECT_EQ(bad.error().message(), "broken");
}
TEST(Task, CarriesValues) { run(await_values()); }

// Returns how far the stack has grown since `base`; volatile keeps the compiler from being clever.
std::ptrdiff_t stack_depth(const char* base) {
  volatile char here = 0;
  const auto address = reinterpret_cast<std::uintptr_t>(&here);
  return static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(base) - address);
}

Task<std::ptrdiff_t> depth_here(const char* base) { co_return stack_depth(base); }
Task<> long_chain(int length, const char* base) {
  const std::ptrdiff_t first = co_await depth_here(base);
  std::int64_t sum = 0;
  for (int i = 0; i < length; ++i) {
    const int value = co_await number(i);
    sum += value;
  }
  const std::ptrdiff_t last = co_await depth_here(base);
  EXPECT_EQ(sum, std::int64_t{length} * (length - 1) / 2);
  EXPECT_LT(std::abs(last - first), 4096);
}
TEST(Task, AMillionThatDoNotSuspendDoNotGrowTheStack) {
  char base = 0;
  run(long_chain(1'000'000, &base));
}

Task<> long_mixed_chain(Reactor& reactor, int length, const char* base) {
  std::ptrdiff_t deepest = 0;
  const std::ptrdiff_t first = co_await depth_here(base);
  for (int i = 0; i < length; ++i) {
    int value = 0;
    if (i % 3 == 0)
      value = co_await number_later(reactor, i);
    else
      value = co_await number(i);
    EXPECT_EQ(value, i);
    deepest = std::max(deepest, stack_depth(base));
  }
  EXPECT_LT(deepest - first, 8192);
}
TEST(Task, LoopsThatSuspendNowAndThenDoNotGrowTheStackEither) {
  char base = 0;
  const auto reactor = make_virtual_reactor();
  reactor->spawn(long_mixed_chain(*reactor, 100'000, &base));
  reactor->run();
}

Task<int> nested(Reactor& reactor, int depth, bool suspends) {
  if (depth == 0) {
    if (suspends) co_await reactor.yield();
    co_return 0;
  }
  const int below = co_await nested(reactor, depth - 1, suspends);
  co_return below + 1;
}
Task<> await_nested(Reactor& reactor) {
  const int at_once = co_await nested(reactor, 500, false);
  const int later = co_await nested(reactor, 500, true);
  EXPECT_EQ(at_once, 500);
  EXPECT_EQ(later, 500);
}
TEST(Task, Nests) {
  const auto reactor = make_virtual_reactor();
  reactor->spawn(await_nested(*reactor));
  reactor->run();
}

Task<> hold(std::shared_ptr<int> value) {
  ++*value;
  co_return;
}
TEST(Task, IsLazyAndMayBeDroppedUnawaited) {
  const auto value = std::make_shared<int>(0);
  {
    const Task<> never_awaited = hold(value);
    EXPECT_EQ(value.use_count(), 2);
  }
  EXPECT_EQ(value.use_count(), 1);
  EXPECT_EQ(*value, 0);
}

Task<> await_one(Task<> inner) { co_await std::move(inner); }
TEST(Task, ArgumentsAreGoneWhenItIsDone) {
  const auto value = std::make_shared<int>(0);
  run(await_one(hold(value)));
  EXPECT_EQ(*value, 1);
  EXPECT_EQ(value.use_count(), 1);
}

TEST(Task, MovingTransfersOwnership) {
  const auto value = std::make_shared<int>(0);
  Task<> first = hold(value);
  Task<> second = std::move(first);
  run(std::move(second));
  EXPECT_EQ(*value, 1);
  EXPECT_EQ(value.use_count(), 1);
}

TEST(Frames, MayBeFreedOnAnotherThread) {
  for (const std::size_t bytes : {1U, 64U, 65U, 4096U, 100'000U}) {
    void* frame = allocate_frame(bytes);
    static_cast<char*>(frame)[bytes - 1] = 1;
    std::thread([frame, bytes] {
      free_frame(frame, bytes);
      void* again = allocate_frame(bytes);
      static_cast<char*>(again)[bytes - 1] = 1;
      free_frame(again, bytes);
    }).join();
  }
}

}  // namespace
}  // namespace feedrate
