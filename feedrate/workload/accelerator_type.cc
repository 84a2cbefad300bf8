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
  FEEDRATE_TRY(const YamlNode name, root.at("name"));
  FEEDRATE_TRY(type.name, name.text());
  FEEDRATE_TRY(const YamlNode memory, root.at("memory"));
  FEEDRATE_TRY(const std::uint64_t bytes, memory.bytes(1, std::uint64_t{1} << 50U));
  type.memory = Bytes(static_cast<double>(bytes));
  FEEDRATE_TRY(const YamlNode source, root.at("source"));
  FEEDRATE_TRY(type.source, source.text());
  return type;
}

std::vector<std::string> accelerator_type_names() { return catalogue_folder("accelerators/"); }

Result<AcceleratorType> find_accelerator_type(std::string_view name) {
  const CatalogueFile* file = find_catalogue_file("accelerators/", name);
  if (file != nullptr)
    return parse_accelerator_type(file->text, fmt::format("catalog/{}", file->path));
  const std::vector<std::string> names = accelerator_type_names();
  return fail(ErrorKind::kUsage,
              fmt::format("unknown accelerator '{}'{}", name, did_you_mean(name, names)),
              fmt::format("known are {}", fmt::join(names, ", ")));
}

}  // namespace feedrate
