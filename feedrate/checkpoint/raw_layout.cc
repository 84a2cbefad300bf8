#include "feedrate/checkpoint/raw_layout.h"

#include <fmt/format.h>

namespace feedrate {
namespace {

// Parts of a shared file begin at multiples of this, so that each can be written directly.
constexpr std::uint64_t kPartAlignment = 4096;

void append(const ShardGroup& group, FilePlan& file) {
  for (const TensorPiece& piece : group.pieces) {
    file.pieces.push_back({piece, file.bytes});
    file.bytes += piece.bytes();
  }
  file.trailer_offset = file.bytes;
}

class RawLayout final : public CheckpointLayout {
 public:
  std::string_view name() const override { return "raw"; }
  std::vector<RankFiles> place(std::span<const RankGroups> ranks) const override {
    std::vector<RankFiles> result;
    for (const RankGroups& rank : ranks) {
      RankFiles files{rank.rank, {}};
      for (const ShardGroup& group : rank.groups) {
        FilePlan file;
        file.path = fmt::format("{}/{}.bin", rank_folder(rank.rank), group.name);
        append(group, file);
        files.files.push_back(std::move(file));
      }
      result.push_back(std::move(files));
    }
    return result;
  }
};

class SharedLayout final : public CheckpointLayout {
 public:
  std::string_view name() const override { return "shared"; }
  std::vector<RankFiles> place(std::span<const RankGroups> ranks) const override {
    std::vector<RankFiles> result;
    std::uint64_t begin = 0;
    for (const RankGroups& rank : ranks) {
      RankFiles files{rank.rank, {}};
      FilePlan file;
      file.path = "checkpoint.bin";
      file.begin = begin;
      file.shared = true;
      for (const ShardGroup& group : rank.groups) append(group, file);
      if (file.bytes > 0) {
        // Zeros fill the part up to the next one, because direct writes are of whole blocks, except
        // at the end of a file.
        const std::uint64_t padded =
            (file.bytes + kPartAlignment - 1) / kPartAlignment * kPartAlignment;
        file.bytes = file.trailer_offset = padded;
        begin += padded;
        files.files.push_back(std::move(file));
      }
      result.push_back(std::move(files));
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<CheckpointLayout> make_raw_layout() { return std::make_unique<RawLayout>(); }
std::unique_ptr<CheckpointLayout> make_shared_layout() { return std::make_unique<SharedLayout>(); }

}  // namespace feedrate
