// Tests what the tables say about JSON: the schema and the page hold for every report.
#include <gtest/gtest.h>

#include <set>

#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

const TestJson& schema() {
  static const TestJson json = TestJson::parse(report_schema());
  return json;
}

// Returns the first thing in `json` that `schema` does not allow. It knows as much of JSON Schema
// as ours needs.
std::string breach(const TestJson& json, const TestJson& schema, const std::string& path = "");

bool is_type(const TestJson& json, const std::string& type) {
  if (type == "null") return json.is_null();
  if (type == "string") return json.is_string();
  if (type == "boolean") return json.is_boolean();
  if (type == "integer") return json.is_number_integer();
  if (type == "number") return json.is_number();
  return type == "array" ? json.is_array() : json.is_object();
}

std::string breach_of_object(const TestJson& json, const TestJson& schema,
                             const std::string& path) {
  if (schema.contains("required"))
    for (const TestJson& key : schema["required"])
      if (!json.contains(key)) return path + " lacks " + key.get<std::string>();
  for (const auto& [key, value] : json.items()) {
    const std::string inner = path + "." + key;
    const bool known = schema.contains("properties") && schema["properties"].contains(key);
    if (!known && schema["additionalProperties"] == false) return inner + " is not known";
    const TestJson& rule = known ? schema["properties"][key] : schema["additionalProperties"];
    if (const std::string found = breach(value, rule, inner); !found.empty()) return found;
  }
  return "";
}

std::string breach(const TestJson& json, const TestJson& schema, const std::string& path) {
  const TestJson types = schema["type"].is_array() ? schema["type"] : TestJson({schema["type"]});
  const bool fits = std::ranges::any_of(
      types, [&](const TestJson& type) { return is_type(json, type.get<std::string>()); });
  if (!fits) return path + " is no " + types.dump();
  if (schema.contains("const") && json != schema["const"]) return path + " is another";
  if (schema.contains("enum") && std::ranges::find(schema["enum"], json) == schema["enum"].end())
    return path + " is no word of the list";
  if (json.is_object()) return breach_of_object(json, schema, path);
  if (!json.is_array()) return "";
  const bool fixed = schema.contains("prefixItems");
  if (fixed && json.size() != schema["prefixItems"].size()) return path + " is of another length";
  for (std::size_t i = 0; i < json.size(); ++i) {
    const TestJson& rule = fixed ? schema["prefixItems"][i] : schema["items"];
    if (const std::string found = breach(json[i], rule, path + "." + std::to_string(i));
        !found.empty())
      return found;
  }
  return "";
}

// Returns how many of the schema's alternatives allow the report.
int allowed(const TestJson& report) {
  int count = 0;
  for (const TestJson& each : schema()["oneOf"]) count += breach(report, each).empty() ? 1 : 0;
  return count;
}

TEST(Schema, AllowsEveryReportAsOneOfItsAlternatives) {
  for (const Report& report : all_reports()) {
    const TestJson json = json_of(report);
    std::string problems;
    for (const TestJson& each : schema()["oneOf"]) problems += breach(json, each) + "\n";
    EXPECT_EQ(allowed(json), 1) << json["verb"] << ": " << problems;
  }
}

TEST(Schema, AllowsAnInvalidRun) {
  RunResult run = full_run();
  run.valid = false;
  run.invalid_reasons = {"a reason"};
  run.checkpoints.reset();
  run.cost.reset();
  run.io = {};
  run.limiter = {};
  EXPECT_EQ(allowed(json_of(run)), 1);
}

TEST(Schema, ForbidsWhatIsWrong) {
  const auto with = [](const char* pointer, const TestJson& value) {
    TestJson json = json_of(full_run());
    json[TestJson::json_pointer(pointer)] = value;
    return allowed(json);
  };
  EXPECT_EQ(with("/verb", "train"), 1);
  EXPECT_EQ(with("/feedrate", 1), 0);
  EXPECT_EQ(with("/verb", "find"), 0);
  EXPECT_EQ(with("/valid", nullptr), 0);
  EXPECT_EQ(with("/place/clock", "sun"), 0);
  EXPECT_EQ(with("/result/more", 1), 0);
  EXPECT_EQ(with("/result/metrics/opens", 1.5), 0);
  EXPECT_EQ(with("/result/series/points/0", {1, 2}), 0);
  EXPECT_EQ(with("/result", TestJson::object()), 0);
}

TEST(Schema, NamesEveryVerbOnce) {
  std::vector<std::string> verbs;
  for (const TestJson& each : schema()["oneOf"]) {
    EXPECT_EQ(each["properties"]["feedrate"]["const"], kReportSchemaVersion);
    for (const TestJson& verb : each["properties"]["verb"]["enum"]) verbs.push_back(verb);
  }
  EXPECT_EQ(verbs, (std::vector<std::string>{"train", "find", "checkpoint", "restore", "compact",
                                             "load", "plan", "doctor", "datagen", "drop-caches",
                                             "workloads", "together"}));
}

// Calls `look` with the path, the key and the schema of every key.
template <class Look>
void each_key(const TestJson& schema, const std::string& path, const Look& look) {
  if (schema.contains("properties")) {
    EXPECT_EQ(schema["additionalProperties"], false) << path;
    EXPECT_EQ(schema["required"].size(), schema["properties"].size()) << path << ": a key twice";
    for (const auto& [key, value] : schema["properties"].items()) {
      look(path + "." + key, key, value);
      each_key(value, path + "." + key, look);
    }
  }
  if (schema.contains("items") && schema["items"].is_object())
    each_key(schema["items"], path + "[]", look);
  if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object())
    each_key(schema["additionalProperties"], path + ".*", look);
}
template <class Look>
void each_key_of_all(const Look& look) {
  for (const TestJson& each : schema()["oneOf"])
    each_key(each, each["properties"]["verb"]["enum"][0].get<std::string>(), look);
}

TEST(Schema, EveryKeySaysWhatItMeans) {
  std::size_t keys = 0;
  each_key_of_all([&](const std::string& path, const std::string& key, const TestJson& value) {
    ++keys;
    EXPECT_FALSE(key.empty()) << path;
    EXPECT_EQ(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos)
        << path;
    ASSERT_TRUE(value.contains("description")) << path;
    EXPECT_GE(value["description"].get<std::string>().size(), 4U) << path;
  });
  EXPECT_GT(keys, 500U);
}

TEST(Schema, UnitsAreKnownAndOnNumbersAlone) {
  each_key_of_all([](const std::string& path, const std::string&, const TestJson& value) {
    if (!value.contains("x-unit")) return;
    EXPECT_TRUE(unit_of(value["x-unit"].get<std::string>())) << path;
    const TestJson* of = &value;
    if (value["type"] == "array") of = &value["items"];
    if (value["type"] == "object") of = &value["additionalProperties"];
    const std::string type = (*of)["type"].is_array() ? (*of)["type"][0] : (*of)["type"];
    EXPECT_TRUE(type == "number" || type == "integer") << path << ": " << type;
  });
}

TEST(Schema, NoNumberIsNegative) {
  std::size_t numbers = 0;
  each_key_of_all([&](const std::string& path, const std::string&, const TestJson& value) {
    const std::string type = value["type"].is_array() ? value["type"][0] : value["type"];
    if (type != "number" && type != "integer") return;
    ++numbers;
    EXPECT_EQ(value["minimum"], 0) << path;
  });
  EXPECT_GT(numbers, 300U);
}

// A name ends in its unit, so that nobody has to look it up.
TEST(Schema, NamesEndInTheirUnit) {
  const std::vector<std::pair<std::string, std::string>> endings = {
      {"_bytes_per_second", "bytes_per_second"},
      {"_samples_per_second", "per_second"},
      {"reads_per_second", "per_second"},
      {"_per_cpu_second", "bytes_per_second"},
      {"_bytes", "bytes"},
      {"_seconds", "seconds"},
      {"_ms", "milliseconds"},
      {"_ns", "nanoseconds"},
      {"_fraction", "fraction"},
      {"_share", "fraction"},
      {"utilisation", "fraction"}};
  each_key_of_all([&](const std::string& path, const std::string& key, const TestJson& value) {
    if (value["type"] == "object" || key == "buckets_ns") return;  // Their own keys have units.
    for (const auto& [ending, unit] : endings)
      if (("_" + key).ends_with(ending)) {
        EXPECT_EQ(value.value("x-unit", ""), unit) << path;
        break;
      }
  });
}

TEST(Schema, ABetterDirectionIsOfNumbersAndOneOfTwo) {
  std::set<std::string> words;
  each_key_of_all([&](const std::string& path, const std::string&, const TestJson& value) {
    if (!value.contains("x-better")) return;
    words.insert(value["x-better"].get<std::string>());
    EXPECT_TRUE(value.contains("x-unit")) << path;
  });
  EXPECT_EQ(words, (std::set<std::string>{"less", "more"}));
}

TEST(Schema, WordsOfAListAreEachOnce) {
  std::size_t lists = 0;
  each_key_of_all([&](const std::string& path, const std::string& key, const TestJson& value) {
    if (!value.contains("enum") || key == "verb") return;
    ++lists;
    EXPECT_EQ(value["type"], "string") << path;
    const std::set<std::string> words(value["enum"].begin(), value["enum"].end());
    EXPECT_EQ(words.size(), value["enum"].size()) << path;
    EXPECT_GE(words.size(), 2U) << path;
  });
  EXPECT_GT(lists, 10U);
}

TEST(Page, HasEveryKeyWithItsUnitAndMeaning) {
  const std::string page = report_page();
  EXPECT_NE(page.find("\n| `feedrate` | count |  | version of this schema;"), std::string::npos);
  EXPECT_NE(page.find("\n| `valid` | true or false |  | false: do not use the figures |\n"),
            std::string::npos);
  EXPECT_NE(page.find("\n| `host.memory_bytes` | bytes |  | of memory |\n"), std::string::npos);
  EXPECT_NE(page.find("\n| `cost` | object or null |  | "), std::string::npos);
  EXPECT_NE(page.find("\n| `errors[].count` | count | less | how often |\n"), std::string::npos);
  EXPECT_NE(
      page.find("\n| `requested` | by key: text |  | settings that were given, by option |\n"),
      std::string::npos);
  EXPECT_NE(page.find("\n| `place.clock` | text |  | that times were told by (\"\", `real`, "
                      "`virtual`) |\n"),
            std::string::npos);
  EXPECT_NE(page.find("\n| `metrics.accelerator_utilisation` | fraction or null | more | MLPerf "
                      "Storage's AU, "),
            std::string::npos);
  EXPECT_NE(page.find(" [mlcommons/storage, Submission_guidelines.md: compute time / run time, the "
                      "first step left out] |\n"),
            std::string::npos);
}

TEST(Page, TellsOfAReportWithinAReportByNameOnly) {
  const std::string page = report_page();
  EXPECT_NE(page.find("\n| `searches[].at_answer` | report or null |  | "), std::string::npos);
  EXPECT_EQ(page.find("at_answer.valid"), std::string::npos);
}

TEST(Page, HasTheEnvelopeOnceAndABodyForEachVerb) {
  const std::string page = report_page();
  const auto count = [&](const std::string& part) {
    int found = 0;
    for (std::size_t at = page.find(part); at != std::string::npos; at = page.find(part, at + 1))
      ++found;
    return found;
  };
  EXPECT_EQ(count("\n## The envelope\n"), 1);
  EXPECT_EQ(count("\n| `invalid_reasons` |"), 1);
  EXPECT_EQ(count("\n## `result` of "), 11);
  EXPECT_EQ(count("\n## `result` of checkpoint and restore\n"), 1);
  EXPECT_EQ(count("\n| `result"), 0) << "keys of a body are told of without it";
}

TEST(Page, EveryLineOfATableHasFourCells) {
  std::size_t lines = 0;
  std::string page = report_page();
  for (std::size_t at = 0, end = 0; (end = page.find('\n', at)) != std::string::npos;
       at = end + 1) {
    const std::string line = page.substr(at, end - at);
    if (!line.starts_with("| `")) continue;
    ++lines;
    EXPECT_EQ(std::ranges::count(line, '|'), 5) << line;
    EXPECT_EQ(line.find("| |"), std::string::npos) << line;
    EXPECT_FALSE(line.ends_with("|  |")) << line;
  }
  EXPECT_GT(lines, 300U);
}

}  // namespace
}  // namespace feedrate
