// Processors and memory of this host, from the kernel's text files. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/host/proc_files.h"

namespace feedrate {

// The times of all processors together since the host started, in clock ticks of the kernel.
struct CpuTimes {
  std::uint64_t busy = 0;   // user, system, interrupts
  std::uint64_t idle = 0;   // with or without I/O in flight
  std::uint64_t steal = 0;  // had work, but the hypervisor ran another guest
  std::uint64_t total() const { return busy + idle + steal; }
};
// Parses the first line of /proc/stat.
std::optional<CpuTimes> parse_cpu_times(std::string_view text);
CpuTimes operator-(const CpuTimes& after, const CpuTimes& before);

struct MemoryFacts {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;  // could be had without swapping; the page cache is in it
  std::uint64_t dirty_bytes = 0;      // dirty, or being written back
  std::uint64_t huge_pages = 0, huge_pages_free = 0, huge_page_bytes = 0;  // reserved ones
};
// Parses the text of /proc/meminfo; nullopt without MemTotal.
std::optional<MemoryFacts> parse_meminfo(std::string_view text);

// Returns the setting in brackets: "always [madvise] never" gives madvise. It is "" when there is
// none.
std::string selected_setting(std::string_view text);
// Parses "full avg10=1.50 ..." of /proc/pressure/memory: the share of time in which no process
// could go on.
std::optional<double> parse_full_pressure(std::string_view text);

// The frequency governors in use, each once; empty where there is no frequency control (most
// guests).
struct GovernorFacts {
  std::vector<std::string> governors;
  std::string driver;  // "intel_pstate", "acpi-cpufreq"
};
GovernorFacts read_governors(const HostRoots& roots = {});

// A NUMA node with its processors: "0-15". There are none when the kernel does not tell.
struct NumaNode {
  unsigned number = 0;
  std::vector<unsigned> processors;
};
std::vector<NumaNode> read_numa_nodes(const HostRoots& roots = {});
// Parses a list: "0-3,8" gives 0 1 2 3 8.
std::vector<unsigned> parse_number_list(std::string_view text);
// Returns the NUMA node of a device, by its folder below /sys or those above it; nullopt where it
// has none.
std::optional<unsigned> device_numa_node(const std::string& folder, const HostRoots& roots = {});

}  // namespace feedrate
