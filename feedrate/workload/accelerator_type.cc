#include "feedrate/workload/accelerator_type.h"

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_rows.h"
#include "feedrate/workload/catalogue_data.h"

namespace feedrate {

namespace {

using A = AcceleratorType;

constexpr YamlRow<A> kAccelerator[] = {
    {"name", yaml::text<&A::name>, "What `--type` calls it.", kNeeded},
    {"memory", yaml::bytes<&A::memory, std::uint64_t{1} << 50U>, "Memory of one accelerator.",
     kNeeded},
    {"source", yaml::text<&A::source>, "Where that stands.", kNeeded},
};

Result<AcceleratorType> parse_accelerator_type(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  AcceleratorType type;
  FEEDRATE_CHECK(read_rows(root, "an accelerator", kAccelerator, type));
  return type;
}

}  // namespace

std::string accelerator_keys() { return table_lines("", kAccelerator); }

std::vector<std::string> accelerator_type_names() { return catalogue_folder("accelerators/"); }

Result<AcceleratorType> find_accelerator_type(std::string_view name) {
  std::string_view spelled = name;
  const std::vector<std::string> names = accelerator_type_names();
  for (const std::string& known : names)
    if (same_name(known, name)) spelled = known;
  return find_in_catalogue("accelerators/", "accelerator", spelled, parse_accelerator_type);
}

}  // namespace feedrate
