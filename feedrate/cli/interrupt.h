// Handles Ctrl-C and SIGTERM: the first signal asks the run to stop and report what it has, the
// second ends the process at once.
#pragma once

#include <signal.h>

#include <stop_token>
#include <thread>

namespace feedrate {

// Make it before any other thread, so that all threads inherit the blocked signals.
class InterruptHandler {
 public:
  InterruptHandler();
  ~InterruptHandler();
  std::stop_token token() const { return source_.get_token(); }

 private:
  sigset_t signals_;
  std::stop_source source_;
  std::jthread thread_;
};

}  // namespace feedrate
