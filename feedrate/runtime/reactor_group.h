// The reactors of one process, each on its own thread; one reactor on the virtual clock.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "feedrate/runtime/reactor.h"

namespace feedrate {

enum class ClockKind : std::uint8_t { kReal, kVirtual };
enum class IoEngine : std::uint8_t { kAuto, kUring, kThreads };
std::string_view to_string(ClockKind clock);  // "real", "virtual"
std::string_view to_string(IoEngine engine);  // "auto", "uring", "threads"
Result<ClockKind> parse_clock(std::string_view text, std::string_view flag);
Result<IoEngine> parse_io_engine(std::string_view text, std::string_view flag);

struct CpuTime {
  Duration user{}, system{};
  Duration waiting{};  // of a thread alone: ready to run, but others had the cores; 0 if not known
};

// Work that runs on the reactors of a group, perhaps beside other jobs: an engine, with what it was
// given, and what becomes of it. It runs once, and its group outlives it.
class Job {
 public:
  virtual ~Job() = default;

  // On each reactor's thread, before any of them runs: spawns tasks on `reactor`, which is this
  // job's share of it.
  virtual void start(unsigned index, Reactor& reactor) = 0;
  // On the same thread, when all tasks of that thread are done, those of other jobs included, or
  // when its reads were let go of (Reactor::has_let_go). What start() made must go there, or be
  // kept for good.
  virtual void finish(unsigned index) = 0;
  // Called when nothing is left of the job on any thread, while others may go on; on whichever
  // thread was last.
  void when_over(std::function<void()> call) { when_over_ = std::move(call); }
  // Stops this job alone, where it runs; any thread.
  void stop();

 private:
  friend class ReactorGroup;
  void share_is_idle();

  std::vector<std::unique_ptr<Reactor>> shares_;
  std::atomic<unsigned> busy_ = 0;  // shares that are not idle
  std::function<void()> when_over_;
};

class ReactorGroup {
 public:
  // `threads` reactors (1 on the virtual clock). kAuto falls back from io_uring to threads and says
  // so in warnings(); kEnvironment when kUring is asked for and cannot be had.
  static Result<std::unique_ptr<ReactorGroup>> make(ClockKind clock, IoEngine engine,
                                                    unsigned threads);
  ~ReactorGroup();

  unsigned size() const { return static_cast<unsigned>(reactors_.size()); }
  Reactor& reactor(unsigned index) { return *reactors_[index]; }
  bool is_virtual() const { return reactors_.front()->is_virtual(); }
  const std::vector<std::string>& warnings() const { return warnings_; }

  // Runs the jobs together, each on its share of every reactor, and returns when all are done. A
  // stop request stops them all. Once per group. What start() throws, or std::system_error where a
  // thread cannot be made, is thrown again when no reactor runs: then the group is of no further
  // use.
  void run(std::span<Job* const> jobs, const std::stop_token& stop);
  // The same with a single job of these two.
  void run(const std::function<void(unsigned, Reactor&)>& start,
           const std::function<void(unsigned)>& finish, const std::stop_token& stop);
  // Has run() watch for times in which this host did not let the reactors run. In virtual time
  // there are none.
  void watch_host(std::function<HostCounters()> counters) { counters_ = std::move(counters); }
  // Of the reactor that was held back longest, after run().
  const std::vector<HostPause>& pauses() const;
  // What has not come back for longest, while run() is on or when it let go of it; any thread.
  std::optional<StuckIo> stuck() const;
  // Stops every reactor; any thread.
  void stop();
  // CPU time of each reactor's thread, after run().
  const std::vector<CpuTime>& cpu_times() const { return cpu_times_; }
  // CPU time of the whole process during run(): reactors, worker threads, the kernel's I/O threads.
  CpuTime process_cpu_time() const { return process_cpu_time_; }

 private:
  ReactorGroup() = default;
  static void start_jobs(std::span<Job* const> jobs, unsigned index);
  void keep_let_go(Job& job) const;
  std::unique_ptr<OffloadPool> pool_;
  std::vector<std::unique_ptr<Reactor>> reactors_;
  std::vector<std::string> warnings_;
  std::vector<CpuTime> cpu_times_;
  CpuTime process_cpu_time_;
  std::function<HostCounters()> counters_;
};

// CPU time of the calling thread so far: for pricing work, not for the course of a run.
Duration thread_cpu_time();
// For how long it was ready to run but others had the cores; 0 where the kernel does not count it.
Duration thread_run_delay();

// Cores that this process may run on.
unsigned available_cores();

}  // namespace feedrate
