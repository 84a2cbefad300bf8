#include "feedrate/runtime/reactor.h"

namespace feedrate {
namespace {

class InlineDriver final : public IoDriver {
 public:
  explicit InlineDriver(Reactor& reactor) : reactor_(reactor) {}
  std::string_view name() const override { return "inline"; }
  void submit(IoRequest& request) override {
    perform_blocking(request);
    request.opened_at = reactor_.now();
    reactor_.post(request.waiter);
  }
  std::int16_t register_buffers(std::span<std::byte>) override { return -1; }

 private:
  Reactor& reactor_;
};

class VirtualReactor final : public Reactor {
 public:
  Instant refresh_now() override { return now(); }
  bool is_virtual() const override { return true; }
  void post_remote(std::span<const std::coroutine_handle<>> waiters) override {
    for (const auto waiter : waiters) post(waiter);
  }
  void stop_remote() override { stop_requested_ = true; }
  IoDriver& io() override { return driver_; }
  void offload_job(OffloadJob& job) override {
    job.execute();
    post(job.waiter);
  }

  void run() override {
    drain_ready();
    while (loop_.live_tasks > 0) {
      if (stop_requested_.load(std::memory_order_relaxed) && !stopping_) stop();
      if (share_asked_.load(std::memory_order_relaxed)) {
        share_asked_.store(false, std::memory_order_relaxed);
        stop_asked_shares();
      }
      if (loop_.ready.empty()) {
        FEEDRATE_ASSERT(!loop_.timers.empty() &&
                        "virtual deadlock: tasks wait and nothing will happen");
        loop_.now = loop_.timers.next_deadline();
        ++loop_.events;
        loop_.timers.pop().resume();
      }
      drain_ready();
    }
  }

 private:
  void wake_for_shares() override { share_asked_.store(true, std::memory_order_relaxed); }

  InlineDriver driver_{*this};
  std::atomic<bool> stop_requested_ = false, share_asked_ = false;
};

}  // namespace

std::unique_ptr<Reactor> make_virtual_reactor() { return std::make_unique<VirtualReactor>(); }

}  // namespace feedrate
