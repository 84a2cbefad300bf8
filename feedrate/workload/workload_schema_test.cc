// docs/workload.schema.json must say what the field tables say. A JSON file is YAML too.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "feedrate/workload/workload_fields.h"

namespace feedrate {
namespace {

// The node at a path like "properties/dataset".
YamlNode schema_at(std::string_view path) {
  std::ifstream file(FEEDRATE_SOURCE_DIR "/docs/workload.schema.json");
  EXPECT_TRUE(file) << "the schema is not there";
  std::stringstream text;
  text << file.rdbuf();
  YamlNode node = YamlNode::parse(text.str(), "workload.schema.json").value();
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

template <class Owner>
void add_required(std::span<const Field<Owner>> fields, std::vector<std::string>& keys) {
  for (const Field<Owner>& field : fields)
    if (field.required) keys.emplace_back(field.key);
}

TEST(WorkloadSchema, HasTheKeysOfTheTables) {
  EXPECT_EQ(keys_at("properties"), workload_keys());
  std::vector<std::string> dataset;
  add_keys(dataset_fields(), dataset);
  dataset.emplace_back("format_options");
  EXPECT_EQ(keys_at("properties/dataset/properties"), dataset);
  std::vector<std::string> timing;
  add_keys(timing_fields(), timing);
  EXPECT_EQ(keys_at("$defs/timing/properties"), timing);
}

TEST(WorkloadSchema, RequiresWhatTheTablesRequire) {
  std::vector<std::string> root;
  add_required(identity_fields(), root);
  root.emplace_back("dataset");
  add_required(loading_fields(), root);
  EXPECT_EQ(schema_at("required").texts().value(), root);
  std::vector<std::string> dataset;
  add_required(dataset_fields(), dataset);
  EXPECT_EQ(schema_at("properties/dataset/required").texts().value(), dataset);
  std::vector<std::string> timing;
  add_required(timing_fields(), timing);
  EXPECT_EQ(schema_at("$defs/timing/required").texts().value(), timing);
}

TEST(WorkloadSchema, HasTheWordsOfTheTables) {
  const auto words = [](std::string_view path) { return schema_at(path).texts().value(); };
  EXPECT_EQ(words("properties/dataset/properties/labels/enum"), label_words());
  EXPECT_EQ(words("properties/dataset/properties/layout/enum"), layout_words());
  const std::vector<std::string> orders = words("properties/order/enum");
  for (const std::string& word : orders) EXPECT_TRUE(parse_access_order(word, "")) << word;
}

// The limits of whole numbers: what the schema allows is read, one more is refused.
TEST(WorkloadSchema, HasTheLimitsOfTheTables) {
  std::size_t checked = 0;
  const auto check = [&](const auto& fields, std::string_view path, const auto& owner) {
    for (const auto& field : fields) {
      const YamlNode node = schema_at(std::string(path) + "/" + std::string(field.key));
      if (!node.has("maximum") || node.at("type")->text().value() != "integer") continue;
      const std::uint64_t maximum = node.at("maximum")->count(0, ~std::uint64_t{0}).value();
      auto changed = owner;
      EXPECT_TRUE(field.read(Scalar{std::to_string(maximum), "", nullptr}, changed)) << field.key;
      EXPECT_FALSE(field.read(Scalar{std::to_string(maximum + 1), "", nullptr}, changed))
          << field.key;
      ++checked;
    }
  };
  check(identity_fields(), "properties", Workload());
  check(dataset_fields(), "properties/dataset/properties", DatasetShape());
  check(loading_fields(), "properties", Workload());
  check(timing_fields(), "$defs/timing/properties", AcceleratorTiming());
  EXPECT_GE(checked, 11U);
}

}  // namespace
}  // namespace feedrate
