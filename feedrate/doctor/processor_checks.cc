#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "feedrate/base/text.h"
#include "feedrate/doctor/checks.h"

namespace feedrate {
namespace {

constexpr double kLoadWarn = 0.2, kLoadBad = 0.8;
constexpr double kStealWarn = 0.02, kStealBad = 0.2;
constexpr int kClockReadings = 20'000;
constexpr double kClockCostMax_ns = 200;
constexpr std::uint64_t kGroupMemoryMin = std::uint64_t{2} << 30U;

double share(std::uint64_t part, const CpuTimes& all) {
  return all.total() == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all.total());
}

// Returns the fastest of several rounds, since interruptions only add time.
double clock_cost_ns() {
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    timespec now{};
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kClockReadings; ++i) clock_gettime(CLOCK_MONOTONIC, &now);
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    best = std::min(best, spent.count() / kClockReadings);
  }
  return best;
}

// Returns a limit on one of the devices that the data lies on.
const CgroupIoLimit* io_limit(const Examined& host) {
  for (const BlockNode& disk : host.device.disks) {
    const std::string number = read_host_word(disk.folder + "/dev");
    for (const CgroupIoLimit& limit : host.cgroup.io)
      if (number == fmt::format("{}:{}", limit.major, limit.minor)) return &limit;
  }
  return nullptr;
}

std::string io_limit_text(const CgroupIoLimit& limit) {
  std::vector<std::string> parts;
  if (limit.read_bytes_per_second)
    parts.push_back("reads " + format_rate(static_cast<double>(*limit.read_bytes_per_second)));
  if (limit.read_ops_per_second)
    parts.push_back(fmt::format("{} reads a second", *limit.read_ops_per_second));
  if (limit.write_bytes_per_second)
    parts.push_back("writes " + format_rate(static_cast<double>(*limit.write_bytes_per_second)));
  if (limit.write_ops_per_second)
    parts.push_back(fmt::format("{} writes a second", *limit.write_ops_per_second));
  return join(parts, ", ");
}

}  // namespace

Checked check_cores(const Examined& host) {
  constexpr std::string_view kCheck = "cores";
  const long online = std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
  const std::string found = fmt::format("{} of {} allowed", host.cores_allowed, online);
  if (host.cores_allowed < static_cast<unsigned long>(online))
    return warn(kCheck, found, "feedrate may use only these: its threads may limit fast storage",
                "widen the affinity ('taskset -p $$', the job's --cpus-per-task, the container's "
                "cpuset)");
  return ok(kCheck, found);
}

Checked check_cpu_load(const Examined& host) {
  constexpr std::string_view kCheck = "CPU load";
  if (!host.watched.cpu || host.watched.cpu->total() == 0)
    return unknown(kCheck, "/proc/stat cannot be read");
  const double busy = share(host.watched.cpu->busy, *host.watched.cpu);
  const std::string found = fmt::format("{} busy while we did nothing", format_percent(busy));
  const std::string why = "others use the processors: feedrate may be slower than the storage";
  const std::string remedy = "find out who ('top'), and wait or end it";
  if (busy > kLoadBad) return bad(kCheck, found, why, remedy);
  if (busy > kLoadWarn) return warn(kCheck, found, why, remedy);
  return ok(kCheck, found);
}

Checked check_steal(const Examined& host) {
  constexpr std::string_view kCheck = "steal";
  if (!host.watched.cpu || host.watched.cpu->total() == 0)
    return unknown(kCheck, "/proc/stat cannot be read");
  const double stolen = share(host.watched.cpu->steal, *host.watched.cpu);
  const std::string found = fmt::format("{} of the time", format_percent(stolen));
  const std::string why =
      "the hypervisor gives this guest's processors to others: figures vary from run to run";
  const std::string remedy =
      "use a guest with processors of its own, or repeat runs and look at the spread";
  if (stolen > kStealBad) return bad(kCheck, found, why, remedy);
  if (stolen > kStealWarn) return warn(kCheck, found, why, remedy);
  return ok(kCheck, found);
}

Checked check_governor(const Examined& host) {
  constexpr std::string_view kCheck = "CPU governor";
  const GovernorFacts facts = read_governors(host.roots);
  if (facts.governors.empty()) return unknown(kCheck, "no frequency control (a virtual machine?)");
  const std::string found = fmt::format("{} ({})", join(facts.governors, ", "), facts.driver);
  // With these drivers 'powersave' follows the load; elsewhere it is the lowest frequency.
  const bool follows = facts.driver.starts_with("intel_pstate") ||
                       facts.driver.starts_with("amd-pstate") || facts.driver == "amd_pstate_epp";
  const bool slow = std::ranges::any_of(facts.governors, [&](const std::string& governor) {
    return governor == "conservative" || (governor == "powersave" && !follows);
  });
  if (slow)
    return warn(kCheck, found, "the processors run slow when they are rarely busy, as here",
                "cpupower frequency-set -g performance");
  return ok(kCheck, found);
}

Checked check_control_group(const Examined& host) {
  constexpr std::string_view kCheck = "control group";
  const CgroupLimits& limits = host.cgroup;
  // A check gives one finding, so the worst comes first.
  if (const CgroupIoLimit* limit = io_limit(host))
    return bad(kCheck, io_limit_text(*limit),
               "the limit of the control group is measured, not the storage",
               fmt::format("lift it in {}", limit->set_in));
  if (limits.cpus && limits.cpus->value < host.cores_allowed)
    return warn(kCheck, fmt::format("{:.2g} cores' worth of time", limits.cpus->value),
                "feedrate is stopped for the rest of each period when it has used this up",
                fmt::format("raise {}", limits.cpus->set_in));
  if (limits.memory_bytes && limits.memory_bytes->value < kGroupMemoryMin)
    return warn(kCheck, fmt::format("{} of memory", format_bytes(limits.memory_bytes->value)),
                "I/O buffers and the page cache of buffered reads count in it",
                fmt::format("raise {}, or give --buffer-memory", limits.memory_bytes->set_in));
  if (!limits.found) return unknown(kCheck, "no control groups are mounted");
  std::string found = "no limit on CPU time or I/O";
  if (limits.memory_bytes)
    found += fmt::format(", {} of memory", format_bytes(limits.memory_bytes->value));
  return ok(kCheck, found);
}

Checked check_clock(const Examined& host) {
  constexpr std::string_view kCheck = "clock";
  const std::string folder = host.roots.sys + "/devices/system/clocksource/clocksource0";
  const std::string source = read_host_word(folder + "/current_clocksource");
  const double cost = clock_cost_ns();
  const std::string found =
      fmt::format("{}, {:.0f} ns a reading", source.empty() ? "unknown source" : source, cost);
  if (cost > kClockCostMax_ns)
    return warn(kCheck, found,
                "each read takes several timestamps: a slow clock costs CPU time and blurs "
                "latencies",
                "choose a faster one of available_clocksource (echo tsc > " + folder +
                    "/current_clocksource), if the processor's is stable");
  return ok(kCheck, found);
}

}  // namespace feedrate
