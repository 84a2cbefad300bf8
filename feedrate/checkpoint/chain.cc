#include "feedrate/checkpoint/chain.h"

#include <fmt/format.h>

#include <algorithm>

namespace feedrate {
namespace {

// Returns whether blocks of one can replace blocks of the other, because both have the same pieces
// at the same places.
bool same_files(const CheckpointManifest& a, const CheckpointManifest& b) {
  return a.layout == b.layout && a.sum_block_bytes == b.sum_block_bytes &&
         std::ranges::equal(a.ranks, b.ranks, [](const RankRecord& one, const RankRecord& two) {
           return one.rank == two.rank &&
                  std::ranges::equal(
                      one.files, two.files, [](const FileRecord& first, const FileRecord& second) {
                        return first.path == second.path && first.begin == second.begin &&
                               first.bytes == second.bytes &&
                               std::ranges::equal(first.pieces, second.pieces, {},
                                                  &PieceRecord::placed, &PieceRecord::placed);
                      });
         });
}

}  // namespace

std::uint64_t Gather::bytes() const {
  std::uint64_t sum = 0;
  for (const StreamRead& read : reads) sum += read.length;
  return sum;
}

Result<CheckpointChain> CheckpointChain::make(std::vector<CheckpointManifest> manifests) {
  CheckpointChain chain;
  for (std::size_t level = 0; level + 1 < manifests.size(); ++level) {
    const CheckpointManifest &child = manifests[level], &parent = manifests[level + 1];
    if (child.parent != parent.step || !same_files(child, parent))
      return fail(ErrorKind::kCorrupt,
                  fmt::format("step {} is not what step {} builds upon", parent.step, child.step));
    chain.stored_.push_back(stored(child));
  }
  // load_chain() goes on until a step has no parent.
  FEEDRATE_ASSERT(!manifests.back().parent);
  chain.manifests_ = std::move(manifests);
  return chain;
}

CheckpointChain::StoredStep CheckpointChain::stored(const CheckpointManifest& manifest) {
  StoredStep step;
  for (const RankRecord& rank : manifest.ranks) {
    std::vector<StoredFile>& files = step.emplace_back();
    std::uint64_t at = 0;
    for (const FileRecord& file : rank.files) {
      StoredFile& stored = files.emplace_back();
      std::uint64_t end = 0;  // The end of what is accounted for in the file.
      for (const PieceRecord& record : file.pieces) {
        stored.frames.push_back(at);
        at += record.placed.offset - end;
        end = record.placed.offset + record.placed.piece.bytes();
        std::vector<StoredRun>& runs = stored.pieces.emplace_back();
        for (const BlockRun& run : record.changed) {
          runs.push_back({run, at});
          at += std::min(record.placed.piece.bytes(),
                         (run.first + run.count) * manifest.sum_block_bytes) -
                run.first * manifest.sum_block_bytes;
        }
      }
      stored.frames.push_back(at);
      at += file.bytes - end;
    }
  }
  return step;
}

// Returns the newest level that has the block; `offset` is where the block begins in that level's
// changed.bin. The last level is whole and has every block.
std::size_t CheckpointChain::level_of(const PiecePlace& place, std::uint64_t block,
                                      std::uint64_t& offset) const {
  for (std::size_t level = 0; level < stored_.size(); ++level) {
    const std::vector<StoredRun>& runs = stored_[level][place.rank][place.file].pieces[place.piece];
    const auto after = std::ranges::upper_bound(
        runs, block, {}, [](const StoredRun& stored) { return stored.run.first; });
    if (after == runs.begin()) continue;
    const StoredRun& found = *(after - 1);
    if (block >= found.run.first + found.run.count) continue;
    offset = found.offset + (block - found.run.first) * manifests_[level].sum_block_bytes;
    return level;
  }
  return stored_.size();
}

void CheckpointChain::add(std::size_t level, std::size_t rank, std::size_t file,
                          std::uint64_t offset, std::uint64_t length, std::uint64_t block_bytes,
                          Gather& gather) const {
  const CheckpointManifest& manifest = manifests_[level];
  const RankRecord& record = manifest.ranks[rank];
  const bool whole = level == stored_.size();
  const std::string path = fmt::format(
      "{}/{}", step_folder(manifest.step),
      whole ? record.files[file].path : fmt::format("rank-{:05}/{}", record.rank, kChangedFile));
  if (whole) offset += record.files[file].begin;
  const auto known = std::ranges::find(gather.files, path, &Gather::File::path);
  const auto number = static_cast<std::size_t>(known - gather.files.begin());
  if (known == gather.files.end()) gather.files.push_back({path, 0});
  gather.files[number].end = std::max(gather.files[number].end, offset + length);
  while (length > 0) {
    StreamRead* last = gather.reads.empty() ? nullptr : &gather.reads.back();
    const bool follows = last != nullptr && last->file == number &&
                         last->offset + last->length == offset && last->length < block_bytes;
    if (!follows) last = &gather.reads.emplace_back(StreamRead{number, offset, 0});
    // Neighbouring bytes go into one read of at most a block, because changed blocks are often
    // smaller than a good read.
    const std::uint64_t count = std::min(length, block_bytes - last->length);
    last->length += count;
    offset += count;
    length -= count;
  }
}

void CheckpointChain::add_piece(const PiecePlace& place, std::uint64_t offset, std::uint64_t length,
                                std::uint64_t block_bytes, Gather& gather) const {
  const std::uint64_t base =
      manifests_.back().ranks[place.rank].files[place.file].pieces[place.piece].placed.offset;
  if (stored_.empty()) {
    add(0, place.rank, place.file, base + offset, length, block_bytes, gather);
    return;
  }
  const std::uint64_t sum_block = newest().sum_block_bytes;
  while (length > 0) {
    const std::uint64_t within = offset % sum_block;
    const std::uint64_t count = std::min(length, sum_block - within);
    std::uint64_t stored_at = 0;
    const std::size_t level = level_of(place, offset / sum_block, stored_at);
    const std::uint64_t at = level == stored_.size() ? base + offset : stored_at + within;
    add(level, place.rank, place.file, at, count, block_bytes, gather);
    offset += count;
    length -= count;
  }
}

Gather CheckpointChain::file(std::size_t rank, std::size_t file, std::uint64_t block_bytes) const {
  Gather gather;
  const FileRecord& record = newest().ranks[rank].files[file];
  if (stored_.empty()) {
    add(0, rank, file, 0, record.bytes, block_bytes, gather);
    return gather;
  }
  // What stands around the pieces is stored whole in every step, so it is read from the newest one.
  const StoredFile& stored = stored_[0][rank][file];
  std::uint64_t end = 0;
  for (std::size_t piece = 0; piece < record.pieces.size(); ++piece) {
    const PlacedPiece& placed = record.pieces[piece].placed;
    if (placed.offset > end)
      add(0, rank, file, stored.frames[piece], placed.offset - end, block_bytes, gather);
    add_piece({rank, file, piece}, 0, placed.piece.bytes(), block_bytes, gather);
    end = placed.offset + placed.piece.bytes();
  }
  if (record.bytes > end)
    add(0, rank, file, stored.frames.back(), record.bytes - end, block_bytes, gather);
  return gather;
}

Task<Result<CheckpointChain>> load_chain(CheckpointStore& store, std::uint64_t step) {
  std::vector<CheckpointManifest> manifests;
  while (true) {
    Result<CheckpointManifest> manifest = co_await store.manifest(step);
    if (!manifest && manifests.empty()) co_return fail(manifest.error());
    if (!manifest)
      co_return fail(ErrorKind::kCorrupt,
                     fmt::format("it builds upon step {}: {}", step, manifest.error().message()));
    manifests.push_back(std::move(*manifest));
    if (!manifests.back().parent) break;
    step = *manifests.back().parent;
  }
  co_return CheckpointChain::make(std::move(manifests));
}

}  // namespace feedrate
