#include "feedrate/runtime/late_watch.h"

#include <gtest/gtest.h>

namespace feedrate {
namespace {

using std::chrono::milliseconds;

Instant at(int ms) { return Instant(milliseconds(ms)); }

// A thread on a clock of the test's own, which is judged to have been stopped.
class LateThread : public testing::Test {
 protected:
  LateWatch watch(std::optional<PauseKind> verdict = PauseKind::kStopped) {
    return {{[this] { return ran_; }, [this] { return waited_; }},
            [this, verdict](Instant begin, Instant end, Duration waited) {
              ++judged_;
              begin_ = begin;
              end_ = end;
              judged_waited_ = waited;
              return verdict;
            },
            at(0)};
  }
  Duration ran_{}, waited_{}, judged_waited_{};
  Instant begin_{}, end_{};
  int judged_ = 0;
};

TEST_F(LateThread, AWaitThatEndsOnTimeIsNothing) {
  LateWatch late = watch();
  EXPECT_FALSE(late.before_wait(at(1), milliseconds(20)));
  EXPECT_FALSE(late.after_wait(at(21)));
  EXPECT_FALSE(late.before_wait(at(22), milliseconds(20)));
  EXPECT_FALSE(late.after_wait(at(61))) << "19 ms late is how timers are";
  EXPECT_EQ(judged_, 0);
}

TEST_F(LateThread, AWaitThatEndsLateIsAPauseFromWhenItWasDue) {
  LateWatch late = watch();
  late.before_wait(at(1), milliseconds(20));
  waited_ = milliseconds(7);
  const auto pause = late.after_wait(at(5021));
  ASSERT_TRUE(pause);
  EXPECT_EQ(pause->begin, at(21));
  EXPECT_EQ(pause->end, at(5021));
  EXPECT_EQ(pause->kind, PauseKind::kStopped);
  EXPECT_EQ(judged_waited_, milliseconds(7));
  late.before_wait(at(5022), milliseconds(20));
  EXPECT_FALSE(late.after_wait(at(5042))) << "each pause once";
}

TEST_F(LateThread, WorkIsNoPause) {
  LateWatch late = watch();
  late.before_wait(at(1), milliseconds(20));
  late.after_wait(at(21));
  ran_ = milliseconds(500);
  EXPECT_FALSE(late.before_wait(at(521), milliseconds(20)));
  EXPECT_EQ(judged_, 0);
  late.after_wait(at(541));
  ran_ += milliseconds(100);  // of 400: the rest it did not run
  const auto pause = late.before_wait(at(941), milliseconds(20));
  ASSERT_TRUE(pause);
  EXPECT_EQ(pause->end - pause->begin, milliseconds(300));
}

TEST_F(LateThread, TheJudgeMayAcquitTheHost) {
  LateWatch late = watch(std::nullopt);
  late.before_wait(at(1), milliseconds(20));
  EXPECT_FALSE(late.after_wait(at(5021)));
  EXPECT_EQ(judged_, 1);
}

// A heart that beats every 10 ms until `until`, with counters of the test's own.
class HeartThat : public testing::Test {
 protected:
  void beats_until(int until) {
    for (int now = 10; now <= until; now += 10) heart_.beat(at(now));
  }
  HostCounters counters_;
  HeartBeat heart_{[this] { return counters_; }, at(0)};
};

TEST_F(HeartThat, WasLateWithTheOthersWasStopped) {
  beats_until(100);
  heart_.beat(at(5100));
  EXPECT_EQ(heart_.judge(at(120), at(5100), {}), PauseKind::kStopped);
}

TEST_F(HeartThat, HasNotYetAwokenIsLate) {
  beats_until(100);
  EXPECT_EQ(heart_.judge(at(120), at(5100), {}), PauseKind::kStopped);
  heart_.beat(at(5101));
  EXPECT_EQ(heart_.judge(at(120), at(5102), {}), PauseKind::kStopped) << "for the next thread, too";
}

TEST_F(HeartThat, KeptBeatingSaysThatTheThreadWasBlocked) {
  beats_until(5100);
  EXPECT_EQ(heart_.judge(at(120), at(5100), {}), std::nullopt);
}

TEST_F(HeartThat, WasReadyWithTheOthersHadNoCore) {
  beats_until(100);
  heart_.beat(at(400));
  EXPECT_EQ(heart_.judge(at(120), at(400), milliseconds(200)), std::nullopt);
}

TEST_F(HeartThat, WasThrottledOrStolenFrom) {
  beats_until(100);
  counters_.throttled += milliseconds(80);
  heart_.beat(at(200));
  EXPECT_EQ(heart_.judge(at(110), at(200), milliseconds(80)), PauseKind::kQuota);
  heart_.beat(at(210));
  counters_.stolen += milliseconds(80);
  heart_.beat(at(300));
  EXPECT_EQ(heart_.judge(at(220), at(300), {}), PauseKind::kStolen);
  heart_.beat(at(310));
  heart_.beat(at(400));
  EXPECT_EQ(heart_.judge(at(320), at(400), {}), PauseKind::kStopped) << "each is counted once";
}

TEST_F(HeartThat, BeatOnAProcessorThatHadQuotaLeft) {
  beats_until(200);
  counters_.throttled += milliseconds(80);
  EXPECT_EQ(heart_.judge(at(110), at(200), {}), PauseKind::kQuota);
}

}  // namespace
}  // namespace feedrate
