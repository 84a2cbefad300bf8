// Notices when a thread did not run although it should have: stopped, held back by a quota, or its
// processor taken away. A wait that ends long after its time, or a turn that took long but used no
// processor, is late; whether this host is the reason is for a judge to say.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "feedrate/base/units.h"

namespace feedrate {

enum class PauseKind : std::uint8_t {
  kStopped,  // the whole process: SIGSTOP, a debugger, a freezer
  kQuota,    // the CPU quota of its control group was used up
  kStolen,   // the hypervisor ran another guest
};
// Over [begin, end) a thread should have run, but did not.
struct HostPause {
  Instant begin{}, end{};
  PauseKind kind = PauseKind::kStopped;
};

class LateWatch {
 public:
  // Waits end after this at the latest, so that lateness can be seen.
  static constexpr Duration kBeat = std::chrono::milliseconds(20);
  // Less than this is how schedulers and timers are.
  static constexpr Duration kLate = std::chrono::milliseconds(20);

  // Of the thread that calls, so far.
  struct Thread {
    std::function<Duration()> ran;     // CPU time
    std::function<Duration()> waited;  // ready to run, but others had the cores
  };
  // What held it back over [begin, end), when it was `waited` of it ready; nullopt: not this host.
  using Judge =
      std::function<std::optional<PauseKind>(Instant begin, Instant end, Duration waited)>;

  LateWatch(Thread thread, Judge judge, Instant now);
  // The thread waits now, for `limit` at most. Both give the pause that has just ended, if any.
  std::optional<HostPause> before_wait(Instant now, Duration limit);
  std::optional<HostPause> after_wait(Instant now);

 private:
  std::optional<HostPause> look_at(Instant begin, Instant now);

  Thread thread_;
  Judge judge_;
  Instant turn_begin_{}, due_{}, ran_at_{}, waited_at_{};
  Duration ran_{}, waited_{};  // at those times
};

// What the kernel counts of this host, summed over its processors.
struct HostCounters {
  Duration throttled{};  // by the quota of our control groups
  Duration stolen{};     // from this host, by its hypervisor
};

// A thread that does nothing but sleep and wake: when it is late with the others, the process as a
// whole did not run. beat() is called by that thread, judge() by any.
class HeartBeat {
 public:
  static constexpr Duration kInterval = std::chrono::milliseconds(10);
  explicit HeartBeat(std::function<HostCounters()> counters, Instant now);
  void beat(Instant now);
  // As LateWatch::Judge.
  std::optional<PauseKind> judge(Instant begin, Instant end, Duration waited);

 private:
  // This thread did not run; none where the kernel's counters name no kind.
  struct Gap {
    Instant begin{}, end{};
    std::optional<PauseKind> kind;
  };
  void add_gap(Instant begin, Instant end);

  std::function<HostCounters()> counters_;
  std::mutex mutex_;
  Instant last_{}, counted_at_{};
  HostCounters counted_;
  std::vector<Gap> gaps_;  // the last few
};

}  // namespace feedrate
