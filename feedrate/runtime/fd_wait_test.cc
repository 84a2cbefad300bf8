// Tests waiting for sockets that are not the reactor's own.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {
namespace {

using std::chrono::milliseconds;

class FdWaitTest : public EveryReactor {
 protected:
  void SetUp() override {
    EveryReactor::SetUp();
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_), 0);
  }
  void TearDown() override {
    for (const int end : ends_)
      if (end >= 0) close(end);
  }
  void say(char letter) const { ASSERT_EQ(write(ends_[1], &letter, 1), 1); }
  int ends_[2] = {-1, -1};
};
// The virtual reactor is left out, because in virtual time nothing outside is waited for.
INSTANTIATE_TEST_SUITE_P(, FdWaitTest, testing::Values(ReactorKind::kUring, ReactorKind::kThreads),
                         name_of_param);

Task<> read_letters(FdWait& wait, int fd, int count, std::string& read_so_far) {
  for (int i = 0; i < count; ++i) {
    const short ready = co_await wait.ready(POLLIN);
    EXPECT_EQ(ready & POLLIN, POLLIN);
    char letter = 0;
    EXPECT_EQ(read(fd, &letter, 1), 1);
    read_so_far.push_back(letter);
  }
}
TEST_P(FdWaitTest, ComesBackEachTimeThereIsSomething) {
  FdWait wait(reactor(), ends_[0]);
  std::string letters;
  std::jthread writer([this] {
    for (const char letter : {'a', 'b', 'c'}) {
      std::this_thread::sleep_for(milliseconds(3));
      say(letter);
    }
  });
  run(read_letters(wait, ends_[0], 3, letters));
  EXPECT_EQ(letters, "abc");
}

Task<> wait_once(FdWait& wait, short events, short& ready) { ready = co_await wait.ready(events); }
TEST_P(FdWaitTest, SaysWhatIsReady) {
  FdWait writable(reactor(), ends_[0]);
  short ready = 0;
  run(wait_once(writable, POLLIN | POLLOUT, ready));
  EXPECT_EQ(ready, POLLOUT);
  close(std::exchange(ends_[1], -1));
  run(wait_once(writable, POLLIN, ready));
  EXPECT_NE(ready & POLLHUP, 0);
}

Task<> cancel_soon(Reactor& reactor, FdWait& wait) {
  wait.cancel();  // Nothing waits yet.
  co_await reactor.sleep_for(milliseconds(2));
  wait.cancel();
  wait.cancel();
}
TEST_P(FdWaitTest, EndsWhenItIsCancelled) {
  FdWait wait(reactor(), ends_[0]);
  short ready = 1;
  reactor().spawn(cancel_soon(reactor(), wait));
  run(wait_once(wait, POLLIN, ready));
  EXPECT_EQ(ready, 0);
  say('x');  // The wait may begin again.
  run(wait_once(wait, POLLIN, ready));
  EXPECT_EQ(ready, POLLIN);
}

Task<> stop_after(Reactor& reactor, Reactor& which) {
  co_await reactor.sleep_for(milliseconds(2));
  which.stop();
}
TEST_P(FdWaitTest, EndsWhenItsReactorStopsAndNoOther) {
  const auto one = reactor().make_share({}), other = reactor().make_share({});
  FdWait of_one(*one, ends_[0]), of_other(*other, ends_[0]);
  short first = 1, second = 1, late = 1;
  one->spawn(wait_once(of_one, POLLIN, first));
  other->spawn(wait_once(of_other, POLLIN, second));
  std::jthread writer([this] {
    std::this_thread::sleep_for(milliseconds(20));
    say('x');
  });
  run(stop_after(reactor(), *one));
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, POLLIN);
  run(wait_once(of_one, POLLIN, late));
  EXPECT_EQ(late, 0);
}

TEST_P(FdWaitTest, ManyAtATimeBesideSleepers) {
  constexpr int kPairs = 200;
  std::vector<std::array<int, 2>> pairs(kPairs);
  std::vector<std::unique_ptr<FdWait>> waits;
  std::vector<std::string> letters(kPairs);
  for (int i = 0; i < kPairs; ++i) {
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i].data()), 0);
    waits.push_back(std::make_unique<FdWait>(reactor(), pairs[i][0]));
    reactor().spawn(read_letters(*waits[i], pairs[i][0], 5, letters[i]));
  }
  std::jthread writer([&pairs] {
    for (int round = 0; round < 5; ++round)
      for (const auto& pair : pairs) EXPECT_EQ(write(pair[1], "y", 1), 1);
  });
  reactor().run();
  for (const std::string& each : letters) EXPECT_EQ(each, "yyyyy");
  for (const auto& pair : pairs)
    for (const int end : pair) close(end);
}

}  // namespace
}  // namespace feedrate
