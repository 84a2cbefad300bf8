#include "feedrate/checkpoint/content.h"

#include <algorithm>

#include "feedrate/base/random.h"
#include "feedrate/format/content.h"

namespace feedrate {
namespace {

std::uint64_t name_hash(std::string_view text) {
  std::uint64_t hash = 0;
  for (const char c : text) hash = mix64(hash + static_cast<unsigned char>(c) + 1);
  return hash;
}

// Returns the content of one block, as it was written last.
SampleContent block_content(const PieceContent& piece, std::uint64_t block) {
  SampleContent sample;
  sample.seed =
      combine_seeds(combine_seeds(piece.content.seed, piece.id), block_version(piece, block));
  sample.sample = block;
  sample.bytes = piece.content.block_bytes;
  return sample;
}

// Calls visit(block, offset within it, offset within the range, count) for each block that the
// range covers, until that returns false.
template <class Visit>
void each_block(std::uint64_t block_bytes, std::uint64_t offset, std::uint64_t size,
                const Visit& visit) {
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t block = (offset + done) / block_bytes;
    const std::uint64_t within = (offset + done) % block_bytes;
    const std::uint64_t count = std::min(size - done, block_bytes - within);
    if (!visit(block, within, done, count)) return;
    done += count;
  }
}

}  // namespace

PieceContent piece_content(const CheckpointContent& content, const TensorPiece& piece,
                           std::uint64_t step) {
  std::uint64_t id = name_hash(piece.name);
  for (const std::uint64_t begin : piece.begin) id = combine_seeds(id, begin);
  return {content, id, piece.bytes(), step};
}

std::uint64_t block_version(const PieceContent& piece, std::uint64_t block) {
  if (piece.content.changed >= 1) return piece.step;
  const std::uint64_t stream = combine_seeds(combine_seeds(piece.content.seed, piece.id), block);
  const auto limit = static_cast<std::uint64_t>(piece.content.changed * 0x1p64);
  for (std::uint64_t step = piece.step; step > 0; --step)
    if (combine_seeds(stream, step) < limit) return step;
  return 0;
}

void fill_piece(const PieceContent& piece, std::uint64_t offset, std::span<std::byte> out) {
  each_block(
      piece.content.block_bytes, offset, out.size(),
      [&](std::uint64_t block, std::uint64_t within, std::uint64_t done, std::uint64_t count) {
        fill_content(block_content(piece, block), within, out.subspan(done, count));
        return true;
      });
}

std::optional<std::uint64_t> first_wrong_byte(const PieceContent& piece, std::uint64_t offset,
                                              std::span<const std::byte> bytes) {
  std::optional<std::uint64_t> wrong;
  each_block(
      piece.content.block_bytes, offset, bytes.size(),
      [&](std::uint64_t block, std::uint64_t within, std::uint64_t done, std::uint64_t count) {
        const auto at =
            first_difference(block_content(piece, block), within, bytes.subspan(done, count));
        if (at) wrong = block * piece.content.block_bytes + *at;
        return !wrong;
      });
  return wrong;
}

}  // namespace feedrate
