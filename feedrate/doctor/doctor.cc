#include "feedrate/doctor/doctor.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "feedrate/doctor/checks.h"
#include "feedrate/storage/storage.h"

namespace feedrate {
namespace {

using Check = Checked (*)(const Examined&);

// The order is that of the report: the data, the way to it, the host.
constexpr std::array<Check, 24> kChecks{
    check_directory,     check_file_system, check_network_mount, check_free_space,
    check_stored_size,   check_page_cache,  check_direct_io,     check_io_uring,
    check_locked_memory, check_huge_pages,  check_open_files,    check_device,
    check_other_io,      check_scheduler,   check_read_ahead,    check_memory,
    check_dirty_pages,   check_cores,       check_cpu_load,      check_steal,
    check_governor,      check_numa,        check_control_group, check_clock};

std::optional<CpuTimes> cpu_times(const HostRoots& roots) {
  return parse_cpu_times(read_host_file(roots.proc + "/stat").value_or(""));
}

std::optional<BlockCounters> device_counters(const BlockDevice& device) {
  const auto counted = read_block_counters(device);
  return counted ? std::optional(*counted) : std::nullopt;
}

std::optional<InterfaceCounters> network_counters(const Examined& host) {
  if (!host.network.is_network) return std::nullopt;
  const auto counted = read_interface_counters(host.network.interface, host.roots);
  return counted ? std::optional(*counted) : std::nullopt;
}

Watched watch(const Examined& host, const DoctorOptions& options) {
  Watched watched;
  const auto begin = std::chrono::steady_clock::now();
  const auto cpu = cpu_times(host.roots);
  const auto device = device_counters(host.device);
  const auto network = network_counters(host);
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, options.stop, options.watch, [] { return false; });
  const auto cpu_after = cpu_times(host.roots);
  const auto device_after = device_counters(host.device);
  const auto network_after = network_counters(host);
  watched.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (cpu && cpu_after) watched.cpu = *cpu_after - *cpu;
  if (device && device_after) watched.device = *device_after - *device;
  if (network && network_after) watched.network = *network_after - *network;
  return watched;
}

}  // namespace

Finding ok(std::string_view check, std::string found) {
  return {std::string(check), FindingVerdict::kOk, std::move(found), {}, {}};
}

Finding warn(std::string_view check, std::string found, std::string why, std::string remedy) {
  return {std::string(check), FindingVerdict::kWarn, std::move(found), std::move(why),
          std::move(remedy)};
}

Finding bad(std::string_view check, std::string found, std::string why, std::string remedy) {
  return {std::string(check), FindingVerdict::kBad, std::move(found), std::move(why),
          std::move(remedy)};
}

Finding unknown(std::string_view check, std::string_view reason) {
  return {std::string(check),
          FindingVerdict::kUnknown,
          fmt::format("not countable here: {}", reason),
          {},
          {}};
}

// Files may lie elsewhere than their directory, behind links, or on mounts of folders in it, so
// some are looked at.
static std::vector<std::string> some_files(const Subject& subject) {
  constexpr std::uint64_t kFilesMax = 32;
  const FileList files = subject.files();
  std::vector<std::string> paths;
  const std::uint64_t step = std::max<std::uint64_t>(1, files.count / kFilesMax);
  for (std::uint64_t number = 0; number < files.count; number += step)
    paths.push_back(files.path(number));
  if (paths.empty()) paths.push_back(subject.looked_at);
  return paths;
}

DoctorReport examine(const std::string& directory, const DoctorOptions& options) {
  Examined host;
  host.roots = options.roots;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);  // before a ring of ours raises it
  host.open_files_now = files.rlim_cur;
  host.open_files_max = files.rlim_max;
  host.subject = look_at(directory);
  const std::string& place = host.subject.looked_at;
  host.mount = find_mount(place, host.roots);
  host.device = find_block_device(place, host.roots);
  host.network = find_network_mount(place, host.roots);
  host.origin = find_byte_origin(some_files(host.subject), host.roots);
  // Others are watched before anything of ours is tried, as that would look like load of others.
  host.watched = watch(host, options);
  host.memory = parse_meminfo(read_host_file(host.roots.proc + "/meminfo").value_or(""));
  host.cgroup = read_cgroup_limits(host.roots);
  host.cores_allowed = available_cores();
  const std::string example = host.subject.example();
  host.direct_works = probe_direct_io(example.empty() ? place : example).works;
  auto ring = World::make({.io_engine = IoEngine::kUring});
  if (ring)
    host.ring = std::make_shared<World>(std::move(*ring));
  else
    host.ring_error = ring.error();
  DoctorReport report;
  report.place.directory = directory;
  report.looked_at = place;
  report.subject = host.subject.describe();
  for (const Check check : kChecks) {
    if (options.stop.stop_requested()) break;
    if (auto finding = check(host)) report.findings.push_back(std::move(*finding));
  }
  report.interrupted = options.stop.stop_requested();
  if (report.interrupted && report.findings.empty()) {
    report.valid = false;
    report.invalid_reasons = {
        "nothing was looked at: it was interrupted before the first check; run it again"};
  }
  return report;
}

}  // namespace feedrate
