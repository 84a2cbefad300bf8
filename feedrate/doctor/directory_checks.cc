#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/doctor/checks.h"

namespace feedrate {
namespace {

// The size of the data set that find makes by itself.
constexpr std::uint64_t kDefaultDataBytes = std::uint64_t{4} << 30U;
constexpr double kFreeShareMin = 0.05;
constexpr std::uint64_t kSizedFilesMax = 500;
constexpr double kStoredShareMin = 0.9;
constexpr std::uint64_t kNfsTransferBytes = std::uint64_t{1} << 20U;
constexpr std::uint64_t kNfsConnections = 4;

bool has_option(const Examined& host, std::string_view name) {
  return option_value(host.mount->options, name) || option_value(host.mount->super_options, name);
}

// Checks for a file system that is slower, or other, than it looks.
Checked check_kind(std::string_view check, const Examined& host, const std::string& found) {
  const std::string& kind = host.mount->file_system;
  if (!host.origin.memory.empty())
    return bad(check, fmt::format("{}; {}", found, join(host.origin.memory, ", ")),
               "its files are in this host's memory: no storage is measured",
               "give a directory on the storage that is meant");
  if (kind == "overlay")
    return warn(check, found,
                "a container's own layer: every open searches all layers, and others share it",
                "mount the storage into the container as a volume, and measure there");
  if (kind == "fuse" || kind.starts_with("fuse."))
    return warn(check, found,
                "every call goes through a program in user space, which takes CPU time of its own",
                "watch that program's CPU use during a run ('top')");
  return std::nullopt;
}

Checked check_options(std::string_view check, const Examined& host, const std::string& found) {
  if (option_value(host.mount->super_options, "data") == "journal")
    return warn(check, found + ", data=journal",
                "with data=journal direct I/O silently goes through the page cache, and writes "
                "happen twice",
                "mount it with data=ordered");
  if (has_option(host, "sync"))
    return warn(check, found,
                "mounted with sync: each write waits for the device, so datagen is slow",
                "mount -o remount,async " + quote_path(host.mount->mount_point));
  const bool read_only = option_value(host.mount->options, "ro").has_value();
  if (!read_only && !host.network.is_network && !has_option(host, "relatime") &&
      !has_option(host, "noatime"))
    return warn(check, found + ", strictatime",
                "mounted with strictatime: each read of a file also writes its access time",
                "mount -o remount,noatime " + quote_path(host.mount->mount_point));
  return std::nullopt;
}

std::uint64_t whole_size(std::uint64_t blocks, const struct statvfs& status) {
  return blocks * status.f_frsize;
}

std::string nfs_text(const NfsMount& nfs) {
  return fmt::format("nfs {}, nconnect {} ({} in use), rsize {}, wsize {}", nfs.version,
                     nfs.connections_asked, nfs.connections, format_bytes(nfs.read_transfer_bytes),
                     format_bytes(nfs.write_transfer_bytes));
}

// Returns the calls in flight that this host allows on one connection or session.
std::string slots_text(const NfsMount& nfs, const HostRoots& roots) {
  const NfsSlotLimits limits = nfs_slot_limits(roots);
  const bool session = nfs.version.starts_with("4.") && nfs.version != "4.0";
  const auto slots = session ? limits.session_slots : limits.tcp_slots;
  return fmt::format("{} slots{}", slots ? std::to_string(*slots) : "unknown",
                     nfs.slots_used > 0 ? fmt::format(" (most used {})", nfs.slots_used) : "");
}

}  // namespace

Checked check_directory(const Examined& host) {
  constexpr std::string_view kCheck = "directory";
  const Subject& subject = host.subject;
  const std::string found = fmt::format("{}: {}", quote_path(subject.asked), subject.describe());
  if (!subject.trouble.empty())
    return bad(kCheck, found, "what is in it cannot be read, so not measured either",
               subject.remedy);
  if (!subject.exists && !subject.writable)
    return bad(kCheck, found + ", which is closed to us for writing",
               "a data set cannot be made there", "give a directory that may be written to");
  if (subject.exists && !subject.has_files() && !subject.writable)
    return bad(kCheck, found + ", and closed to us for writing",
               "there is nothing to read, and a data set cannot be made there",
               "give a directory with data, or one that may be written to");
  return ok(kCheck, found);
}

Checked check_file_system(const Examined& host) {
  constexpr std::string_view kCheck = "file system";
  if (!host.mount) return unknown(kCheck, "/proc/self/mountinfo names no mount above it");
  const std::string found = fmt::format("{}, {}", host.mount->file_system, host.mount->options);
  if (auto finding = check_kind(kCheck, host, found)) return finding;
  if (auto finding = check_options(kCheck, host, found)) return finding;
  return ok(kCheck, found);
}

Checked check_free_space(const Examined& host) {
  constexpr std::string_view kCheck = "free space";
  struct statvfs status{};
  if (statvfs(host.subject.looked_at.c_str(), &status) != 0 || status.f_blocks == 0)
    return unknown(kCheck, "the file system does not tell its size");
  const std::uint64_t free = whole_size(status.f_bavail, status);
  const std::uint64_t total = whole_size(status.f_blocks, status);
  const double share = static_cast<double>(free) / static_cast<double>(total);
  const std::string found =
      fmt::format("{} of {} ({})", format_bytes(free), format_bytes(total), format_percent(share));
  if (!host.subject.has_files() && host.subject.trouble.empty() && free < kDefaultDataBytes)
    return warn(kCheck, found,
                fmt::format("a data set of {}, what 'find' makes when not told otherwise, does "
                            "not fit",
                            format_bytes(kDefaultDataBytes)),
                "give --size, or free some space");
  if (status.f_files > 0 && status.f_favail * 100 < status.f_files)
    return warn(kCheck, fmt::format("{}, {} inodes", found, status.f_favail),
                "almost no new file can be made", "remove files, or use another file system");
  if (share < kFreeShareMin)
    return warn(kCheck, found,
                "a file system this full scatters new files in small pieces, which read slower",
                "free some space before a data set is made");
  return ok(kCheck, found);
}

Checked check_stored_size(const Examined& host) {
  constexpr std::string_view kCheck = "stored size";
  const FileList files = host.subject.files();
  if (files.count == 0) return std::nullopt;
  std::uint64_t bytes = 0, stored = 0, looked_at = 0;
  const std::uint64_t step = std::max<std::uint64_t>(1, files.count / kSizedFilesMax);
  for (std::uint64_t number = 0; number < files.count; number += step) {
    struct stat status{};
    if (stat(files.path(number).c_str(), &status) != 0) continue;
    bytes += static_cast<std::uint64_t>(status.st_size);
    // POSIX leaves the unit open, but Linux counts st_blocks in 512 B on every file system.
    stored += static_cast<std::uint64_t>(status.st_blocks) * 512;
    ++looked_at;
  }
  if (bytes == 0) return unknown(kCheck, "no file could be looked at");
  const std::string options = host.mount ? host.mount->super_options : "";
  const std::string setting =
      option_value(options, "compress")
          .value_or(option_value(options, "compress-force")
                        .value_or(option_value(options, "compress_algorithm").value_or("")));
  const double share = static_cast<double>(stored) / static_cast<double>(bytes);
  const std::string found =
      fmt::format("{} of storage for {} in {}{}", format_bytes(stored), format_bytes(bytes),
                  format_counted(looked_at, "file"),
                  setting.empty() ? "" : ", mounted with compress=" + setting);
  if (share < kStoredShareMin)
    return warn(kCheck, found,
                "the files are compressed or have holes: storage moves fewer bytes than are "
                "counted, and their unpacking takes CPU time",
                setting.empty() ? "copy them without holes ('cp --sparse=never'), or see 'lsattr' "
                                  "and the volume's properties"
                                : "'btrfs property set DIR compression none' before the data is "
                                  "written, or remount without it");
  return ok(kCheck, found);
}

Checked check_network_mount(const Examined& host) {
  constexpr std::string_view kCheck = "network mount";
  if (!host.network.is_network) return std::nullopt;
  if (!host.network.nfs)
    return unknown(kCheck,
                   fmt::format("the kernel has no figures of {}", host.network.file_system));
  const NfsMount& nfs = *host.network.nfs;
  const std::string found = fmt::format("{}, {}", nfs_text(nfs), slots_text(nfs, host.roots));
  // A check gives one finding, so the worst comes first.
  if (option_value(nfs.options, "proto") == "udp")
    return bad(kCheck, found, "NFS over UDP loses and corrupts data at today's speeds",
               "mount it with proto=tcp");
  if (option_value(nfs.options, "soft") || option_value(nfs.options, "softerr"))
    return warn(kCheck, found, "a soft mount turns a slow server into failed reads",
                "mount it with hard");
  if (option_value(nfs.options, "noac") || option_value(nfs.options, "actimeo") == "0")
    return warn(kCheck, found, "without attribute caching each open and stat asks the server",
                "leave noac and actimeo=0 out");
  if (nfs.read_transfer_bytes > 0 && nfs.read_transfer_bytes < kNfsTransferBytes)
    return warn(kCheck, found, "reads are cut into pieces of rsize, a call each",
                "mount it with rsize=1048576, if the server allows it");
  if (nfs.connections_asked < kNfsConnections)
    return warn(kCheck, found,
                "few TCP connections carry all reads: one of them is often limited to a core or a "
                "path of the network",
                "mount it with nconnect=8 (Linux 5.3), and see that no other mount of the same "
                "server came first");
  return ok(kCheck, found);
}

}  // namespace feedrate
