// The reactors of one process, each on its own thread; one reactor on the virtual clock.
#pragma once

#include <functional>
#include <memory>
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
  // kUring or kThreads; kAuto on the virtual clock, where the kernel is asked for nothing.
  IoEngine engine() const { return engine_; }

  // On each reactor's thread: start(index, reactor), which spawns tasks; then the reactor until
  // they are done; then finish(index). Returns when all have. A stop request stops every reactor.
  // Once per group. What start() throws, or std::system_error where a thread cannot be made, is
  // thrown again when no reactor runs: then the group is of no further use.
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
  std::unique_ptr<OffloadPool> pool_;
  std::vector<std::unique_ptr<Reactor>> reactors_;
  std::vector<std::string> warnings_;
  IoEngine engine_ = IoEngine::kAuto;
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
