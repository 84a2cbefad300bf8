#include "feedrate/host/cgroup.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "feedrate/base/text.h"
#include "feedrate/host/mounts.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kNoMemoryLimit = std::uint64_t{1} << 60U;  // version 1 writes 2^63 - 4096

// Parses a device number: "8:0" gives 8 and 0.
std::optional<std::pair<unsigned, unsigned>> parse_device(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto major = parse_host_number(text.substr(0, colon));
  const auto minor = parse_host_number(text.substr(colon + 1));
  if (!major || !minor) return std::nullopt;
  return std::pair{static_cast<unsigned>(*major), static_cast<unsigned>(*minor)};
}

// Returns the path of this process's group for a controller ("" is version 2), from
// /proc/self/cgroup.
std::optional<std::string> group_path(std::string_view text, std::string_view controller) {
  for (const std::string_view line : lines_of(text)) {  // "4:memory:/job", "0::/job"
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool wanted = controller.empty() ? line.starts_with("0::")
                                           : option_value(controllers, controller).has_value();
    if (wanted) return std::string(line.substr(second + 1));
  }
  return std::nullopt;
}

// Returns the folders of this process's group and of those above it, innermost first.
std::vector<std::string> group_folders(const HostRoots& roots, std::string_view controller) {
  const auto groups = read_host_file(roots.proc + "/self/cgroup");
  const auto table = read_host_file(roots.proc + "/self/mountinfo");
  if (!groups || !table) return {};
  auto path = group_path(*groups, controller);
  if (!path) return {};
  for (const Mount& mount : parse_mountinfo(*table)) {
    const bool wanted = controller.empty()
                            ? mount.file_system == "cgroup2"
                            : mount.file_system == "cgroup" &&
                                  option_value(mount.super_options, controller).has_value();
    if (!wanted) continue;
    // In a container the mount shows only a part of the tree, and the path may count from outside
    // of it.
    if (mount.root != "/" && path->starts_with(mount.root)) *path = path->substr(mount.root.size());
    fs::path folder = (fs::path(mount.mount_point + "/" + *path)).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();
    std::vector<std::string> folders;
    std::error_code ignored;
    const std::string top = mount.mount_point;
    while (folder.string().size() > top.size() && folder.string().starts_with(top)) {
      if (fs::exists(folder, ignored)) folders.push_back(folder.string());
      folder = folder.parent_path();
    }
    folders.push_back(top);
    return folders;
  }
  return {};
}

template <class T>
void take_smaller(std::optional<T> value, const std::string& file,
                  std::optional<CgroupLimit<T>>& limit) {
  if (value && (!limit || *value < limit->value)) limit = CgroupLimit<T>{*value, file};
}

void read_version_2(const std::string& folder, CgroupLimits& limits) {
  const std::string cpu = folder + "/cpu.max", memory = folder + "/memory.max",
                    high = folder + "/memory.high", io = folder + "/io.max";
  take_smaller(parse_cpu_max(read_host_word(cpu)), cpu, limits.cpus);
  take_smaller(read_host_number(memory), memory, limits.memory_bytes);  // "max" is no number
  take_smaller(read_host_number(high), high, limits.memory_high_bytes);
  for (CgroupIoLimit& limit : parse_io_max(read_host_word(io))) {
    limit.set_in = io;
    limits.io.push_back(std::move(limit));
  }
}

CgroupIoLimit& io_limit(CgroupLimits& limits, std::pair<unsigned, unsigned> device) {
  for (CgroupIoLimit& limit : limits.io)
    if (limit.major == device.first && limit.minor == device.second) return limit;
  CgroupIoLimit limit;
  limit.major = device.first;
  limit.minor = device.second;
  return limits.io.emplace_back(std::move(limit));
}

using IoField = std::optional<std::uint64_t> CgroupIoLimit::*;

// Reads "8:0 1048576", one line for each device.
void read_throttle(const std::string& file, IoField field, CgroupLimits& limits) {
  const std::string text = read_host_word(file);
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() != 2) continue;
    const auto device = parse_device(words[0]);
    const auto value = parse_host_number(words[1]);
    if (!device || !value) continue;
    CgroupIoLimit& limit = io_limit(limits, *device);
    if ((limit.*field).value_or(*value) < *value) continue;
    limit.*field = value;
    limit.set_in = file;
  }
}

void read_version_1(const HostRoots& roots, CgroupLimits& limits) {
  for (const std::string& folder : group_folders(roots, "cpu")) {
    const std::string file = folder + "/cpu.cfs_quota_us";
    const auto quota = read_host_number(file);  // -1, no number, is no limit
    const auto period = read_host_number(folder + "/cpu.cfs_period_us");
    limits.found = true;
    if (quota && period && *period > 0)
      take_smaller(std::optional(static_cast<double>(*quota) / static_cast<double>(*period)), file,
                   limits.cpus);
  }
  for (const std::string& folder : group_folders(roots, "memory")) {
    const std::string file = folder + "/memory.limit_in_bytes";
    const auto bytes = read_host_number(file);
    limits.found = true;
    if (bytes && *bytes < kNoMemoryLimit) take_smaller(bytes, file, limits.memory_bytes);
  }
  for (const std::string& folder : group_folders(roots, "blkio")) {
    const std::string throttle = folder + "/blkio.throttle.";
    read_throttle(throttle + "read_bps_device", &CgroupIoLimit::read_bytes_per_second, limits);
    read_throttle(throttle + "write_bps_device", &CgroupIoLimit::write_bytes_per_second, limits);
    read_throttle(throttle + "read_iops_device", &CgroupIoLimit::read_ops_per_second, limits);
    read_throttle(throttle + "write_iops_device", &CgroupIoLimit::write_ops_per_second, limits);
  }
}

// Reads the lines "8:0 Read 123" of a blkio.throttle file.
std::optional<std::uint64_t> throttle_count(const std::string& file, const std::string& device,
                                            std::string_view operation) {
  const auto text = read_host_file(file);
  if (!text) return std::nullopt;
  for (const std::string_view line : lines_of(*text)) {
    const auto words = words_of(line);
    if (words.size() == 3 && words[0] == device && words[1] == operation)
      return parse_host_number(words[2]);
  }
  return std::nullopt;  // version 1 counts only devices that have a limit
}

// Returns the number of a field, such as "rbps=100"; nullopt for "max", or when it is not there.
std::optional<std::uint64_t> field(const std::vector<std::string_view>& words,
                                   std::string_view name) {
  for (const std::string_view word : words)
    if (word.starts_with(name) && word.substr(name.size()).starts_with('='))
      return parse_host_number(word.substr(name.size() + 1));
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_throttled_ns(std::string_view text) {
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() != 2) continue;
    const auto number = parse_host_number(words[1]);
    if (!number) continue;
    if (words[0] == "throttled_usec") return *number * 1000;
    if (words[0] == "throttled_time") return *number;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> read_cgroup_throttled_ns(const HostRoots& roots) {
  std::optional<std::uint64_t> sum;
  for (const auto* controller : {"", "cpu"})
    for (const std::string& folder : group_folders(roots, controller))
      if (const auto text = read_host_file(folder + "/cpu.stat"))
        if (const auto throttled = parse_throttled_ns(*text)) sum = sum.value_or(0) + *throttled;
  return sum;
}

std::optional<double> parse_cpu_max(std::string_view text) {
  const auto words = words_of(text);
  if (words.size() != 2) return std::nullopt;
  const auto quota = parse_host_number(words[0]);
  const auto period = parse_host_number(words[1]);
  if (!quota || !period || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::vector<CgroupIoLimit> parse_io_max(std::string_view text) {
  std::vector<CgroupIoLimit> limits;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    const auto device = words.empty() ? std::nullopt : parse_device(words[0]);
    if (!device) continue;
    CgroupIoLimit limit{device->first,
                        device->second,
                        field(words, "rbps"),
                        field(words, "wbps"),
                        field(words, "riops"),
                        field(words, "wiops"),
                        {}};
    if (limit.read_bytes_per_second || limit.write_bytes_per_second || limit.read_ops_per_second ||
        limit.write_ops_per_second)
      limits.push_back(std::move(limit));
  }
  return limits;
}

std::vector<CgroupIo> parse_io_stat(std::string_view text) {
  std::vector<CgroupIo> devices;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    const auto device = words.empty() ? std::nullopt : parse_device(words[0]);
    if (!device) continue;
    devices.push_back({device->first, device->second, field(words, "rbytes").value_or(0),
                       field(words, "wbytes").value_or(0), field(words, "rios").value_or(0),
                       field(words, "wios").value_or(0)});
  }
  return devices;
}

CgroupLimits read_cgroup_limits(const HostRoots& roots) {
  CgroupLimits limits;
  for (const std::string& folder : group_folders(roots, "")) {
    limits.found = true;
    read_version_2(folder, limits);
  }
  read_version_1(roots, limits);
  return limits;
}

std::optional<CgroupIo> read_cgroup_io(unsigned major, unsigned minor, const HostRoots& roots) {
  const auto folders = group_folders(roots, "");
  if (!folders.empty())
    if (const auto text = read_host_file(folders.front() + "/io.stat")) {
      for (const CgroupIo& device : parse_io_stat(*text))
        if (device.major == major && device.minor == minor) return device;
      // Version 2 counts every device, so one without a line has moved nothing.
      return CgroupIo{major, minor, 0, 0, 0, 0};
    }
  const auto old_folders = group_folders(roots, "blkio");
  if (old_folders.empty()) return std::nullopt;
  const std::string throttle = old_folders.front() + "/blkio.throttle.";
  const std::string device = fmt::format("{}:{}", major, minor);
  const auto read_bytes = throttle_count(throttle + "io_service_bytes", device, "Read");
  const auto write_bytes = throttle_count(throttle + "io_service_bytes", device, "Write");
  if (!read_bytes || !write_bytes) return std::nullopt;
  return CgroupIo{major,
                  minor,
                  *read_bytes,
                  *write_bytes,
                  throttle_count(throttle + "io_serviced", device, "Read").value_or(0),
                  throttle_count(throttle + "io_serviced", device, "Write").value_or(0)};
}

}  // namespace feedrate
