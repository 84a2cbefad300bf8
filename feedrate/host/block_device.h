// The block device that the bytes of a path come from, and what it has moved so far, so that bytes
// asked for can be held against bytes that a device moved. Any thread.
//
// A file system may sit on a partition, device-mapper or md devices, or a loop device whose own
// file lies on yet another file system. The device that the file system sits on is the one that is
// counted: what it moved is what this file system asked for, without others' partitions and
// volumes. The devices below it are named, and the disks at the bottom can be counted too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/host/mounts.h"
#include "feedrate/host/proc_files.h"

namespace feedrate {

// Counts since the device appeared, in bytes that the device or the network moved, not those that
// programs asked for.
struct BlockCounters {
  std::string name;  // "vda1"; "vda+vdb" for a sum
  std::uint64_t read_bytes = 0, read_ops = 0;
  std::uint64_t write_bytes = 0, write_ops = 0;
  std::uint64_t in_flight = 0;  // now
  std::uint64_t busy_ms = 0;    // time with anything in flight
};
// Parses the text of /sys/dev/block/MAJOR:MINOR/stat.
std::optional<BlockCounters> parse_block_stat(std::string_view text);
// Returns what happened in between. A counter that went backwards (it is another device now) gives
// 0.
BlockCounters operator-(const BlockCounters& after, const BlockCounters& before);

struct BlockNode {
  std::string name;    // "vda1"
  std::string folder;  // below /sys
  std::string queue;   // folder of the settings of the whole disk's queue
};

struct BlockDevice {
  bool countable = false;
  std::string reason;       // why it is not
  std::string file_system;  // "ext4"
  std::string layers;       // "ext4 on vda1 (of vda)", "ext4 on loop0 -> ext4 on vda"
  // The devices that the file system sits on: one, except for a file system of several (btrfs).
  std::vector<BlockNode> devices;
  std::vector<BlockNode> disks;  // whole disks at the bottom, each once
};

// Never fails: where the device cannot be counted, the result says why.
BlockDevice find_block_device(const std::string& path, const HostRoots& roots = {});
// Finds the device by its number, for a file system that is known already.
BlockDevice find_block_device(unsigned major, unsigned minor, std::string_view file_system,
                              const HostRoots& roots);

// Returns links below /sys/fs/btrfs to all devices of the btrfs that has `source` among them.
std::vector<std::string> btrfs_device_links(const std::string& source, const HostRoots& roots);

// Returns the sum over `devices`; kUnsupported when it is not countable, kNotFound when a device
// has gone.
Result<BlockCounters> read_block_counters(const BlockDevice& device);

}  // namespace feedrate
