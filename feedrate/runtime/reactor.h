// Reactor: a clock, timers and a run queue for coroutines. It is the only thing that engine code
// may ask for the time, for sleep, for I/O or for a worker thread.
//
//   UringReactor   real time; completions come from io_uring
//   ThreadReactor  real time; system calls run on worker threads (hosts without io_uring)
//   VirtualReactor virtual time; jumps from event to event, the same to the last bit every time
//
// A reactor belongs to the thread that calls run(). Only post_remote() and stop_remote() may be
// called from other threads.
//
// Several jobs share a thread by shares of its reactor: a share has the clock, the run queue and
// the I/O of its host, but is stopped by itself.
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

class Reactor;

// A function that is called when a reactor stops, as long as this is alive: the place to wake tasks
// that wait for others. It is made, called and destroyed on the reactor's thread.
class StopHook {
 public:
  StopHook(Reactor& reactor, std::function<void()> call);
  ~StopHook();
  StopHook(const StopHook&) = delete;
  StopHook& operator=(const StopHook&) = delete;

 private:
  friend class Reactor;
  Reactor& reactor_;
  std::function<void()> call_;
};

// Waits until a socket, pipe or the like that is not ours is ready, on the reactor's thread. It may
// wait again and again, but only one wait at a time. It must not be used in virtual time, where
// nothing outside may be waited for.
class FdWait {
 public:
  FdWait(Reactor& reactor, int fd) : reactor_(reactor), fd_(fd) {}
  ~FdWait() { FEEDRATE_ASSERT(!waiter_); }
  FdWait(const FdWait&) = delete;
  FdWait& operator=(const FdWait&) = delete;

  // co_await ready(POLLIN | POLLOUT) returns those of the events (and POLLERR, POLLHUP) that have
  // come; 0 when the wait was cancelled or the reactor is stopping.
  auto ready(short events) {
    struct Awaiter {
      FdWait& wait;
      bool await_ready() const { return wait.stopping(); }
      void await_suspend(std::coroutine_handle<> waiter) { wait.begin(waiter); }
      short await_resume() const { return wait.result_; }
    };
    events_ = events;
    result_ = 0;
    return Awaiter{*this};
  }
  // Ends the wait, if there is one.
  void cancel();

  // These are for the drivers: what is waited for, and the result.
  int fd() const { return fd_; }
  short events() const { return events_; }
  void complete(short result);

 private:
  friend class Reactor;
  bool stopping() const;
  void begin(std::coroutine_handle<> waiter);

  Reactor& reactor_;
  int fd_;
  short events_ = 0, result_ = 0;
  std::coroutine_handle<> waiter_;
};

class Reactor {
 public:
  Reactor() : own_(std::make_unique<Loop>()), loop_(*own_) { loop_.host = this; }
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  virtual ~Reactor();

  // Returns the time of the current turn of the loop. Coroutines resumed in one turn share it.
  Instant now() const { return loop_.now; }
  // Returns the time right now, which costs a clock call in real time. It is for timestamps after
  // long computations.
  virtual Instant refresh_now() = 0;
  virtual bool is_virtual() const = 0;

  void post(std::coroutine_handle<> waiter) { loop_.ready.push_back(waiter); }
  virtual void post_remote(std::span<const std::coroutine_handle<>> waiters) = 0;

  // Runs `task` detached. run() returns when all spawned tasks have finished.
  void spawn(Task<> task);
  // Is called instead of run(): the spawned tasks are dropped, and never begin.
  void discard();
  virtual void run() = 0;

  // Makes a reactor on the same thread that can be stopped by itself, and that is stopped with its
  // host. It must be destroyed before its host. `finished` is called, on the thread, when all tasks
  // that were spawned on it have ended.
  std::unique_ptr<Reactor> make_share(std::function<void()> finished);
  bool idle() const { return live_tasks_ == 0; }

  // Ends all sleeps and waits for sockets, now and later, and calls the stop hooks, in the order in
  // which they were made. A task that is asked to stop still has to return by itself. A host stops
  // its shares as well, and is itself stopped once each of them was stopped or is done.
  void stop();
  virtual void stop_remote() = 0;
  bool stopping() const { return stopping_; }

  // Resumes at or after `deadline` with true, or with false when the reactor is stopping.
  auto sleep_until(Instant deadline) {
    struct Awaiter {
      Reactor& reactor;
      Instant deadline;
      bool await_ready() const { return deadline <= reactor.loop_.now || reactor.stopping_; }
      void await_suspend(std::coroutine_handle<> waiter) {
        reactor.loop_.timers.push(deadline, waiter, &reactor);
      }
      bool await_resume() const { return !reactor.stopping_; }
    };
    return Awaiter{*this, deadline};
  }
  auto sleep_for(Duration duration) { return sleep_until(now() + duration); }
  // Lets everything else run first: tasks that are ready, operations that have completed meanwhile,
  // and due timers. New requests go out to the kernel. It is for work that would hold all of that
  // up.
  auto yield() {
    struct Awaiter {
      Reactor& reactor;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> waiter) {
        reactor.loop_.yielded.push_back(waiter);
      }
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
        reactor.loop_.in_flight.add(request, reactor.loop_.now);
        driver.submit(request);
      }
      void await_resume() const { reactor.loop_.in_flight.remove(request); }
    };
    return Awaiter{*this, io(), request};
  }
  // Returns the requests that have been in flight for some seconds, as of about a second ago. Any
  // thread.
  virtual std::optional<StuckIo> stuck() const { return std::nullopt; }
  // Lets a stop end without reads that do not come back. This long after stop(), when nothing but
  // reads is in flight, run() returns without them. The reactor and everything that its tasks refer
  // to must then be kept for good, as the kernel may still write into it.
  void let_go_of_reads(Duration after) { loop_.let_go_after = after; }
  bool has_let_go() const { return loop_.has_let_go; }

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

  std::uint64_t events() const { return loop_.events; }  // coroutines resumed so far

  // The times in which this thread should have run but did not, in order. Completions from such a
  // time are seen only after it is noted. There are some only where somebody watches, and never in
  // virtual time, but a test may add them.
  const std::vector<HostPause>& pauses() const { return loop_.pauses; }
  void add_pause(const HostPause& pause) { loop_.pauses.push_back(pause); }
  // Watches for such times from now on, in real time. To be called on the reactor's thread.
  virtual void watch_lateness(LateWatch::Judge) {}

 protected:
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

  // The state that a reactor and its shares have in common.
  struct Loop {
    Reactor* host = nullptr;
    Instant now{};
    std::vector<std::coroutine_handle<>> ready, running;
    std::vector<std::coroutine_handle<>> yielded;  // for the next turn
    TimerHeap timers;
    InFlight in_flight;
    std::vector<FdWait*> fd_waits;
    std::vector<Reactor*> shares;
    std::vector<HostPause> pauses;
    std::uint64_t live_tasks = 0;
    std::uint64_t events = 0;
    Instant stopped_at{};
    Duration let_go_after{};
    bool has_let_go = false;
  };
  explicit Reactor(Reactor& host) : loop_(host.loop_) {}

  // Resumes the coroutines in the run queue, in order, including those added meanwhile, up to a
  // bound: the queue need not be empty afterwards.
  void drain_ready();
  // Moves timers that are due to the run queue.
  void post_due_timers();
  // Stops the shares that stop_remote() was called for.
  void stop_asked_shares();
  // Has the host's thread do that soon. Any thread.
  virtual void wake_for_shares() {}
  // arm() begins a wait; disarm() has it end without a result, now or soon.
  virtual void arm(FdWait& wait);
  virtual void disarm(FdWait& wait);

  std::unique_ptr<Loop> own_;  // none of a share
  Loop& loop_;
  bool stopping_ = false;

 private:
  friend class FdWait;
  friend class StopHook;
  class Share;
  struct Detached;
  static Detached run_detached(Reactor& reactor, Task<> task);
  virtual bool asked_to_stop() const { return false; }
  void end_fd_waits();
  void call_stop_hooks();

  std::uint64_t live_tasks_ = 0;  // spawned on this one
  std::function<void()> on_finished_;
  std::vector<StopHook*> stop_hooks_;
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
