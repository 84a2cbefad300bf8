#include "feedrate/plan/storage_profile.h"

#include <fmt/format.h>

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

Result<> read_text(const YamlNode& node, std::string_view key, std::string& target) {
  FEEDRATE_TRY(const YamlNode child, node.at(key));
  FEEDRATE_TRY(target, child.text());
  return {};
}

template <class Q>
Result<> read_sourced(const YamlNode& node, std::string_view key, Sourced<Q>& target) {
  if (!node.has(key)) return {};
  FEEDRATE_TRY(const YamlNode child, node.at(key));
  FEEDRATE_CHECK(child.expect_keys("a figure", {"value", "source"}));
  FEEDRATE_TRY(const YamlNode value, child.at("value"));
  FEEDRATE_CHECK(read_value(value, target.value));
  return read_text(child, "source", target.source);
}

template <class T>
Result<T> find_in(std::string_view folder, std::string_view what, std::string_view name,
                  Result<T> (*parse)(std::string_view, std::string_view)) {
  const CatalogueFile* file = find_catalogue_file(folder, name);
  if (file != nullptr) return parse(file->text, fmt::format("catalog/{}", file->path));
  const std::vector<std::string> names = catalogue_folder(folder);
  return fail(ErrorKind::kUsage,
              fmt::format("unknown {} '{}'{}", what, name, did_you_mean(name, names)),
              fmt::format("use one of {}, or the path of a YAML file", fmt::join(names, ", ")));
}

}  // namespace

Result<StorageProfile> parse_storage_profile(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  if (!root.has("sizing"))
    return root.error("this storage has no 'sizing', so it cannot be counted",
                      "add sizing: with title, unit and what one unit carries, as in "
                      "catalog/storage/nvme-gen4.yaml");
  StorageProfile profile;
  FEEDRATE_CHECK(read_text(root, "name", profile.name));
  FEEDRATE_TRY(const YamlNode node, root.at("sizing"));
  FEEDRATE_CHECK(node.expect_keys(
      "sizing", {"title", "unit", "per_server", "one_at_a_time", "capacity", "read", "write",
                 "stream", "read_operations", "write_operations", "opens", "creates",
                 "one_directory_opens", "one_directory_creates"}));
  FEEDRATE_CHECK(read_text(node, "title", profile.title));
  FEEDRATE_CHECK(read_text(node, "unit", profile.unit));
  if (node.has("one_at_a_time")) {
    FEEDRATE_TRY(const YamlNode flag, node.at("one_at_a_time"));
    FEEDRATE_TRY(const std::string text, flag.text());
    if (text != "true" && text != "false")
      return flag.error(fmt::format("'{}' is neither true nor false", text), "use true or false");
    profile.one_at_a_time = text == "true";
  }
  FEEDRATE_CHECK(read_sourced(node, "per_server", profile.per_server));
  FEEDRATE_CHECK(read_sourced(node, "capacity", profile.capacity));
  FEEDRATE_CHECK(read_sourced(node, "read", profile.read));
  FEEDRATE_CHECK(read_sourced(node, "write", profile.write));
  FEEDRATE_CHECK(read_sourced(node, "stream", profile.stream));
  FEEDRATE_CHECK(read_sourced(node, "read_operations", profile.read_operations));
  FEEDRATE_CHECK(read_sourced(node, "write_operations", profile.write_operations));
  FEEDRATE_CHECK(read_sourced(node, "opens", profile.opens));
  FEEDRATE_CHECK(read_sourced(node, "creates", profile.creates));
  FEEDRATE_CHECK(read_sourced(node, "one_directory_opens", profile.one_directory_opens));
  FEEDRATE_CHECK(read_sourced(node, "one_directory_creates", profile.one_directory_creates));
  FEEDRATE_CHECK(check_share(node, "one_directory_opens", profile.one_directory_opens.value));
  FEEDRATE_CHECK(check_share(node, "one_directory_creates", profile.one_directory_creates.value));
  return profile;
}

Result<NetworkPort> parse_network_port(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  FEEDRATE_CHECK(root.expect_keys(
      "a network port", {"name", "title", "gigabits", "source", "usable", "usable_source"}));
  NetworkPort port;
  FEEDRATE_CHECK(read_text(root, "name", port.name));
  FEEDRATE_CHECK(read_text(root, "title", port.title));
  FEEDRATE_CHECK(read_text(root, "source", port.source));
  FEEDRATE_TRY(const YamlNode gigabits, root.at("gigabits"));
  FEEDRATE_TRY(const double rate, gigabits.number(0.001, 1e6));
  port.line = BytesPerSecond(rate * 1e9 / 8);
  FEEDRATE_TRY(const YamlNode usable, root.at("usable"));
  FEEDRATE_CHECK(read_value(usable, port.usable.value));
  FEEDRATE_CHECK(check_share(usable, "usable", port.usable.value));
  FEEDRATE_CHECK(read_text(root, "usable_source", port.usable.source));
  return port;
}

std::vector<std::string> storage_profile_names() { return catalogue_folder("storage/"); }
std::vector<std::string> network_port_names() { return catalogue_folder("networks/"); }

Result<StorageProfile> find_storage_profile(std::string_view name) {
  return find_in<StorageProfile>("storage/", "storage", name, parse_storage_profile);
}
Result<NetworkPort> find_network_port(std::string_view name) {
  return find_in<NetworkPort>("networks/", "network port", name, parse_network_port);
}

}  // namespace feedrate
