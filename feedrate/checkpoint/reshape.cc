#include "feedrate/checkpoint/reshape.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

namespace feedrate {
namespace {

using PiecesByName = std::unordered_map<std::string_view, std::vector<PiecePlace>>;

const TensorPiece& piece_at(const CheckpointManifest& manifest, const PiecePlace& place) {
  return manifest.ranks[place.rank].files[place.file].pieces[place.piece].placed.piece;
}

// Returns the pieces of each tensor. Of a piece that several ranks wrote the first one's is taken.
PiecesByName pieces_of(const CheckpointManifest& manifest) {
  PiecesByName pieces;
  std::set<std::pair<std::string_view, std::vector<std::uint64_t>>> seen;
  for (std::size_t rank = 0; rank < manifest.ranks.size(); ++rank)
    for (std::size_t file = 0; file < manifest.ranks[rank].files.size(); ++file) {
      const std::vector<PieceRecord>& records = manifest.ranks[rank].files[file].pieces;
      for (std::size_t piece = 0; piece < records.size(); ++piece) {
        const TensorPiece& tensor = records[piece].placed.piece;
        if (seen.insert({tensor.name, tensor.begin}).second)
          pieces[tensor.name].push_back({rank, file, piece});
      }
    }
  return pieces;
}

// Adds what `wanted` has in common with `have`, as ranges of bytes of `have`. Returns the number of
// bytes in common.
std::uint64_t add_common(const TensorPiece& wanted, const TensorPiece& have,
                         const PiecePlace& place, std::vector<PieceRange>& ranges) {
  const std::size_t dimensions = have.shape.size();
  if (wanted.shape.size() != dimensions) return 0;
  std::vector<std::uint64_t> begin(dimensions), count(dimensions);
  std::uint64_t common = dtype_bytes(have.dtype);
  for (std::size_t d = 0; d < dimensions; ++d) {
    begin[d] = std::max(wanted.begin[d], have.begin[d]);
    const std::uint64_t end =
        std::min(wanted.begin[d] + wanted.shape[d], have.begin[d] + have.shape[d]);
    if (end <= begin[d]) return 0;
    count[d] = end - begin[d];
    begin[d] -= have.begin[d];
    common *= count[d];
  }
  // The common part is made of rows of the first dimension with a run of the second in each of
  // them; further dimensions are never cut.
  std::uint64_t item = dtype_bytes(have.dtype);
  for (std::size_t d = 2; d < dimensions; ++d) item *= have.shape[d];
  const std::uint64_t columns = dimensions > 1 ? have.shape[1] : 1;
  const std::uint64_t first_column = dimensions > 1 ? begin[1] : 0;
  const std::uint64_t run = (dimensions > 1 ? count[1] : 1) * item, row = columns * item;
  const std::uint64_t first = begin[0] * row + first_column * item;
  if (row - run <= kReadThrough) {
    ranges.push_back({place, first, (count[0] - 1) * row + run});
    return common;
  }
  for (std::uint64_t index = 0; index < count[0]; ++index)
    ranges.push_back({place, first + index * row, run});
  return common;
}

std::string cannot(const CheckpointManifest& manifest) {
  return fmt::format("step {} cannot be restored onto another topology", manifest.step);
}

}  // namespace

Result<> check_reshape(const CheckpointManifest& manifest, const Parallelism& target,
                       bool weights_only) {
  if (!manifest.emulated)
    return fail(ErrorKind::kUsage, cannot(manifest) + ": it has files, not a model's tensors",
                "leave out --tensor-parallel, --pipeline-parallel, --data-parallel and --zero");
  if (manifest.ranks.size() < manifest.parallelism.ranks())
    return fail(ErrorKind::kUsage,
                fmt::format("{}: {} of its {} ranks were written", cannot(manifest),
                            manifest.ranks.size(), manifest.parallelism.ranks()),
                "write it without --subset");
  if (!weights_only && (manifest.parallelism.zero_stage == 0) != (target.zero_stage == 0))
    return fail(
        ErrorKind::kUsage,
        fmt::format("{}: with ZeRO {} the optimizer's state is cut in another way than with "
                    "ZeRO {}",
                    cannot(manifest), manifest.parallelism.zero_stage, target.zero_stage),
        manifest.parallelism.zero_stage == 0 ? "use --zero 0" : "use --zero 1, 2 or 3");
  return {};
}

Result<std::vector<RankNeeds>> reshape(const CheckpointManifest& manifest, const ModelShape& model,
                                       const Parallelism& target, bool weights_only) {
  FEEDRATE_CHECK(check_reshape(manifest, target, weights_only));
  const PiecesByName pieces = pieces_of(manifest);
  const Precision precision{Bytes(manifest.weight_bytes),
                            Bytes(weights_only ? 0 : manifest.optimizer_bytes)};
  std::vector<RankNeeds> needs;
  for (std::uint64_t rank = 0; rank < target.ranks(); ++rank) {
    RankNeeds& need = needs.emplace_back();
    need.rank = rank;
    for (const ShardGroup& group :
         needed_tensors(model, target, precision, place_of_rank(target, rank)))
      for (const TensorPiece& wanted : group.pieces) {
        const auto found = pieces.find(wanted.name);
        if (found == pieces.end())
          return fail(ErrorKind::kUsage,
                      fmt::format("{}: it has no tensor '{}' of model {}", cannot(manifest),
                                  wanted.name, model.name),
                      "name the model's file with --model");
        for (const PiecePlace& place : found->second)
          need.needed_bytes += add_common(wanted, piece_at(manifest, place), place, need.ranges);
      }
    std::ranges::sort(need.ranges, [](const PieceRange& a, const PieceRange& b) {
      return std::tie(a.place.rank, a.place.file, a.place.piece, a.offset) <
             std::tie(b.place.rank, b.place.file, b.place.piece, b.offset);
    });
  }
  return needs;
}

}  // namespace feedrate
