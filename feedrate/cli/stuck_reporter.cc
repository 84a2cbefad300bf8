#include "feedrate/cli/stuck_reporter.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(500);
// The first report comes after this time, later ones at growing intervals.
constexpr Duration kFirst = std::chrono::seconds(5);
// The process ends so long after a stop. Reads are given up after half of that, so that a run whose
// reads are stuck can still report.
constexpr Duration kEndAfter = std::chrono::seconds(6);
constexpr Duration kLongest = std::chrono::minutes(1);

void tell(const StuckIo& stuck, Duration age) {
  const bool terminal = isatty(STDERR_FILENO) == 1;
  std::fputs(fmt::format("{}waiting: {} has not come back for {:.0f} s ({} in flight)\n",
                         terminal ? "\r\x1b[K" : "", stuck.oldest, to_seconds(age),
                         format_counted(stuck.count, "call"))
                 .c_str(),
             stderr);
}

[[noreturn]] void end_without_it(const StuckIo& stuck, Duration age) {
  std::fputs(
      fmt::format("error: interrupted, and {} has not come back for {:.0f} s: ending without "
                  "a result\nhint:  while the kernel does not let go of it, this process "
                  "stays behind; see 'dmesg' and the storage's own log\n",
                  stuck.oldest, to_seconds(age))
          .c_str(),
      stderr);
  _exit(130);
}

}  // namespace

StuckReporter::StuckReporter(const ReactorGroup& group, std::stop_token stop) {
  if (group.is_virtual()) return;
  thread_ = std::jthread([&group, stop = std::move(stop)](const std::stop_token& quit) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    Instant seen{}, next{}, stopped{};
    Duration interval = kFirst;
    while (!wake.wait_for(lock, quit, kPoll, [] { return false; }) && !quit.stop_requested()) {
      const auto stuck = group.stuck();
      const Instant now = monotonic_now();
      if (!stuck) interval = kFirst;
      // A call counts as stuck only when it is seen twice, because after this process was stopped
      // everything looks late for a moment.
      const bool again = stuck && stuck->since == seen;
      seen = stuck ? stuck->since : Instant{};
      if (stop.stop_requested() && stopped == Instant{}) stopped = now;
      if (again && stopped != Instant{} && now - stopped >= kEndAfter)
        end_without_it(*stuck, now - stuck->since);
      if (!again || now - stuck->since < kFirst || now < next) continue;
      tell(*stuck, now - stuck->since);
      next = now + interval;
      interval = std::min(2 * interval, kLongest);
    }
  });
}

RunHooks watched(const CommandContext& context, bool only_reads) {
  RunHooks hooks;
  hooks.stop = context.stop;
  const std::stop_token ends = only_reads ? context.stop : std::stop_token{};
  hooks.watch = [stop = ends](const ReactorGroup& group) {
    return std::make_shared<StuckReporter>(group, stop);
  };
  return hooks;
}

}  // namespace feedrate
