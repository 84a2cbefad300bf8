// docs/ must say what the rows of workload_fields.h say. A JSON file is YAML as well.
#include "feedrate/workload/workload_documents.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "feedrate/workload/workload_fields.h"

namespace feedrate {
namespace {

constexpr std::string_view kRemedy =
    "is not what the rows say: build feedrate_describe, and run "
    "build/release/lib/feedrate_describe workloads docs";

std::string document(const std::string& name) {
  std::ifstream file(FEEDRATE_SOURCE_DIR "/docs/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name << " is not there";
  return {std::istreambuf_iterator<char>(file), {}};
}

// Returns the node of the schema at a path like "properties/dataset".
YamlNode schema_at(std::string_view path) {
  YamlNode node = YamlNode::parse(workload_schema(), "workload.schema.json").value();
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    node = node.at(path.substr(0, slash)).value();
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return node;
}

std::vector<std::string> keys_at(std::string_view path) {
  std::vector<std::string> keys;
  const auto entries = schema_at(path).entries().value();
  for (const auto& [key, child] : entries) keys.push_back(key);
  return keys;
}

TEST(WorkloadDocuments, AreWhatTheRowsSay) {
  EXPECT_TRUE(document("workload.schema.json") == workload_schema())
      << "docs/workload.schema.json " << kRemedy;
  const std::string page = document("workloads.md");
  EXPECT_TRUE(page == with_workload_keys(page)) << "docs/workloads.md " << kRemedy;
  EXPECT_EQ(with_workload_keys("a page without the marks"), "");
}

// The schema must have the keys that are read, in the order of this list, and no others.
TEST(WorkloadDocuments, TheSchemaHasEveryKeyThatIsRead) {
  EXPECT_EQ(keys_at("properties"), workload_keys());
  std::vector<std::string> dataset;
  add_keys(dataset_fields(), dataset);
  dataset.emplace_back("format_options");
  EXPECT_EQ(keys_at("properties/dataset/properties"), dataset);
  EXPECT_EQ(schema_at("required").texts().value(), (std::vector<std::string>{"name", "dataset"}));
  EXPECT_EQ(schema_at("properties/dataset/required").texts().value(),
            (std::vector<std::string>{"files", "format", "sample_bytes_mean"}));
  EXPECT_EQ(schema_at("$defs/timing/required").texts().value(),
            (std::vector<std::string>{"batch_samples", "compute"}));
}

TEST(WorkloadDocuments, EveryWordOfTheSchemaIsRead) {
  std::size_t checked = 0;
  const auto check = [&](const auto& fields, std::string_view path, const auto& owner) {
    for (const auto& field : fields) {
      const YamlNode node = schema_at(std::string(path) + "/" + std::string(field.key));
      if (!node.has("enum")) continue;
      const std::vector<std::string> words = node.at("enum")->texts().value();
      for (const std::string& word : words) {
        auto changed = owner;
        EXPECT_TRUE(read_field(field, Scalar{word, "", nullptr}, changed)) << word;
        EXPECT_EQ(write_field(field, changed), word);
        ++checked;
      }
    }
  };
  check(dataset_fields(), "properties/dataset/properties", DatasetShape());
  check(loading_fields(), "properties", Workload());
  EXPECT_EQ(checked, 5U + 4U + 2U + 2U);
}

// The limits of whole numbers: what the schema allows is read, one more is refused.
TEST(WorkloadDocuments, TheLimitsOfTheSchemaAreThoseOfTheReader) {
  std::size_t checked = 0;
  const auto check = [&](const auto& fields, std::string_view path, const auto& owner) {
    for (const auto& field : fields) {
      const YamlNode node = schema_at(std::string(path) + "/" + std::string(field.key));
      if (!node.has("maximum") || node.at("type")->text().value_or("") != "integer") continue;
      const std::uint64_t maximum = node.at("maximum")->count(0, ~std::uint64_t{0}).value();
      const auto is_read = [&](std::uint64_t value) {
        auto changed = owner;
        return read_field(field, Scalar{std::to_string(value), "", nullptr}, changed).has_value();
      };
      EXPECT_TRUE(is_read(maximum)) << field.key;
      EXPECT_FALSE(is_read(maximum + 1)) << field.key;
      if (node.has("minimum")) {
        const std::uint64_t minimum = node.at("minimum")->count(0, maximum).value();
        EXPECT_TRUE(is_read(minimum)) << field.key;
        EXPECT_TRUE(minimum == 0 || !is_read(minimum - 1)) << field.key;
      }
      ++checked;
    }
  };
  check(identity_fields(), "properties", Workload());
  check(dataset_fields(), "properties/dataset/properties", DatasetShape());
  check(loading_fields(), "properties", Workload());
  check(timing_fields(), "$defs/timing/properties", AcceleratorTiming());
  EXPECT_EQ(checked, 13U);
}

}  // namespace
}  // namespace feedrate
