// A cyclic barrier between coroutines of any number of reactors.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "feedrate/runtime/reactor.h"

namespace feedrate {

class Barrier {
 public:
  // `on_complete` runs once a round, under the barrier's lock, on the thread of the last party to
  // arrive, before anybody goes on. It is the place to publish what the round agreed on.
  Barrier(std::uint32_t parties, std::function<void()> on_complete)
      : parties_(parties), on_complete_(std::move(on_complete)) {
    FEEDRATE_ASSERT(parties > 0);
  }
  Barrier(const Barrier&) = delete;
  ~Barrier() { FEEDRATE_ASSERT(waiters_.empty()); }

  // Runs `contribute()` at once, under the lock, and then waits until all parties of this round
  // have arrived. What on_complete published may be read until this party arrives again.
  template <class Contribute>
  auto arrive(Reactor& reactor, Contribute contribute) {
    struct Awaiter {
      Barrier& barrier;
      Reactor& reactor;
      Contribute contribute;
      bool await_ready() const { return false; }
      bool await_suspend(std::coroutine_handle<> waiter) {
        const std::lock_guard lock(barrier.mutex_);
        contribute();
        return barrier.wait_or_complete(reactor, waiter);
      }
      void await_resume() const {}
    };
    return Awaiter{*this, reactor, std::move(contribute)};
  }
  // A party leaves for good. This completes the round if only that party was missing.
  void leave(Reactor& reactor);

 private:
  struct Waiter {
    Reactor* reactor;
    std::coroutine_handle<> handle;
  };
  bool wait_or_complete(Reactor& reactor, std::coroutine_handle<> waiter);
  void complete_round(Reactor& reactor);

  std::mutex mutex_;
  std::uint32_t parties_;
  std::uint32_t arrived_ = 0;
  std::function<void()> on_complete_;
  std::vector<Waiter> waiters_;
  std::vector<std::coroutine_handle<>> batch_;
};

}  // namespace feedrate
