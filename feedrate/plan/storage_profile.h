// The figures of one unit of a kind of storage and of one port of a network: the `sizing` part of
// catalog/storage/*.yaml, and catalog/networks/*.yaml. A figure without a source is left out, and a
// plan says so instead of guessing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/quantity.h"

namespace feedrate {

template <class Q>
struct Sourced {
  Q value;             // 0: not known
  std::string source;  // "" when it is not known
  bool known() const { return value > Q(0); }
};

struct StorageProfile {
  std::string name;           // "nvme-gen4"
  std::string title;          // "NVMe drives on PCIe Gen4"
  std::string unit;           // "drive"
  Sourced<Count> per_server;  // units that one server holds
  // The most that one of those servers passes on, however many units it holds.
  Sourced<BytesPerSecond> server_read, server_write;
  // The unit does one thing at a time, as the heads of a disk do, so the time of an operation adds
  // to that of its bytes. Otherwise operations go on beside transfers.
  bool one_at_a_time = false;
  Sourced<Bytes> capacity;
  Sourced<BytesPerSecond> read, write;
  Sourced<BytesPerSecond> stream;  // of one request; 0: no such limit is known
  Sourced<PerSecond> read_operations, write_operations;
  Sourced<PerSecond> opens, creates;  // in directories of each client's own
  // The rate that whole systems of the kind were seen to reach, whatever their size. It is told,
  // but never counted by.
  Sourced<PerSecond> system_creates;
  // The most units that serve one directory, however many there are; 0: not known, or all of them.
  Sourced<Count> one_directory_units;
  Sourced<Count> one_directory_opens,
      one_directory_creates;  // as shares of those rates, in one directory
};

struct NetworkPort {
  std::string name, title;
  BytesPerSecond line;
  std::string source;
  Sourced<Count> usable;  // share of the line rate that storage traffic reaches
  std::string note;       // a remark on its figures; may be ""
  BytesPerSecond carries() const { return line * usable.value; }
};

// Returns kUsage, with the place and the remedy, when the file has no `sizing`.
Result<StorageProfile> parse_storage_profile(std::string_view yaml, std::string_view origin);
Result<NetworkPort> parse_network_port(std::string_view yaml, std::string_view origin);

std::string sizing_keys();                         // lines of a table in Markdown
std::string network_keys();                        // the same
std::vector<std::string> storage_profile_names();  // of the catalogue, sorted
Result<StorageProfile> find_storage_profile(std::string_view name);
Result<NetworkPort> find_network_port(std::string_view name);

}  // namespace feedrate
