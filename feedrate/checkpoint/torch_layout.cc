#include "feedrate/checkpoint/torch_layout.h"

#include <fmt/format.h>

#include "feedrate/checkpoint/torch_zip.h"

namespace feedrate {
namespace {

// Plans the archive of a list of anything that has a TensorPiece in it.
template <class Pieces, class PieceOf>
TorchZip zip_of(const Pieces& pieces, const PieceOf& piece_of) {
  Pickle pickle;
  std::vector<std::uint64_t> bytes;
  pickle.empty_dict();
  pickle.mark();
  for (const auto& item : pieces) {
    const TensorPiece& piece = piece_of(item);
    pickle.text(piece.name);
    append_tensor(pickle, piece, bytes.size());
    bytes.push_back(piece.bytes());
  }
  pickle.set_items();
  return {std::move(pickle).finish(), bytes};
}

FilePlan plan_of(const std::string& path, const ShardGroup& group) {
  const TorchZip zip =
      zip_of(group.pieces, [](const TensorPiece& piece) -> auto& { return piece; });
  FilePlan file;
  file.path = path;
  file.texts.push_back({0, zip.head()});
  for (std::size_t index = 0; index < group.pieces.size(); ++index) {
    const TorchZip::Storage& storage = zip.storages()[index];
    file.texts.push_back({storage.header_offset, storage.header});
    file.pieces.push_back({group.pieces[index], storage.data_offset()});
  }
  file.trailer_offset = zip.trailer_offset();
  const std::vector<std::uint32_t> any(group.pieces.size());
  file.bytes = file.trailer_offset + zip.trailer(any).size();
  return file;
}

class TorchLayout final : public CheckpointLayout {
 public:
  std::string_view name() const override { return "torch"; }
  bool wants_crc32() const override { return true; }

  std::vector<RankFiles> place(std::span<const RankGroups> ranks) const override {
    std::vector<RankFiles> result;
    for (const RankGroups& rank : ranks) {
      RankFiles files{rank.rank, {}};
      for (const ShardGroup& group : rank.groups)
        files.files.push_back(
            plan_of(fmt::format("{}/{}.pt", rank_folder(rank.rank), group.name), group));
      result.push_back(std::move(files));
    }
    return result;
  }

  std::string after_piece(const FilePlan& file, std::size_t piece,
                          std::uint32_t crc32) const override {
    const FileText& header = file.texts[1 + piece];  // The first text is the archive's head.
    return TorchZip::descriptor(header.offset, file.pieces[piece].piece.bytes(), crc32);
  }

  std::string trailer(const FilePlan& file, std::span<const std::uint32_t> crc32) const override {
    return zip_of(file.pieces, [](const PlacedPiece& placed) -> auto& { return placed.piece; })
        .trailer(crc32);
  }
};

}  // namespace

std::unique_ptr<CheckpointLayout> make_torch_layout() { return std::make_unique<TorchLayout>(); }

}  // namespace feedrate
