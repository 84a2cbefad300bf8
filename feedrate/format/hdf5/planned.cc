#include "feedrate/format/hdf5/planned.h"

#include <algorithm>
#include <cstring>

#include "feedrate/format/hdf5/library.h"
#include "feedrate/format/hdf5/locate.h"
#include "feedrate/format/wire.h"

namespace feedrate::hdf5 {
namespace {

// The file that libhdf5 writes into.
class PlanImage : public Image {
 public:
  std::uint64_t size() const override { return bytes_; }
  bool read(H5FD_mem_t, std::uint64_t offset, std::span<std::byte> out) override {
    structure_.read(offset, out);
    return true;
  }
  bool write(H5FD_mem_t type, std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (type != H5FD_MEM_DRAW) structure_.write(offset, bytes);
    bytes_ = std::max<std::uint64_t>(bytes_, offset + bytes.size());
    return true;
  }
  SparseBytes take_structure() { return std::move(structure_); }

 private:
  SparseBytes structure_;
  std::uint64_t bytes_ = 0;
};

class PlannedAccess : public RandomAccess {
 public:
  PlannedAccess(const SparseBytes& structure, std::uint64_t bytes)
      : structure_(structure), bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_; }
  Result<> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    structure_.read(offset, out);
    return {};
  }

 private:
  const SparseBytes& structure_;
  std::uint64_t bytes_;
};

Handle creation_list() {
  Handle list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(list.get(), false);  // the same file every time
  H5Pset_fill_time(list.get(), H5D_FILL_TIME_NEVER);
  H5Pset_alloc_time(list.get(), H5D_ALLOC_TIME_EARLY);
  return list;
}

Handle create_dataset(hid_t file, const std::string& name, hid_t type,
                      const std::vector<hsize_t>& dims, hid_t creation) {
  const Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
                     H5Sclose);
  Handle dataset(
      H5Dcreate2(file, name.c_str(), type, space.get(), H5P_DEFAULT, creation, H5P_DEFAULT),
      H5Dclose);
  FEEDRATE_ASSERT(dataset);
  return dataset;
}

// Adds a dataset of `rows` equal rows, or of one sample without a dimension of rows when `rows` is
// 0.
void add_dataset(hid_t file, const std::string& name, std::uint64_t rows, const Row& row,
                 const Options& options) {
  const Handle creation = creation_list();
  std::vector<hsize_t> dims{row.elements};
  if (rows > 0) dims.insert(dims.begin(), rows);
  const bool chunked = options.chunk_bytes > 0;
  if (chunked) {
    std::vector<hsize_t> chunk(dims.size(), 1);
    chunk.back() = row.chunk_elements;
    H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_INCR);
    H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data());
    if (options.shuffle) H5Pset_shuffle(creation.get());
    if (options.gzip) H5Pset_deflate(creation.get(), 0);
  }
  const Handle dataset = create_dataset(file, name, H5T_IEEE_F32LE, dims, creation.get());
  if (!chunked) return;
  const std::vector<std::byte> chunk(row.stored_chunk_bytes);  // the image does not keep it
  std::vector<hsize_t> at(dims.size());
  for (std::uint64_t r = 0; r < std::max<std::uint64_t>(rows, 1); ++r)
    for (std::uint64_t i = 0; i < row.chunks; ++i) {
      at.front() = r;
      at.back() = i * row.chunk_elements;  // the only one when there are no rows
      const auto written =
          H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, 0, at.data(), chunk.size(), chunk.data());
      FEEDRATE_ASSERT(written >= 0);
    }
}

bool all_equal(const SampleSizes& sizes) {
  if (sizes.equal()) return true;
  for (std::uint64_t i = 1; i < sizes.size(); ++i)
    if (sizes[i] != sizes[0]) return false;
  return true;
}

// Adds what lies between the values: structure, and zeros where there is none.
void add_structure(const SparseBytes& structure, std::uint64_t end, FilePieces& pieces) {
  while (pieces.size() < end) {
    const std::uint64_t at = pieces.size(), page = structure.next_page(at);
    if (page > at) {
      pieces.zeros(std::min(page, end) - at);
      continue;
    }
    std::vector<std::byte> bytes(std::min<std::uint64_t>(end - at, 4096 - at % 4096));
    structure.read(at, bytes);
    pieces.literal(std::move(bytes));
  }
}

void add_gzip_chunk(const SampleContent& content, std::uint64_t from, std::uint64_t length,
                    std::uint64_t chunk_bytes, FilePieces& pieces) {
  pieces.literal({std::byte{0x78}, std::byte{0x01}});  // deflate, window of 32 KiB, fastest
  pieces.begin_checksum(ChecksumKind::kAdler32);
  for (std::uint64_t at = 0; at < chunk_bytes;) {
    const std::uint64_t block = std::min(kBlockBytes, chunk_bytes - at);
    std::vector<std::byte> head{at + block == chunk_bytes ? std::byte{1} : std::byte{0}};
    append_little(head, static_cast<std::uint16_t>(block));
    append_little(head, static_cast<std::uint16_t>(~block));
    pieces.pause_checksum(ChecksumKind::kAdler32);
    pieces.literal(std::move(head));
    pieces.resume_checksum(ChecksumKind::kAdler32);
    const std::uint64_t filled = at < length ? std::min(block, length - at) : 0;
    pieces.content(content, from + at, filled);
    pieces.zeros(block - filled);
    at += block;
  }
  pieces.end_checksum(ChecksumKind::kAdler32);
}

// Returns the extents of one sample, chunk by chunk.
std::span<const Extent> extents_of(const FileIndex& index, std::uint64_t sample, Extent& row) {
  if (!index.contiguous()) {
    const auto begin = index.blocks.begins[sample], end = index.blocks.begins[sample + 1];
    return std::span(index.blocks.reads).subspan(begin, end - begin);
  }
  row = index.sample(sample);
  return {&row, 1};
}

}  // namespace

void SparseBytes::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::uint64_t within = offset % kPageBytes;
    const std::size_t length = std::min<std::uint64_t>(bytes.size(), kPageBytes - within);
    std::memcpy(pages_[offset / kPageBytes].data() + within, bytes.data(), length);
    bytes = bytes.subspan(length);
    offset += length;
  }
}

void SparseBytes::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const std::uint64_t within = offset % kPageBytes;
    const std::size_t length = std::min<std::uint64_t>(out.size(), kPageBytes - within);
    if (const auto page = pages_.find(offset / kPageBytes); page != pages_.end())
      std::memcpy(out.data(), page->second.data() + within, length);
    else
      std::memset(out.data(), 0, length);
    out = out.subspan(length);
    offset += length;
  }
}

std::uint64_t SparseBytes::next_page(std::uint64_t offset) const {
  const auto page = pages_.lower_bound(offset / kPageBytes);
  if (page == pages_.end()) return UINT64_MAX;
  return std::max(offset, page->first * kPageBytes);
}

PlannedFile plan_file(const SampleSizes& payload_bytes, const Options& options) {
  PlanImage image;
  PlannedFile plan;
  std::uint64_t file_bytes = 0;
  {
    const auto lock = lock_library();
    const Handle file = create_image(image);
    FEEDRATE_ASSERT(file);
    const std::uint64_t samples = payload_bytes.size();
    if (all_equal(payload_bytes)) {
      add_dataset(file.get(), kSamplesName, samples, Row(payload_bytes[0], options), options);
    } else {
      for (std::uint64_t i = 0; i < samples; ++i)
        add_dataset(file.get(), sample_name(i), 0, Row(payload_bytes[i], options), options);
    }
    const Handle creation = creation_list();
    const Handle labels =
        create_dataset(file.get(), kLabelsName, H5T_STD_I64LE, {samples}, creation.get());
    plan.labels = {H5Dget_offset(labels.get()), 8 * samples};
    H5Fflush(file.get(), H5F_SCOPE_LOCAL);
    hsize_t bytes = 0;
    FEEDRATE_ASSERT(H5Fget_filesize(file.get(), &bytes) >= 0);
    file_bytes = bytes;
  }
  plan.structure = image.take_structure();
  // The index is made by the reader of foreign files, so that a planned file and one on disk cannot
  // differ in how they are read.
  PlannedAccess access(plan.structure, file_bytes);
  auto index = locate(access, Options{});
  FEEDRATE_ASSERT(index);
  plan.index = *std::move(index);
  return plan;
}

FilePieces pieces_of(const PlannedFile& file, const std::vector<SampleContent>& samples,
                     const Options& options) {
  struct Values {
    Extent extent;
    std::size_t sample;  // or samples.size(): the labels
    std::uint64_t from;
  };
  std::vector<Values> values{{file.labels, samples.size(), 0}};
  for (std::size_t i = 0; i < samples.size(); ++i) {
    Extent row;
    std::uint64_t from = 0;
    const std::uint64_t chunk = Row(samples[i].bytes, options).chunk_elements * kElementBytes;
    for (const Extent& extent : extents_of(file.index, i, row)) {
      values.push_back({extent, i, from});
      from += chunk;
    }
  }
  // libhdf5 chose where the values lie, so their order in the file is that of their offsets.
  std::ranges::sort(values, {}, [](const Values& value) { return value.extent.offset; });
  FilePieces pieces;
  for (const auto& [extent, i, from] : values) {
    add_structure(file.structure, extent.offset, pieces);
    if (i == samples.size()) {
      std::vector<std::byte> labels;
      for (const SampleContent& sample : samples) append_little(labels, std::int64_t{sample.label});
      pieces.literal(std::move(labels));
      continue;
    }
    const std::uint64_t chunk = Row(samples[i].bytes, options).chunk_elements * kElementBytes;
    const std::uint64_t left = samples[i].bytes - std::min(samples[i].bytes, from);
    const std::uint64_t length = std::min(chunk, left);
    if (options.gzip) {
      add_gzip_chunk(samples[i], from, length, chunk, pieces);
    } else {
      pieces.content(samples[i], from, length);
      pieces.zeros(chunk - length);
    }
  }
  add_structure(file.structure, file.index.file_bytes, pieces);
  return pieces;
}

}  // namespace feedrate::hdf5
