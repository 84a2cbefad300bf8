// The limits of this process's control group, and what the group has read. A limit of any group
// above counts as well: the smallest is in force. It knows version 2, version 1, and both at once.
// Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/host/proc_files.h"

namespace feedrate {

template <class T>
struct CgroupLimit {
  T value{};
  std::string set_in;  // the file: "/sys/fs/cgroup/job/cpu.max"
};

struct CgroupIoLimit {
  unsigned major = 0, minor = 0;
  std::optional<std::uint64_t> read_bytes_per_second, write_bytes_per_second;
  std::optional<std::uint64_t> read_ops_per_second, write_ops_per_second;
  std::string set_in;
};

struct CgroupLimits {
  bool found = false;                                      // there are control groups here
  std::optional<CgroupLimit<double>> cpus;                 // cores' worth of time
  std::optional<CgroupLimit<std::uint64_t>> memory_bytes;  // memory.max: beyond it pages go, or we
  std::optional<CgroupLimit<std::uint64_t>> memory_high_bytes;  // beyond it we are slowed down
  std::vector<CgroupIoLimit> io;  // of any device, smallest not picked
};
CgroupLimits read_cgroup_limits(const HostRoots& roots = {});

// What our group has moved on a device so far (version 2: io.stat; version 1: blkio.throttle, which
// knows only devices with a limit); nullopt when nobody counts it.
struct CgroupIo {
  unsigned major = 0, minor = 0;
  std::uint64_t read_bytes = 0, write_bytes = 0, read_ops = 0, write_ops = 0;
};
std::optional<CgroupIo> read_cgroup_io(unsigned major, unsigned minor, const HostRoots& roots = {});

// Returns how long the CPU quotas of our group and of those above have held back the processors so
// far, in ns, summed over processors; nullopt where there is no such controller.
std::optional<std::uint64_t> read_cgroup_throttled_ns(const HostRoots& roots = {});
// Parses the text of cpu.stat: throttled_usec (version 2) or throttled_time (version 1).
std::optional<std::uint64_t> parse_throttled_ns(std::string_view text);

// Parses cpu.max: "200000 100000" is 2 cores, "max 100000" is no limit.
std::optional<double> parse_cpu_max(std::string_view text);
// Parses io.max: "8:0 rbps=1048576 wbps=max riops=max wiops=100". Devices without a limit are left
// out.
std::vector<CgroupIoLimit> parse_io_max(std::string_view text);
// Parses io.stat: "8:0 rbytes=100 wbytes=0 rios=1 wios=0 dbytes=0 dios=0".
std::vector<CgroupIo> parse_io_stat(std::string_view text);

}  // namespace feedrate
