#include "feedrate/plan/storage_profile.h"

#include <fmt/format.h>

#include <variant>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_reader.h"
#include "feedrate/workload/catalogue_data.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kCapacityMax = std::uint64_t{1} << 60U;
constexpr double kRateMax = 1e12;

Result<> read_value(const YamlNode& node, Bytes& target) {
  FEEDRATE_TRY(const std::uint64_t bytes, node.bytes(1, kCapacityMax));
  target = Bytes(static_cast<double>(bytes));
  return {};
}
Result<> read_value(const YamlNode& node, BytesPerSecond& target) {
  FEEDRATE_TRY(const double rate, node.bytes_per_second());
  target = BytesPerSecond(rate);
  return {};
}
Result<> read_value(const YamlNode& node, PerSecond& target) {
  FEEDRATE_TRY(const double rate, node.number(1e-3, kRateMax));
  target = PerSecond(rate);
  return {};
}
Result<> read_value(const YamlNode& node, Count& target) {
  FEEDRATE_TRY(const double share, node.number(1e-6, 1000));
  target = Count(share);
  return {};
}

Result<> check_share(const YamlNode& node, std::string_view what, Count share) {
  if (share <= Count(1)) return {};
  return node.error(fmt::format("{} {} is more than 1", what, share.value()),
                    "it is a share, such as 0.9");
}

template <class Q>
Result<> read_sourced(const YamlNode& node, std::string_view key, Sourced<Q>& target) {
  if (!node.has(key)) return {};
  FEEDRATE_TRY(const YamlNode child, node.at(key));
  FEEDRATE_CHECK(child.expect_keys("a figure", {"value", "source"}));
  FEEDRATE_TRY(const YamlNode value, child.at("value"));
  FEEDRATE_CHECK(read_value(value, target.value));
  FEEDRATE_TRY(target.source, child.text_at("source"));
  return {};
}

using P = StorageProfile;

// A figure of `sizing`; its type says which values it may have.
struct Figure {
  std::string_view key;
  std::variant<Sourced<Count> P::*, Sourced<Bytes> P::*, Sourced<BytesPerSecond> P::*,
               Sourced<PerSecond> P::*>
      member;
};
constexpr Figure kFigures[] = {
    {"per_server", &P::per_server},
    {"server_read", &P::server_read},
    {"server_write", &P::server_write},
    {"capacity", &P::capacity},
    {"read", &P::read},
    {"write", &P::write},
    {"stream", &P::stream},
    {"read_operations", &P::read_operations},
    {"write_operations", &P::write_operations},
    {"opens", &P::opens},
    {"creates", &P::creates},
    {"system_creates", &P::system_creates},
    {"one_directory_opens", &P::one_directory_opens},
    {"one_directory_creates", &P::one_directory_creates},
    {"one_directory_units", &P::one_directory_units},
};

}  // namespace

Result<StorageProfile> parse_storage_profile(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  if (!root.has("sizing"))
    return root.error("this storage has no 'sizing', so it cannot be counted",
                      "add sizing: with title, unit and what one unit carries, as in "
                      "catalog/storage/nvme-gen4.yaml");
  StorageProfile profile;
  FEEDRATE_TRY(profile.name, root.text_at("name"));
  FEEDRATE_TRY(const YamlNode node, root.at("sizing"));
  std::vector<std::string> keys{"title", "unit", "one_at_a_time"};
  for (const Figure& figure : kFigures) keys.emplace_back(figure.key);
  FEEDRATE_CHECK(node.expect_keys("sizing", keys));
  FEEDRATE_TRY(profile.title, node.text_at("title"));
  FEEDRATE_TRY(profile.unit, node.text_at("unit"));
  if (node.has("one_at_a_time")) {
    FEEDRATE_TRY(const YamlNode flag, node.at("one_at_a_time"));
    FEEDRATE_TRY(profile.one_at_a_time, flag.flag());
  }
  for (const Figure& figure : kFigures)
    FEEDRATE_CHECK(
        std::visit([&](auto member) { return read_sourced(node, figure.key, profile.*member); },
                   figure.member));
  FEEDRATE_CHECK(check_share(node, "one_directory_opens", profile.one_directory_opens.value));
  FEEDRATE_CHECK(check_share(node, "one_directory_creates", profile.one_directory_creates.value));
  return profile;
}

Result<NetworkPort> parse_network_port(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  FEEDRATE_CHECK(root.expect_keys("a network port", {"name", "title", "gigabits", "source",
                                                     "usable", "usable_source", "note"}));
  NetworkPort port;
  FEEDRATE_TRY(port.name, root.text_at("name"));
  FEEDRATE_TRY(port.title, root.text_at("title"));
  FEEDRATE_TRY(port.source, root.text_at("source"));
  FEEDRATE_TRY(const YamlNode gigabits, root.at("gigabits"));
  FEEDRATE_TRY(const double rate, gigabits.number(0.001, 1e6));
  port.line = BytesPerSecond(rate * 1e9 / 8);
  FEEDRATE_TRY(const YamlNode usable, root.at("usable"));
  FEEDRATE_CHECK(read_value(usable, port.usable.value));
  FEEDRATE_CHECK(check_share(usable, "usable", port.usable.value));
  FEEDRATE_TRY(port.usable.source, root.text_at("usable_source"));
  if (root.has("note")) {
    FEEDRATE_TRY(port.note, root.text_at("note"));
  }
  return port;
}

std::vector<std::string> storage_profile_names() { return catalogue_folder("storage/"); }

Result<StorageProfile> find_storage_profile(std::string_view name) {
  return find_in_catalogue<StorageProfile>("storage/", "storage", name, parse_storage_profile);
}
Result<NetworkPort> find_network_port(std::string_view name) {
  return find_in_catalogue<NetworkPort>("networks/", "network port", name, parse_network_port);
}

}  // namespace feedrate
