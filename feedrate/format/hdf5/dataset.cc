#include "feedrate/format/hdf5/dataset.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/format/hdf5/group.h"
#include "feedrate/format/wire.h"

namespace feedrate::hdf5 {
namespace {

constexpr std::size_t kRankMax = 32;
constexpr std::uint64_t kVariableLength = 9, kReference = 7;  // classes of datatypes
constexpr std::uint64_t kCompact = 0, kContiguous = 1, kChunked = 2;

class Describer {
 public:
  Describer(Source& source, const ObjectHeader& header, const std::string& name)
      : source_(source), header_(header), name_(name) {}

  Result<Dataset> run() {
    for (const MessageType type :
         {MessageType::kDataspace, MessageType::kDatatype, MessageType::kLayout}) {
      const Message* message = header_.find(type);
      if (message == nullptr)
        return bad(fmt::format("'{}' is not a dataset: a message is missing", name_));
      if (message->shared) return unsupported(name_, "has a type that is stored elsewhere (named)");
    }
    FEEDRATE_CHECK(check_external());
    FEEDRATE_CHECK(read_dataspace(header_.find(MessageType::kDataspace)->body));
    FEEDRATE_CHECK(read_datatype(header_.find(MessageType::kDatatype)->body));
    if (const Message* filters = header_.find(MessageType::kFilters))
      dataset_.filtered = filters->body.size() > 1 && filters->body[1] != std::byte{0};
    // A damaged file may claim any dimensions, so their product is checked.
    dataset_.bytes = dataset_.element_bytes;
    for (const std::uint64_t extent : dataset_.dims)
      if (__builtin_mul_overflow(dataset_.bytes, extent, &dataset_.bytes) ||
          dataset_.bytes > INT64_MAX)
        return bad("dataset with absurd dimensions");
    FEEDRATE_CHECK(read_layout(header_.find(MessageType::kLayout)->body));
    return std::move(dataset_);
  }

 private:
  std::unexpected<Error> bad(std::string_view what) const {
    return corrupt_at(header_.offset, what);
  }

  Result<> check_external() {
    const Message* message = header_.find(MessageType::kExternalFiles);
    if (message == nullptr) return {};
    Fields fields(message->body);
    fields.skip(8);
    const std::uint64_t heap = fields.number(source_.offset_bytes);
    FEEDRATE_TRY(const std::string file,
                 heap_name(source_, heap, fields.number(source_.length_bytes)));
    return unsupported(name_, fmt::format("keeps its values in another file, '{}'", file));
  }

  Result<> read_dataspace(std::span<const std::byte> body) {
    Fields fields(body);
    const std::uint64_t version = fields.number(1), rank = fields.number(1),
                        flags = fields.number(1);
    fields.skip(version == 1 ? 5 : 1);
    if (version < 1 || version > 2 || rank > kRankMax) return bad("dataspace of unknown version");
    for (std::uint64_t i = 0; i < rank; ++i)
      dataset_.dims.push_back(fields.number(source_.length_bytes));
    dataset_.dims_max = dataset_.dims;
    if ((flags & 1U) != 0)
      for (std::uint64_t& most : dataset_.dims_max) most = fields.number(source_.length_bytes);
    if (fields.failed()) return bad("dataspace is cut off");
    return {};
  }

  Result<> read_datatype(std::span<const std::byte> body) {
    Fields fields(body);
    const std::uint64_t type = fields.number(1) & 15U;
    fields.skip(3);
    dataset_.element_bytes = fields.number(4);
    if (fields.failed() || dataset_.element_bytes == 0) return bad("datatype without a size");
    if (type == kVariableLength || type == kReference)
      return unsupported(name_, "has values of variable length, or references");
    return {};
  }

  Result<> read_layout(std::span<const std::byte> body) {
    Fields fields(body);
    const std::uint64_t version = fields.number(1);
    if (version < 1 || version > 4) return bad("layout of unknown version");
    const std::uint64_t old_rank = version < 3 ? fields.number(1) : 0;
    const std::uint64_t kind = fields.number(1);
    if (kind == kCompact) return unsupported(name_, "is stored within its header (compact)");
    if (kind > kChunked) return unsupported(name_, "is virtual: its values are in other files");
    if (version < 3) fields.skip(5);
    if (kind == kContiguous) {
      dataset_.address = fields.number(source_.offset_bytes);
    } else if (version == 4) {
      FEEDRATE_CHECK(read_newer_chunks(fields));
    } else {
      const std::uint64_t rank = version < 3 ? old_rank : fields.number(1);
      dataset_.address = fields.number(source_.offset_bytes);
      FEEDRATE_CHECK(read_chunk(fields, rank, 4));
    }
    if (fields.failed()) return bad("layout is cut off");
    return {};
  }

  // `rank` is one more than the dataset's, since it counts the bytes of an element as a dimension.
  Result<> read_chunk(Fields& fields, std::uint64_t rank, std::size_t width) {
    if (rank != dataset_.dims.size() + 1 || rank < 2)
      return bad("chunks have other dimensions than their dataset");
    dataset_.chunk_bytes = dataset_.element_bytes;
    for (std::uint64_t i = 0; i + 1 < rank; ++i) {
      dataset_.chunk.push_back(fields.number(width));
      if (dataset_.chunk.back() == 0 ||
          __builtin_mul_overflow(dataset_.chunk_bytes, dataset_.chunk.back(),
                                 &dataset_.chunk_bytes))
        return bad("chunks with absurd dimensions");
    }
    fields.skip(width);
    return {};
  }

  Result<> read_newer_chunks(Fields& fields) {
    const std::uint64_t flags = fields.number(1), rank = fields.number(1);
    const std::size_t width = fields.number(1);
    if (width < 1 || width > 8) return bad("chunks with absurd dimensions");
    FEEDRATE_CHECK(read_chunk(fields, rank, width));
    // The fields that are skipped are settings that the index's own header repeats, and the filter
    // mask of a single chunk (file format specification 3.0, IV.A.2.i).
    switch (fields.number(1)) {
      case 1:
        dataset_.index = ChunkIndexKind::kSingle;
        dataset_.single_bytes = dataset_.chunk_bytes;
        if ((flags & 2U) != 0) {
          dataset_.single_bytes = fields.number(source_.length_bytes);
          fields.skip(4);
        }
        break;
      case 2:
        dataset_.index = ChunkIndexKind::kImplicit;
        break;
      case 3:
        dataset_.index = ChunkIndexKind::kFixedArray;
        fields.skip(1);
        break;
      case 4:
        dataset_.index = ChunkIndexKind::kExtensibleArray;
        fields.skip(5);
        break;
      case 5:
        dataset_.index = ChunkIndexKind::kTree2;
        dataset_.node_bytes = fields.number(4);
        fields.skip(2);
        break;
      default:
        return bad("chunk index of unknown kind");
    }
    dataset_.address = fields.number(source_.offset_bytes);
    return {};
  }

  Source& source_;
  const ObjectHeader& header_;
  const std::string& name_;
  Dataset dataset_;
};

}  // namespace

Result<Dataset> describe(Source& source, const ObjectHeader& header, const std::string& name) {
  return Describer(source, header, name).run();
}

std::unexpected<Error> unsupported(const std::string& name, std::string_view what) {
  return fail(ErrorKind::kUnsupported, fmt::format("dataset '{}' {}", name, what),
              "copy it with h5repack or h5py into a plain file");
}

}  // namespace feedrate::hdf5
