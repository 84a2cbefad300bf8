// The common part of formats in which a file is one sample that is read from its first byte to its
// last (JPEG, WAV, ...). Shared by the formats, not for users of format.h.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "feedrate/format/format.h"
#include "feedrate/format/pieces.h"

namespace feedrate {

class WholeFileFormat : public Format {
 public:
  std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const final;
  FileIndex layout(const SampleSizes& payload_bytes) const final;
  std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const final;
  Result<FileIndex> index(RandomAccess& file) const final;
  std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex> index,
                                     std::vector<SampleContent> samples) const final;
  bool has_checksums() const override { return false; }
  bool whole_file() const final { return true; }
  std::uint64_t samples_per_file_max() const final { return 1; }

 protected:
  // Returns all of the planned file, exactly file_bytes(content.bytes) of it.
  virtual FilePieces pieces(const SampleContent& content) const = 0;
  // Returns the size of the file. It is never less for a larger payload, and never less than the
  // payload; it is UINT64_MAX for a payload that no file of the format can hold.
  virtual std::uint64_t file_bytes(std::uint64_t payload_bytes) const = 0;
  // Checks a file that is not empty, for index(). For most formats check_head does.
  virtual Result<> check_file(RandomAccess& file) const;
  // Checks that a file of `total_bytes` may begin with `head`, which is at most kHeadBytes of it.
  virtual Result<> check_head(std::span<const std::byte> head, std::uint64_t total_bytes) const;
  // Returns a verifier for a foreign file of that size, in formats with checksums.
  virtual std::unique_ptr<Verifier> foreign_verifier(std::uint64_t file_bytes) const;

  static constexpr std::size_t kHeadBytes = 512;
};

// Returns kCorrupt unless [at, at + length) lies within a file of `total_bytes`; `what` is at `at`.
Result<> check_within(std::string_view what, std::uint64_t at, std::uint64_t length,
                      std::uint64_t total_bytes);

// The largest image or recording that a decoder makes, so that a damaged size field cannot ask for
// more.
inline constexpr std::uint64_t kDecodedBytesMax = 1ULL << 30U;

// Returns kCorrupt when `bytes` is more than that.
Result<> check_decoded_bytes(std::uint64_t bytes);

}  // namespace feedrate
