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
  std::int16_t register_buffers(std::span<std::byte>) override { return -1; }

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
    const auto limit = begin_wait();
    const bool at_once = remote_pending() || !loop_.ready.empty();
    if (at_once && loop_.fd_waits.empty()) return;
    timespec time{};
    if (limit && !at_once) {
      time.tv_sec = limit->count() / 1'000'000'000;
      time.tv_nsec = limit->count() % 1'000'000'000;
    }
    std::vector<pollfd> events{{event_fd(), POLLIN, 0}};
    const std::vector<FdWait*> waits = loop_.fd_waits;
    for (const FdWait* wait : waits) events.push_back({wait->fd(), wait->events(), 0});
    if (ppoll(events.data(), events.size(), limit || at_once ? &time : nullptr, nullptr) <= 0)
      return;
    if (events[0].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = read(event_fd(), &count, sizeof count);
    }
    for (std::size_t i = 0; i < waits.size(); ++i)
      if (events[i + 1].revents != 0) waits[i]->complete(events[i + 1].revents);
  }
  // They are looked at whenever the loop waits.
  void arm(FdWait&) override {}

  OffloadPool io_pool_{kIoThreads};
};

}  // namespace

std::unique_ptr<Reactor> make_thread_reactor(const RealReactorOptions& options) {
  return std::make_unique<ThreadReactor>(options);
}

}  // namespace feedrate
