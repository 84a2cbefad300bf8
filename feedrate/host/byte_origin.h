// Finds what lies at the bottom of a path: devices that store, this host's memory, a network, or a
// place that nobody here can see. A file system may sit on loop devices, volumes or other file
// systems; each is walked down until something stores. Any thread.
//
// What a lowest device moves is what storage gave, whatever passes for a disk above it: zram, a RAM
// disk, a loop device whose file lies on tmpfs and the like are memory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feedrate/host/block_device.h"
#include "feedrate/host/mounts.h"
#include "feedrate/host/proc_files.h"

namespace feedrate {

enum class BytesFrom : std::uint8_t { kDevice, kMemory, kNetwork, kUnknown };
std::string_view to_string(BytesFrom from);  // "storage", "memory", "network", "unknown"

struct ByteOrigin {
  std::vector<BlockNode> devices;    // the lowest that are not memory, each once
  std::vector<std::string> memory;   // "tmpfs keeps its files in memory", each once
  std::vector<std::string> unknown;  // why the place of some bytes cannot be told, each once
  bool network = false;              // some come over one
  std::string shrunk;  // why a device moves fewer bytes than the files have; "" if it does not

  // In a mixture the counters of the devices tell what came from storage, so only memory alone is
  // memory.
  BytesFrom from() const;
};

// Finds the origin of a file or directory, links followed. Never fails: where it cannot be told,
// the result says why.
ByteOrigin find_byte_origin(const std::string& path, const HostRoots& roots = {});
// Returns the union over several files.
ByteOrigin find_byte_origin(const std::vector<std::string>& paths, const HostRoots& roots = {});

// Returns what the devices have moved so far; kUnsupported where they do not count, or there is
// none.
Result<BlockCounters> read_origin_counters(const ByteOrigin& origin);

// Returns the bytes that storage has read so far for this process, all its threads, by
// /proc/self/io; nullopt where the kernel does not count them.
std::optional<std::uint64_t> read_process_bytes(const HostRoots& roots = {});

}  // namespace feedrate
