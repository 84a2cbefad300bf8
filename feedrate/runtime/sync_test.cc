#include "feedrate/runtime/sync.h"

#include "feedrate/base/random.h"
#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {
namespace {

using std::chrono::microseconds;
using SyncTest = EveryReactor;
INSTANTIATE_TEST_SUITE_P(, SyncTest, every_reactor(), name_of_param);

Task<> acquire_and_log(Semaphore& semaphore, std::uint64_t count, int name, std::vector<int>& log) {
  const bool taken = co_await semaphore.acquire(count);
  log.push_back(taken ? name : -name);
}
Task<> release_in_steps(Reactor& reactor, Semaphore& semaphore, std::vector<int>& log) {
  co_await reactor.yield();
  EXPECT_EQ(semaphore.waiting(), 3U);
  semaphore.release(1);
  co_await reactor.yield();
  EXPECT_TRUE(log.empty());  // the first waiter wants 3, and nobody overtakes it
  semaphore.release(3);
  co_await reactor.yield();
  EXPECT_EQ(log, (std::vector<int>{1, 2}));
  semaphore.release(2);
  co_await reactor.yield();
  EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(semaphore.available(), 0U);
}
TEST_P(SyncTest, SemaphoreServesInOrderOfArrival) {
  Semaphore semaphore(reactor(), 0);
  std::vector<int> log;
  reactor().spawn(acquire_and_log(semaphore, 3, 1, log));
  reactor().spawn(acquire_and_log(semaphore, 1, 2, log));
  reactor().spawn(acquire_and_log(semaphore, 2, 3, log));
  run(release_in_steps(reactor(), semaphore, log));
}

Task<> close_semaphore(Reactor& reactor, Semaphore& semaphore, std::vector<int>& log) {
  co_await reactor.yield();
  semaphore.close();
  semaphore.close();
  co_await reactor.yield();
  EXPECT_EQ(log, (std::vector<int>{-1, -2}));
  const bool taken = co_await semaphore.acquire(1);
  EXPECT_FALSE(taken);
  EXPECT_EQ(semaphore.available(), 1U);
  semaphore.release(1);
  EXPECT_EQ(semaphore.available(), 2U);
}
TEST_P(SyncTest, AClosedSemaphoreSendsEverybodyAwayAndTakesNothing) {
  Semaphore semaphore(reactor(), 1);
  std::vector<int> log;
  reactor().spawn(acquire_and_log(semaphore, 2, 1, log));
  reactor().spawn(acquire_and_log(semaphore, 1, 2, log));
  run(close_semaphore(reactor(), semaphore, log));
}

Task<> grant_then_close(Reactor& reactor, Semaphore& semaphore) {
  co_await reactor.yield();
  semaphore.release(1);
  semaphore.close();  // the permit was already handed over
}
TEST_P(SyncTest, APermitHandedOverBeforeCloseStaysTaken) {
  Semaphore semaphore(reactor(), 0);
  std::vector<int> log;
  reactor().spawn(acquire_and_log(semaphore, 1, 1, log));
  reactor().spawn(acquire_and_log(semaphore, 1, 2, log));
  run(grant_then_close(reactor(), semaphore));
  EXPECT_EQ(log, (std::vector<int>{1, -2}));
  EXPECT_EQ(semaphore.available(), 0U);
}

struct Holders {
  std::uint64_t permits = 0, held = 0, most = 0, rounds = 0;
};
Task<> hold_now_and_then(Reactor& reactor, Semaphore& semaphore, Holders& holders,
                         std::uint64_t seed) {
  RandomStream random(seed);
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t count = 1 + random.below(holders.permits);
    const bool taken = co_await semaphore.acquire(count);
    EXPECT_TRUE(taken);
    holders.held += count;
    holders.most = std::max(holders.most, holders.held);
    if (random.below(3) == 0)
      co_await reactor.sleep_for(microseconds(random.below(30)));
    else
      co_await reactor.yield();
    holders.held -= count;
    ++holders.rounds;
    semaphore.release(count);
  }
}
TEST_P(SyncTest, SemaphoreNeverLendsMoreThanItHasNorForgetsAnybody) {
  Holders holders{.permits = 5};
  Semaphore semaphore(reactor(), holders.permits);
  for (std::uint64_t seed = 0; seed < 30; ++seed)
    reactor().spawn(hold_now_and_then(reactor(), semaphore, holders, seed));
  reactor().run();
  EXPECT_EQ(holders.rounds, 30U * 40U);
  EXPECT_LE(holders.most, holders.permits);
  EXPECT_EQ(semaphore.available(), holders.permits);
}

Task<> wait_and_log(Event& event, int name, std::vector<int>& log) {
  co_await event.wait();
  log.push_back(name);
}
Task<> signal_event(Reactor& reactor, Event& event, std::vector<int>& log) {
  event.signal();  // nobody waits yet: it is forgotten
  co_await reactor.yield();
  EXPECT_TRUE(log.empty());
  event.signal();
  event.signal();
  co_await reactor.yield();
  EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
}
TEST_P(SyncTest, AnEventWakesAllWhoWaitAndHasNoMemory) {
  Event event(reactor());
  std::vector<int> log;
  reactor().spawn(signal_event(reactor(), event, log));
  for (int name = 1; name <= 3; ++name) reactor().spawn(wait_and_log(event, name, log));
  reactor().run();
}

}  // namespace
}  // namespace feedrate
