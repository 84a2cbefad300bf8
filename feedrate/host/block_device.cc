#include "feedrate/host/block_device.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <filesystem>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSectorBytes = 512;  // of the counters, whatever the device's own sector is
constexpr int kDepthMax = 8;

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::vector<std::string> sorted_entries(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code))
    names.push_back(entry->path().filename().string());
  std::ranges::sort(names);
  return names;
}

// Walks down from a device to the disks that it is made of.
class Stack {
 public:
  Stack(const HostRoots& roots, std::vector<BlockNode>& disks) : roots_(roots), disks_(disks) {}

  // Describes one device in words; nullopt when there is no such device here.
  std::optional<std::string> describe(const std::string& link, BlockNode& node, int depth = 0) {
    std::error_code code;
    const fs::path folder = fs::canonical(link, code);
    if (code || depth > kDepthMax) return std::nullopt;
    node.folder = folder.string();
    node.name = folder.filename().string();
    const bool partition = exists(node.folder + "/partition");
    const fs::path disk = partition ? folder.parent_path() : folder;
    node.queue = (disk / "queue").string();
    if (partition) {
      add_disk({disk.filename().string(), disk.string(), node.queue});
      return fmt::format("{} (of {})", node.name, disk.filename().string());
    }
    const std::string file = read_host_word(node.folder + "/loop/backing_file");
    if (!file.empty()) return fmt::format("{} -> {}", node.name, describe_file(file, depth + 1));
    return describe_whole(node, depth);
  }

 private:
  std::string describe_whole(const BlockNode& node, int depth) {
    std::string kind = read_host_word(node.folder + "/dm/name");
    if (kind.empty()) kind = read_host_word(node.folder + "/md/level");
    std::vector<std::string> below;
    for (const std::string& name : sorted_entries(node.folder + "/slaves")) {
      BlockNode slave;
      const auto text = describe(node.folder + "/slaves/" + name, slave, depth + 1);
      below.push_back(text.value_or(name));
    }
    if (below.empty()) add_disk(node);
    std::string text = node.name;
    if (!kind.empty()) text += fmt::format(" ({})", kind);
    if (!below.empty()) text += " -> " + join(below, ", ");
    return text;
  }

  std::string describe_file(const std::string& path, int depth) {
    struct stat status{};
    if (stat(path.c_str(), &status) != 0)
      return fmt::format("{}, which cannot be looked at", quote_path(path));
    const auto mount = find_mount(path, roots_);
    const std::string file_system = mount ? mount->file_system : "a file";
    BlockNode below;
    const auto text = describe(
        fmt::format("{}/dev/block/{}:{}", roots_.sys, major(status.st_dev), minor(status.st_dev)),
        below, depth);
    return text ? fmt::format("{} on {}", file_system, *text) : file_system;
  }

  void add_disk(const BlockNode& disk) {
    if (std::ranges::find(disks_, disk.folder, &BlockNode::folder) == disks_.end())
      disks_.push_back(disk);
  }

  const HostRoots& roots_;
  std::vector<BlockNode>& disks_;
};

bool add_device(BlockDevice& device, const std::string& link, const HostRoots& roots) {
  BlockNode node;
  const auto text = Stack(roots, device.disks).describe(link, node);
  if (!text) return false;
  device.layers += device.devices.empty() ? device.file_system + " on " : ", ";
  device.layers += *text;
  // Some drivers and administrators switch the counters off; they all stay 0 then.
  if (read_host_word(node.queue + "/iostats") == "0" && device.reason.empty())
    device.reason =
        fmt::format("the counters of {} are switched off (queue/iostats is 0)", node.name);
  device.devices.push_back(std::move(node));
  return true;
}

BlockDevice not_countable(const std::string& file_system, std::string reason) {
  BlockDevice device;
  device.file_system = file_system;
  device.layers = file_system;
  device.reason = std::move(reason);
  return device;
}

std::string block_link(const HostRoots& roots, unsigned major_number, unsigned minor_number) {
  return fmt::format("{}/dev/block/{}:{}", roots.sys, major_number, minor_number);
}

// Finds the device by the mount's source, for a file system with a device number of its own (btrfs,
// f2fs, bcachefs).
BlockDevice by_source(const Mount& mount, const HostRoots& roots) {
  BlockDevice device;
  device.file_system = mount.file_system;
  if (mount.file_system == "btrfs") {
    for (const std::string& link : btrfs_device_links(mount.source, roots))
      add_device(device, link, roots);
  }
  struct stat status{};
  if (device.devices.empty() && stat(mount.source.c_str(), &status) == 0 && S_ISBLK(status.st_mode))
    add_device(device, block_link(roots, major(status.st_rdev), minor(status.st_rdev)), roots);
  if (device.devices.empty())
    return not_countable(mount.file_system,
                         fmt::format("{} names no block device of this host ({})",
                                     mount.file_system, quote_path(mount.source)));
  device.countable = device.reason.empty();
  return device;
}

BlockDevice find(const std::string& path, const HostRoots& roots, int depth);

// Finds the device of a file on an overlay, which lies in the first of its layers that has it.
BlockDevice below_overlay(const std::string& path, const Mount& mount, const HostRoots& roots,
                          int depth) {
  std::vector<std::string> layers;
  if (const auto upper = option_value(mount.super_options, "upperdir")) layers.push_back(*upper);
  if (const auto lower = option_value(mount.super_options, "lowerdir"))
    for (std::string& layer : split(*lower, ':'))
      if (!layer.empty()) layers.push_back(std::move(layer));
  std::error_code code;
  const fs::path inside = fs::canonical(path, code).lexically_relative(mount.mount_point);
  for (const std::string& layer : layers) {
    if (code || !exists((fs::path(layer) / inside).string())) continue;
    BlockDevice device = find((fs::path(layer) / inside).string(), roots, depth + 1);
    device.layers = "overlay -> " + device.layers;
    return device;
  }
  return not_countable("overlay",
                       "the layers of the overlay cannot be seen from here (a container); mount "
                       "the data into it as a volume");
}

BlockDevice find(const std::string& path, const HostRoots& roots, int depth) {
  struct stat status{};
  if (depth > kDepthMax || stat(path.c_str(), &status) != 0)
    return not_countable("unknown", fmt::format("{} cannot be looked at", quote_path(path)));
  const auto mount = find_mount(path, roots);
  const std::string file_system = mount ? mount->file_system : "unknown";
  if (is_memory_file_system(file_system))
    return not_countable(file_system,
                         fmt::format("{} keeps its files in memory: no device", file_system));
  if (is_network_file_system(file_system))
    return not_countable(file_system,
                         fmt::format("{} has no block device on this host", file_system));
  // A file of an overlay may show the device of a layer, or one of the overlay's own, so the device
  // number is not used.
  if (file_system == "overlay") return below_overlay(path, *mount, roots, depth);
  BlockDevice device =
      find_block_device(major(status.st_dev), minor(status.st_dev), file_system, roots);
  if (device.devices.empty() && mount) return by_source(*mount, roots);
  return device;
}

std::uint64_t grown(std::uint64_t after, std::uint64_t before) {
  return after > before ? after - before : 0;
}

}  // namespace

std::vector<std::string> btrfs_device_links(const std::string& source, const HostRoots& roots) {
  const std::string root = roots.sys + "/fs/btrfs";
  std::error_code code;
  const fs::path real = fs::canonical(source, code);
  const std::string wanted = (code ? fs::path(source) : real).filename().string();
  for (const std::string& id : sorted_entries(root)) {
    const std::string folder = fmt::format("{}/{}/devices", root, id);
    const std::vector<std::string> names = sorted_entries(folder);
    if (std::ranges::find(names, wanted) == names.end()) continue;
    std::vector<std::string> links;
    links.reserve(names.size());
    for (const std::string& name : names) links.push_back(fmt::format("{}/{}", folder, name));
    return links;
  }
  return {};
}

std::optional<BlockCounters> parse_block_stat(std::string_view text) {
  // The fields by Documentation/block/stat.rst: reads, merged, sectors, ms; the same four for
  // writes; in flight, ms busy.
  const auto words = words_of(text);
  if (words.size() < 11) return std::nullopt;
  std::uint64_t numbers[10];
  for (std::size_t i = 0; i < 10; ++i) {
    const auto number = parse_host_number(words[i]);
    if (!number) return std::nullopt;
    numbers[i] = *number;
  }
  BlockCounters counters;
  counters.read_ops = numbers[0];
  counters.read_bytes = numbers[2] * kSectorBytes;
  counters.write_ops = numbers[4];
  counters.write_bytes = numbers[6] * kSectorBytes;
  counters.in_flight = numbers[8];
  counters.busy_ms = numbers[9];
  return counters;
}

BlockCounters operator-(const BlockCounters& after, const BlockCounters& before) {
  return {after.name,
          grown(after.read_bytes, before.read_bytes),
          grown(after.read_ops, before.read_ops),
          grown(after.write_bytes, before.write_bytes),
          grown(after.write_ops, before.write_ops),
          after.in_flight,
          grown(after.busy_ms, before.busy_ms)};
}

BlockDevice find_block_device(unsigned major, unsigned minor, std::string_view file_system,
                              const HostRoots& roots) {
  BlockDevice device;
  device.file_system = file_system;
  device.layers = file_system;
  // Major number 0 is for file systems that are not on one device.
  const std::string link = block_link(roots, major, minor);
  if (major == 0 || !exists(link)) {
    device.reason = fmt::format("device {}:{} is not a block device of this host", major, minor);
    return device;
  }
  device.layers.clear();
  add_device(device, link, roots);
  device.countable = device.reason.empty();
  return device;
}

BlockDevice find_block_device(const std::string& path, const HostRoots& roots) {
  return find(path, roots, 0);
}

Result<BlockCounters> read_block_counters(const BlockDevice& device) {
  if (!device.countable || device.devices.empty())
    return fail(ErrorKind::kUnsupported,
                fmt::format("device reads are not countable here: {}", device.reason),
                "measure on a local file system to have them");
  BlockCounters total;
  for (const BlockNode& node : device.devices) {
    const auto text = read_host_file(node.folder + "/stat");
    const auto counted = text ? parse_block_stat(*text) : std::nullopt;
    if (!counted)
      return fail(ErrorKind::kNotFound,
                  fmt::format("{} of block device {} cannot be read",
                              quote_path(node.folder + "/stat"), node.name),
                  "has the device been removed?");
    total.name += (total.name.empty() ? "" : "+") + node.name;
    total.read_bytes += counted->read_bytes;
    total.read_ops += counted->read_ops;
    total.write_bytes += counted->write_bytes;
    total.write_ops += counted->write_ops;
    total.in_flight += counted->in_flight;
    total.busy_ms += counted->busy_ms;
  }
  return total;
}

}  // namespace feedrate
