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
// A pause: a thread should have run over [begin, end), but did not.
struct HostPause {
  Instant begin{}, end{};
  PauseKind kind = PauseKind::kStopped;
};

class LateWatch {
 public:
  // Waits end after this time at the latest, so that lateness can be seen.
  static constexpr Duration kBeat = std::chrono::milliseconds(20);
  // Shorter pauses are normal for schedulers and timers.
  static constexpr Duration kLate = std::chrono::milliseconds(20);

  // Times of the calling thread only, from its start until now.
  struct Thread {
    std::function<Duration()> ran;     // CPU time
    std::function<Duration()> waited;  // ready to run, but others had the cores
  };
  // Says what held the thread back over [begin, end), when it was ready to run for `waited` of
  // that; nullopt: it was not this host.
  using Judge =
      std::function<std::optional<PauseKind>(Instant begin, Instant end, Duration waited)>;

  LateWatch(Thread thread, Judge judge, Instant now);
  // The thread is about to wait, for `limit` at most. Both functions return the pause that has just
  // ended, if any.
  std::optional<HostPause> before_wait(Instant now, Duration limit);
  std::optional<HostPause> after_wait(Instant now);

 private:
  std::optional<HostPause> look_at(Instant begin, Instant now);

  Thread thread_;
  Judge judge_;
  Instant turn_begin_{}, due_{}, ran_at_{}, waited_at_{};
  Duration ran_{}, waited_{};  // CPU and waiting time at those times
};

// The kernel's counters of this host, summed over its processors.
struct HostCounters {
  Duration throttled{};  // by the quota of our control groups
  Duration stolen{};     // from this host, by its hypervisor
};

// A thread that does nothing but sleep and wake. When it is late together with others, the process
// as a whole did not run. beat() is called by that thread, judge() by any.
class HeartBeat {
 public:
  static constexpr Duration kInterval = std::chrono::milliseconds(10);
  explicit HeartBeat(std::function<HostCounters()> counters, Instant now);
  void beat(Instant now);
  // Does what LateWatch::Judge asks for.
  std::optional<PauseKind> judge(Instant begin, Instant end, Duration waited);

 private:
  // A time in which the heart-beat's thread did not run; it has no kind where the kernel's counters
  // name none.
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
