// The doctor's checks, one function each. Private to doctor/.
//
// A check looks at what it is handed and returns one finding, or none where it has nothing to say
// (a network check of a local disk).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "feedrate/doctor/doctor.h"
#include "feedrate/doctor/subject.h"
#include "feedrate/experiment/world.h"
#include "feedrate/host/block_device.h"
#include "feedrate/host/byte_origin.h"
#include "feedrate/host/cgroup.h"
#include "feedrate/host/mounts.h"
#include "feedrate/host/network_mount.h"
#include "feedrate/host/system.h"

namespace feedrate {

// The activity of others on this host while the doctor did nothing.
struct Watched {
  double seconds = 0;
  std::optional<CpuTimes> cpu;
  std::optional<BlockCounters> device;
  std::optional<InterfaceCounters> network;  // of a network mount
};

// Everything that more than one check needs, looked up once.
struct Examined {
  HostRoots roots = {};
  Subject subject = {};
  std::optional<Mount> mount = {};
  BlockDevice device = {};
  NetworkMount network = {};
  ByteOrigin origin = {};  // the origin of some of the files, else of the directory
  std::optional<MemoryFacts> memory = {};
  CgroupLimits cgroup = {};
  unsigned cores_allowed = 1;
  std::uint64_t open_files_now = 0, open_files_max = 0;  // RLIMIT_NOFILE; RLIM_INFINITY: no limit
  bool direct_works = false;
  std::shared_ptr<World> ring;      // of one reactor with io_uring; null: see ring_error
  std::optional<Error> ring_error;  // why io_uring cannot be used
  Watched watched = {};
};

using Checked = std::optional<Finding>;

// Each verdict has one constructor.
Finding ok(std::string_view check, std::string found);
Finding warn(std::string_view check, std::string found, std::string why, std::string remedy);
Finding bad(std::string_view check, std::string found, std::string why, std::string remedy);
Finding unknown(std::string_view check, std::string_view reason);  // "not countable here: ..."

// These are in directory_checks.cc.
Checked check_directory(const Examined& host);
Checked check_file_system(const Examined& host);
Checked check_free_space(const Examined& host);
Checked check_stored_size(const Examined& host);
Checked check_network_mount(const Examined& host);
// These are in io_checks.cc.
Checked check_direct_io(const Examined& host);
Checked check_io_uring(const Examined& host);
Checked check_locked_memory(const Examined& host);
Checked check_open_files(const Examined& host);
// These are in device_checks.cc.
Checked check_device(const Examined& host);
Checked check_other_io(const Examined& host);
Checked check_scheduler(const Examined& host);
Checked check_read_ahead(const Examined& host);
Checked check_numa(const Examined& host);
// These are in memory_checks.cc.
Checked check_memory(const Examined& host);
Checked check_dirty_pages(const Examined& host);
Checked check_page_cache(const Examined& host);
Checked check_huge_pages(const Examined& host);
// These are in processor_checks.cc.
Checked check_cores(const Examined& host);
Checked check_cpu_load(const Examined& host);
Checked check_steal(const Examined& host);
Checked check_governor(const Examined& host);
Checked check_control_group(const Examined& host);
Checked check_clock(const Examined& host);

}  // namespace feedrate
