#include "feedrate/workload/workload_documents.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "feedrate/base/json_text.h"
#include "feedrate/base/text.h"
#include "feedrate/workload/workload_fields.h"

namespace feedrate {
namespace {

using Json = nlohmann::ordered_json;

// The keys that hold more than one value.
struct Part {
  std::string_view key, help, values, absent;
};
constexpr Part kNotes{"notes", "Remarks that `show` prints.", "a list of texts", "none"};
constexpr Part kDataset{"dataset", "The shape of the data set.", "a mapping", kNeeded};
constexpr Part kFormatOptions{"format_options", "What the format gets as it is.",
                              "a mapping of names to values", "none"};
constexpr Part kAccelerators{"accelerators",
                             "Step times of your own by accelerator, which are the set `user`.",
                             "a mapping of names", "`timings` are needed"};
constexpr Part kTimings{"timings", "Named sets of step times: `storage-benchmark`, `measured`, ...",
                        "a mapping of names to what `accelerators` holds",
                        "`accelerators` are needed"};

template <class Owner, class Function>
auto visit_member(const WorkloadField<Owner>& field, const Function& function) {
  return std::visit(
      [&](auto member) { return function(Owner().*member); },  // the value of a new Owner
      field.member);
}

Json name_schema() {
  return {
      {"type", "string"}, {"pattern", "^[A-Za-z0-9][A-Za-z0-9_-]*$"}, {"maxLength", kNameBytesMax}};
}

bool is_whole(double number) { return std::floor(number) == number; }

// 1000000 rather than 1000000.0.
Json json_number(double number) {
  return is_whole(number) ? Json(static_cast<std::uint64_t>(number)) : Json(number);
}

Json number_schema(Json types, const Limits& limits) {
  Json schema{{"type", std::move(types)}};
  if (limits.zero_too)
    schema["anyOf"] = Json::array({{{"const", 0}}, {{"minimum", json_number(limits.minimum)}}});
  else
    schema["minimum"] = json_number(limits.minimum);
  schema["maximum"] = json_number(limits.maximum);
  return schema;
}

template <class Value>
Json schema_of(const Limits& limits, const Value&) {
  if constexpr (std::is_same_v<Value, std::string>) {
    if (limits.is_name) return name_schema();
    return {{"type", "string"}, {"maxLength", kTextBytesMax}};
  } else if constexpr (std::is_enum_v<Value>) {
    return {{"enum", enum_words<Value>()}};
  } else if constexpr (std::is_same_v<Value, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_integral_v<Value>) {
    return number_schema("integer", limits);
  } else {
    // "224ms" and "70%" are texts in YAML.
    const bool may_be_text = std::is_same_v<Value, Duration> || limits.is_fraction;
    return number_schema(may_be_text ? Json::array({"number", "string"}) : Json("number"), limits);
  }
}

template <class Value>
std::string values_of(const Limits& limits, const Value&) {
  const std::string range = range_of_numbers(limits.minimum, limits.maximum);
  if constexpr (std::is_same_v<Value, std::string>) {
    return limits.is_name ? "letters, digits, `-`, `_`" : "text";
  } else if constexpr (std::is_enum_v<Value>) {
    const auto words = enum_words<Value>();
    const std::vector<std::string> each(words.begin(), words.end());
    return "`" + join(each, "`, `") + "`";
  } else if constexpr (std::is_same_v<Value, bool>) {
    return "`true`, `false`";
  } else if constexpr (std::is_same_v<Value, Duration>) {
    return range_of_times(from_seconds(limits.minimum), from_seconds(limits.maximum));
  } else {
    return limits.zero_too ? "0, or " + range : range;
  }
}

// What an absent key means; the text of the value where it is one.
template <class Owner>
std::string default_of(const WorkloadField<Owner>& field) {
  const std::string value =
      field.absent.empty() ? write_field(field, Owner()) : std::string(field.absent);
  return value == "\"\"" ? "" : value;
}

template <class Owner>
void add_properties(std::span<const WorkloadField<Owner>> fields, Json& object) {
  for (const WorkloadField<Owner>& field : fields) {
    Json schema =
        visit_member(field, [&](const auto& value) { return schema_of(field.limits, value); });
    const std::string absent = default_of(field);
    const bool has_default = !absent.empty() && !field.required();
    schema["description"] =
        has_default ? fmt::format("{} Left out: {}.", field.help, absent) : std::string(field.help);
    object["properties"][std::string(field.key)] = std::move(schema);
    if (field.required()) object["required"].push_back(field.key);
  }
}

Json object_schema() {
  return {{"type", "object"},
          {"additionalProperties", false},
          {"required", Json::array()},
          {"properties", Json::object()}};
}

Json mapping_schema(std::size_t at_least, std::size_t at_most, Json value) {
  return {{"type", "object"},
          {"minProperties", at_least},
          {"maxProperties", at_most},
          {"propertyNames", name_schema()},
          {"additionalProperties", std::move(value)}};
}

void add_part(const Part& part, Json schema, Json& object) {
  schema["description"] = part.help;
  object["properties"][std::string(part.key)] = std::move(schema);
  if (part.absent == kNeeded) object["required"].push_back(part.key);
}

template <class Owner>
std::string rows(std::string_view prefix, std::span<const WorkloadField<Owner>> fields) {
  std::string text;
  for (const WorkloadField<Owner>& field : fields)
    text += yaml_table_line(
        fmt::format("{}{}", prefix, field.key), field.help,
        visit_member(field, [&](const auto& value) { return values_of(field.limits, value); }),
        default_of(field));
  return text;
}

std::string row(std::string_view prefix, const Part& part) {
  return yaml_table_line(fmt::format("{}{}", prefix, part.key), part.help, part.values,
                         part.absent);
}

std::string key_table() {
  return yaml_table_head() + rows("", identity_fields()) + row("", kNotes) +
         rows("dataset.", dataset_fields()) + row("dataset.", kFormatOptions) +
         rows("", loading_fields()) + row("", kAccelerators) +
         rows("accelerators.NAME.", timing_fields()) + row("", kTimings);
}

}  // namespace

std::string workload_schema() {
  Json dataset = object_schema();
  add_properties(dataset_fields(), dataset);
  add_part(kFormatOptions,
           mapping_schema(0, kFormatOptionsMax,
                          {{"type", Json::array({"string", "number", "boolean"})}}),
           dataset);
  Json timing = object_schema();
  add_properties(timing_fields(), timing);
  const Json set = {{"$ref", "#/$defs/timing_set"}};
  Json sets = mapping_schema(1, kSetsMax, set);
  sets["propertyNames"]["not"] = {{"const", kUserTiming}};

  Json root{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
            {"title", "feedrate workload"},
            {"description",
             "What a deep-learning job asks of storage. docs/workloads.md says more; feedrate "
             "itself checks more: that values fit together."}};
  root.update(object_schema());
  for (const Part& part : {kAccelerators, kTimings})
    root["anyOf"].push_back({{"required", Json::array({part.key})}});
  add_properties(identity_fields(), root);
  add_part(kNotes,
           {{"type", "array"},
            {"maxItems", kNotesMax},
            {"items", {{"type", "string"}, {"maxLength", kTextBytesMax}}}},
           root);
  add_part(kDataset, std::move(dataset), root);
  add_properties(loading_fields(), root);
  add_part(kAccelerators, set, root);
  add_part(kTimings, std::move(sets), root);
  root["$defs"]["timing"] = std::move(timing);
  root["$defs"]["timing_set"] = mapping_schema(1, kAcceleratorsMax, {{"$ref", "#/$defs/timing"}});
  return json_text(root, 1) + "\n";
}

std::string with_workload_keys(std::string_view page) {
  constexpr std::string_view kBegin = "<!-- keys: written by feedrate_describe -->\n",
                             kEnd = "<!-- end of keys -->\n";
  const std::size_t begin = page.find(kBegin), end = page.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos) return "";
  return std::string(page.substr(0, begin + kBegin.size())) + key_table() +
         std::string(page.substr(end));
}

}  // namespace feedrate
