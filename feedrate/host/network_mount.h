// A mount whose bytes come over a network: its settings, and what it has moved so far. NFS tells
// the most (/proc/self/mountstats); for all others the network interface is counted. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "feedrate/base/error.h"
#include "feedrate/host/mounts.h"
#include "feedrate/host/proc_files.h"

namespace feedrate {

// One kind of call to the server: READ, OPEN, GETATTR, ... Times are sums over all calls.
struct NfsOperation {
  std::uint64_t calls = 0;
  std::uint64_t transmissions = 0;  // more than calls: some were sent again
  std::uint64_t timeouts = 0;
  std::uint64_t sent_bytes = 0, received_bytes = 0;
  std::uint64_t queue_ms = 0;       // waiting to be sent: for a slot or the connection
  std::uint64_t round_trip_ms = 0;  // on the wire and in the server
  std::uint64_t execute_ms = 0;     // from the call to its end, all of it
};

struct NfsMount {
  std::string server;       // "srv:/export"
  std::string mount_point;  // "/mnt/data"
  std::string version;      // "4.2"
  std::string options;      // all of them: "rw,vers=4.2,rsize=1048576,..."
  std::uint64_t read_transfer_bytes = 0, write_transfer_bytes = 0;  // rsize, wsize
  std::uint64_t connections_asked = 1;                              // nconnect
  std::uint64_t connections = 0;  // that exist now, of those that have ever been used
  std::uint64_t slots_used = 0;   // most calls in flight so far on one connection

  // The following count since the mount was made.
  std::uint64_t read_bytes = 0, direct_read_bytes = 0;          // asked for by programs
  std::uint64_t server_read_bytes = 0, server_write_bytes = 0;  // fetched from, sent to the server
  std::map<std::string, NfsOperation, std::less<>> operations;
};

// Parses the part of `mountstats` about the last mount on `mount_point`; nullopt when it is not an
// NFS mount.
std::optional<NfsMount> parse_mountstats(std::string_view mountstats, std::string_view mount_point);
// Returns what happened in between; the settings are those of `after`.
NfsMount operator-(NfsMount after, const NfsMount& before);

// The number of calls that may be in flight at once, by this host's settings.
struct NfsSlotLimits {
  std::optional<std::uint64_t> session_slots;  // NFSv4.1 and newer: nfs.max_session_slots
  std::optional<std::uint64_t> tcp_slots;      // NFSv3: sunrpc.tcp_max_slot_table_entries
};
NfsSlotLimits nfs_slot_limits(const HostRoots& roots = {});

// Counts since the host started. They include the host's other traffic.
struct InterfaceCounters {
  std::string name;  // "eth0"; "eth0+eth1" for a sum
  std::uint64_t received_bytes = 0, sent_bytes = 0;
};
InterfaceCounters operator-(const InterfaceCounters& after, const InterfaceCounters& before);

struct NetworkMount {
  bool is_network = false;
  std::string file_system;  // "nfs4"
  std::string address;      // of the server; "" when the mount does not name it
  std::string interface;    // the interface that leads to the server; "": not known
  std::optional<NfsMount> nfs;
  // For Lustre: the bytes that its servers sent to this host, else those that programs read, since
  // it was mounted.
  std::optional<std::uint64_t> lustre_read_bytes;
  bool server_is_this_host = false;
};
// In the result, is_network is false for a local file system.
NetworkMount find_network_mount(const std::string& path, const HostRoots& roots = {});

// Returns the interface that packets to a numeric address would leave by; "" if unknown. Nothing is
// sent.
std::string interface_towards(const std::string& address);
// Returns the counters of that interface. For "" it sums over all hardware interfaces, or over all
// but lo when there are none.
Result<InterfaceCounters> read_interface_counters(const std::string& interface,
                                                  const HostRoots& roots = {});

}  // namespace feedrate
