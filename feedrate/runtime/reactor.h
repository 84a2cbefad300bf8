// Reactor: a clock, timers and a run queue for coroutines. It is the only thing that engine code
// may ask for the time, for sleep, for I/O or for a worker thread.
//
//   UringReactor   real time; completions come from io_uring
//   ThreadReactor  real time; system calls run on worker threads (hosts without io_uring)
//   VirtualReactor virtual time; jumps from event to event, the same to the last bit every time
//
// A reactor belongs to the thread that calls run(). Only post_remote() and stop_remote() may be
// called from other threads.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "feedrate/base/units.h"
#include "feedrate/runtime/io_driver.h"
#include "feedrate/runtime/late_watch.h"
#include "feedrate/runtime/task.h"
#include "feedrate/runtime/timer_heap.h"

namespace feedrate {

// A blocking call on its way to a worker thread and back.
class OffloadJob {
 public:
  virtual ~OffloadJob() = default;
  virtual void execute() = 0;
  std::coroutine_handle<> waiter;
};

// The most memory that a task makes or looks at before it yields; that takes some 40 us.
inline constexpr std::size_t kTurnBytes = std::size_t{256} << 10U;

class Reactor {
 public:
  Reactor() = default;
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  virtual ~Reactor();

  // Returns the time of the current turn of the loop. Coroutines resumed in one turn share it.
  Instant now() const { return now_; }
  // Returns the time right now, which costs a clock call in real time. It is for timestamps after
  // long computations.
  virtual Instant refresh_now() = 0;
  virtual bool is_virtual() const = 0;

  void post(std::coroutine_handle<> waiter) { ready_.push_back(waiter); }
  virtual void post_remote(std::span<const std::coroutine_handle<>> waiters) = 0;

  // Runs `task` detached. run() returns when all spawned tasks have finished.
  void spawn(Task<> task);
  // Is called instead of run(): the spawned tasks are dropped, and never begin.
  void discard();
  virtual void run() = 0;

  // Ends all sleeps, now and later, and calls the stop hook. A task that is asked to stop still has
  // to return by itself.
  void stop();
  // Sets a hook that runs once, on the reactor's thread, when it is stopped: the place to wake
  // tasks that wait for others.
  void set_stop_hook(std::function<void()> hook) { stop_hook_ = std::move(hook); }
  virtual void stop_remote() = 0;
  bool stopping() const { return stopping_; }

  // Resumes at or after `deadline` with true, or with false when the reactor is stopping.
  auto sleep_until(Instant deadline) {
    struct Awaiter {
      Reactor& reactor;
      Instant deadline;
      bool await_ready() const { return deadline <= reactor.now_ || reactor.stopping_; }
      void await_suspend(std::coroutine_handle<> waiter) { reactor.timers_.push(deadline, waiter); }
      bool await_resume() const { return !reactor.stopping_; }
    };
    return Awaiter{*this, deadline};
  }
  auto sleep_for(Duration duration) { return sleep_until(now_ + duration); }
  // Lets everything else run first: tasks that are ready, operations that have completed meanwhile,
  // and due timers. New requests go out to the kernel. It is for work that would hold all of that
  // up.
  auto yield() {
    struct Awaiter {
      Reactor& reactor;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> waiter) { reactor.yielded_.push_back(waiter); }
      void await_resume() const {}
    };
    return Awaiter{*this};
  }

  virtual IoDriver& io() = 0;
  // Awaits a request; its results are in the request afterwards: co_await perform(request).
  auto perform(IoRequest& request) {
    struct Awaiter {
      Reactor& reactor;
      IoDriver& driver;
      IoRequest& request;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> waiter) {
        request.waiter = waiter;
        reactor.in_flight_.add(request, reactor.now_);
        driver.submit(request);
      }
      void await_resume() const { reactor.in_flight_.remove(request); }
    };
    return Awaiter{*this, io(), request};
  }
  // Returns the requests that have been in flight for some seconds, as of about a second ago. Any
  // thread.
  virtual std::optional<StuckIo> stuck() const { return std::nullopt; }
  // Lets a stop end without reads that do not come back. This long after stop(), when nothing but
  // reads is in flight, run() returns without them. The reactor and everything that its tasks refer
  // to must then be kept for good, as the kernel may still write into it.
  void let_go_of_reads(Duration after) { let_go_after_ = after; }
  bool has_let_go() const { return has_let_go_; }

  // Runs job.execute() where blocking is allowed (on a worker thread; inline in virtual time), and
  // then resumes job.waiter here.
  virtual void offload_job(OffloadJob& job) = 0;
  // Awaits a blocking function and returns its result: co_await offload(function). The function
  // must not touch the reactor.
  template <class Function>
  auto offload(Function function) {
    using Value = std::invoke_result_t<Function>;
    struct Awaiter : OffloadJob {
      Awaiter(Reactor& owner, Function body) : reactor(owner), function(std::move(body)) {}
      Reactor& reactor;
      Function function;
      std::optional<Value> value;
      void execute() override { value.emplace(function()); }
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> handle) {
        waiter = handle;
        reactor.offload_job(*this);
      }
      Value await_resume() { return std::move(*value); }
    };
    return Awaiter(*this, std::move(function));
  }

  std::uint64_t events() const { return events_; }  // coroutines resumed so far

  // The times in which this thread should have run but did not, in order. Completions from such a
  // time are seen only after it is noted. There are some only where somebody watches, and never in
  // virtual time, but a test may add them.
  const std::vector<HostPause>& pauses() const { return pauses_; }
  void add_pause(const HostPause& pause) { pauses_.push_back(pause); }
  // Watches for such times from now on, in real time. To be called on the reactor's thread.
  virtual void watch_lateness(LateWatch::Judge) {}

 protected:
  // Resumes the coroutines in the run queue, in order, including those added meanwhile, up to a
  // bound: the queue need not be empty afterwards.
  void drain_ready();
  // Moves timers that are due at now_ to the run queue.
  void post_due_timers();

  Instant now_{};
  std::vector<std::coroutine_handle<>> ready_, running_;
  std::vector<std::coroutine_handle<>> yielded_;  // for the next turn
  TimerHeap timers_;
  std::uint64_t live_tasks_ = 0;
  std::uint64_t events_ = 0;
  bool stopping_ = false;

  // The requests in flight, oldest first.
  class InFlight {
   public:
    void add(IoRequest& request, Instant now) {
      request.since = now;
      request.older = newest_;
      request.newer = nullptr;
      (newest_ == nullptr ? oldest_ : newest_->newer) = &request;
      newest_ = &request;
      ++count_;
    }
    void remove(IoRequest& request) {
      (request.older == nullptr ? oldest_ : request.older->newer) = request.newer;
      (request.newer == nullptr ? newest_ : request.newer->older) = request.older;
      --count_;
    }
    const IoRequest* oldest() const { return oldest_; }
    std::uint64_t count() const { return count_; }
    bool all_read() const;

   private:
    IoRequest* oldest_ = nullptr;
    IoRequest* newest_ = nullptr;
    std::uint64_t count_ = 0;
  };
  InFlight in_flight_;
  Instant stopped_at_{};
  Duration let_go_after_{};
  bool has_let_go_ = false;

 private:
  std::vector<HostPause> pauses_;
  std::function<void()> stop_hook_;
  struct Detached;
  static Detached run_detached(Reactor& reactor, Task<> task);
};

// Worker threads for offload(), shared by the reactors of a process. They start on first use.
class OffloadPool {
 public:
  explicit OffloadPool(unsigned threads);
  ~OffloadPool();
  OffloadPool(const OffloadPool&) = delete;
  void submit(std::function<void()> work);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Makes a reactor of that kind. The pool of the options must outlive it.
std::unique_ptr<Reactor> make_virtual_reactor();
struct RealReactorOptions {
  OffloadPool* pool = nullptr;
  unsigned queue_entries = 1024;  // submission queue; four times as many completions
  unsigned file_slots = 1024;     // files that the ring keeps open by itself
};
// Returns kEnvironment, with the reason and the remedy, when io_uring cannot be used here.
Result<std::unique_ptr<Reactor>> make_uring_reactor(const RealReactorOptions& options);
std::unique_ptr<Reactor> make_thread_reactor(const RealReactorOptions& options);

}  // namespace feedrate
