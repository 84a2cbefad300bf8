#include "feedrate/runtime/reactor.h"

#include <condition_variable>
#include <deque>
#include <thread>

namespace feedrate {

namespace {
// A turn ends after this many resumptions, so that tasks that always have something to do (on a
// fast storage) hold up neither timers, nor completions, nor a stop request.
constexpr std::uint64_t kTurnEvents = 4096;
}  // namespace

Reactor::~Reactor() { FEEDRATE_ASSERT(live_tasks_ == 0); }

bool Reactor::InFlight::all_read() const {
  for (const IoRequest* request = oldest_; request != nullptr; request = request->newer) {
    const bool reads = request->kind == IoKind::kRead || request->kind == IoKind::kReadFile ||
                       request->kind == IoKind::kClose ||
                       (request->kind == IoKind::kOpen && request->for_reading);
    if (!reads) return false;
  }
  return true;
}

// A coroutine that owns itself: it starts at once, and its frame is freed when it ends.
struct Reactor::Detached {
  struct promise_type {
    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept {
      free_frame(frame, bytes);
    }
    Detached get_return_object() noexcept {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<> handle;
};

Reactor::Detached Reactor::run_detached(Reactor& reactor, Task<> task) {
  co_await std::move(task);
  --reactor.live_tasks_;
}

void Reactor::spawn(Task<> task) {
  ++live_tasks_;
  post(run_detached(*this, std::move(task)).handle);
}

void Reactor::discard() {
  for (const std::coroutine_handle<> unbegun : ready_) unbegun.destroy();
  ready_.clear();
  live_tasks_ = 0;
}

void Reactor::stop() {
  if (stopping_) return;
  stopping_ = true;
  stopped_at_ = now_;
  while (!timers_.empty()) ready_.push_back(timers_.pop());
  if (stop_hook_) stop_hook_();
}

void Reactor::drain_ready() {
  const std::uint64_t turn_end = events_ + kTurnEvents;
  while (!ready_.empty() && events_ < turn_end) {
    running_.swap(ready_);
    for (const std::coroutine_handle<> waiter : running_) {
      ++events_;
      waiter.resume();
    }
    running_.clear();
  }
  ready_.insert(ready_.end(), yielded_.begin(), yielded_.end());
  yielded_.clear();
}

void Reactor::post_due_timers() {
  while (!timers_.empty() && timers_.next_deadline() <= now_) ready_.push_back(timers_.pop());
}

struct OffloadPool::State {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> queue;
  std::vector<std::thread> threads;
  unsigned thread_limit;
  unsigned idle = 0;
  bool closing = false;

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      ++idle;
      wake.wait(lock, [this] { return closing || !queue.empty(); });
      --idle;
      if (queue.empty()) return;
      auto job = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }
};

OffloadPool::OffloadPool(unsigned threads) : state_(std::make_unique<State>()) {
  state_->thread_limit = threads;
}

OffloadPool::~OffloadPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

void OffloadPool::submit(std::function<void()> work) {
  const std::lock_guard lock(state_->mutex);
  state_->queue.push_back(std::move(work));
  if (state_->idle < state_->queue.size() && state_->threads.size() < state_->thread_limit)
    state_->threads.emplace_back([state = state_.get()] { state->work(); });
  state_->wake.notify_one();
}

}  // namespace feedrate
