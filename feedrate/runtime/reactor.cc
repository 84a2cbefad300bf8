#include "feedrate/runtime/reactor.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <thread>
#include <utility>

namespace feedrate {

namespace {
// A turn ends after this many resumptions, so that tasks that always have something to do (on a
// fast storage) hold up neither timers, nor completions, nor a stop request.
constexpr std::uint64_t kTurnEvents = 4096;
}  // namespace

// A share leaves to its host all but its own tasks, sleeps and stop.
class Reactor::Share final : public Reactor {
 public:
  Share(Reactor& host, std::function<void()> finished) : Reactor(host), host_(host) {
    on_finished_ = std::move(finished);
    loop_.shares.push_back(this);
  }
  ~Share() override { std::erase(loop_.shares, this); }

  Instant refresh_now() override { return host_.refresh_now(); }
  bool is_virtual() const override { return host_.is_virtual(); }
  void post_remote(std::span<const std::coroutine_handle<>> waiters) override {
    host_.post_remote(waiters);
  }
  void run() override { FEEDRATE_ASSERT(false && "the host runs"); }
  void stop_remote() override {
    asked_.store(true, std::memory_order_release);
    host_.wake_for_shares();
  }
  IoDriver& io() override { return host_.io(); }
  std::optional<StuckIo> stuck() const override { return host_.stuck(); }
  void offload_job(OffloadJob& job) override { host_.offload_job(job); }
  void watch_lateness(LateWatch::Judge judge) override { host_.watch_lateness(std::move(judge)); }

 protected:
  void wake_for_shares() override { host_.wake_for_shares(); }
  void arm(FdWait& wait) override { host_.arm(wait); }
  void disarm(FdWait& wait) override { host_.disarm(wait); }

 private:
  bool asked_to_stop() const override { return asked_.load(std::memory_order_acquire); }

  Reactor& host_;
  std::atomic<bool> asked_ = false;
};

Reactor::~Reactor() { FEEDRATE_ASSERT(live_tasks_ == 0 || loop_.has_let_go); }

std::unique_ptr<Reactor> Reactor::make_share(std::function<void()> finished) {
  return std::make_unique<Share>(*this, std::move(finished));
}

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
  --reactor.loop_.live_tasks;
  if (--reactor.live_tasks_ == 0 && reactor.on_finished_) reactor.on_finished_();
}

void Reactor::spawn(Task<> task) {
  ++live_tasks_;
  ++loop_.live_tasks;
  post(run_detached(*this, std::move(task)).handle);
}

void Reactor::discard() {
  for (const std::coroutine_handle<> unbegun : loop_.ready) unbegun.destroy();
  loop_.ready.clear();
  loop_.live_tasks = live_tasks_ = 0;
  for (Reactor* const share : loop_.shares) share->live_tasks_ = 0;
}

void Reactor::stop() {
  if (stopping_) return;
  stopping_ = true;
  const bool hosts = loop_.host == this;
  if (hosts) {
    loop_.stopped_at = loop_.now;
    while (!loop_.timers.empty()) loop_.ready.push_back(loop_.timers.pop());
  } else {
    for (const std::coroutine_handle<> sleeper : loop_.timers.pop_of(this))
      loop_.ready.push_back(sleeper);
  }
  end_fd_waits();
  call_stop_hooks();
  if (hosts) {
    for (Reactor* const share : loop_.shares) share->stop();
    return;
  }
  const auto over = [](const Reactor* share) { return share->stopping_ || share->idle(); };
  if (std::ranges::all_of(loop_.shares, over)) loop_.host->stop();
}

void Reactor::stop_asked_shares() {
  for (Reactor* const share : loop_.shares)
    if (share->asked_to_stop()) share->stop();
}

void Reactor::end_fd_waits() {
  // Some end at once, and leave the list.
  const std::vector<FdWait*> waits = loop_.fd_waits;
  for (FdWait* const wait : waits)
    if (loop_.host == this || &wait->reactor_ == this) wait->cancel();
}

// A hook may destroy others, which only leave their places then.
void Reactor::call_stop_hooks() {
  for (std::size_t i = 0; i < stop_hooks_.size(); ++i)
    if (stop_hooks_[i] != nullptr) stop_hooks_[i]->call_();
}

void Reactor::arm(FdWait&) { FEEDRATE_ASSERT(false && "nothing outside is waited for here"); }
void Reactor::disarm(FdWait& wait) { wait.complete(0); }

StopHook::StopHook(Reactor& reactor, std::function<void()> call)
    : reactor_(reactor), call_(std::move(call)) {
  reactor_.stop_hooks_.push_back(this);
}

StopHook::~StopHook() {
  if (reactor_.stopping())
    std::ranges::replace(reactor_.stop_hooks_, this, nullptr);
  else
    std::erase(reactor_.stop_hooks_, this);
}

bool FdWait::stopping() const { return reactor_.stopping(); }

void FdWait::begin(std::coroutine_handle<> waiter) {
  FEEDRATE_ASSERT(!waiter_);
  waiter_ = waiter;
  reactor_.loop_.fd_waits.push_back(this);
  reactor_.arm(*this);
}

void FdWait::cancel() {
  if (waiter_) reactor_.disarm(*this);
}

void FdWait::complete(short result) {
  result_ = result;
  std::erase(reactor_.loop_.fd_waits, this);
  reactor_.post(std::exchange(waiter_, {}));
}

void Reactor::drain_ready() {
  const std::uint64_t turn_end = loop_.events + kTurnEvents;
  while (!loop_.ready.empty() && loop_.events < turn_end) {
    loop_.running.swap(loop_.ready);
    for (const std::coroutine_handle<> waiter : loop_.running) {
      ++loop_.events;
      waiter.resume();
    }
    loop_.running.clear();
  }
  loop_.ready.insert(loop_.ready.end(), loop_.yielded.begin(), loop_.yielded.end());
  loop_.yielded.clear();
}

void Reactor::post_due_timers() {
  while (!loop_.timers.empty() && loop_.timers.next_deadline() <= loop_.now)
    loop_.ready.push_back(loop_.timers.pop());
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
