#include "feedrate/host/network_mount.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <memory>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

std::uint64_t number_at(const std::vector<std::string_view>& words, std::size_t at) {
  return at < words.size() ? parse_host_number(words[at]).value_or(0) : 0;
}

std::uint64_t option_number(std::string_view options, std::string_view key,
                            std::uint64_t otherwise) {
  const auto value = option_value(options, key);
  return value ? parse_host_number(*value).value_or(otherwise) : otherwise;
}

void take_options(std::string_view options, NfsMount& mount) {
  mount.options = options;
  mount.version = option_value(options, "vers").value_or("");
  mount.read_transfer_bytes = option_number(options, "rsize", 0);
  mount.write_transfer_bytes = option_number(options, "wsize", 0);
  mount.connections_asked = option_number(options, "nconnect", 1);
}

// Reads "xprt: tcp PORT BINDS CONNECTS TIME IDLE SENDS RECEIVES BAD REQUESTS BACKLOG MAX_SLOTS
// ..."; udp has neither connects nor times.
void take_connection(const std::vector<std::string_view>& words, NfsMount& mount) {
  ++mount.connections;
  const bool udp = words.size() > 1 && words[1] == "udp";
  mount.slots_used = std::max(mount.slots_used, number_at(words, udp ? 9 : 12));
}

// Reads "READ: calls transmissions timeouts sent received queue round-trip execute [errors]".
void take_operation(const std::vector<std::string_view>& words, NfsMount& mount) {
  if (words.size() < 9 || !words[0].ends_with(':')) return;
  const auto at = [&](std::size_t i) { return number_at(words, i); };
  mount.operations[std::string(words[0].substr(0, words[0].size() - 1))] = {
      at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8)};
}

void take_line(std::string_view line, bool& operations, NfsMount& mount) {
  const auto words = words_of(line);
  if (words.empty()) return;
  if (words[0] == "opts:" && words.size() > 1) {
    take_options(words[1], mount);
  } else if (words[0] == "bytes:") {
    // The fields: normal read, normal write, direct read, direct write, server read, server write,
    // pages
    mount.read_bytes = number_at(words, 1);
    mount.direct_read_bytes = number_at(words, 3);
    mount.server_read_bytes = number_at(words, 5);
    mount.server_write_bytes = number_at(words, 6);
  } else if (words[0] == "xprt:") {
    take_connection(words, mount);
  } else if (words[0] == "per-op") {
    operations = true;
  } else if (operations) {
    take_operation(words, mount);
  }
}

// Escapes the path as mountstats does, which is like mountinfo.
std::string escaped(std::string_view path) {
  std::string text;
  for (const char c : path)
    text += c == ' ' || c == '\t' || c == '\n' || c == '\\'
                ? fmt::format("\\{:03o}", static_cast<unsigned char>(c))
                : std::string(1, c);
  return text;
}

std::uint64_t grown(std::uint64_t after, std::uint64_t before) {
  return after > before ? after - before : 0;
}

struct AddressText {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

AddressText parse_address(const std::string& text) {
  AddressText address;
  auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
  const std::string plain = text.substr(0, text.find('%'));
  if (inet_pton(AF_INET, plain.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(2049);
    address.length = sizeof *four;
  } else if (inet_pton(AF_INET6, plain.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(2049);
    address.length = sizeof *six;
  }
  return address;
}

bool same_address(const sockaddr* one, const sockaddr_storage& other) {
  if (one == nullptr || one->sa_family != other.ss_family) return false;
  if (one->sa_family == AF_INET)
    return std::memcmp(&reinterpret_cast<const sockaddr_in*>(one)->sin_addr,
                       &reinterpret_cast<const sockaddr_in*>(&other)->sin_addr,
                       sizeof(in_addr)) == 0;
  return one->sa_family == AF_INET6 &&
         std::memcmp(&reinterpret_cast<const sockaddr_in6*>(one)->sin6_addr,
                     &reinterpret_cast<const sockaddr_in6*>(&other)->sin6_addr,
                     sizeof(in6_addr)) == 0;
}

// Returns "addr=" as NFS and SMB have it, or a numeric host in front of the source
// ("10.0.0.5:6789:/").
std::string address_of(const Mount& mount) {
  if (const auto address = option_value(mount.super_options, "addr")) return *address;
  const std::string host = mount.source.substr(0, mount.source.find_first_of(":,/@"));
  return parse_address(host).length > 0 ? host : "";
}

// Returns the sum of "read_bytes 3 samples [bytes] 4096 1048576 2101248", whose last numbers are
// the smallest, the largest and the sum.
std::optional<std::uint64_t> lustre_read_sum(const std::string& file) {
  const std::string text = read_host_file(file).value_or("");
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() >= 7 && words[0] == "read_bytes") return parse_host_number(words[6]);
  }
  return std::nullopt;
}

// Returns, for the file system "lfs" of "10.0.0.1@tcp:/lfs/folder", what came from its targets
// (osc), else what programs read from it (llite).
std::optional<std::uint64_t> lustre_read_bytes(const std::string& source, const HostRoots& roots) {
  const std::size_t slash = source.find(":/");
  if (slash == std::string::npos) return std::nullopt;
  const std::string name = source.substr(slash + 2, source.find('/', slash + 2) - slash - 2);
  for (const auto* kind : {"/osc", "/llite"})
    for (const std::string& root : {roots.sys + "/kernel/debug/lustre", roots.proc + "/fs/lustre",
                                    roots.sys + "/fs/lustre"}) {
      std::optional<std::uint64_t> sum;
      std::error_code code;
      for (fs::directory_iterator entry(root + kind, code), end; !code && entry != end;
           entry.increment(code)) {
        if (!entry->path().filename().string().starts_with(name + "-")) continue;
        if (const auto read = lustre_read_sum((entry->path() / "stats").string()))
          sum = sum.value_or(0) + *read;
      }
      if (sum) return sum;
    }
  return std::nullopt;
}

bool is_own_address(const std::string& text) {
  const AddressText server = parse_address(text);
  ifaddrs* list = nullptr;
  if (server.length == 0 || getifaddrs(&list) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(list, &freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next)
    if (same_address(entry->ifa_addr, server.storage)) return true;
  return false;
}

std::vector<std::string> interfaces(const HostRoots& roots) {
  std::vector<std::string> hardware, others;
  std::error_code code;
  for (fs::directory_iterator entry(roots.sys + "/class/net", code), end; !code && entry != end;
       entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (fs::exists(entry->path() / "device", ignored))
      hardware.push_back(name);
    else if (name != "lo" && fs::is_directory(entry->path(), ignored))
      others.push_back(name);
  }
  std::ranges::sort(hardware);
  std::ranges::sort(others);
  return hardware.empty() ? others : hardware;
}

}  // namespace

std::optional<NfsMount> parse_mountstats(std::string_view mountstats,
                                         std::string_view mount_point) {
  // A mount's part begins with "device srv:/export mounted on /mnt with fstype nfs4 statvers=1.1",
  // and its other lines are indented.
  const std::string wanted = escaped(mount_point);
  std::optional<NfsMount> found;
  bool inside = false, operations = false;
  for (const std::string_view line : lines_of(mountstats)) {
    if (line.starts_with("device ")) {
      const auto words = words_of(line);
      inside = words.size() >= 8 && words[4] == wanted && words[7].starts_with("nfs");
      operations = false;
      if (!inside) continue;
      found.emplace();
      found->server = words[1];
      found->mount_point = mount_point;
    } else if (inside) {
      take_line(line, operations, *found);
    }
  }
  return found;
}

NfsMount operator-(NfsMount after, const NfsMount& before) {
  const auto subtract = [](std::uint64_t& value, std::uint64_t earlier) {
    value = grown(value, earlier);
  };
  subtract(after.read_bytes, before.read_bytes);
  subtract(after.direct_read_bytes, before.direct_read_bytes);
  subtract(after.server_read_bytes, before.server_read_bytes);
  subtract(after.server_write_bytes, before.server_write_bytes);
  for (auto& [name, operation] : after.operations) {
    const auto found = before.operations.find(name);
    if (found == before.operations.end()) continue;
    const NfsOperation& earlier = found->second;
    subtract(operation.calls, earlier.calls);
    subtract(operation.transmissions, earlier.transmissions);
    subtract(operation.timeouts, earlier.timeouts);
    subtract(operation.sent_bytes, earlier.sent_bytes);
    subtract(operation.received_bytes, earlier.received_bytes);
    subtract(operation.queue_ms, earlier.queue_ms);
    subtract(operation.round_trip_ms, earlier.round_trip_ms);
    subtract(operation.execute_ms, earlier.execute_ms);
  }
  return after;
}

NfsSlotLimits nfs_slot_limits(const HostRoots& roots) {
  return {read_host_number(roots.sys + "/module/nfs/parameters/max_session_slots"),
          read_host_number(roots.proc + "/sys/sunrpc/tcp_max_slot_table_entries")};
}

InterfaceCounters operator-(const InterfaceCounters& after, const InterfaceCounters& before) {
  return {after.name, grown(after.received_bytes, before.received_bytes),
          grown(after.sent_bytes, before.sent_bytes)};
}

NetworkMount find_network_mount(const std::string& path, const HostRoots& roots) {
  NetworkMount found;
  const auto mount = find_mount(path, roots);
  if (!mount) return found;
  found.file_system = mount->file_system;
  found.is_network = is_network_file_system(mount->file_system);
  if (!found.is_network) return found;
  found.address = address_of(*mount);
  if (!found.address.empty()) found.interface = interface_towards(found.address);
  if (const auto text = read_host_file(roots.proc + "/self/mountstats"))
    found.nfs = parse_mountstats(*text, mount->mount_point);
  if (found.file_system == "lustre")
    found.lustre_read_bytes = lustre_read_bytes(mount->source, roots);
  found.server_is_this_host = is_own_address(found.address);
  return found;
}

std::string interface_towards(const std::string& address) {
  const AddressText server = parse_address(address);
  if (server.length == 0) return {};
  // Connecting a datagram socket only looks up the route; nothing is sent.
  const int fd = socket(server.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {};
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  const bool known =
      connect(fd, reinterpret_cast<const sockaddr*>(&server.storage), server.length) == 0 &&
      getsockname(fd, reinterpret_cast<sockaddr*>(&own), &length) == 0;
  close(fd);
  ifaddrs* list = nullptr;
  if (!known || getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(list, &freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next)
    if (same_address(entry->ifa_addr, own)) return entry->ifa_name;
  return {};
}

Result<InterfaceCounters> read_interface_counters(const std::string& interface,
                                                  const HostRoots& roots) {
  const std::vector<std::string> names =
      interface.empty() ? interfaces(roots) : std::vector{interface};
  InterfaceCounters total;
  for (const std::string& name : names) {
    const std::string folder = fmt::format("{}/class/net/{}/statistics", roots.sys, name);
    const auto received = read_host_number(folder + "/rx_bytes");
    const auto sent = read_host_number(folder + "/tx_bytes");
    if (!received || !sent)
      return fail(ErrorKind::kNotFound,
                  fmt::format("the counters of network interface {} cannot be read ({})",
                              quote_path(name), quote_path(folder)),
                  "has the interface been removed?");
    total.name += (total.name.empty() ? "" : "+") + name;
    total.received_bytes += *received;
    total.sent_bytes += *sent;
  }
  if (names.empty())
    return fail(ErrorKind::kUnsupported,
                "network reads are not countable here: no interface but lo",
                "run it where the network interface can be seen");
  return total;
}

}  // namespace feedrate
