// Tests several jobs on the threads of one group: each has its own stop.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "feedrate/runtime/reactor_group.h"
#include "feedrate/runtime/reactor_test_support.h"
#include "feedrate/runtime/sync.h"

namespace feedrate {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using ShareTest = EveryReactor;
INSTANTIATE_TEST_SUITE_P(, ShareTest, every_reactor(), name_of_param);

Task<> sleep_for(Reactor& reactor, Duration time, int& undisturbed, int& disturbed) {
  const bool whole = co_await reactor.sleep_for(time);
  ++(whole ? undisturbed : disturbed);
}
Task<> stop_soon(Reactor& reactor, Reactor& other) {
  co_await reactor.sleep_for(milliseconds(1));
  other.stop();
}

TEST_P(ShareTest, HasTheClockOfItsHost) {
  const auto share = reactor().make_share({});
  EXPECT_EQ(share->is_virtual(), reactor().is_virtual());
  EXPECT_EQ(share->now(), reactor().now());
  const Instant refreshed = share->refresh_now();
  EXPECT_EQ(refreshed, reactor().now());
  int whole = 0, cut = 0;
  share->spawn(sleep_for(*share, milliseconds(2), whole, cut));
  EXPECT_FALSE(share->idle());
  reactor().run();
  EXPECT_TRUE(share->idle());
  EXPECT_EQ(whole, 1);
  EXPECT_EQ(share->now(), reactor().now());
}

TEST_P(ShareTest, IsStoppedAlone) {
  const auto one = reactor().make_share({}), other = reactor().make_share({});
  int whole = 0, cut = 0, called = 0;
  const StopHook on_one(*one, [&called] { called += 1; });
  const StopHook on_other(*other, [&called] { called += 10; });
  for (int i = 0; i < 3; ++i) one->spawn(sleep_for(*one, hours(1), whole, cut));
  for (int i = 0; i < 5; ++i) other->spawn(sleep_for(*other, milliseconds(4), whole, cut));
  other->spawn(stop_soon(*other, *one));
  reactor().run();
  EXPECT_EQ(cut, 3);
  EXPECT_EQ(whole, 5);
  EXPECT_EQ(called, 1);
  EXPECT_TRUE(one->stopping());
  EXPECT_FALSE(other->stopping());
  EXPECT_FALSE(reactor().stopping());
}

TEST_P(ShareTest, IsStoppedWithItsHost) {
  const auto one = reactor().make_share({}), other = reactor().make_share({});
  int whole = 0, cut = 0, called = 0;
  const StopHook hook(*other, [&called] { ++called; });
  one->spawn(sleep_for(*one, hours(1), whole, cut));
  other->spawn(sleep_for(*other, hours(1), whole, cut));
  run(stop_soon(reactor(), reactor()));
  EXPECT_EQ(cut, 2);
  EXPECT_EQ(called, 1);
}

TEST_P(ShareTest, WhereAllAreStoppedOrDoneTheHostIs) {
  const auto one = reactor().make_share({}), done = reactor().make_share({});
  int whole = 0, cut = 0;
  done->spawn(sleep_for(*done, Duration(1), whole, cut));
  one->spawn(sleep_for(*one, hours(1), whole, cut));
  one->spawn(stop_soon(*one, *one));
  reactor().run();
  EXPECT_EQ(cut, 1);
  EXPECT_FALSE(done->stopping() && whole == 0);
  EXPECT_TRUE(reactor().stopping());
}

TEST_P(ShareTest, AnotherThreadCanStopItAlone) {
  const auto one = reactor().make_share({}), other = reactor().make_share({});
  int whole = 0, cut = 0;
  one->spawn(sleep_for(*one, hours(1), whole, cut));
  other->spawn(sleep_for(*other, milliseconds(20), whole, cut));
  one->stop_remote();
  reactor().run();
  EXPECT_EQ(cut, 1);
  EXPECT_EQ(whole, 1);
}

TEST_P(ShareTest, SaysWhenNothingIsLeft) {
  int finished = 0;
  const auto share = reactor().make_share([&finished] { ++finished; });
  int whole = 0, cut = 0;
  share->spawn(sleep_for(*share, milliseconds(1), whole, cut));
  share->spawn(sleep_for(*share, milliseconds(2), whole, cut));
  reactor().run();
  EXPECT_EQ(finished, 1);
}

TEST_P(ShareTest, AHookThatIsGoneIsNotCalled) {
  int called = 0;
  auto gone = std::make_unique<StopHook>(reactor(), [&called] { called += 1; });
  const StopHook first(reactor(), [&called] { called += 10; });
  std::unique_ptr<StopHook> third;
  const StopHook second(reactor(), [&third] { third.reset(); });
  third = std::make_unique<StopHook>(reactor(), [&called] { called += 100; });
  gone.reset();
  run(stop_soon(reactor(), reactor()));
  EXPECT_EQ(called, 10);  // The hooks are called in order, and the second removes the third.
}

// A job that dozes until it is stopped, or for a number of times.
class Dozer final : public Job {
 public:
  explicit Dozer(int naps) : naps_(naps) {}
  void start(unsigned, Reactor& reactor) override {
    if (naps_ > 0) reactor.spawn(doze(reactor));
  }
  void finish(unsigned) override { ++finished; }
  std::atomic<int> woken = 0, cut = 0, finished = 0;

 private:
  Task<> doze(Reactor& reactor) {
    for (int nap = 0; nap < naps_; ++nap) {
      const bool whole = co_await reactor.sleep_for(milliseconds(1));
      if (!whole) {
        ++cut;
        co_return;
      }
      ++woken;
    }
  }
  int naps_;
};

class JobsTest : public testing::TestWithParam<ClockKind> {};
INSTANTIATE_TEST_SUITE_P(, JobsTest, testing::Values(ClockKind::kReal, ClockKind::kVirtual),
                         [](const auto& row) { return std::string(to_string(row.param)); });

TEST_P(JobsTest, OneEndsAndStopsAnother) {
  const auto group = ReactorGroup::make(GetParam(), IoEngine::kAuto, 3).value();
  Dozer brief(5), endless(1'000'000), none(0);
  std::atomic<int> overs = 0;
  brief.when_over([&] {
    ++overs;
    endless.stop();
  });
  endless.when_over([&overs] { ++overs; });
  none.when_over([&overs] { ++overs; });
  const std::array<Job*, 3> jobs{&brief, &endless, &none};
  group->run(jobs, {});
  const int threads = static_cast<int>(group->size());
  EXPECT_EQ(brief.woken, 5 * threads);
  EXPECT_EQ(brief.cut, 0);
  EXPECT_EQ(endless.cut, threads);
  EXPECT_EQ(overs, 3);
  for (const Dozer* job : {&brief, &endless, &none}) EXPECT_EQ(job->finished, threads);
}

TEST_P(JobsTest, AStopFromOutsideReachesAll) {
  const auto group = ReactorGroup::make(GetParam(), IoEngine::kAuto, 2).value();
  Dozer one(1'000'000), other(1'000'000);
  const std::array<Job*, 2> jobs{&one, &other};
  std::stop_source stop;
  std::jthread stopper([&stop] {
    std::this_thread::sleep_for(milliseconds(10));
    stop.request_stop();
  });
  group->run(jobs, stop.get_token());
  EXPECT_EQ(one.cut + other.cut, 2 * static_cast<int>(group->size()));
}

}  // namespace
}  // namespace feedrate
