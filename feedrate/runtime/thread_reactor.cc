#include <poll.h>
#include <unistd.h>

#include "feedrate/runtime/real_reactor.h"

namespace feedrate {
namespace {

constexpr unsigned kIoThreads = 64;  // blocking calls in flight at most

class ThreadReactor final : public RealReactor, private IoDriver {
 public:
  explicit ThreadReactor(const RealReactorOptions& options) : RealReactor(options.pool) {}

  IoDriver& io() override { return *this; }
  std::string_view name() const override { return "threads"; }
  bool register_buffers(std::span<std::byte>) override { return false; }

  void submit(IoRequest& request) override {
    io_pool_.submit([this, &request] {
      const std::coroutine_handle<> waiter = request.waiter;
      perform_blocking(request);
      post_remote({&waiter, 1});
    });
  }

  void run() override {
    prepare_thread();
    refresh_now();
    drain_ready();
    while (goes_on()) {
      wait();
      end_wait();
      take_remote();
      post_due_timers();
      drain_ready();
    }
  }

 private:
  void wait() {
    const auto wait = begin_wait();
    if (remote_pending() || !ready_.empty()) return;
    timespec limit{};
    if (wait) {
      limit.tv_sec = wait->count() / 1'000'000'000;
      limit.tv_nsec = wait->count() % 1'000'000'000;
    }
    pollfd event{event_fd(), POLLIN, 0};
    if (ppoll(&event, 1, wait ? &limit : nullptr, nullptr) > 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = read(event_fd(), &count, sizeof count);
    }
  }

  OffloadPool io_pool_{kIoThreads};
};

}  // namespace

std::unique_ptr<Reactor> make_thread_reactor(const RealReactorOptions& options) {
  return std::make_unique<ThreadReactor>(options);
}

}  // namespace feedrate
