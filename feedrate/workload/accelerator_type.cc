#include "feedrate/workload/accelerator_type.h"

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_reader.h"
#include "feedrate/workload/catalogue_data.h"

namespace feedrate {

static Result<AcceleratorType> parse_accelerator_type(std::string_view yaml,
                                                      std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  FEEDRATE_CHECK(root.expect_keys("an accelerator", {"name", "memory", "source"}));
  AcceleratorType type;
  FEEDRATE_TRY(type.name, root.text_at("name"));
  FEEDRATE_TRY(const YamlNode memory, root.at("memory"));
  FEEDRATE_TRY(const std::uint64_t bytes, memory.bytes(1, std::uint64_t{1} << 50U));
  type.memory = Bytes(static_cast<double>(bytes));
  FEEDRATE_TRY(type.source, root.text_at("source"));
  return type;
}

std::vector<std::string> accelerator_type_names() { return catalogue_folder("accelerators/"); }

Result<AcceleratorType> find_accelerator_type(std::string_view name) {
  std::string_view spelled = name;
  const std::vector<std::string> names = accelerator_type_names();
  for (const std::string& known : names)
    if (same_name(known, name)) spelled = known;
  return find_in_catalogue("accelerators/", "accelerator", spelled, parse_accelerator_type);
}

}  // namespace feedrate
