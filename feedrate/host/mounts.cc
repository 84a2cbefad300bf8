#include "feedrate/host/mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

namespace feedrate {
namespace {

// Undoes mountinfo's writing of space, tab, newline and backslash as three octal digits.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digits = text.substr(i + 1, 3);
    const bool octal = text[i] == '\\' && digits.size() == 3 &&
                       std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '7'; });
    if (octal) i += 3;
    plain +=
        octal
            ? static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'))
            : text[i];
  }
  return plain;
}

std::optional<Mount> parse_line(std::string_view line) {
  const auto words = words_of(line);
  const auto dash = std::ranges::find(words, "-");
  // The fields: id parent major:minor root mount-point options [tags...] - type source
  // super-options
  if (dash - words.begin() < 6 || words.end() - dash < 4) return std::nullopt;
  Mount mount;
  const auto id = parse_host_number(words[0]);
  const std::size_t colon = words[2].find(':');
  if (!id || colon == std::string_view::npos) return std::nullopt;
  const auto major = parse_host_number(words[2].substr(0, colon));
  const auto minor = parse_host_number(words[2].substr(colon + 1));
  if (!major || !minor) return std::nullopt;
  mount.id = *id;
  mount.major = static_cast<unsigned>(*major);
  mount.minor = static_cast<unsigned>(*minor);
  mount.root = unescape(words[3]);
  mount.mount_point = unescape(words[4]);
  mount.options = unescape(words[5]);
  mount.file_system = unescape(dash[1]);
  mount.source = unescape(dash[2]);
  mount.super_options = unescape(dash[3]);
  return mount;
}

std::optional<std::uint64_t> mount_id(const std::string& path) {
  struct statx status{};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &status) != 0) return std::nullopt;
  if ((status.stx_mask & STATX_MNT_ID) == 0) return std::nullopt;
  return status.stx_mnt_id;
}

bool is_below(std::string_view path, std::string_view mount_point) {
  if (mount_point == "/") return path.starts_with('/');
  return path.starts_with(mount_point) &&
         (path.size() == mount_point.size() || path[mount_point.size()] == '/');
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  for (const std::string_view line : lines_of(text))
    if (auto mount = parse_line(line)) mounts.push_back(std::move(*mount));
  return mounts;
}

std::optional<Mount> find_mount(const std::string& path, const HostRoots& roots) {
  const auto text = read_host_file(roots.proc + "/self/mountinfo");
  if (!text) return std::nullopt;
  std::vector<Mount> mounts = parse_mountinfo(*text);
  if (const auto id = mount_id(path))
    if (const auto found = std::ranges::find(mounts, *id, &Mount::id); found != mounts.end())
      return *found;
  std::error_code code;
  const std::string real = std::filesystem::canonical(path, code).string();
  if (code) return std::nullopt;
  std::optional<Mount> best;
  for (Mount& mount : mounts)  // a later one on the same point hides the earlier
    if (is_below(real, mount.mount_point) &&
        (!best || mount.mount_point.size() >= best->mount_point.size()))
      best = std::move(mount);
  return best;
}

bool is_memory_file_system(std::string_view file_system) {
  constexpr std::array<std::string_view, 5> kKinds{"tmpfs", "ramfs", "devtmpfs", "hugetlbfs",
                                                   "rootfs"};
  return std::ranges::find(kKinds, file_system) != kKinds.end();
}

bool is_opaque_file_system(std::string_view file_system, std::string_view options) {
  if (file_system == "9p") return option_value(options, "trans").value_or("virtio") == "virtio";
  return file_system == "fuse" || file_system == "fuseblk" || file_system.starts_with("fuse.") ||
         file_system == "virtiofs";
}

bool is_network_file_system(std::string_view file_system) {
  constexpr std::array<std::string_view, 17> kKinds{
      "nfs", "nfs4",      "cifs",     "smb3", "smbfs",     "ceph",   "lustre",   "gpfs", "beegfs",
      "9p",  "glusterfs", "orangefs", "afs",  "ocfs2_net", "wekafs", "virtiofs", "daos"};
  return file_system == "fuse" || file_system.starts_with("fuse.") ||
         std::ranges::find(kKinds, file_system) != kKinds.end();
}

}  // namespace feedrate
