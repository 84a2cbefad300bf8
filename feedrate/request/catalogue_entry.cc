#include "feedrate/request/catalogue_entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "feedrate/base/measure.h"
#include "feedrate/base/text.h"
#include "feedrate/plan/storage_profile.h"
#include "feedrate/workload/accelerator_type.h"
#include "feedrate/workload/catalogue_data.h"
#include "feedrate/workload/inference_shape.h"
#include "feedrate/workload/model_shape.h"

namespace feedrate {
namespace {

template <class T>
Result<std::string> title_of(const Result<T>& found) {
  if (!found) return fail(found.error());
  return found->title;
}

Result<std::string> accelerator_title(std::string_view name) {
  FEEDRATE_TRY(const AcceleratorType type, find_accelerator_type(name));
  return fmt::format("accelerator with {} of memory", show(type.memory));
}

struct Kind {
  std::string_view name, folder;
  Result<std::string> (*title)(std::string_view name);
  std::string_view used_as;  // A command, in which NAME stands for the name.
};
constexpr std::array<Kind, 5> kKinds{
    {{"model", "models/", [](std::string_view name) { return title_of(find_model(name)); },
      "feedrate checkpoint NAME DIR, or feedrate plan --model=NAME WORKLOAD"},
     {"accelerator", "accelerators/", accelerator_title,
      "feedrate plan WORKLOAD --accelerator=NAME"},
     {"storage", "storage/",
      [](std::string_view name) { return title_of(find_storage_profile(name)); },
      "feedrate plan WORKLOAD --storage-type=NAME"},
     {"network", "networks/",
      [](std::string_view name) { return title_of(find_network_port(name)); },
      "feedrate plan WORKLOAD --port=NAME"},
     {"inference", "inference/",
      [](std::string_view name) { return title_of(find_inference(name)); }, "feedrate plan NAME"}}};

std::string with_name(std::string_view command, const std::string& name) {
  constexpr std::string_view kName = "NAME";
  std::string text(command);
  for (std::size_t at = text.find(kName); at != text.npos; at = text.find(kName, at + name.size()))
    text.replace(at, kName.size(), name);
  return text;
}

}  // namespace

Result<std::vector<ListedEntry>> other_entries() {
  std::vector<ListedEntry> entries;
  for (const Kind& kind : kKinds)
    for (const std::string& name : catalogue_folder(kind.folder)) {
      FEEDRATE_TRY(std::string title, kind.title(name));
      entries.push_back(
          {std::string(kind.name), name, std::move(title), with_name(kind.used_as, name)});
    }
  return entries;
}

Result<std::vector<ListedEntry>> other_entries(std::string_view name) {
  FEEDRATE_TRY(std::vector<ListedEntry> entries, other_entries());
  std::erase_if(entries, [name](const ListedEntry& entry) { return entry.name != name; });
  return entries;
}

std::string_view yaml_of(const ListedEntry& entry) {
  for (const Kind& kind : kKinds)
    if (kind.name == entry.kind)
      if (const CatalogueFile* file = find_catalogue_file(kind.folder, entry.name))
        return file->text;
  return {};
}

}  // namespace feedrate
