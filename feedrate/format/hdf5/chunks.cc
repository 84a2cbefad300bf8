#include "feedrate/format/hdf5/chunks.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>

#include "feedrate/format/hdf5/chunk_arrays.h"
#include "feedrate/format/wire.h"

namespace feedrate::hdf5 {
namespace {

constexpr std::size_t kChecksumBytes = 4;

// Returns the bytes that libhdf5 takes for a number that is at most `most`.
std::size_t width_of(std::uint64_t most) {
  return most == 0 ? 1 : (std::bit_width(most) - 1) / 8 + 1;
}

class Finder {
 public:
  Finder(Source& source, const Dataset& dataset)
      : source_(source), dataset_(dataset), counts_(chunk_counts(dataset)) {}

  Result<std::vector<Chunk>> run() {
    if (source_.defined(dataset_.address)) FEEDRATE_CHECK(find());
    std::ranges::sort(chunks_, {}, &Chunk::number);
    return std::move(chunks_);
  }

 private:
  Result<> find() {
    switch (dataset_.index) {
      case ChunkIndexKind::kTree1:
        return walk_tree1(dataset_.address, -1);
      case ChunkIndexKind::kTree2:
        return walk_tree2();
      case ChunkIndexKind::kSingle:
        return add(std::vector<std::uint64_t>(counts_.size()), dataset_.address,
                   dataset_.single_bytes);
      default:
        break;
    }
    const auto take = [this](std::uint64_t entry, std::uint64_t address, std::uint64_t bytes) {
      return add(coordinates_of(entry), address, bytes);
    };
    if (dataset_.index == ChunkIndexKind::kFixedArray)
      return each_of_fixed_array(source_, dataset_, take);
    if (dataset_.index == ChunkIndexKind::kExtensibleArray)
      return each_of_extensible_array(source_, dataset_, take);
    return each_of_implicit(take);
  }

  // Calls `take` for chunks of one size that lie end to end.
  template <class Take>
  Result<> each_of_implicit(Take take) {
    std::uint64_t total = 1;
    for (const std::uint64_t count : counts_) total *= count;
    if (total > source_.size() / std::max<std::uint64_t>(1, dataset_.chunk_bytes))
      return corrupt_at(
          source_.offset_of(dataset_.address),
          fmt::format("{} chunks of {} B do not fit the file", total, dataset_.chunk_bytes));
    for (std::uint64_t i = 0; i < total; ++i)
      FEEDRATE_CHECK(take(i, dataset_.address + i * dataset_.chunk_bytes, dataset_.chunk_bytes));
    return {};
  }

  // Adds the chunk at `at`, which counts chunks. Chunks outside the dimensions are left out; they
  // remain where the dataset shrank.
  Result<> add(const std::vector<std::uint64_t>& at, std::uint64_t address, std::uint64_t bytes) {
    if (!source_.defined(address) || bytes == 0) return {};
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (at[i] >= counts_[i]) return {};
      number = number * counts_[i] + at[i];
    }
    FEEDRATE_TRY(const Extent extent, source_.values(address, bytes));
    chunks_.push_back({number, extent});
    return {};
  }

  // Returns the coordinates of an entry. Entries of arrays count in row-major order of the largest
  // dimensions, the one without a limit first.
  std::vector<std::uint64_t> coordinates_of(std::uint64_t entry) const {
    const std::size_t rank = counts_.size();
    std::vector<std::uint64_t> at(rank);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < rank; ++i)
      if (dataset_.dims_max[i] == UINT64_MAX) order.push_back(i);
    for (std::size_t i = 0; i < rank; ++i)
      if (dataset_.dims_max[i] != UINT64_MAX) order.push_back(i);
    for (std::size_t k = rank; k-- > 1;) {
      const std::uint64_t most =
          (std::max<std::uint64_t>(1, dataset_.dims_max[order[k]]) - 1) / dataset_.chunk[order[k]] +
          1;
      at[order[k]] = entry % most;
      entry /= most;
    }
    at[order.front()] = entry;
    return at;
  }

  // The level must be one less than `above`, and no node is read twice, so the walk ends even in a
  // damaged file.
  Result<> walk_tree1(std::uint64_t address, int above) {
    if (!nodes_.insert(address).second)
      return corrupt_at(source_.offset_of(address), "a B-tree node has two nodes above it");
    const std::size_t rank = dataset_.dims.size();
    // A key has the stored bytes and the filter mask, and a coordinate for each dimension and for
    // the bytes of an element. libhdf5 reads nodes with all the room that they have.
    const std::uint64_t key = 8 + 8 * (rank + 1), half = source_.chunk_node_half;
    const std::uint64_t length =
        8 + 2 * source_.offset_bytes + (2 * half + 1) * key + 2 * half * source_.offset_bytes;
    FEEDRATE_TRY(const auto bytes, source_.read_signed(address, length, "TREE"));
    Fields fields(bytes);
    fields.skip(4);
    const std::uint64_t type = fields.number(1);
    const auto level = static_cast<int>(fields.number(1));
    const std::uint64_t used = fields.number(2);
    fields.skip(2 * source_.offset_bytes);
    if (type != 1 || (above >= 0 && level != above - 1))
      return corrupt_at(source_.offset_of(address), "a B-tree node does not fit its dataset");
    for (std::uint64_t i = 0; i < used; ++i) {
      const std::uint64_t chunk_bytes = fields.number(4);
      fields.skip(4);
      std::vector<std::uint64_t> at(rank);
      for (std::size_t d = 0; d < rank; ++d) at[d] = fields.number(8) / dataset_.chunk[d];
      fields.skip(8);
      const std::uint64_t child = fields.number(source_.offset_bytes);
      if (fields.failed())
        return corrupt_at(source_.offset_of(address), "a B-tree node has more than it can hold");
      FEEDRATE_CHECK(level > 0 ? walk_tree1(child, level) : add(at, child, chunk_bytes));
    }
    return {};
  }

  struct Tree2 {
    std::uint64_t node_bytes = 0, record_bytes = 0;
    std::size_t leaf_width = 0;                 // of the number of records in a node
    std::vector<std::size_t> subtree_width{0};  // of the records below a node, by its level
  };

  Result<> walk_tree2() {
    constexpr std::uint64_t kNodeBytesMax = std::uint64_t{1} << 24U;
    const std::uint64_t length = 22 + source_.offset_bytes + source_.length_bytes;
    FEEDRATE_TRY(const auto bytes, source_.read_signed(dataset_.address, length, "BTHD"));
    Fields fields(bytes);
    fields.skip(6);
    Tree2 tree;
    tree.node_bytes = fields.number(4);
    tree.record_bytes = fields.number(2);
    const std::uint64_t depth = fields.number(2);
    fields.skip(2);
    const std::uint64_t root = fields.number(source_.offset_bytes), records = fields.number(2);
    const std::uint64_t head = 6 + kChecksumBytes;
    const std::uint64_t fixed = source_.offset_bytes + 8 * dataset_.dims.size();
    if (fields.failed() || tree.record_bytes < fixed + (dataset_.filtered ? 5 : 0) ||
        tree.node_bytes < head + tree.record_bytes || tree.node_bytes > kNodeBytesMax || depth > 16)
      return corrupt_at(source_.offset_of(dataset_.address), "a B-tree with absurd sizes");
    std::uint64_t most = (tree.node_bytes - head) / tree.record_bytes, below = most;
    tree.leaf_width = width_of(most);
    // A pointer has an address, the number of records in the child, and from level 2 on the number
    // of those below it. The fields are as wide as the largest number that could stand there.
    for (std::uint64_t level = 1; level <= depth; ++level) {
      const std::uint64_t pointer =
          source_.offset_bytes + tree.leaf_width + tree.subtree_width.back();
      most = (tree.node_bytes - std::min(tree.node_bytes, head + pointer)) /
             (tree.record_bytes + pointer);
      below = (most + 1) * below + most;
      tree.subtree_width.push_back(width_of(below));
    }
    return source_.defined(root) ? walk_tree2_node(tree, root, depth, records) : Result<>();
  }

  Result<> walk_tree2_node(const Tree2& tree, std::uint64_t address, std::uint64_t level,
                           std::uint64_t records) {
    if (!nodes_.insert(address).second)
      return corrupt_at(source_.offset_of(address), "a B-tree node has two nodes above it");
    FEEDRATE_TRY(const auto bytes,
                 source_.read_signed(address, tree.node_bytes, level > 0 ? "BTIN" : "BTLF"));
    Fields fields(bytes);
    fields.skip(6);
    Fields values(fields.bytes(records * tree.record_bytes));
    if (fields.failed())
      return corrupt_at(source_.offset_of(address), "a B-tree node has more than it can hold");
    // All records come first in the node, and all pointers after them.
    for (std::uint64_t i = 0; i <= records; ++i) {
      if (level > 0) {
        const std::uint64_t child = fields.number(source_.offset_bytes);
        const std::uint64_t count = fields.number(tree.leaf_width);
        fields.skip(level > 1 ? tree.subtree_width[level - 1] : 0);
        if (fields.failed())
          return corrupt_at(source_.offset_of(address), "a B-tree node has more than it can hold");
        FEEDRATE_CHECK(walk_tree2_node(tree, child, level - 1, count));
      }
      if (i < records) FEEDRATE_CHECK(add_record(values.bytes(tree.record_bytes)));
    }
    return {};
  }

  Result<> add_record(std::span<const std::byte> record) {
    Fields fields(record);
    const std::uint64_t address = fields.number(source_.offset_bytes);
    std::uint64_t bytes = dataset_.chunk_bytes;
    const std::size_t rank = counts_.size();
    if (dataset_.filtered) {
      bytes = fields.number(
          std::min<std::size_t>(8, record.size() - source_.offset_bytes - 4 - 8 * rank));
      fields.skip(4);
    }
    std::vector<std::uint64_t> at(rank);
    for (std::uint64_t& coordinate : at) coordinate = fields.number(8);
    return add(at, address, bytes);
  }

  Source& source_;
  const Dataset& dataset_;
  const std::vector<std::uint64_t> counts_;
  std::set<std::uint64_t> nodes_;
  std::vector<Chunk> chunks_;
};

}  // namespace

Result<std::vector<Chunk>> find_chunks(Source& source, const Dataset& dataset) {
  return Finder(source, dataset).run();
}

std::vector<std::uint64_t> chunk_counts(const Dataset& dataset) {
  std::vector<std::uint64_t> counts(dataset.dims.size());
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] = dataset.dims[i] == 0 ? 0 : (dataset.dims[i] - 1) / dataset.chunk[i] + 1;
  return counts;
}

}  // namespace feedrate::hdf5
