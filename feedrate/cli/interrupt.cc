#include "feedrate/cli/interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>

namespace feedrate {
namespace {

// timeout(1) and some batch systems signal both the process and its group, so a second signal
// within this time belongs to the same request.
constexpr auto kEcho = std::chrono::milliseconds(300);

}  // namespace

InterruptHandler::InterruptHandler() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  // When the terminal goes, what was measured is still wanted; under nohup(1) the run goes on.
  struct sigaction hangup{};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
    sigaddset(&signals_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::jthread([this](const std::stop_token& quit) {
    const timespec poll{0, 200'000'000};
    bool asked = false;
    std::chrono::steady_clock::time_point asked_at;
    while (!quit.stop_requested()) {
      if (sigtimedwait(&signals_, nullptr, &poll) < 0 || quit.stop_requested()) continue;
      const auto now = std::chrono::steady_clock::now();
      if (asked && now - asked_at < kEcho) continue;
      if (asked) _exit(130);
      asked = true;
      asked_at = now;
      std::fputs("\ninterrupted: finishing what is in flight (once more to end at once)\n", stderr);
      source_.request_stop();
    }
  });
}

InterruptHandler::~InterruptHandler() {
  thread_.request_stop();
  // Wakes the thread, which is the only one that takes this signal.
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

}  // namespace feedrate
