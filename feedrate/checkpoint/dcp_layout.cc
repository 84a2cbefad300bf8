#include "feedrate/checkpoint/dcp_layout.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <unordered_map>

#include "feedrate/checkpoint/torch_zip.h"

namespace feedrate {
namespace {

constexpr std::string_view kMetadata = "torch.distributed.checkpoint.metadata";
constexpr std::string_view kFileSystem = "torch.distributed.checkpoint.filesystem";

TorchZip zip_of(const TensorPiece& piece) {
  Pickle pickle;
  append_tensor(pickle, piece, 0);
  return {std::move(pickle).finish(), std::array{piece.bytes()}};
}

std::string after_data(const TensorPiece& piece, std::uint32_t crc32) {
  const TorchZip zip = zip_of(piece);
  return TorchZip::descriptor(zip.storages()[0].header_offset, piece.bytes(), crc32) +
         zip.trailer(std::array{crc32});
}

FilePlan plan_of(const RankGroups& rank) {
  FilePlan file;
  file.path = fmt::format("__{}_0.distcp", rank.rank);
  for (const ShardGroup& group : rank.groups)
    for (const TensorPiece& piece : group.pieces) {
      const TorchZip zip = zip_of(piece);
      const TorchZip::Storage& storage = zip.storages()[0];
      file.texts.push_back({file.bytes, zip.head() + storage.header});
      file.pieces.push_back({piece, file.bytes + storage.data_offset()});
      file.bytes = file.pieces.back().offset + piece.bytes() + after_data(piece, 0).size();
    }
  file.trailer_offset = file.bytes;
  return file;
}

// A rectangle of a tensor, and the place of the archive that holds it.
struct Chunk {
  const TensorPiece* piece;
  const std::string* path;
  std::uint64_t offset, length;
};

struct Tensor {
  std::string_view name;
  std::vector<Chunk> chunks;
};

// Returns the tensors in the order in which the ranks write them. Of a rectangle that several ranks
// wrote the first one's is named.
std::vector<Tensor> tensors_of(std::span<const RankFiles> ranks) {
  std::vector<Tensor> tensors;
  std::unordered_map<std::string_view, std::size_t> by_name;
  std::set<std::pair<std::size_t, std::vector<std::uint64_t>>> seen;
  for (const RankFiles& rank : ranks)
    for (const FilePlan& file : rank.files)
      for (std::size_t index = 0; index < file.pieces.size(); ++index) {
        const TensorPiece& piece = file.pieces[index].piece;
        const auto [tensor, fresh] = by_name.try_emplace(piece.name, tensors.size());
        if (fresh) tensors.push_back({piece.name, {}});
        if (!seen.insert({tensor->second, piece.begin}).second) continue;
        // An archive has its head, which is one of the texts, then the piece and what follows it up
        // to the next head.
        const std::uint64_t begin = file.texts[index].offset;
        const std::uint64_t end =
            index + 1 < file.texts.size() ? file.texts[index + 1].offset : file.trailer_offset;
        tensors[tensor->second].chunks.push_back({&piece, &file.path, begin, end - begin});
      }
  return tensors;
}

std::string_view dtype_name(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return "float32";
    case Dtype::kBf16:
      return "bfloat16";
    case Dtype::kU8:
      return "uint8";
  }
  return "uint8";
}

// Writes the pickle of .metadata. A call of a class is begin() with its name, then the arguments,
// then end().
class MetadataPickle {
 public:
  std::string write(const std::vector<Tensor>& tensors) {
    begin(kMetadata, "Metadata");
    dict(tensors, [this](const Tensor& tensor) { storage_metadata(tensor); });
    // This dict says from which nested key torch 2.x flattened each name; nothing is nested here.
    dict(tensors, [this](const Tensor& tensor) {
      pickle_.mark();
      pickle_.text(tensor.name);
      pickle_.tuple();
    });
    storage_data(tensors);
    end();
    return std::move(pickle_).finish();
  }

 private:
  void begin(std::string_view module, std::string_view name) {
    pickle_.global(module, name);
    pickle_.mark();
  }
  void end() {
    pickle_.tuple();
    pickle_.reduce();
  }
  template <class Value>
  void dict(const std::vector<Tensor>& tensors, const Value& value) {
    pickle_.empty_dict();
    pickle_.mark();
    for (const Tensor& tensor : tensors) {
      pickle_.text(tensor.name);
      value(tensor);
    }
    pickle_.set_items();
  }

  // Offsets occur twice and most sizes are those of other chunks, so a size is written once and
  // then recalled.
  void size(const std::vector<std::uint64_t>& values) {
    const std::string key = fmt::format("size {}", fmt::join(values, " "));
    if (pickle_.recall(key)) return;
    begin("torch", "Size");
    pickle_.integers(values);
    end();
    pickle_.keep(key);
  }

  void storage_metadata(const Tensor& tensor) {
    const TensorPiece& first = *tensor.chunks.front().piece;
    begin(kMetadata, "TensorStorageMetadata");
    begin(kMetadata, "TensorProperties");
    pickle_.global("torch", dtype_name(first.dtype));
    end();
    size(first.global);
    pickle_.empty_list();
    pickle_.mark();
    for (const Chunk& chunk : tensor.chunks) {
      begin(kMetadata, "ChunkStorageMetadata");
      size(chunk.piece->begin);
      size(chunk.piece->shape);
      end();
    }
    pickle_.append_items();
    end();
  }

  void storage_data(const std::vector<Tensor>& tensors) {
    pickle_.empty_dict();
    pickle_.mark();
    for (const Tensor& tensor : tensors)
      for (std::size_t index = 0; index < tensor.chunks.size(); ++index) {
        const Chunk& chunk = tensor.chunks[index];
        begin(kMetadata, "MetadataIndex");
        pickle_.text(tensor.name);
        size(chunk.piece->begin);
        pickle_.integer(index);
        end();
        begin(kFileSystem, "_StorageInfo");
        pickle_.text(*chunk.path);
        pickle_.integer(chunk.offset);
        pickle_.integer(chunk.length);
        end();
      }
    pickle_.set_items();
  }

  Pickle pickle_;
};

class DcpLayout final : public CheckpointLayout {
 public:
  std::string_view name() const override { return "dcp"; }
  bool wants_crc32() const override { return true; }

  std::vector<RankFiles> place(std::span<const RankGroups> ranks) const override {
    std::vector<RankFiles> result;
    for (const RankGroups& rank : ranks) {
      result.push_back({rank.rank, {}});
      if (!rank.groups.empty()) result.back().files.push_back(plan_of(rank));
    }
    return result;
  }

  // Every piece is an archive of its own, so its directory follows each.
  std::string after_piece(const FilePlan& file, std::size_t piece,
                          std::uint32_t crc32) const override {
    return after_data(file.pieces[piece].piece, crc32);
  }

  std::vector<WholeFile> common_files(std::span<const RankFiles> ranks) const override {
    return {{".metadata", MetadataPickle().write(tensors_of(ranks))}};
  }
};

}  // namespace

std::unique_ptr<CheckpointLayout> make_dcp_layout() { return std::make_unique<DcpLayout>(); }

}  // namespace feedrate
