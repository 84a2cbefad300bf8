#include "feedrate/runtime/barrier.h"

#include <gtest/gtest.h>

#include <array>
#include <stop_token>

#include "feedrate/base/random.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {
namespace {

struct Setting {
  const char* name;
  ClockKind clock;
  IoEngine engine;
  unsigned threads;
  std::uint32_t parties_per_thread;
  std::uint64_t rounds;
};

class BarrierTest : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    auto made = ReactorGroup::make(GetParam().clock, GetParam().engine, GetParam().threads);
    if (!made) GTEST_SKIP() << made.error().message();
    group_ = std::move(*made);
  }
  std::unique_ptr<ReactorGroup> group_;
};
INSTANTIATE_TEST_SUITE_P(
    , BarrierTest,
    testing::Values(Setting{"virtual", ClockKind::kVirtual, IoEngine::kAuto, 1, 12, 3000},
                    Setting{"uring", ClockKind::kReal, IoEngine::kUring, 3, 4, 3000},
                    Setting{"threads", ClockKind::kReal, IoEngine::kThreads, 3, 4, 3000}),
    [](const auto& row) { return std::string(row.param.name); });

// The values that all parties agree on in a round; they are written under the barrier's lock only.
struct Agreement {
  std::uint64_t collected = 0, published = 0, rounds = 0;
  std::uint64_t arrivals = 0, expected_arrivals = 0;
};

Task<> take_part(Reactor& reactor, Barrier& barrier, Agreement& agreement, std::uint32_t party,
                 std::uint32_t parties, std::uint64_t rounds) {
  RandomStream random(party);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    if (random.below(64) == 0) co_await reactor.yield();
    const std::uint64_t share = (party + 1) * (round + 1);
    co_await barrier.arrive(reactor, [&agreement, share] { agreement.collected += share; });
    EXPECT_EQ(agreement.published, parties * (parties + 1) / 2 * (round + 1));
    EXPECT_EQ(agreement.rounds, round + 1);
  }
}

TEST_P(BarrierTest, EveryRoundPublishesWhatAllContributed) {
  const Setting& setting = GetParam();
  const std::uint32_t parties = setting.threads * setting.parties_per_thread;
  Agreement agreement;
  Barrier barrier(parties, [&] {
    agreement.published = agreement.collected;
    agreement.collected = 0;
    ++agreement.rounds;
  });
  group_->run(
      [&](unsigned thread, Reactor& reactor) {
        for (std::uint32_t i = 0; i < setting.parties_per_thread; ++i)
          reactor.spawn(take_part(reactor, barrier, agreement,
                                  thread * setting.parties_per_thread + i, parties,
                                  setting.rounds));
      },
      [](unsigned) {}, {});
  EXPECT_EQ(agreement.rounds, setting.rounds);
}

Task<> leave_early(Reactor& reactor, Barrier& barrier, Agreement& agreement, std::uint64_t rounds) {
  for (std::uint64_t round = 0; round < rounds; ++round)
    co_await barrier.arrive(reactor, [&agreement] { ++agreement.arrivals; });
  barrier.leave(reactor);
}

// Party k takes part in 20 k + 1 rounds and leaves; the longest-lived one sees them all.
TEST_P(BarrierTest, ThoseWhoLeaveAreNotWaitedFor) {
  const Setting& setting = GetParam();
  const std::uint32_t parties = setting.threads * setting.parties_per_thread;
  Agreement agreement;
  Barrier barrier(parties, [&] { ++agreement.rounds; });
  std::uint64_t expected = 0;
  for (std::uint32_t party = 0; party < parties; ++party) expected += 20 * party + 1;
  group_->run(
      [&](unsigned thread, Reactor& reactor) {
        for (std::uint32_t i = 0; i < setting.parties_per_thread; ++i)
          reactor.spawn(
              leave_early(reactor, barrier, agreement, 20 * (i * setting.threads + thread) + 1));
      },
      [](unsigned) {}, {});
  EXPECT_EQ(agreement.arrivals, expected);
  EXPECT_EQ(agreement.rounds, 20 * (parties - 1) + 1);
}

TEST(Barrier, OfOnePartyNeverWaits) {
  const auto reactor = make_virtual_reactor();
  int rounds = 0;
  Agreement agreement;
  Barrier barrier(1, [&] { ++rounds; });
  reactor->spawn(leave_early(*reactor, barrier, agreement, 10));
  reactor->run();
  EXPECT_EQ(rounds, 10);
  EXPECT_EQ(reactor->events(), 1U);
}

}  // namespace
}  // namespace feedrate
