// The reactors of one process, each on its own thread; on the virtual clock there is one reactor.
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

// Work that runs on the reactors of a group, perhaps beside other jobs: an engine, with its inputs
// and its outcome. It runs once, and its group outlives it.
class Job {
 public:
  virtual ~Job() = default;

  // Is called on each reactor's thread, before any of them runs. It spawns tasks on `reactor`,
  // which is this job's share of it.
  virtual void start(unsigned index, Reactor& reactor) = 0;
  // Is called on the same thread, when all tasks of that thread are done, those of other jobs
  // included, or when its reads were let go of (Reactor::has_let_go). What start() made must be
  // destroyed here, or be kept for good.
  virtual void finish(unsigned index) = 0;
  // `call` is called on whichever thread was last, when no task of the job is left on any thread;
  // other jobs may go on.
  void when_over(std::function<void()> call) { when_over_ = std::move(call); }
  // Stops this job alone, if it runs. Any thread.
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
  // Makes `threads` reactors (1 on the virtual clock). kAuto falls back from io_uring to threads
  // and says so in warnings(). Returns kEnvironment when kUring is asked for and cannot be had.
  static Result<std::unique_ptr<ReactorGroup>> make(ClockKind clock, IoEngine engine,
                                                    unsigned threads);
  ~ReactorGroup();

  unsigned size() const { return static_cast<unsigned>(reactors_.size()); }
  Reactor& reactor(unsigned index) { return *reactors_[index]; }
  bool is_virtual() const { return reactors_.front()->is_virtual(); }
  const std::vector<std::string>& warnings() const { return warnings_; }
  // kUring or kThreads; kAuto on the virtual clock, where the kernel is asked for nothing.
  IoEngine engine() const { return engine_; }

  // Runs the jobs together, each on its share of every reactor, and returns when all are done. A
  // stop request stops them all. It may run once for each group. An exception of start(), or
  // std::system_error where a thread cannot be made, is thrown again, and no reactor has run then:
  // the group is of no further use.
  void run(std::span<Job* const> jobs, const std::stop_token& stop);
  // Does the same with a single job that consists of these two functions.
  void run(const std::function<void(unsigned, Reactor&)>& start,
           const std::function<void(unsigned)>& finish, const std::stop_token& stop);
  // Has run() watch for times in which this host did not let the reactors run. There are none in
  // virtual time.
  void watch_host(std::function<HostCounters()> counters) { counters_ = std::move(counters); }
  // Returns the pauses of the reactor that was held back longest. To be called after run().
  const std::vector<HostPause>& pauses() const;
  // Returns the request that has been in flight longest, while run() is on or when it let go of it.
  // Any thread.
  std::optional<StuckIo> stuck() const;
  // Stops every reactor. Any thread.
  void stop();
  // The CPU time of each reactor's thread, after run().
  const std::vector<CpuTime>& cpu_times() const { return cpu_times_; }
  // The CPU time of the whole process during run(): reactors, worker threads, and the kernel's I/O
  // threads.
  CpuTime process_cpu_time() const { return process_cpu_time_; }

 private:
  ReactorGroup() = default;
  static void start_jobs(std::span<Job* const> jobs, unsigned index);
  void keep_let_go(Job& job) const;
  std::unique_ptr<OffloadPool> pool_;
  std::vector<std::unique_ptr<Reactor>> reactors_;
  std::vector<std::string> warnings_;
  IoEngine engine_ = IoEngine::kAuto;
  std::vector<CpuTime> cpu_times_;
  CpuTime process_cpu_time_;
  std::function<HostCounters()> counters_;
};

// Returns the CPU time of the calling thread so far. It is for pricing work, and must not change
// the course of a run.
Duration thread_cpu_time();
// Returns how long the calling thread was ready to run while others had the cores; 0 where the
// kernel does not count it.
Duration thread_run_delay();

// Returns the number of cores that this process may run on.
unsigned available_cores();

}  // namespace feedrate
