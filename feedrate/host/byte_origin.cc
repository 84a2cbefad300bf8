#include "feedrate/host/byte_origin.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

constexpr int kDepthMax = 16;
constexpr double kStoredShareMin = 0.95;

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

void add_once(std::vector<std::string>& texts, std::string text) {
  if (std::ranges::find(texts, text) == texts.end()) texts.push_back(std::move(text));
}

// Returns whether the name is a kind followed by a number: "zram0" of "zram".
bool is_numbered(std::string_view name, std::string_view kind) {
  return name.size() > kind.size() && name.starts_with(kind) &&
         std::isdigit(static_cast<unsigned char>(name[kind.size()])) != 0;
}

// Returns why a disk without anything below it is memory; "" when it is not.
std::string memory_reason(const std::string& disk, const std::string& folder,
                          const HostRoots& roots) {
  if (is_numbered(disk, "zram") || is_numbered(disk, "ram"))
    return disk + " keeps its blocks in memory";
  if (is_numbered(disk, "pmem")) return disk + " is memory that is used as a disk";
  if (is_numbered(disk, "nullb")) return disk + " makes its blocks up in memory";
  if (is_numbered(disk, "dm-")) return disk + " makes its blocks up: it has no device below it";
  if (is_numbered(disk, "mtdblock") &&
      read_host_word(roots.sys + "/class/mtd/mtd" + disk.substr(8) + "/type") == "ram")
    return disk + " keeps its blocks in memory";
  const std::string model = read_host_word(folder + "/device/model");
  if (model == "scsi_debug" || model.starts_with("RAMDISK"))
    return fmt::format("{} ({}) keeps its blocks in memory", disk, model);
  return {};
}

// Returns why nobody can tell where the blocks of such a disk are; "" when it stores them itself.
std::string unknown_reason(const std::string& disk, const std::string& folder) {
  if (is_numbered(disk, "nbd") || is_numbered(disk, "ublkb"))
    return disk + " gets its blocks from a program";
  if (folder.find("/tcm_loop") != std::string::npos ||
      read_host_word(folder + "/../transport") == "loop")
    return disk + " gets its blocks from a target in this host's kernel";
  if (folder.find("/devices/virtual/block/") != std::string::npos)
    return disk + " is not hardware, and names no device below it";
  return {};
}

// Returns the path of an overlay's file in the first of its layers that has the content, and not
// only the name, of the file.
std::string layer_file(const std::string& path, const Mount& mount) {
  std::error_code code;
  const fs::path inside = fs::canonical(path, code).lexically_relative(mount.mount_point);
  if (code) return {};
  const fs::path root = fs::path(mount.root).relative_path();
  const fs::path place = inside == "." ? root : root / inside;
  std::vector<std::string> layers;
  for (const std::string& option : split(mount.super_options, ',')) {
    const std::size_t equals = std::min(option.find('='), option.size() - 1);
    const std::string name = option.substr(0, equals);
    if (name != "lowerdir" && name != "lowerdir+" && name != "datadir+") continue;
    for (std::string& layer : split(option.substr(equals + 1), ':'))
      if (!layer.empty()) layers.push_back(std::move(layer));
  }
  // The upper layer may hold only a file's name and rights.
  if (const auto upper = option_value(mount.super_options, "upperdir")) {
    const std::string changed = (fs::path(*upper) / place).string();
    if (getxattr(changed.c_str(), "trusted.overlay.metacopy", nullptr, 0) < 0)
      layers.insert(layers.begin(), *upper);
  }
  for (const std::string& layer : layers)
    if (exists((fs::path(layer) / place).string())) return (fs::path(layer) / place).string();
  return {};
}

// Returns why files take fewer bytes of a device than they have; "" when they do not.
std::string shrunk_reason(const std::string& path, const struct stat& status, const Mount& mount) {
  constexpr std::array<std::string_view, 6> kCompressing{"squashfs", "erofs",  "zfs",
                                                         "bcachefs", "cramfs", "ubifs"};
  if (std::ranges::find(kCompressing, mount.file_system) != kCompressing.end())
    return mount.file_system + " compresses files";
  for (const auto* option : {"compress", "compress-force", "compress_algorithm"})
    if (option_value(mount.super_options, option))
      return "it is mounted with " + std::string(option);
  struct statx more{};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &more) == 0 &&
      (more.stx_attributes & STATX_ATTR_COMPRESSED) != 0)
    return "the files are compressed";
  const bool file = S_ISREG(status.st_mode) && status.st_size > 0;
  if (file && static_cast<double>(status.st_blocks) * 512 <
                  kStoredShareMin * static_cast<double>(status.st_size))
    return "the files have holes or are compressed";
  return {};
}

class Walk {
 public:
  Walk(const HostRoots& roots, ByteOrigin& origin) : roots_(roots), origin_(origin) {}

  void file(const std::string& path, int depth) {
    struct stat status{};
    if (depth > kDepthMax || stat(path.c_str(), &status) != 0)
      return add_once(origin_.unknown, quote_path(path) + " cannot be looked at");
    const auto mount = find_mount(path, roots_);
    if (!mount)
      return add_once(origin_.unknown, "the mount of " + quote_path(path) + " is not known");
    if (depth == 0 && origin_.shrunk.empty()) origin_.shrunk = shrunk_reason(path, status, *mount);
    if (is_dax(path)) return add_once(origin_.memory, "DAX maps memory that is used as a disk");
    if (mount->file_system == "overlay") {
      const std::string below = layer_file(path, *mount);
      if (!below.empty()) return file(below, depth + 1);
      return add_once(origin_.unknown,
                      "the layers of the overlay cannot be seen from here (a container)");
    }
    if (mount->file_system == "ecryptfs") return file(mount->source, depth + 1);
    on_mount(*mount, status.st_dev, depth);
  }

 private:
  static bool is_dax(const std::string& path) {
    struct statx status{};
    return statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &status) == 0 &&
           (status.stx_attributes & STATX_ATTR_DAX) != 0;
  }

  void on_mount(const Mount& mount, dev_t number, int depth) {
    const std::string& kind = mount.file_system;
    if (is_memory_file_system(kind))
      return add_once(origin_.memory, kind + " keeps its files in memory");
    if (is_opaque_file_system(kind, mount.super_options))
      return add_once(origin_.unknown, kind + " gets its files from a program or another host");
    if (is_network_file_system(kind)) {
      origin_.network = true;
      return;
    }
    if (major(number) != 0 && exists(link_of(number))) return block(link_of(number), depth + 1);
    by_source(mount, depth);
  }

  // Follows a file system with a device number of its own.
  void by_source(const Mount& mount, int depth) {
    if (mount.file_system == "btrfs") {
      const auto links = btrfs_device_links(mount.source, roots_);
      for (const std::string& link : links) block(link, depth + 1);
      if (!links.empty()) return;
    }
    struct stat status{};
    if (stat(mount.source.c_str(), &status) == 0) {
      if (S_ISBLK(status.st_mode)) return block(link_of(status.st_rdev), depth + 1);
      if (S_ISREG(status.st_mode)) return file(mount.source, depth + 1);
    }
    add_once(origin_.unknown, fmt::format("{} names no block device of this host ({})",
                                          mount.file_system, quote_path(mount.source)));
  }

  std::string link_of(dev_t number) const {
    return fmt::format("{}/dev/block/{}:{}", roots_.sys, major(number), minor(number));
  }

  void block(const std::string& link, int depth) {
    std::error_code code;
    const fs::path folder = fs::canonical(link, code);
    if (code || depth > kDepthMax)
      return add_once(origin_.unknown, "no block device of this host is " + quote_path(link));
    const BlockNode node{folder.filename().string(), folder.string(), {}};
    const bool partition = exists(node.folder + "/partition");
    const fs::path disk = partition ? folder.parent_path() : folder;
    if (exists(disk.string() + "/loop/backing_file"))
      return loop(disk.filename().string(), disk.string(), depth);
    std::vector<std::string> below;
    for (fs::directory_iterator entry(disk / "slaves", code), end; !code && entry != end;
         entry.increment(code))
      below.push_back(entry->path().string());
    std::ranges::sort(below);
    for (const std::string& slave : below) block(slave, depth + 1);
    if (below.empty()) leaf({node.name, node.folder, (disk / "queue").string()}, disk);
  }

  void leaf(const BlockNode& node, const fs::path& disk) {
    const std::string name = disk.filename().string();
    const std::string memory = memory_reason(name, disk.string(), roots_);
    const std::string unknown = unknown_reason(name, disk.string());
    if (!memory.empty())
      add_once(origin_.memory, memory);
    else if (!unknown.empty())
      add_once(origin_.unknown, unknown);
    else if (std::ranges::find(origin_.devices, node.folder, &BlockNode::folder) ==
             origin_.devices.end())
      origin_.devices.push_back(node);
  }

  // The file's name may belong to another mount namespace, or be gone, but its device number is
  // always valid.
  void loop(const std::string& name, const std::string& folder, int depth) {
    const std::string path = read_host_word(folder + "/loop/backing_file");
    struct stat status{};
    const bool found = stat(path.c_str(), &status) == 0;
    struct loop_info64 info{};
    const int fd = roots_.sys == "/sys" ? open(("/dev/" + name).c_str(), O_RDONLY | O_CLOEXEC) : -1;
    const bool told = fd >= 0 && ioctl(fd, LOOP_GET_STATUS64, &info) == 0;
    if (fd >= 0) close(fd);
    if (found && (!told || (info.lo_inode == status.st_ino && info.lo_device == status.st_dev)))
      return file(path, depth + 1);
    if (told && by_number(info.lo_device, depth)) return;
    if (path.starts_with("/memfd:"))
      return add_once(origin_.memory, name + " has a nameless file in memory");
    add_once(origin_.unknown,
             fmt::format("the file of {} ({}) cannot be looked at", name, quote_path(path)));
  }

  bool by_number(dev_t number, int depth) {
    const auto table = read_host_file(roots_.proc + "/self/mountinfo");
    for (const Mount& mount : parse_mountinfo(table.value_or("")))
      if (mount.major == major(number) && mount.minor == minor(number)) {
        on_mount(mount, number, depth + 1);
        return true;
      }
    if (major(number) == 0 || !exists(link_of(number))) return false;
    block(link_of(number), depth + 1);
    return true;
  }

  const HostRoots& roots_;
  ByteOrigin& origin_;
};

}  // namespace

std::string_view to_string(BytesFrom from) {
  switch (from) {
    case BytesFrom::kDevice:
      return "storage";
    case BytesFrom::kMemory:
      return "memory";
    case BytesFrom::kNetwork:
      return "network";
    case BytesFrom::kUnknown:
      return "unknown";
  }
  return "unknown";
}

BytesFrom ByteOrigin::from() const {
  if (!unknown.empty()) return BytesFrom::kUnknown;
  if (network) return BytesFrom::kNetwork;
  if (!devices.empty()) return BytesFrom::kDevice;
  return memory.empty() ? BytesFrom::kUnknown : BytesFrom::kMemory;
}

ByteOrigin find_byte_origin(const std::string& path, const HostRoots& roots) {
  return find_byte_origin(std::vector{path}, roots);
}

ByteOrigin find_byte_origin(const std::vector<std::string>& paths, const HostRoots& roots) {
  ByteOrigin origin;
  for (const std::string& path : paths) Walk(roots, origin).file(path, 0);
  return origin;
}

Result<BlockCounters> read_origin_counters(const ByteOrigin& origin) {
  BlockDevice device;
  device.devices = origin.devices;
  device.reason = "no device stores these bytes";
  device.countable = !origin.devices.empty();
  for (const BlockNode& node : origin.devices)
    if (read_host_word(node.queue + "/iostats") == "0") {
      device.countable = false;
      device.reason =
          fmt::format("the counters of {} are switched off (queue/iostats is 0)", node.name);
    }
  return read_block_counters(device);
}

std::optional<std::uint64_t> read_process_bytes(const HostRoots& roots) {
  const std::string text = read_host_file(roots.proc + "/self/io").value_or("");
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() == 2 && words[0] == "read_bytes:") return parse_host_number(words[1]);
  }
  return std::nullopt;
}

}  // namespace feedrate
