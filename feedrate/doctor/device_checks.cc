#include <fmt/format.h>
#include <sched.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/doctor/checks.h"

namespace feedrate {
namespace {

constexpr double kOtherBytesPerSecondMax = 5e6, kOtherOpsPerSecondMax = 50;
constexpr double kOtherBytesPerSecondBad = 50e6, kOtherOpsPerSecondBad = 500;
constexpr double kOtherBusyWarn = 0.05, kOtherBusyBad = 0.5;
constexpr std::uint64_t kReadAheadMin = std::uint64_t{128} << 10U;
constexpr std::uint64_t kReadAheadMax = std::uint64_t{1} << 20U;

// Returns the file with the read-ahead of a file system: that of the device number that its files
// show, which NFS and btrfs also have, else that of its disk. It is "" when there is none.
std::string read_ahead_file(const Examined& host) {
  std::vector<std::string> files;
  if (host.mount)
    files.push_back(fmt::format("{}/class/bdi/{}:{}/read_ahead_kb", host.roots.sys,
                                host.mount->major, host.mount->minor));
  if (!host.device.devices.empty())
    files.push_back(host.device.devices.front().queue + "/read_ahead_kb");
  for (const std::string& file : files)
    if (read_host_number(file)) return file;
  return {};
}

// A network mount has no device, so this counts what its interface received.
Finding other_traffic(std::string_view check, const Examined& host) {
  const InterfaceCounters& moved = *host.watched.network;
  const double rate =
      static_cast<double>(moved.received_bytes) / std::max(host.watched.seconds, 1e-3);
  const std::string found =
      fmt::format("{} received on {} while we did nothing", format_rate(rate), moved.name);
  if (rate > kOtherBytesPerSecondMax)
    return warn(check, found,
                "others use the same network: what they take is missing in our figures",
                "find out who ('ss -tip', 'nethogs'), and wait or end it");
  return ok(check, found);
}

}  // namespace

Checked check_device(const Examined& host) {
  constexpr std::string_view kCheck = "device";
  if (!host.device.countable) return unknown(kCheck, host.device.reason);
  return ok(kCheck, fmt::format("{}; its reads are counted", host.device.layers));
}

Checked check_other_io(const Examined& host) {
  constexpr std::string_view kCheck = "other I/O";
  if (host.watched.network) return other_traffic(kCheck, host);
  if (!host.watched.device)
    return unknown(kCheck,
                   host.device.reason.empty() ? "the counters cannot be read" : host.device.reason);
  const BlockCounters& moved = *host.watched.device;
  const double seconds = std::max(host.watched.seconds, 1e-3);
  const auto bytes = static_cast<double>(moved.read_bytes + moved.write_bytes) / seconds;
  const auto ops = static_cast<double>(moved.read_ops + moved.write_ops) / seconds;
  const double busy = std::min(1.0, static_cast<double>(moved.busy_ms) / (seconds * 1e3));
  if (ops == 0 && busy == 0)
    return ok(kCheck, fmt::format("none on {} in {:.1f} s", moved.name, seconds));
  const std::string found =
      fmt::format("{} in {:.0f} operations a second on {}, busy for {}, while we did nothing",
                  format_rate(bytes), ops, moved.name, format_percent(busy));
  const std::string why = "others use the same device: what they take is missing in our figures";
  const std::string remedy = "find out who ('iotop', 'pidstat -d 1'), and wait or end it";
  const bool much = bytes > kOtherBytesPerSecondBad || ops > kOtherOpsPerSecondBad;
  if (busy > kOtherBusyBad && much) return bad(kCheck, found, why, remedy);
  if (busy > kOtherBusyWarn || bytes > kOtherBytesPerSecondMax || ops > kOtherOpsPerSecondMax)
    return warn(kCheck, found, why, remedy);
  return ok(kCheck, found);
}

Checked check_scheduler(const Examined& host) {
  constexpr std::string_view kCheck = "I/O scheduler";
  if (host.device.disks.empty()) return unknown(kCheck, "there is no block device");
  const BlockNode& disk = host.device.disks.front();
  const std::string scheduler = selected_setting(read_host_word(disk.queue + "/scheduler"));
  if (scheduler.empty()) return unknown(kCheck, fmt::format("{} does not tell", disk.name));
  const bool rotational = read_host_word(disk.queue + "/rotational") == "1";
  const bool virtual_disk = disk.name.starts_with("vd") || disk.name.starts_with("xvd");
  std::string found = fmt::format("{} on {}, which says that it is {}rotational", scheduler,
                                  disk.name, rotational ? "" : "not ");
  if (rotational && virtual_disk) found += " (virtual disks often do)";
  if (!rotational && scheduler == "bfq")
    return warn(kCheck, found,
                "bfq trades throughput for fairness, and idles between processes' reads",
                fmt::format("echo none > /sys/block/{}/queue/scheduler", disk.name));
  return ok(kCheck, found);
}

Checked check_read_ahead(const Examined& host) {
  constexpr std::string_view kCheck = "read-ahead";
  const std::string file = read_ahead_file(host);
  const std::uint64_t bytes = read_host_number(file).value_or(0) * 1024;
  if (file.empty()) return unknown(kCheck, "the file system has no read-ahead setting");
  const std::string remedy = fmt::format("echo 128 > {}", file);
  if (bytes > kReadAheadMax)
    return warn(kCheck, format_bytes(bytes),
                "one touch of a memory-mapped file (LMDB, token files) reads up to this much; "
                "direct reads do not care",
                remedy);
  if (bytes < kReadAheadMin)
    return warn(kCheck, format_bytes(bytes),
                "buffered reads front to back wait for many small reads; direct reads do not care",
                remedy);
  return ok(kCheck, format_bytes(bytes));
}

Checked check_numa(const Examined& host) {
  constexpr std::string_view kCheck = "NUMA";
  const std::vector<NumaNode> nodes = read_numa_nodes(host.roots);
  if (nodes.empty()) return unknown(kCheck, "the kernel reports no nodes");
  if (nodes.size() == 1) return ok(kCheck, "1 node");
  std::optional<unsigned> home;
  if (!host.device.disks.empty())
    home = device_numa_node(host.device.disks.front().folder, host.roots);
  const std::string found =
      fmt::format("{} nodes, the device is on {}", nodes.size(),
                  home ? fmt::format("node {}", *home) : "a node that it does not tell");
  if (!home) return ok(kCheck, found);
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return ok(kCheck, found);
  const auto node = std::ranges::find(nodes, *home, &NumaNode::number);
  const bool near =
      node != nodes.end() && std::ranges::any_of(node->processors, [&](unsigned processor) {
        return processor < CPU_SETSIZE && CPU_ISSET(processor, &allowed);
      });
  if (!near)
    return warn(kCheck, found + ", and no core of this process is",
                "every byte crosses the link between the nodes",
                fmt::format("start it with 'numactl --cpunodebind={} --membind={}'", *home, *home));
  return ok(kCheck, found);
}

}  // namespace feedrate
