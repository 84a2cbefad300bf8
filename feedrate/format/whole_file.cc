#include "feedrate/format/whole_file.h"

#include <algorithm>

#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

FileIndex index_of(std::uint64_t bytes) {
  FileIndex index;
  index.file_bytes = bytes;
  index.samples.push_back({0, bytes});
  return index;
}

}  // namespace

std::uint64_t WholeFileFormat::payload_for_stored(std::uint64_t stored_bytes) const {
  if (file_bytes(0) > stored_bytes) return 0;
  std::uint64_t fits = 0, beyond = stored_bytes + 1;  // a file is no smaller than its payload
  while (beyond - fits > 1) {
    const std::uint64_t middle = fits + (beyond - fits) / 2;
    (file_bytes(middle) <= stored_bytes ? fits : beyond) = middle;
  }
  return fits;
}

FileIndex WholeFileFormat::layout(const SampleSizes& payload_bytes) const {
  FEEDRATE_ASSERT(payload_bytes.size() == 1);
  return index_of(file_bytes(payload_bytes[0]));
}

std::unique_ptr<Renderer> WholeFileFormat::render(std::vector<SampleContent> samples) const {
  FEEDRATE_ASSERT(samples.size() == 1);
  FilePieces all = pieces(samples.front());
  FEEDRATE_ASSERT(all.size() == file_bytes(samples.front().bytes));
  return render_pieces(std::move(all));
}

Result<FileIndex> WholeFileFormat::index(RandomAccess& file) const {
  if (file.size() == 0) return corrupt_at(0, "empty file");
  FEEDRATE_CHECK(check_file(file));
  return index_of(file.size());
}

Result<> WholeFileFormat::check_file(RandomAccess& file) const {
  std::vector<std::byte> head(std::min<std::uint64_t>(file.size(), kHeadBytes));
  FEEDRATE_CHECK(file.read_at(0, head));
  return check_head(head, file.size());
}

Result<> WholeFileFormat::check_head(std::span<const std::byte>, std::uint64_t) const { return {}; }

std::unique_ptr<Verifier> WholeFileFormat::verifier(std::shared_ptr<const FileIndex> index,
                                                    std::vector<SampleContent> samples) const {
  FEEDRATE_ASSERT(samples.size() <= 1);
  return samples.empty() ? foreign_verifier(index->file_bytes)
                         : verify_pieces(pieces(samples.front()));
}

std::unique_ptr<Verifier> WholeFileFormat::foreign_verifier(std::uint64_t) const {
  return accept_anything();
}

Result<> check_within(std::string_view what, std::uint64_t at, std::uint64_t length,
                      std::uint64_t total_bytes) {
  if (at <= total_bytes && length <= total_bytes - at) return {};
  return corrupt_at(at, std::string(what) + " of " + std::to_string(length) +
                            " B goes beyond the end of the file at " + std::to_string(total_bytes));
}

Result<> check_decoded_bytes(std::uint64_t bytes) {
  if (bytes <= kDecodedBytesMax) return {};
  return corrupt_at(0, "claims " + std::to_string(bytes) + " B when decoded: at most " +
                           std::to_string(kDecodedBytesMax) + " are made");
}

}  // namespace feedrate
