// The behaviour that every reactor has in common, on all three.
#include "feedrate/runtime/reactor.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "feedrate/runtime/reactor_test_support.h"
#include "feedrate/runtime/sync.h"

namespace feedrate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ReactorTest = EveryReactor;
INSTANTIATE_TEST_SUITE_P(, ReactorTest, every_reactor(), name_of_param);

Task<> sleep_once(Reactor& reactor, Duration duration, Duration* slept) {
  const Instant before = reactor.now();
  const bool undisturbed = co_await reactor.sleep_for(duration);
  EXPECT_TRUE(undisturbed);
  *slept = reactor.now() - before;
}
TEST_P(ReactorTest, SleepLastsAtLeastAsLongAsAsked) {
  Duration slept{};
  run(sleep_once(reactor(), milliseconds(3), &slept));
  EXPECT_GE(slept, milliseconds(3));
  if (is_virtual()) {
    EXPECT_EQ(slept, milliseconds(3));
  }
}

Task<> sleep_and_log(Reactor& reactor, Instant deadline, int name, std::vector<int>& log) {
  co_await reactor.sleep_until(deadline);
  EXPECT_GE(reactor.now(), deadline);
  log.push_back(name);
}
Task<> spawn_sleepers(Reactor& reactor, std::vector<int>& log) {
  const Instant start = reactor.now();
  int name = 0;
  for (const int delay : {5, 1, 3, 1, 5, 2, 1})
    reactor.spawn(sleep_and_log(reactor, start + milliseconds(delay), name++, log));
  co_return;
}
TEST_P(ReactorTest, SleepersWakeByDeadlineThenByArrival) {
  std::vector<int> log;
  run(spawn_sleepers(reactor(), log));
  EXPECT_EQ(log, (std::vector<int>{1, 3, 6, 5, 2, 0, 4}));
}

Task<> sleep_in_the_past(Reactor& reactor) {
  const std::uint64_t events = reactor.events();
  const bool now = co_await reactor.sleep_until(reactor.now());
  const bool past = co_await reactor.sleep_until(reactor.now() - seconds(1));
  const bool nothing = co_await reactor.sleep_for(Duration(0));
  EXPECT_TRUE(now && past && nothing);
  EXPECT_EQ(reactor.events(), events);
}
TEST_P(ReactorTest, APassedDeadlineDoesNotSuspend) { run(sleep_in_the_past(reactor())); }

Task<> yield_and_log(Reactor& reactor, int name, std::vector<int>& log) {
  for (int round = 0; round < 3; ++round) {
    log.push_back(name);
    co_await reactor.yield();
  }
}
TEST_P(ReactorTest, YieldTakesTurnsInOrder) {
  std::vector<int> log;
  for (int name = 0; name < 3; ++name) reactor().spawn(yield_and_log(reactor(), name, log));
  reactor().run();
  EXPECT_EQ(log, (std::vector<int>{0, 1, 2, 0, 1, 2, 0, 1, 2}));
}

Task<> spawn_tree(Reactor& reactor, int depth, int& count) {
  ++count;
  if (depth % 2 == 0) co_await reactor.sleep_for(microseconds(10));
  for (int child = 0; depth > 0 && child < 3; ++child)
    reactor.spawn(spawn_tree(reactor, depth - 1, count));
}
TEST_P(ReactorTest, RunReturnsWhenAllSpawnedTasksAreDone) {
  int count = 0;
  run(spawn_tree(reactor(), 6, count));
  EXPECT_EQ(count, (2187 - 1) / 2);  // 3^0 + ... + 3^6
}

TEST_P(ReactorTest, RunWithoutTasksReturnsAtOnce) { reactor().run(); }

Task<> spin_until_told(Reactor& reactor, const bool& done, std::uint64_t& turns) {
  while (!done && !reactor.stopping()) {
    ++turns;
    co_await reactor.yield();
  }
}
Task<> tell_later(Reactor& reactor, bool& done) {
  co_await reactor.sleep_for(milliseconds(2));
  done = true;
}
// A task that is always ready must not keep the reactor from its timers. In virtual time nothing
// happens while somebody is ready, so there only the stop request can end it.
TEST_P(ReactorTest, ABusyTaskDoesNotHoldUpTimersOrStop) {
  bool done = false;
  std::uint64_t turns = 0;
  reactor().spawn(spin_until_told(reactor(), done, turns));
  std::jthread stopper;
  if (is_virtual())
    stopper = std::jthread([this] { reactor().stop_remote(); });
  else
    reactor().spawn(tell_later(reactor(), done));
  reactor().run();
  EXPECT_GT(turns, 0U);
}

Task<> read_while_others_spin(Reactor& reactor, std::string path, bool& done) {
  char buffer[8] = {};
  IoRequest request;
  request.kind = IoKind::kReadFile;
  request.path = path.c_str();
  request.buffer = buffer;
  request.length = 5;
  co_await reactor.perform(request);
  EXPECT_EQ(request.result, 5);
  done = true;
}
TEST_P(ReactorTest, ABusyTaskDoesNotHoldUpInputOutput) {
  const TemporaryDirectory directory;
  bool done = false;
  std::uint64_t turns = 0;
  reactor().spawn(spin_until_told(reactor(), done, turns));
  reactor().spawn(read_while_others_spin(reactor(), directory.write("file", "hello"), done));
  reactor().run();
  EXPECT_TRUE(done);
}

Task<> read_until_told(Reactor& reactor, int fd, const bool& done, std::uint64_t& reads) {
  while (!done) {
    char letter = 0;
    IoRequest request;
    request.file = {fd, false};
    request.buffer = &letter;
    request.length = 1;
    co_await reactor.perform(request);
    EXPECT_EQ(request.result, 1);
    ++reads;
  }
}
// Reads from the page cache complete as they are submitted: completions never run out.
TEST_P(ReactorTest, BusyInputOutputDoesNotHoldUpTimers) {
  if (is_virtual()) GTEST_SKIP() << "input and output takes no virtual time";
  const TemporaryDirectory directory;
  const int fd = open(directory.write("file", "hello").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  bool done = false;
  std::uint64_t reads = 0;
  for (int i = 0; i < 64; ++i) reactor().spawn(read_until_told(reactor(), fd, done, reads));
  run(tell_later(reactor(), done));
  EXPECT_GE(reads, 64U);
  close(fd);
}

Task<> offload_one(Reactor& reactor, int index, std::uint64_t& sum, bool is_virtual) {
  const std::thread::id here = std::this_thread::get_id();
  auto job = reactor.offload(
      [index] { return std::pair(std::make_unique<int>(index), std::this_thread::get_id()); });
  const auto [value, there] = co_await job;
  EXPECT_EQ(there == here, is_virtual);
  EXPECT_EQ(std::this_thread::get_id(), here);
  sum += static_cast<std::uint64_t>(*value);
}
TEST_P(ReactorTest, OffloadedWorkRunsElsewhereAndComesBack) {
  std::uint64_t sum = 0;
  for (int index = 0; index < 300; ++index)
    reactor().spawn(offload_one(reactor(), index, sum, is_virtual()));
  reactor().run();
  EXPECT_EQ(sum, 300U * 299U / 2U);
}

Task<> sleep_long(Reactor& reactor, int& woken) {
  const bool undisturbed = co_await reactor.sleep_for(std::chrono::hours(1));
  EXPECT_FALSE(undisturbed);
  const bool again = co_await reactor.sleep_for(std::chrono::hours(1));
  EXPECT_FALSE(again);
  ++woken;
}
Task<> stop_twice(Reactor& reactor) {
  co_await reactor.yield();
  reactor.stop();
  reactor.stop();
  reactor.stop_remote();
  EXPECT_TRUE(reactor.stopping());
}
TEST_P(ReactorTest, StopWakesSleepersAndCallsTheHookOnce) {
  int woken = 0;
  int hooked = 0;
  const StopHook hook(reactor(), [&] { ++hooked; });
  for (int sleeper = 0; sleeper < 5; ++sleeper) reactor().spawn(sleep_long(reactor(), woken));
  run(stop_twice(reactor()));
  EXPECT_EQ(woken, 5);
  EXPECT_EQ(hooked, 1);
}

Task<> doze_until_stopped(Reactor& reactor, std::uint64_t& naps) {
  bool undisturbed = true;
  for (; undisturbed; ++naps) undisturbed = co_await reactor.sleep_for(microseconds(100));
}
TEST_P(ReactorTest, AnotherThreadCanStopIt) {
  std::uint64_t naps = 0;
  int hooked = 0;
  const StopHook hook(reactor(), [&] { ++hooked; });
  std::jthread stopper([this] {
    std::this_thread::sleep_for(milliseconds(5));
    reactor().stop_remote();
    reactor().stop_remote();
  });
  run(doze_until_stopped(reactor(), naps));
  EXPECT_EQ(hooked, 1);
}

Task<> wait_for(Event& event) { co_await event.wait(); }
TEST_P(ReactorTest, AnotherThreadCanStopItWhileItIsIdle) {
  if (is_virtual()) GTEST_SKIP() << "virtual time cannot be idle";
  Event event(reactor());
  const StopHook hook(reactor(), [&] { event.signal(); });
  std::jthread stopper([this] {
    std::this_thread::sleep_for(milliseconds(5));
    reactor().stop_remote();
  });
  run(wait_for(event));
  EXPECT_TRUE(reactor().stopping());
}

TEST_P(ReactorTest, AStopRequestedBeforeItRunsIsSeen) {
  int woken = 0;
  reactor().stop_remote();
  run(sleep_long(reactor(), woken));
  EXPECT_EQ(woken, 1);
}

Task<> perform_one(Reactor& reactor, IoRequest& request) { co_await reactor.perform(request); }
// For io_uring a read from an empty pipe waits. For a thread, which calls pread, it is the opening
// of a named pipe that nobody writes to.
TEST_P(ReactorTest, AnotherThreadCanStopItDuringInputOutput) {
  if (is_virtual()) GTEST_SKIP() << "virtual time does its input and output at once";
  const TemporaryDirectory directory;
  const std::string path = directory.path("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  char letter = 0;
  IoRequest request;
  request.kind = GetParam() == ReactorKind::kUring ? IoKind::kRead : IoKind::kOpen;
  request.path = path.c_str();
  request.open_flags = O_RDONLY | O_CLOEXEC;
  request.file = {ends[0], false};
  request.buffer = &letter;
  request.length = 1;
  int writer = -1;
  const StopHook hook(reactor(), [&] {
    writer = open(path.c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_EQ(write(ends[1], "x", 1), 1);
  });
  std::jthread stopper([this] {
    std::this_thread::sleep_for(milliseconds(5));
    reactor().stop_remote();
  });
  run(perform_one(reactor(), request));
  EXPECT_TRUE(reactor().stopping());
  EXPECT_GE(request.result, 0);
  if (request.kind == IoKind::kOpen) close(request.file.number);
  for (const int fd : {ends[0], ends[1], writer}) close(fd);
}

Task<> clock_goes_forward(Reactor& reactor) {
  Instant last = reactor.now();
  for (int i = 0; i < 100; ++i) {
    const Instant next = reactor.refresh_now();
    EXPECT_GE(next, last);
    EXPECT_EQ(reactor.now(), next);
    last = next;
    co_await reactor.yield();
  }
}
TEST_P(ReactorTest, TheClockNeverGoesBack) { run(clock_goes_forward(reactor())); }

// A run of an hour in virtual time is a matter of events, not of time.
TEST(VirtualReactor, AnHourTakesMilliseconds) {
  const auto reactor = make_virtual_reactor();
  Duration slept{};
  reactor->spawn(sleep_once(*reactor, std::chrono::hours(1), &slept));
  reactor->run();
  EXPECT_EQ(slept, std::chrono::hours(1));
  EXPECT_EQ(reactor->now(), Instant(std::chrono::hours(1)));
}

TEST(VirtualReactor, RunsAgainFromWhereItStopped) {
  const auto reactor = make_virtual_reactor();
  Duration slept{};
  for (int round = 1; round <= 3; ++round) {
    reactor->spawn(sleep_once(*reactor, milliseconds(1), &slept));
    reactor->run();
    EXPECT_EQ(reactor->now(), Instant(milliseconds(round)));
  }
}

TEST(VirtualReactorDeathTest, ADeadlockIsReported) {
  EXPECT_DEATH(
      {
        const auto reactor = make_virtual_reactor();
        Event event(*reactor);
        reactor->spawn(wait_for(event));
        reactor->run();
      },
      "virtual deadlock");
}

TEST(UringReactor, SaysWhenItMayKeepNoFilesOpen) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit tiny{24, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tiny), 0);
  OffloadPool pool(1);
  const auto reactor = make_reactor(ReactorKind::kUring, pool);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(reactor);
  EXPECT_EQ(reactor.error().kind(), ErrorKind::kEnvironment);
  const auto usable = make_reactor(ReactorKind::kUring, pool);
  if (!usable) GTEST_SKIP() << usable.error().message();
  EXPECT_EQ(reactor.error().render(),
            "error: io_uring is not usable: it may keep no files open (RLIMIT_NOFILE is 24)\n"
            "hint:  raise it with 'ulimit -n 4096'\n");
}

TEST(OffloadPool, FinishesWhatWasSubmitted) {
  std::atomic<int> done = 0;
  {
    OffloadPool pool(3);
    for (int job = 0; job < 1000; ++job) pool.submit([&done] { ++done; });
  }
  EXPECT_EQ(done, 1000);
}

}  // namespace
}  // namespace feedrate
