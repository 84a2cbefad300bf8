// Semaphore and Event between coroutines of one reactor. They have no locks: use them on the
// reactor's own thread only. All wake-ups go through the run queue, first come first served.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>

#include "feedrate/runtime/reactor.h"

namespace feedrate {

// Counted permits.
class Semaphore {
 public:
  Semaphore(Reactor& reactor, std::uint64_t permits) : reactor_(reactor), permits_(permits) {}
  Semaphore(const Semaphore&) = delete;
  ~Semaphore() { FEEDRATE_ASSERT(waiters_.empty()); }

  // Takes `count` permits at once. Returns true, or false when closed (nothing is taken then).
  auto acquire(std::uint64_t count) {
    struct Awaiter {
      Semaphore& semaphore;
      std::uint64_t count;
      bool taken = false;
      bool await_ready() {
        if (semaphore.closed_) return true;
        if (!semaphore.waiters_.empty() || semaphore.permits_ < count) return false;
        semaphore.permits_ -= count;
        return taken = true;
      }
      void await_suspend(std::coroutine_handle<> waiter) {
        semaphore.waiters_.push_back({waiter, count, &taken});
      }
      bool await_resume() const { return taken; }
    };
    return Awaiter{*this, count};
  }
  void release(std::uint64_t count) {
    permits_ += count;
    while (!waiters_.empty() && permits_ >= waiters_.front().count) {
      permits_ -= waiters_.front().count;
      *waiters_.front().taken = true;
      reactor_.post(waiters_.front().handle);
      waiters_.pop_front();
    }
  }
  // Sends away everybody who waits, now and later.
  void close() {
    closed_ = true;
    for (const Waiter& waiter : waiters_) reactor_.post(waiter.handle);
    waiters_.clear();
  }
  std::uint64_t available() const { return permits_; }
  std::size_t waiting() const { return waiters_.size(); }

 private:
  struct Waiter {
    std::coroutine_handle<> handle;
    std::uint64_t count;
    bool* taken;
  };
  Reactor& reactor_;
  std::uint64_t permits_;
  bool closed_ = false;
  std::deque<Waiter> waiters_;
};

// Wakes all who wait, each time it is signalled. It has no memory, so check your condition again.
class Event {
 public:
  explicit Event(Reactor& reactor) : reactor_(reactor) {}
  Event(const Event&) = delete;
  ~Event() { FEEDRATE_ASSERT(waiters_.empty()); }
  auto wait() {
    struct Awaiter {
      Event& event;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> waiter) { event.waiters_.push_back(waiter); }
      void await_resume() const {}
    };
    return Awaiter{*this};
  }
  void signal() {
    for (const auto waiter : waiters_) reactor_.post(waiter);
    waiters_.clear();
  }

 private:
  Reactor& reactor_;
  std::vector<std::coroutine_handle<>> waiters_;
};

}  // namespace feedrate
