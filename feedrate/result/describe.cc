// Makes the JSON Schema and the page of docs/ from the tables.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "feedrate/base/json_text.h"
#include "feedrate/result/tables.h"

namespace feedrate {
namespace {

using Kind = Shape::Kind;

struct VerbShape {
  std::vector<std::string> verbs;
  Shape shape;
};

std::vector<VerbShape> verb_shapes() {
  return {{{"train"}, Codec<RunResult>::shape()},
          {{"find"}, Codec<FindReport>::shape()},
          {{"checkpoint", "restore"}, Codec<CheckpointResult>::shape()},
          {{"compact"}, Codec<CompactResult>::shape()},
          {{"load"}, Codec<LoadResult>::shape()},
          {{"plan"}, Codec<PlanResult>::shape()},
          {{"doctor"}, Codec<DoctorReport>::shape()},
          {{"datagen"}, Codec<DatagenResult>::shape()},
          {{"drop-caches"}, Codec<DropResult>::shape()},
          {{"workloads"}, Codec<WorkloadsReport>::shape()},
          {{"together"}, Codec<TogetherReport>::shape()}};
}

std::string_view type_name(Kind kind) {
  switch (kind) {
    case Kind::kText:
      return "string";
    case Kind::kFlag:
      return "boolean";
    case Kind::kWhole:
      return "integer";
    case Kind::kNumber:
      return "number";
    case Kind::kList:
    case Kind::kTuple:
      return "array";
    case Kind::kMap:
    case Kind::kObject:
      return "object";
  }
  return "";
}

Json schema_of(const Shape& shape);

Json schema_of(const Field& field) {
  Json schema = schema_of(field.shape);
  schema["description"] = field.metric.meaning;
  if (!field.metric.words.empty()) schema["enum"] = field.metric.words;
  if (field.metric.unit != Unit::kNone) schema["x-unit"] = to_string(field.metric.unit);
  if (field.metric.better != Better::kNeither)
    schema["x-better"] = field.metric.better == Better::kMore ? "more" : "less";
  if (!field.metric.source.empty()) schema["x-source"] = field.metric.source;
  return schema;
}

Json schema_of(const Shape& shape) {
  Json schema;
  if (shape.nullable)
    schema["type"] = {type_name(shape.kind), "null"};
  else
    schema["type"] = type_name(shape.kind);
  // No number of a result is negative (table.h).
  if (shape.kind == Kind::kWhole || shape.kind == Kind::kNumber) schema["minimum"] = 0;
  if (shape.kind == Kind::kList) schema["items"] = schema_of(shape.items.front());
  if (shape.kind == Kind::kMap) schema["additionalProperties"] = schema_of(shape.items.front());
  if (shape.kind == Kind::kTuple) {
    for (const Shape& item : shape.items) schema["prefixItems"].push_back(schema_of(item));
    schema["items"] = false;
    schema["minItems"] = shape.items.size();
  }
  if (shape.kind != Kind::kObject) return schema;
  schema["properties"] = Json::object();
  schema["required"] = Json::array();
  for (const Field& field : shape.fields) {
    schema["properties"][field.key] = schema_of(field);
    schema["required"].push_back(field.key);
  }
  schema["additionalProperties"] = false;
  return schema;
}

// Returns whether this is a report within a report, which the page mentions without listing its
// keys again.
bool is_report(const Shape& shape) {
  return !shape.fields.empty() && shape.fields.front().key == "feedrate";
}

std::string unit_text(const Field& field) {
  std::string text(to_string(field.metric.unit));
  if (text.empty()) {
    const Shape& inner = field.shape.kind == Kind::kList || field.shape.kind == Kind::kMap
                             ? field.shape.items.front()
                             : field.shape;
    const std::string each = inner.kind == Kind::kFlag   ? "true or false"
                             : inner.kind == Kind::kText ? "text"
                             : is_report(inner)          ? "report"
                                                         : std::string(type_name(inner.kind));
    text = field.shape.kind == Kind::kList  ? "list of " + each
           : field.shape.kind == Kind::kMap ? "by key: " + each
                                            : each;
  }
  if (field.shape.nullable) text += " or null";
  return text;
}

std::string meaning_text(const Metric& metric) {
  std::string text = metric.meaning;
  if (!metric.words.empty()) {
    std::vector<std::string> words;
    for (const std::string& word : metric.words)
      words.push_back(word.empty() ? "\"\"" : fmt::format("`{}`", word));
    text += fmt::format(" ({})", fmt::join(words, ", "));
  }
  if (!metric.source.empty()) text += fmt::format(" [{}]", metric.source);
  return text;
}

void add_lines(const Shape& shape, const std::string& path, std::string& page) {
  for (const Field& field : shape.fields) {
    const std::string key = path.empty() ? field.key : path + "." + field.key;
    const Metric& metric = field.metric;
    const char* const better = metric.better == Better::kMore   ? "more"
                               : metric.better == Better::kLess ? "less"
                                                                : "";
    page += fmt::format("| `{}` | {} | {} | {} |\n", key, unit_text(field), better,
                        meaning_text(metric));
    const bool many = field.shape.kind == Kind::kList || field.shape.kind == Kind::kMap;
    const Shape& inner = many ? field.shape.items.front() : field.shape;
    const char* const mark = field.shape.kind == Kind::kList  ? "[]"
                             : field.shape.kind == Kind::kMap ? ".*"
                                                              : "";
    if (inner.kind == Kind::kObject && !is_report(inner)) add_lines(inner, key + mark, page);
  }
}

constexpr std::string_view kHead =
    "# Results as JSON and CSV\n\n"
    "This page is generated from the tables in `feedrate/result/`, as is "
    "[results.schema.json](results.schema.json), a JSON Schema.\n\n"
    "`--json FILE` (`-` for stdout) writes one object, a report. Every verb's report has the same "
    "envelope, and what the verb itself has to say in `result`. All keys are always there, in the "
    "order of this page. A reader should check `feedrate`, the version of the schema, and ignore "
    "keys that it does not know; a new version means that a key changed its meaning or went away. "
    "Times are seconds and sizes bytes unless the name says `_ms` or `_ns`. \"Better\" says which "
    "direction is better, where one is. `feedrate show FILE.json` prints a report as its verb did, "
    "and `--csv` writes it as CSV: one line a value with its verb, key, value, unit and which "
    "direction is better; a plan has columns of its own, one line a figure.\n";

constexpr std::string_view kTable =
    "\n| key | unit or type | better | meaning |\n| --- | --- | --- | --- |\n";

}  // namespace

std::string report_schema() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "Report of feedrate"},
              {"type", "object"},
              {"required", {"feedrate", "verb"}},
              {"oneOf", Json::array()}};
  for (const VerbShape& each : verb_shapes()) {
    Json one = schema_of(each.shape);
    one["properties"]["feedrate"]["const"] = kReportSchemaVersion;
    one["properties"]["verb"]["enum"] = each.verbs;
    schema["oneOf"].push_back(std::move(one));
  }
  return json_text(schema) + "\n";
}

std::string report_page() {
  std::string page(kHead);
  const std::vector<VerbShape> all = verb_shapes();
  Shape envelope = all.front().shape;
  envelope.fields.pop_back();  // The body comes last and has a section of its own.
  page += "\n## The envelope\n" + std::string(kTable);
  add_lines(envelope, "", page);
  for (const VerbShape& each : all) {
    page += fmt::format("\n## `result` of {}\n{}", fmt::join(each.verbs, " and "), kTable);
    add_lines(each.shape.fields.back().shape, "", page);
  }
  return page;
}

}  // namespace feedrate
