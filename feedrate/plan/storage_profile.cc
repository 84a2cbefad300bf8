#include "feedrate/plan/storage_profile.h"

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_rows.h"
#include "feedrate/workload/catalogue_data.h"

namespace feedrate {
namespace {

using P = StorageProfile;
using N = NetworkPort;

constexpr std::uint64_t kCapacityMax = std::uint64_t{1} << 60U;
constexpr double kRateMax = 1e12;

constexpr YamlRow<Sourced<Count>> kCount[] = {
    {"value", yaml::number<&Sourced<Count>::value, 1e-6, 1e3>, "A number or a share.", kNeeded},
    {"source", yaml::text<&Sourced<Count>::source>, "Where it stands.", kNeeded},
};
constexpr YamlRow<Sourced<Bytes>> kSize[] = {
    {"value", yaml::bytes<&Sourced<Bytes>::value, kCapacityMax>, "A size.", kNeeded},
    {"source", yaml::text<&Sourced<Bytes>::source>, "Where it stands.", kNeeded},
};
constexpr YamlRow<Sourced<BytesPerSecond>> kRate[] = {
    {"value", yaml::rate<&Sourced<BytesPerSecond>::value>, "A rate.", kNeeded},
    {"source", yaml::text<&Sourced<BytesPerSecond>::source>, "Where it stands.", kNeeded},
};
constexpr YamlRow<Sourced<PerSecond>> kOperations[] = {
    {"value", yaml::number<&Sourced<PerSecond>::value, 1e-3, kRateMax>, "So many a second.",
     kNeeded},
    {"source", yaml::text<&Sourced<PerSecond>::source>, "Where it stands.", kNeeded},
};
constexpr auto& rows_of(Sourced<Count>*) { return kCount; }
constexpr auto& rows_of(Sourced<Bytes>*) { return kSize; }
constexpr auto& rows_of(Sourced<BytesPerSecond>*) { return kRate; }
constexpr auto& rows_of(Sourced<PerSecond>*) { return kOperations; }

// A figure with its source: {value: 7GB/s, source: "data sheet"}.
template <auto kMember>
constexpr YamlValue<P> figure{
    [](const YamlNode& node, P& profile) -> Result<> {
      auto& sourced = profile.*kMember;
      return read_rows(node, "a figure", rows_of(&sourced), sourced);
    },
    [] {
      const auto& rows = rows_of(static_cast<yaml::ValueOf<kMember>*>(nullptr));
      return fmt::format("`value` ({}), `source`", rows[0].value.values());
    }};

constexpr std::string_view kUnknown = "not known";

constexpr YamlRow<P> kSizing[] = {
    {"title", yaml::text<&P::title>, "What it is, in the plural.", kNeeded},
    {"unit", yaml::text<&P::unit>, "What it is counted in: drive.", kNeeded},
    {"one_at_a_time", yaml::flag<&P::one_at_a_time>,
     "Whether the time of an operation adds to that of its bytes, as in a hard disk.", "`false`"},
    {"per_server", figure<&P::per_server>, "Units that one server holds.", kUnknown},
    {"server_read", figure<&P::server_read>, "What one server of those passes on in reads.",
     "no limit"},
    {"server_write", figure<&P::server_write>, "The same in writes.", "no limit"},
    {"capacity", figure<&P::capacity>, "Bytes that a unit holds.", kUnknown},
    {"read", figure<&P::read>, "What a unit gives.", kUnknown},
    {"write", figure<&P::write>, "What a unit takes.", kUnknown},
    {"stream", figure<&P::stream>, "Of one request.", "no limit"},
    {"read_operations", figure<&P::read_operations>, "Reads a second of a unit.", kUnknown},
    {"write_operations", figure<&P::write_operations>, "Writes a second of a unit.", kUnknown},
    {"opens", figure<&P::opens>, "Files that a unit opens, in directories of each client's own.",
     kUnknown},
    {"creates", figure<&P::creates>, "Files that a unit creates there.", kUnknown},
    {"system_creates", figure<&P::system_creates>,
     "What whole systems were seen to create: told, never counted by.", kUnknown},
    {"one_directory_opens", figure<&P::one_directory_opens>,
     "Share of `opens` that is left in one directory.", kUnknown},
    {"one_directory_creates", figure<&P::one_directory_creates>,
     "Share of `creates` that is left there.", kUnknown},
    {"one_directory_units", figure<&P::one_directory_units>,
     "Units that serve one directory, however many there are.", "all"},
};

Result<> check_share(const YamlNode& node, std::string_view what, Count share) {
  if (share <= Count(1)) return {};
  return node.error(fmt::format("{} {} is more than 1", what, share.value()),
                    "it is a share, such as 0.9");
}

Result<> read_gigabits(const YamlNode& node, NetworkPort& port) {
  FEEDRATE_TRY(const double rate, node.number(0.001, 1e6));
  port.line = BytesPerSecond(rate * 1e9 / 8);
  return {};
}

Result<> read_usable(const YamlNode& node, NetworkPort& port) {
  FEEDRATE_CHECK(kCount[0].value.read(node, port.usable));
  return check_share(node, "usable", port.usable.value);
}

Result<> read_usable_source(const YamlNode& node, NetworkPort& port) {
  return kCount[1].value.read(node, port.usable);
}

constexpr YamlRow<N> kPort[] = {
    {"name", yaml::text<&N::name>, "What `--port` calls it.", kNeeded},
    {"title", yaml::text<&N::title>, "What it is, in one line.", kNeeded},
    {"gigabits",
     {read_gigabits, [] { return range_of_numbers(0.001, 1e6); }},
     "The line rate in Gbit/s.",
     kNeeded},
    {"source", yaml::text<&N::source>, "Where that stands.", kNeeded},
    {"usable",
     {read_usable, [] { return std::string("more than 0, at most 1"); }},
     "Share of the line rate that storage traffic reaches.",
     kNeeded},
    {"usable_source",
     {read_usable_source, [] { return std::string("text"); }},
     "Where that stands.",
     kNeeded},
    {"note", yaml::text<&N::note>, "What its figures do not say.", "none"},
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
  FEEDRATE_CHECK(read_rows(node, "sizing", kSizing, profile));
  FEEDRATE_CHECK(check_share(node, "one_directory_opens", profile.one_directory_opens.value));
  FEEDRATE_CHECK(check_share(node, "one_directory_creates", profile.one_directory_creates.value));
  return profile;
}

Result<NetworkPort> parse_network_port(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  NetworkPort port;
  FEEDRATE_CHECK(read_rows(root, "a network port", kPort, port));
  return port;
}

std::string sizing_keys() { return table_lines("sizing.", kSizing); }
std::string network_keys() { return table_lines("", kPort); }

std::vector<std::string> storage_profile_names() { return catalogue_folder("storage/"); }

Result<StorageProfile> find_storage_profile(std::string_view name) {
  return find_in_catalogue<StorageProfile>("storage/", "storage", name, parse_storage_profile);
}
Result<NetworkPort> find_network_port(std::string_view name) {
  return find_in_catalogue<NetworkPort>("networks/", "network port", name, parse_network_port);
}

}  // namespace feedrate
