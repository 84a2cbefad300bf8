#include "feedrate/runtime/reactor_group.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <fstream>
#include <latch>
#include <system_error>
#include <thread>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr unsigned kOffloadThreads = 8;

CpuTime cpu_time(int whose) {
  rusage usage{};
  getrusage(whose, &usage);
  const auto duration = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return {duration(usage.ru_utime), duration(usage.ru_stime),
          whose == RUSAGE_THREAD ? thread_run_delay() : Duration{}};
}

// Every open file counts against this limit. The soft limit is often 1024 while more is allowed.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

std::string_view to_string(ClockKind clock) {
  return clock == ClockKind::kReal ? "real" : "virtual";
}
std::string_view to_string(IoEngine engine) {
  switch (engine) {
    case IoEngine::kAuto:
      return "auto";
    case IoEngine::kUring:
      return "uring";
    case IoEngine::kThreads:
      return "threads";
  }
  return "unknown";
}

Result<ClockKind> parse_clock(std::string_view text, std::string_view flag) {
  if (text == "real") return ClockKind::kReal;
  if (text == "virtual") return ClockKind::kVirtual;
  const std::array<std::string, 2> known{"real", "virtual"};
  return fail(ErrorKind::kUsage,
              fmt::format("{}: unknown clock '{}'{}", flag, text, did_you_mean(text, known)),
              "use real or virtual");
}

Result<IoEngine> parse_io_engine(std::string_view text, std::string_view flag) {
  for (const IoEngine engine : {IoEngine::kAuto, IoEngine::kUring, IoEngine::kThreads})
    if (text == to_string(engine)) return engine;
  const std::array<std::string, 3> known{"auto", "uring", "threads"};
  return fail(ErrorKind::kUsage,
              fmt::format("{}: unknown engine '{}'{}", flag, text, did_you_mean(text, known)),
              "use auto, uring or threads");
}

Result<std::unique_ptr<ReactorGroup>> ReactorGroup::make(ClockKind clock, IoEngine engine,
                                                         unsigned threads) {
  std::unique_ptr<ReactorGroup> group(new ReactorGroup);
  if (clock == ClockKind::kVirtual) {
    group->reactors_.push_back(make_virtual_reactor());
    return group;
  }
  FEEDRATE_ASSERT(threads > 0);
  raise_file_limit();
  group->pool_ = std::make_unique<OffloadPool>(kOffloadThreads);
  RealReactorOptions options;
  options.pool = group->pool_.get();
  for (unsigned index = 0; index < threads; ++index) {
    if (engine != IoEngine::kThreads) {
      auto reactor = make_uring_reactor(options);
      if (reactor) {
        group->reactors_.push_back(std::move(*reactor));
        continue;
      }
      if (engine == IoEngine::kUring) return fail(reactor.error());
      group->warnings_.push_back(reactor.error().message() +
                                 "; using a pool of threads with pread");
      // The reason holds for all reactors, so it is told once, and io_uring is not tried again.
      engine = IoEngine::kThreads;
    }
    group->reactors_.push_back(make_thread_reactor(options));
  }
  group->engine_ = engine == IoEngine::kThreads ? engine : IoEngine::kUring;
  return group;
}

ReactorGroup::~ReactorGroup() {
  const auto let_go = [](const auto& reactor) { return reactor->has_let_go(); };
  if (std::ranges::none_of(reactors_, let_go)) return;
  // The kernel still knows the requests of these reactors, and workers may be busy for them, so
  // they are never freed.
  for (auto& reactor : reactors_) static_cast<void>(reactor.release());
  static_cast<void>(pool_.release());
}

std::optional<StuckIo> ReactorGroup::stuck() const {
  std::optional<StuckIo> all;
  for (const auto& reactor : reactors_) {
    auto one = reactor->stuck();
    if (!one) continue;
    const std::uint64_t count = one->count + (all ? all->count : 0);
    if (!all || one->since < all->since) all = std::move(one);
    all->count = count;
  }
  return all;
}

void ReactorGroup::stop() {
  for (const auto& reactor : reactors_) reactor->stop_remote();
}

void Job::stop() {
  for (const auto& share : shares_)
    if (share) share->stop_remote();
}

void Job::share_is_idle() {
  if (--busy_ == 0 && when_over_) when_over_();
}

void ReactorGroup::start_jobs(std::span<Job* const> jobs, unsigned index) {
  for (Job* const job : jobs) {
    job->start(index, *job->shares_[index]);
    if (job->shares_[index]->idle()) job->share_is_idle();
  }
}

void ReactorGroup::run(const std::function<void(unsigned, Reactor&)>& start,
                       const std::function<void(unsigned)>& finish, const std::stop_token& stop) {
  struct Single final : Job {
    Single(const std::function<void(unsigned, Reactor&)>& first,
           const std::function<void(unsigned)>& last)
        : first_(first), last_(last) {}
    void start(unsigned index, Reactor& reactor) override { first_(index, reactor); }
    void finish(unsigned index) override { last_(index); }
    const std::function<void(unsigned, Reactor&)>& first_;
    const std::function<void(unsigned)>& last_;
  };
  Single single(start, finish);
  Job* const job = &single;
  run({&job, 1}, stop);
}

void ReactorGroup::run(std::span<Job* const> jobs, const std::stop_token& stop) {
  cpu_times_.resize(size());
  for (Job* const job : jobs) {
    job->busy_ = size();
    for (const auto& reactor : reactors_)
      job->shares_.push_back(reactor->make_share([job] { job->share_is_idle(); }));
  }
  const std::stop_callback on_stop(stop, [this] { this->stop(); });
  // Only a thread that does nothing else can tell a stopped process from a blocked thread.
  std::optional<HeartBeat> heart;
  std::jthread beating;
  if (counters_ && !reactor(0).is_virtual()) {
    heart.emplace(counters_, monotonic_now());
    beating = std::jthread([&heart](const std::stop_token& quit) {
      while (!quit.stop_requested()) {
        std::this_thread::sleep_for(HeartBeat::kInterval);
        heart->beat(monotonic_now());
      }
    });
  }
  // Reactors wait for each other while they run, so if one cannot start, none may run.
  std::latch started(size());
  std::atomic<bool> failed = false;
  std::vector<std::exception_ptr> failures(size());
  const auto body = [&](unsigned index) {
    const CpuTime before = cpu_time(RUSAGE_THREAD);
    if (heart)
      reactor(index).watch_lateness([&heart](Instant begin, Instant end, Duration waited) {
        return heart->judge(begin, end, waited);
      });
    try {
      start_jobs(jobs, index);
    } catch (...) {
      failures[index] = std::current_exception();
      failed = true;
    }
    started.arrive_and_wait();
    if (failed) return reactor(index).discard();
    reactor(index).run();
    for (Job* const job : jobs) job->finish(index);
    const CpuTime after = cpu_time(RUSAGE_THREAD);
    cpu_times_[index] = {after.user - before.user, after.system - before.system,
                         after.waiting - before.waiting};
  };
  const CpuTime before_all = cpu_time(RUSAGE_SELF);
  std::vector<std::thread> threads;
  try {
    for (unsigned index = 1; index < size(); ++index) threads.emplace_back(body, index);
  } catch (const std::system_error&) {  // the limit on threads, or on address space
    failures[threads.size() + 1] = std::current_exception();
    failed = true;
    // Threads that were not made will never arrive.
    started.count_down(size() - 1 - static_cast<std::ptrdiff_t>(threads.size()));
  }
  body(0);
  for (std::thread& thread : threads) thread.join();
  for (Job* const job : jobs) keep_let_go(*job);
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);
  const CpuTime after_all = cpu_time(RUSAGE_SELF);
  process_cpu_time_ = {after_all.user - before_all.user, after_all.system - before_all.system, {}};
}

// Tasks that were let go of still know their shares.
void ReactorGroup::keep_let_go(Job& job) const {
  for (std::size_t index = 0; index < job.shares_.size(); ++index)
    if (reactors_[index]->has_let_go()) static_cast<void>(job.shares_[index].release());
}

const std::vector<HostPause>& ReactorGroup::pauses() const {
  const auto length = [](const std::unique_ptr<Reactor>& reactor) {
    Duration sum{};
    for (const HostPause& pause : reactor->pauses()) sum += pause.end - pause.begin;
    return sum;
  };
  return (*std::ranges::max_element(reactors_, {}, length))->pauses();
}

Duration thread_cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Reads the second field of schedstat [ns]; kernels may be built without it.
Duration thread_run_delay() {
  std::ifstream file("/proc/thread-self/schedstat");
  Duration::rep running = 0, waiting = 0;
  return file >> running >> waiting ? Duration(waiting) : Duration{};
}

unsigned available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

}  // namespace feedrate
