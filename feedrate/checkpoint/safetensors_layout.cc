#include "feedrate/checkpoint/safetensors_layout.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "feedrate/base/json_text.h"

namespace feedrate {
namespace {

using Json = nlohmann::ordered_json;

std::string_view format_dtype(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return "F32";
    case Dtype::kBf16:
      return "BF16";
    case Dtype::kU8:
      return "U8";
  }
  return "U8";
}

std::string piece_name(const TensorPiece& piece) {
  return piece.whole() ? piece.name : fmt::format("{}@{}", piece.name, fmt::join(piece.begin, ","));
}

// Returns the length as 8 bytes, little-endian, and the header, padded with spaces to a multiple of
// 8 bytes.
std::string head(const ShardGroup& group) {
  Json json{{"__metadata__", {{"format", "pt"}}}};
  std::uint64_t offset = 0;
  for (const TensorPiece& piece : group.pieces) {
    json[piece_name(piece)] = {{"dtype", format_dtype(piece.dtype)},
                               {"shape", piece.shape},
                               {"data_offsets", {offset, offset + piece.bytes()}}};
    offset += piece.bytes();
  }
  std::string text = json_text(json, -1);
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string length;
  for (int byte = 0; byte < 8; ++byte)
    length += static_cast<char>((text.size() >> (8 * byte)) & 0xff);
  return length + text;
}

class SafetensorsLayout final : public CheckpointLayout {
 public:
  std::string_view name() const override { return "safetensors"; }

  std::vector<RankFiles> place(std::span<const RankGroups> ranks) const override {
    std::vector<RankFiles> result;
    for (const RankGroups& rank : ranks) {
      RankFiles files{rank.rank, {}};
      for (const ShardGroup& group : rank.groups) {
        FilePlan file;
        file.path = fmt::format("{}/{}.safetensors", rank_folder(rank.rank), group.name);
        file.texts.push_back({0, head(group)});
        file.bytes = file.texts.back().bytes.size();
        for (const TensorPiece& piece : group.pieces) {
          file.pieces.push_back({piece, file.bytes});
          file.bytes += piece.bytes();
        }
        file.trailer_offset = file.bytes;
        files.files.push_back(std::move(file));
      }
      result.push_back(std::move(files));
    }
    return result;
  }

  std::vector<WholeFile> common_files(std::span<const RankFiles> ranks) const override {
    std::uint64_t bytes = 0;
    Json map = Json::object();
    for (const RankFiles& rank : ranks)
      for (const FilePlan& file : rank.files)
        for (const PlacedPiece& placed : file.pieces) {
          bytes += placed.piece.bytes();
          map[piece_name(placed.piece)] = file.path;
        }
    const Json json{{"metadata", {{"total_size", bytes}}}, {"weight_map", std::move(map)}};
    return {{"model.safetensors.index.json", json_text(json, 1) + "\n"}};
  }
};

}  // namespace

std::unique_ptr<CheckpointLayout> make_safetensors_layout() {
  return std::make_unique<SafetensorsLayout>();
}

}  // namespace feedrate
