// The table of mounts, from /proc/self/mountinfo. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/host/proc_files.h"

namespace feedrate {

struct Mount {
  std::uint64_t id = 0;
  unsigned major = 0, minor = 0;  // st_dev of its files; 0:x where there is no one device
  std::string root;               // the part of the file system that is mounted
  std::string mount_point;
  std::string file_system;    // "ext4"
  std::string source;         // "/dev/vda1", "server:/export", "none"
  std::string options;        // of this mount: "rw,relatime"
  std::string super_options;  // of the file system: "rw,data=ordered"
};

// Lines that are not understood are left out. Escapes such as \040 become the characters they stand
// for.
std::vector<Mount> parse_mountinfo(std::string_view text);

// Returns the mount that `path` is on, by its mount id where the kernel gives it, else by the
// longest mount point above its real path; nullopt when the path or the table cannot be read.
std::optional<Mount> find_mount(const std::string& path, const HostRoots& roots = {});

// Returns whether its files are nowhere but in this host's memory: tmpfs, ramfs, ...
bool is_memory_file_system(std::string_view file_system);
// Returns whether its files come over a network, or from a program in user space (fuse).
bool is_network_file_system(std::string_view file_system);
// Returns whether it is one of those whose bytes no counter of this host follows: they come from a
// program in user space, or from the host of this virtual machine.
bool is_opaque_file_system(std::string_view file_system, std::string_view options);

}  // namespace feedrate
