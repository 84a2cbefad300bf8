#include <fcntl.h>
#include <fmt/format.h>
#include <liburing.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <fstream>
#include <utility>

#include "feedrate/runtime/real_reactor.h"

namespace feedrate {
namespace {

// This many completions are handled before their successors are submitted, so that the device gets
// new work while the rest is still being looked at (4 KiB reads, depth 16: 258 MB/s against 241
// with all at once).
constexpr unsigned kBatch = 4;
constexpr std::int16_t kRegions = 64;   // of buffers, registered at a time
constexpr std::uint64_t kWakeTag = 0;   // user_data of the eventfd read
constexpr std::uint64_t kPartMask = 7;  // low bits of user_data: which part of a chain
enum Part : std::uint64_t { kMain = 1, kChainOpen = 2, kChainClose = 3, kFdWait = 4 };
constexpr std::uint64_t kRemoveTag = 7;  // user_data of what ends a wait for a socket

std::string memlock_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  return limit.rlim_cur == RLIM_INFINITY ? "unlimited"
                                         : fmt::format("{} KiB", limit.rlim_cur / 1024);
}

std::unexpected<Error> unavailable(int code) {
  int disabled = 0;
  std::ifstream("/proc/sys/kernel/io_uring_disabled") >> disabled;
  if (disabled != 0)
    return fail(ErrorKind::kEnvironment,
                fmt::format("io_uring is not available: disabled by sysctl "
                            "(kernel.io_uring_disabled={})",
                            disabled),
                "'sysctl -w kernel.io_uring_disabled=0'");
  if (code == -ENOMEM)
    return fail(ErrorKind::kEnvironment,
                fmt::format("io_uring is not available: not enough lockable memory "
                            "(RLIMIT_MEMLOCK is {})",
                            memlock_limit()),
                "raise it with 'ulimit -l unlimited'");
  return fail(ErrorKind::kEnvironment,
              fmt::format("io_uring is not available: {}", std::strerror(-code)),
              "a seccomp profile (containers) or an old kernel; Linux 6.1 or newer is needed");
}

class UringReactor final : public RealReactor, private IoDriver {
 public:
  explicit UringReactor(const RealReactorOptions& options) : RealReactor(options.pool) {}
  ~UringReactor() override {
    if (open_) io_uring_queue_exit(&ring_);
  }

  Result<> open_ring(const RealReactorOptions& options) {
    io_uring_params params{};
    params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED |
                   IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    params.cq_entries = options.queue_entries * 4;
    const int code = io_uring_queue_init_params(options.queue_entries, &ring_, &params);
    if (code < 0) return unavailable(code);
    open_ = true;
    reserve_regions();
    return reserve_file_slots(options.file_slots);
  }

  IoDriver& io() override { return *this; }
  std::string_view name() const override { return "io_uring"; }
  std::string shortfall() const override { return shortfall_; }

  std::int16_t register_buffers(std::span<std::byte> region) override {
    constexpr std::size_t kPieceBytes = 1U << 30U;  // the kernel's limit for one registered buffer
    if (region.size() > kPieceBytes) {
      shortfall_ = "I/O buffers are not registered: more than 1 GiB for one thread";
      return -1;
    }
    if (free_regions_.empty()) return -1;
    const std::int16_t index = free_regions_.back();
    const int code = update_region(index, region);
    if (code < 0) {
      shortfall_ = fmt::format("I/O buffers are not registered ({}; RLIMIT_MEMLOCK is {})",
                               std::strerror(-code), memlock_limit());
      return -1;
    }
    free_regions_.pop_back();
    return index;
  }
  void unregister_buffers(std::int16_t index) override {
    if (update_region(index, {}) >= 0) free_regions_.push_back(index);
  }

  void submit(IoRequest& request) override {
    if (request.kind == IoKind::kReadFile) {
      submit_chain(request);
      return;
    }
    request.parts_pending = 1;
    // Half of the slots stay free for chains.
    if (request.kind == IoKind::kOpen && request.for_reading && free_slots_.size() > slots_ / 2) {
      request.slot = free_slots_.back();
      free_slots_.pop_back();
    }
    io_uring_sqe* sqe = next_sqe(1);
    prepare(sqe, request);
    tag(sqe, request, kMain);
  }

  void run() override {
    prepare_thread();
    if (!enabled_) enable();
    refresh_now();
    drain_ready();
    while (goes_on()) {
      wait();
      end_wait();
      // Only completions that are there now are taken: reads from the page cache complete as they
      // are submitted, and would keep this loop from timers and stop requests for ever.
      for (unsigned left = io_uring_cq_ready(&ring_); take_completions() && left > kBatch;
           left -= kBatch) {
        drain_ready();
        io_uring_submit(&ring_);
        refresh_now();
      }
      take_remote();
      post_due_timers();
      drain_ready();
    }
  }

 private:
  Result<> reserve_file_slots(unsigned wanted) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned slots = wanted; slots >= 16; slots /= 2) {
      // Half of the limit is left for files outside of the ring.
      if (slots > limit.rlim_cur / 2) continue;
      if (io_uring_register_files_sparse(&ring_, slots) != 0) continue;
      for (unsigned slot = 0; slot < slots; ++slot)
        free_slots_.push_back(static_cast<int>(slots - 1 - slot));
      break;
    }
    slots_ = free_slots_.size();
    if (slots_ == 0)
      return fail(ErrorKind::kEnvironment,
                  fmt::format("io_uring is not usable: it may keep no files open "
                              "(RLIMIT_NOFILE is {})",
                              limit.rlim_cur),
                  "raise it with 'ulimit -n 4096'");
    if (slots_ < wanted)
      shortfall_ = fmt::format("the ring keeps {} files open instead of {} (RLIMIT_NOFILE is {})",
                               free_slots_.size(), wanted, limit.rlim_cur);
    return {};
  }

  // Some kernels have no table of regions. Nothing is registered then, which costs only CPU time.
  void reserve_regions() {
    if (io_uring_register_buffers_sparse(&ring_, kRegions) != 0) return;
    for (std::int16_t index = kRegions; index-- > 0;) free_regions_.push_back(index);
  }
  int update_region(std::int16_t index, std::span<std::byte> region) {
    const iovec piece{region.data(), region.size()};
    const __u64 tag = 0;
    return io_uring_register_buffers_update_tag(&ring_, static_cast<unsigned>(index), &piece, &tag,
                                                1);
  }

  // Returns a submission entry with room for `count` in one go, so that chains are never split.
  io_uring_sqe* next_sqe(unsigned count) {
    if (io_uring_sq_space_left(&ring_) < count) io_uring_submit(&ring_);
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    FEEDRATE_ASSERT(sqe != nullptr);
    return sqe;
  }
  static void tag(io_uring_sqe* sqe, IoRequest& request, Part part) {
    io_uring_sqe_set_data64(sqe, reinterpret_cast<std::uint64_t>(&request) | part);
  }

  static void prepare(io_uring_sqe* sqe, const IoRequest& request) {
    const int file = request.file.number;
    switch (request.kind) {
      case IoKind::kOpen:
        // A slot of the ring's table is not a descriptor, and the kernel refuses O_CLOEXEC for it.
        if (request.slot >= 0)
          io_uring_prep_openat_direct(sqe, AT_FDCWD, request.path, request.open_flags & ~O_CLOEXEC,
                                      request.mode, static_cast<unsigned>(request.slot));
        else
          io_uring_prep_openat(sqe, AT_FDCWD, request.path, request.open_flags, request.mode);
        return;
      case IoKind::kRead:
        prepare_read(sqe, file, request);
        break;
      case IoKind::kWrite:
        if (request.buffer_index >= 0)
          io_uring_prep_write_fixed(sqe, file, request.buffer, request.length, request.offset,
                                    request.buffer_index);
        else
          io_uring_prep_write(sqe, file, request.buffer, request.length, request.offset);
        break;
      case IoKind::kSync:
        io_uring_prep_fsync(sqe, file, 0);
        break;
      case IoKind::kClose:
        if (request.file.registered)
          io_uring_prep_close_direct(sqe, static_cast<unsigned>(file));
        else
          io_uring_prep_close(sqe, file);
        return;
      case IoKind::kReadFile:
        // submit_chain() prepares these requests.
        FEEDRATE_ASSERT(false);
    }
    if (request.file.registered) sqe->flags |= IOSQE_FIXED_FILE;
  }
  static void prepare_read(io_uring_sqe* sqe, int file, const IoRequest& request) {
    if (request.buffer_index >= 0)
      io_uring_prep_read_fixed(sqe, file, request.buffer, request.length, request.offset,
                               request.buffer_index);
    else
      io_uring_prep_read(sqe, file, request.buffer, request.length, request.offset);
  }

  // Submits open -> read -> close as one linked chain in a slot of the ring's file table: three
  // operations and one wake-up. The link from read to close is hard, because a read that ends at
  // the end of the file counts as a failure of a soft link.
  void submit_chain(IoRequest& request) {
    if (free_slots_.empty()) {
      waiting_for_slot_.push_back(&request);
      return;
    }
    request.slot = free_slots_.back();
    free_slots_.pop_back();
    // Each of the three parts completes by itself.
    request.parts_pending = 3;
    request.open_result = 0;
    io_uring_sqe* sqe = next_sqe(3);
    io_uring_prep_openat_direct(sqe, AT_FDCWD, request.path, request.open_flags & ~O_CLOEXEC,
                                request.mode, static_cast<unsigned>(request.slot));
    sqe->flags |= IOSQE_IO_LINK;
    tag(sqe, request, kChainOpen);
    sqe = next_sqe(1);
    prepare_read(sqe, request.slot, request);
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_HARDLINK;
    tag(sqe, request, kMain);
    sqe = next_sqe(1);
    io_uring_prep_close_direct(sqe, static_cast<unsigned>(request.slot));
    tag(sqe, request, kChainClose);
  }

  void arm(FdWait& wait) override {
    io_uring_sqe* sqe = next_sqe(1);
    io_uring_prep_poll_add(sqe, wait.fd(), static_cast<unsigned>(wait.events()));
    io_uring_sqe_set_data64(sqe, reinterpret_cast<std::uint64_t>(&wait) | kFdWait);
  }
  // It completes by itself then.
  void disarm(FdWait& wait) override {
    io_uring_sqe* sqe = next_sqe(1);
    io_uring_prep_poll_remove(sqe, reinterpret_cast<std::uint64_t>(&wait) | kFdWait);
    io_uring_sqe_set_data64(sqe, kRemoveTag);
  }

  void enable() {
    // liburing 2.3 of Debian 12 declares io_uring_enable_rings but does not export it, so the
    // system call is made here.
    const long enabled =
        syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
    FEEDRATE_ASSERT(enabled == 0);
    enabled_ = true;
    arm_wake();
  }

  void arm_wake() {
    io_uring_sqe* sqe = next_sqe(1);
    io_uring_prep_read(sqe, event_fd(), &wake_count_, sizeof wake_count_, 0);
    io_uring_sqe_set_data64(sqe, kWakeTag);
  }

  void wait() {
    const auto limit = begin_wait();
    if (remote_pending() || !loop_.ready.empty()) {
      io_uring_submit_and_get_events(&ring_);
      return;
    }
    __kernel_timespec time{};
    if (limit) {
      time.tv_sec = limit->count() / 1'000'000'000;
      time.tv_nsec = limit->count() % 1'000'000'000;
    }
    io_uring_cqe* cqe = nullptr;
    io_uring_submit_and_wait_timeout(&ring_, &cqe, 1, limit ? &time : nullptr, nullptr);
  }

  // Takes at most kBatch completions. Returns true when there may be more.
  bool take_completions() {
    io_uring_cqe* cqe = nullptr;
    unsigned head = 0;
    unsigned count = 0;
    bool woken = false;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      ++count;
      const std::uint64_t data = io_uring_cqe_get_data64(cqe);
      if (data == kWakeTag)
        woken = true;
      else if ((data & kPartMask) == kFdWait)
        reinterpret_cast<FdWait*>(data & ~kPartMask)
            ->complete(static_cast<short>(std::max(0, cqe->res)));
      else if (data != kRemoveTag)
        complete(*reinterpret_cast<IoRequest*>(data & ~kPartMask), data & kPartMask, cqe->res);
      if (count == kBatch) break;
    }
    io_uring_cq_advance(&ring_, count);
    if (woken) arm_wake();
    // Chains that had to wait for a slot start as soon as one is free.
    while (!waiting_for_slot_.empty() && !free_slots_.empty()) {
      IoRequest* request = waiting_for_slot_.front();
      waiting_for_slot_.pop_front();
      submit_chain(*request);
    }
    return count == kBatch;
  }

  void opened(IoRequest& request, int result) {
    const int slot = std::exchange(request.slot, -1);
    request.file = {slot >= 0 && result >= 0 ? slot : result, slot >= 0};
    if (slot >= 0 && result < 0) free_slots_.push_back(slot);
    if (result > 0) request.result = 0;
  }

  void complete(IoRequest& request, std::uint64_t part, int result) {
    if (part == kMain) request.result = result;
    if (request.kind == IoKind::kOpen) opened(request, result);
    if (request.kind == IoKind::kClose && request.file.registered)
      free_slots_.push_back(request.file.number);
    if (part == kChainOpen) {
      request.open_result = result;
      request.opened_at = loop_.now;
    }
    if (--request.parts_pending > 0) return;
    if (request.slot >= 0) {
      free_slots_.push_back(request.slot);
      request.slot = -1;
      if (request.open_result < 0) request.result = request.open_result;
    }
    loop_.ready.push_back(request.waiter);
  }

  io_uring ring_{};
  bool open_ = false, enabled_ = false;
  std::uint64_t wake_count_ = 0;
  std::vector<int> free_slots_;
  std::size_t slots_ = 0;
  std::vector<std::int16_t> free_regions_;
  std::deque<IoRequest*> waiting_for_slot_;
  std::string shortfall_;
};

}  // namespace

Result<std::unique_ptr<Reactor>> make_uring_reactor(const RealReactorOptions& options) {
  auto reactor = std::make_unique<UringReactor>(options);
  FEEDRATE_CHECK(reactor->open_ring(options));
  return std::unique_ptr<Reactor>(std::move(reactor));
}

}  // namespace feedrate
