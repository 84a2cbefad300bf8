// Property test: random graphs of tasks on every clock.
//
// From a seed grows a crowd of tasks that sleep, yield, await and spawn others, hold permits, send
// messages, call worker threads and meet at a barrier. Whatever the interleaving, every task ends
// exactly once, no permit, message or contribution is lost or counted twice; and on the virtual
// clock the same seed gives the same run to the last event.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <numeric>

#include "feedrate/base/random.h"
#include "feedrate/runtime/barrier.h"
#include "feedrate/runtime/reactor_group.h"
#include "feedrate/runtime/sync.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kPermits = 4;
constexpr std::uint32_t kRoots = 5;
constexpr std::uint32_t kParties = 3;  // of the barrier, on each reactor
constexpr std::uint32_t kRounds = 15;
constexpr std::uint32_t kReceivers = 3;

struct Meeting {
  std::uint64_t collected = 0, published = 0, rounds = 0;
};

// Everything that the tasks of one reactor share.
struct World {
  World(Reactor& on, std::uint64_t run_seed, Barrier& meets_at, Meeting& meeting_of_all)
      : reactor(on),
        seed(run_seed),
        barrier(meets_at),
        meeting(meeting_of_all),
        permits(on, kPermits),
        messages_waiting(on, 0) {}

  std::uint32_t new_task() {
    finished.push_back(0);
    return static_cast<std::uint32_t>(finished.size() - 1);
  }
  void note(std::uint32_t task, std::uint64_t what) {
    trace = combine_seeds(trace, (std::uint64_t{task} << 8U) | what);
    if (reactor.is_virtual())
      trace = combine_seeds(trace,
                            static_cast<std::uint64_t>(reactor.now().time_since_epoch().count()));
  }

  Reactor& reactor;
  std::uint64_t seed;
  Barrier& barrier;
  Meeting& meeting;
  Semaphore permits;
  Semaphore messages_waiting;
  std::deque<std::uint64_t> messages;
  std::vector<std::uint32_t> finished;  // by task: how often it ended
  std::uint32_t growing = 0;            // detached graph tasks still running
  std::uint64_t held = 0, most_held = 0;
  std::uint64_t contributed = 0, returned = 0;
  std::uint64_t sent = 0, sent_sum = 0, received = 0, received_sum = 0;
  std::uint64_t trace = 0;
};

Task<> use_permits(World& world, std::uint64_t count, Duration hold) {
  const bool taken = co_await world.permits.acquire(count);
  EXPECT_TRUE(taken);
  world.held += count;
  world.most_held = std::max(world.most_held, world.held);
  if (hold.count() > 0)
    co_await world.reactor.sleep_for(hold);
  else
    co_await world.reactor.yield();
  world.held -= count;
  world.permits.release(count);
}

Task<> send_one(World& world, std::uint64_t value) {
  world.messages.push_back(value);
  ++world.sent;
  world.sent_sum += value;
  world.messages_waiting.release(1);
  co_await world.reactor.yield();
}

Task<> call_worker(World& world, std::uint64_t value) {
  auto job = world.reactor.offload([value] { return mix64(value); });
  const std::uint64_t answer = co_await job;
  EXPECT_EQ(answer, mix64(value));
}

Task<> sleep_or_yield(World& world, std::uint64_t microseconds) {
  if (microseconds == 0)
    co_await world.reactor.yield();
  else
    co_await world.reactor.sleep_for(std::chrono::microseconds(microseconds));
}

void spawn_graph(World& world, int depth);

// Returns what the task and the tasks it awaited have contributed.
Task<std::uint64_t> graph_task(World& world, std::uint32_t task, int depth) {
  RandomStream random(world.seed, SeedPurpose::kContent, task);
  std::uint64_t total = 0;
  const std::uint64_t steps = 2 + random.below(6);
  for (std::uint64_t step = 0; step < steps; ++step) {
    const std::uint64_t value = random.next() >> 40U;
    const std::uint64_t what = random.below(depth > 0 ? 8 : 5);
    world.note(task, what);
    if (what == 0) co_await sleep_or_yield(world, random.below(200));
    if (what == 1) co_await sleep_or_yield(world, 0);
    if (what == 2) co_await use_permits(world, 1 + value % kPermits, Duration(value % 20'000));
    if (what == 3) co_await send_one(world, value);
    if (what == 4) co_await call_worker(world, value);
    if (what == 5 || what == 6) {
      const std::uint64_t below = co_await graph_task(world, world.new_task(), depth - 1);
      total += below;
    }
    if (what == 7) spawn_graph(world, depth - 1);
    world.contributed += value;
    total += value;
  }
  ++world.finished[task];
  world.note(task, 255);
  co_return total;
}

Task<> detached_graph(World& world, std::uint32_t task, int depth) {
  const std::uint64_t total = co_await graph_task(world, task, depth);
  world.returned += total;
  if (--world.growing == 0) world.messages_waiting.close();
}

void spawn_graph(World& world, int depth) {
  ++world.growing;
  world.reactor.spawn(detached_graph(world, world.new_task(), depth));
}

Task<> receiver(World& world, std::uint32_t task) {
  RandomStream random(world.seed, SeedPurpose::kFailures, task);
  while (true) {
    co_await world.messages_waiting.acquire(1);
    if (world.messages.empty()) break;  // closed, and all was received
    ++world.received;
    world.received_sum += world.messages.front();
    world.messages.pop_front();
    world.note(task, 100);
    if (random.below(4) == 0) co_await sleep_or_yield(world, random.below(20));
  }
  ++world.finished[task];
}

Task<> party(World& world, std::uint32_t task) {
  RandomStream random(world.seed, SeedPurpose::kLatency, task);
  for (std::uint64_t round = 1; round <= kRounds; ++round) {
    if (random.below(3) == 0) co_await sleep_or_yield(world, random.below(60));
    Meeting& meeting = world.meeting;
    co_await world.barrier.arrive(world.reactor, [&meeting, round] { meeting.collected += round; });
    EXPECT_EQ(world.meeting.rounds, round);
    EXPECT_EQ(world.meeting.published % round, 0U);
    world.note(task, 101);
  }
  ++world.finished[task];
}

void populate(World& world) {
  for (std::uint32_t i = 0; i < kReceivers; ++i)
    world.reactor.spawn(receiver(world, world.new_task()));
  for (std::uint32_t i = 0; i < kParties; ++i) world.reactor.spawn(party(world, world.new_task()));
  for (std::uint32_t i = 0; i < kRoots; ++i) spawn_graph(world, 4);
}

void expect_conserved(const World& world) {
  for (std::size_t task = 0; task < world.finished.size(); ++task)
    EXPECT_EQ(world.finished[task], 1U) << "task " << task;
  EXPECT_EQ(world.growing, 0U);
  EXPECT_EQ(world.contributed, world.returned);
  EXPECT_EQ(world.sent, world.received);
  EXPECT_EQ(world.sent_sum, world.received_sum);
  EXPECT_EQ(world.held, 0U);
  EXPECT_LE(world.most_held, kPermits);
  EXPECT_EQ(world.permits.available(), kPermits);
  EXPECT_EQ(world.permits.waiting(), 0U);
}

struct Outcome {
  std::uint64_t trace = 0, events = 0;
  Instant end{};
  std::size_t tasks = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome run_world(ReactorGroup& group, std::uint64_t seed) {
  Meeting meeting;
  Barrier barrier(group.size() * kParties, [&meeting] {
    meeting.published = meeting.collected;
    meeting.collected = 0;
    ++meeting.rounds;
  });
  std::deque<World> worlds;
  for (unsigned thread = 0; thread < group.size(); ++thread)
    worlds.emplace_back(group.reactor(thread), combine_seeds(seed, thread), barrier, meeting);
  group.run([&](unsigned thread, Reactor&) { populate(worlds[thread]); }, [](unsigned) {}, {});
  for (const World& world : worlds) expect_conserved(world);
  EXPECT_EQ(meeting.rounds, kRounds);
  return {worlds[0].trace, group.reactor(0).events(), group.reactor(0).now(),
          worlds[0].finished.size()};
}

Outcome run_virtual(std::uint64_t seed) {
  const auto group = ReactorGroup::make(ClockKind::kVirtual, IoEngine::kAuto, 1);
  return run_world(**group, seed);
}

TEST(TaskGraph, ConservesEverythingAndRepeatsToTheBitInVirtualTime) {
  std::vector<std::uint64_t> traces;
  std::size_t tasks = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Outcome first = run_virtual(seed);
    EXPECT_EQ(run_virtual(seed), first);
    traces.push_back(first.trace);
    tasks += first.tasks;
    if (HasFailure()) return;
  }
  EXPECT_GT(tasks, 200U * 50U) << "the graphs have become trivial";
  std::sort(traces.begin(), traces.end());
  EXPECT_EQ(std::unique(traces.begin(), traces.end()), traces.end()) << "seeds without effect";
}

class TaskGraphInRealTime : public testing::TestWithParam<IoEngine> {};
INSTANTIATE_TEST_SUITE_P(, TaskGraphInRealTime,
                         testing::Values(IoEngine::kUring, IoEngine::kThreads),
                         [](const auto& row) { return std::string(to_string(row.param)); });

TEST_P(TaskGraphInRealTime, ConservesEverything) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto group = ReactorGroup::make(ClockKind::kReal, GetParam(), 3);
    if (!group) GTEST_SKIP() << group.error().message();
    run_world(**group, seed);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace feedrate
