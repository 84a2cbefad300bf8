#include "feedrate/runtime/timer_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "feedrate/base/random.h"

namespace feedrate {
namespace {

Instant at(std::uint64_t ns) { return Instant(Duration(static_cast<std::int64_t>(ns))); }
// The heap never resumes what it holds: a number dressed as a handle will do.
std::coroutine_handle<> handle(std::size_t number) {
  return std::coroutine_handle<>::from_address(reinterpret_cast<void*>(number * 16));
}
std::size_t number(std::coroutine_handle<> waiter) {
  return reinterpret_cast<std::uintptr_t>(waiter.address()) / 16;
}

TEST(TimerHeap, PopsByDeadline) {
  TimerHeap heap;
  EXPECT_TRUE(heap.empty());
  for (const std::size_t deadline : {5U, 1U, 4U, 2U, 3U})
    heap.push(at(deadline), handle(deadline), nullptr);
  for (std::size_t expected = 1; expected <= 5; ++expected) {
    EXPECT_EQ(heap.next_deadline(), at(expected));
    EXPECT_EQ(number(heap.pop()), expected);
  }
  EXPECT_TRUE(heap.empty());
}

TEST(TimerHeap, EqualDeadlinesKeepTheirOrder) {
  TimerHeap heap;
  for (std::size_t i = 1; i <= 1000; ++i) heap.push(at(7), handle(i), nullptr);
  for (std::size_t i = 1; i <= 1000; ++i) ASSERT_EQ(number(heap.pop()), i);
}

// The heap is compared with the obvious implementation: a stable sort of what is left at each step.
TEST(TimerHeap, AgreesWithAStableSortUnderRandomUse) {
  struct Entry {
    std::uint64_t deadline;
    std::size_t number;
  };
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    RandomStream random(seed);
    TimerHeap heap;
    std::vector<Entry> model;
    std::size_t made = 0;
    for (int step = 0; step < 400; ++step) {
      if (random.below(5) < 3 || model.empty()) {
        const std::uint64_t deadline = random.below(40);
        heap.push(at(deadline), handle(++made), nullptr);
        model.push_back({deadline, made});
        continue;
      }
      const auto least =
          std::min_element(model.begin(), model.end(),
                           [](const Entry& a, const Entry& b) { return a.deadline < b.deadline; });
      ASSERT_EQ(heap.next_deadline(), at(least->deadline)) << "seed " << seed;
      ASSERT_EQ(number(heap.pop()), least->number) << "seed " << seed;
      model.erase(least);
    }
  }
}

}  // namespace
}  // namespace feedrate
