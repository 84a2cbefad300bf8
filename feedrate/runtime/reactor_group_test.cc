#include "feedrate/runtime/reactor_group.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <set>
#include <thread>

#include "feedrate/runtime/buffers.h"
#include "feedrate/runtime/sync.h"

namespace feedrate {
namespace {

using std::chrono::milliseconds;

struct Setting {
  const char* name;
  ClockKind clock;
  IoEngine engine;
};
class ReactorGroupTest : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    auto made = ReactorGroup::make(GetParam().clock, GetParam().engine, 3);
    if (!made) GTEST_SKIP() << made.error().message();
    group_ = std::move(*made);
    ASSERT_EQ(group_->size(), GetParam().clock == ClockKind::kVirtual ? 1U : 3U);
  }
  std::unique_ptr<ReactorGroup> group_;
};
INSTANTIATE_TEST_SUITE_P(, ReactorGroupTest,
                         testing::Values(Setting{"virtual", ClockKind::kVirtual, IoEngine::kAuto},
                                         Setting{"auto", ClockKind::kReal, IoEngine::kAuto},
                                         Setting{"uring", ClockKind::kReal, IoEngine::kUring},
                                         Setting{"threads", ClockKind::kReal, IoEngine::kThreads}),
                         [](const auto& row) { return std::string(row.param.name); });

Task<> note_thread(Reactor& reactor, std::thread::id& id) {
  co_await reactor.sleep_for(milliseconds(1));
  id = std::this_thread::get_id();
}
TEST_P(ReactorGroupTest, EachReactorRunsOnItsOwnThread) {
  std::array<std::thread::id, 3> started, ran, finished;
  group_->run(
      [&](unsigned index, Reactor& reactor) {
        started.at(index) = std::this_thread::get_id();
        reactor.spawn(note_thread(reactor, ran.at(index)));
      },
      [&](unsigned index) { finished.at(index) = std::this_thread::get_id(); }, {});
  EXPECT_EQ(started, ran);
  EXPECT_EQ(started, finished);
  EXPECT_EQ(started[0], std::this_thread::get_id());
  const std::set<std::thread::id> different(started.begin(), started.begin() + group_->size());
  EXPECT_EQ(different.size(), group_->size());
}

// Reactors wait for each other while they run, so where one cannot start, none may.
TEST_P(ReactorGroupTest, WhereOneCannotStartNoneRuns) {
  std::array<std::thread::id, 3> ran;
  const auto start = [&](unsigned index, Reactor& reactor) {
    reactor.spawn(note_thread(reactor, ran.at(index)));
    if (index + 1 == group_->size()) throw NoBuffers(123);
  };
  try {
    group_->run(start, [](unsigned) { FAIL(); }, {});
    FAIL() << "nothing was thrown";
  } catch (const NoBuffers& problem) {
    EXPECT_EQ(problem.bytes(), 123U);
  }
  for (const std::thread::id& id : ran) EXPECT_EQ(id, std::thread::id());
}

Task<> burn(Reactor& reactor, Duration duration) {
  const Instant end = reactor.refresh_now() + duration;
  while (!reactor.is_virtual() && reactor.refresh_now() < end) co_await reactor.yield();
}
TEST_P(ReactorGroupTest, CountsTheProcessorTimeOfEachThread) {
  group_->run([](unsigned, Reactor& reactor) { reactor.spawn(burn(reactor, milliseconds(60))); },
              [](unsigned) {}, {});
  ASSERT_EQ(group_->cpu_times().size(), group_->size());
  if (GetParam().clock == ClockKind::kVirtual) return;
  Duration all{};
  for (const CpuTime& time : group_->cpu_times()) all += time.user + time.system;
  EXPECT_GT(all, milliseconds(1));  // three threads may have had one busy core between them
}

Task<> doze(Reactor& reactor, std::atomic<int>& stopped) {
  bool undisturbed = true;
  while (undisturbed) undisturbed = co_await reactor.sleep_for(milliseconds(1));
  ++stopped;
}
TEST_P(ReactorGroupTest, AStopRequestReachesEveryReactor) {
  std::atomic<int> stopped = 0;
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(5));
    stop.request_stop();
  });
  group_->run([&](unsigned, Reactor& reactor) { reactor.spawn(doze(reactor, stopped)); },
              [](unsigned) {}, stop.get_token());
  EXPECT_EQ(stopped, static_cast<int>(group_->size()));
}
TEST_P(ReactorGroupTest, AStopRequestMadeBeforehandIsSeen) {
  std::atomic<int> stopped = 0;
  std::stop_source stop;
  stop.request_stop();
  group_->run([&](unsigned, Reactor& reactor) { reactor.spawn(doze(reactor, stopped)); },
              [](unsigned) {}, stop.get_token());
  EXPECT_EQ(stopped, static_cast<int>(group_->size()));
}

Task<> stop_the_group(Reactor& reactor, ReactorGroup& group) {
  co_await reactor.sleep_for(milliseconds(3));
  group.stop();
}
TEST_P(ReactorGroupTest, OneReactorCanStopThemAll) {
  std::atomic<int> stopped = 0;
  group_->run(
      [&](unsigned index, Reactor& reactor) {
        reactor.spawn(doze(reactor, stopped));
        if (index + 1 == group_->size()) reactor.spawn(stop_the_group(reactor, *group_));
      },
      [](unsigned) {}, {});
  EXPECT_EQ(stopped, static_cast<int>(group_->size()));
}

TEST(ReactorGroup, ParsesItsOptions) {
  for (const ClockKind clock : {ClockKind::kReal, ClockKind::kVirtual})
    EXPECT_EQ(*parse_clock(to_string(clock), "--clock"), clock);
  for (const IoEngine engine : {IoEngine::kAuto, IoEngine::kUring, IoEngine::kThreads})
    EXPECT_EQ(*parse_io_engine(to_string(engine), "--io-engine"), engine);
  EXPECT_EQ(parse_clock("virtul", "--clock").error().render(),
            "error: --clock: unknown clock 'virtul', did you mean 'virtual'?\n"
            "hint:  use real or virtual\n");
  EXPECT_EQ(parse_io_engine("libaio", "--io-engine").error().render(),
            "error: --io-engine: unknown engine 'libaio'\nhint:  use auto, uring or threads\n");
}

TEST(ReactorGroup, KnowsHowManyCoresThereAre) { EXPECT_GE(available_cores(), 1U); }

}  // namespace
}  // namespace feedrate
