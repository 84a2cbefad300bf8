#include <fmt/format.h>

#include <array>

#include "feedrate/base/text.h"
#include "feedrate/checkpoint/dcp_layout.h"
#include "feedrate/checkpoint/layout.h"
#include "feedrate/checkpoint/raw_layout.h"
#include "feedrate/checkpoint/safetensors_layout.h"
#include "feedrate/checkpoint/torch_layout.h"

namespace feedrate {
namespace {

struct Entry {
  std::string_view name;
  std::unique_ptr<CheckpointLayout> (*make)();
};
constexpr std::array kLayouts = {
    Entry{"safetensors", make_safetensors_layout},
    Entry{"torch", make_torch_layout},
    Entry{"dcp", make_dcp_layout},
    Entry{"raw", make_raw_layout},
    Entry{"shared", make_shared_layout},
};

}  // namespace

std::string CheckpointLayout::after_piece(const FilePlan&, std::size_t, std::uint32_t) const {
  return {};
}

std::string CheckpointLayout::trailer(const FilePlan&, std::span<const std::uint32_t>) const {
  return {};
}

std::vector<WholeFile> CheckpointLayout::common_files(std::span<const RankFiles>) const {
  return {};
}

std::vector<std::string_view> checkpoint_layout_names() {
  std::vector<std::string_view> names;
  for (const Entry& entry : kLayouts) names.push_back(entry.name);
  return names;
}

Result<std::unique_ptr<CheckpointLayout>> make_checkpoint_layout(std::string_view name,
                                                                 std::string_view flag) {
  std::vector<std::string> names;
  for (const Entry& entry : kLayouts) {
    if (entry.name == name) return entry.make();
    names.emplace_back(entry.name);
  }
  return fail(ErrorKind::kUsage,
              fmt::format("{}: unknown layout '{}'{}", flag, name, did_you_mean(name, names)),
              fmt::format("use one of {}", fmt::join(names, ", ")));
}

std::string rank_folder(std::uint64_t rank) { return fmt::format("rank-{:05}", rank); }

}  // namespace feedrate
