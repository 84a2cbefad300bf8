// The face of a file format. One folder per format (tfrecord/, npz/, ...), reached only through
// this header and the table in formats.cc.
//
// A format is pure: it never opens a file. It says where samples lie in a file (for files that we
// plan and for files found on disk), makes the bytes of a file, and checks bytes that were read.
// Everything here may be called from any thread; a Renderer or Verifier is used by one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/format/content.h"
#include "feedrate/format/file_index.h"

namespace feedrate {

// Payload sizes of the samples of a planned file.
class SampleSizes {
 public:
  explicit SampleSizes(std::span<const std::uint64_t> each) : each_(each), count_(each.size()) {}
  SampleSizes(std::uint64_t count, std::uint64_t bytes) : count_(count), bytes_(bytes) {}
  std::uint64_t size() const { return count_; }
  std::uint64_t operator[](std::uint64_t i) const { return each_.empty() ? bytes_ : each_[i]; }
  // All equal and given as one number.
  bool equal() const { return each_.empty(); }

 private:
  std::span<const std::uint64_t> each_;
  std::uint64_t count_, bytes_ = 0;
};

// What a user may choose about a format: dataset.format_options of a workload file.
using FormatOptions = std::map<std::string, std::string>;

// Random access to a file on disk, for indexing. Blocking; implemented by the caller.
class RandomAccess {
 public:
  virtual ~RandomAccess() = default;
  virtual std::uint64_t size() const = 0;
  // Fills all of `out` from `offset`, or says why not (short read included).
  virtual Result<> read_at(std::uint64_t offset, std::span<std::byte> out) = 0;
  // The second file of formats with a companion_extension(), when it is there.
  virtual RandomAccess* companion() { return nullptr; }
};

// Produces the bytes of one planned file from first to last.
class Renderer {
 public:
  virtual ~Renderer() = default;
  // Fills `out` from the current position; returns bytes written, less than out.size() only at the
  // end of the file, 0 after it.
  virtual std::size_t next(std::span<std::byte> out) = 0;
};

// Checks bytes of one file as they arrive.
class Verifier {
 public:
  virtual ~Verifier() = default;
  // `bytes` are those at `offset` of the file. Known content is compared byte for byte whatever the
  // order of calls; checksums are checked for each sample whose bytes came contiguously and in
  // order. Returns kCorrupt naming the offset in the file of the first bad byte or record.
  virtual Result<> consume(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
};

// Does with the stored bytes of a sample what a training job would do to get its tensors (JPEG,
// inflate, ...), through the real libraries. One per thread.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // `stored` is one sample as locate() finds it, end to end; all of the file when whole_file().
  // Returns how many bytes came out; kCorrupt (offset within `stored`) when it cannot be decoded.
  virtual Result<std::uint64_t> decode(std::span<const std::byte> stored) = 0;
};

class Format {
 public:
  virtual ~Format() = default;
  virtual std::string_view name() const = 0;       // what a user types, and the folder's name
  virtual std::string_view extension() const = 0;  // of the files that we write, with its dot

  // Does a file of this name or these first bytes look like ours? Used to recognise a user's own
  // folder.
  virtual bool recognises(std::string_view file_name, std::span<const std::byte> head) const = 0;
  // The same format with these options; kUsage for one that it does not have, or a bad value.
  virtual Result<std::shared_ptr<const Format>> with_options(const FormatOptions& options) const;

  // Largest payload whose stored form fits `stored_bytes` per sample, or 0 when none does. Lets a
  // data set have the published size *on disk*.
  virtual std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const = 0;
  // Layout of a planned file with these payload sizes; the inverse view of render().
  virtual FileIndex layout(const SampleSizes& payload_bytes) const = 0;
  // A content for each sample, or one for all when one_content_per_file().
  virtual std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const = 0;
  // All samples of a file are equal in size and their content is one stream: SampleContent.samples
  // says how many. For samples too small and too many to keep a value for each.
  virtual bool one_content_per_file() const { return false; }

  // Layout of a file on disk, foreign or ours. Memory is bounded by the file's true size, whatever
  // its length fields claim. kCorrupt names the offset.
  virtual Result<FileIndex> index(RandomAccess& file) const = 0;

  // `samples` is what the file should contain, or empty for foreign files, whose checksums alone
  // are then checked.
  virtual std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex> index,
                                             std::vector<SampleContent> samples) const = 0;
  // Whether verifier() has anything to check in a file whose content we do not know.
  virtual bool has_checksums() const = 0;

  // Bytes per read call of the format's reference reader in `framework`; header says where from.
  virtual std::uint64_t reference_transfer_bytes() const = 0;
  // Bytes of a sample become tensors by decoder(); nullptr when the stored bytes are the tensors.
  virtual std::unique_ptr<Decoder> decoder() const { return nullptr; }
  // A file is one sample, read from its first byte to its last: its index needs no look inside.
  virtual bool whole_file() const { return false; }
  // A second file beside each of ours, read whole when the first is opened (Megatron's .idx): its
  // extension, or "" for formats without; and its bytes, for the contents of the first.
  virtual std::string_view companion_extension() const { return {}; }
  virtual std::unique_ptr<Renderer> render_companion(const SampleSizes& payload_bytes) const;
  virtual std::uint64_t companion_bytes(const SampleSizes& payload_bytes) const;
  // How many samples a file of ours holds at most (npz and file: 1; tfrecord: no limit).
  virtual std::uint64_t samples_per_file_max() const = 0;
};

// The format named `name`, or kUsage with the known names and a spelling hint.
Result<const Format*> find_format(std::string_view name);
std::span<const Format* const> all_formats();
// The same with options; kUsage names the format, the option and what it may be.
Result<std::shared_ptr<const Format>> make_format(std::string_view name,
                                                  const FormatOptions& options);
// "dir/a.bin" -> "dir/a.idx": the file that goes with `path` in a format that has companions.
std::string companion_path(const std::string& path, const Format& format);
// One sample = one whole file of any kind.
const Format& file_format();
// The format a file seems to have; `file` (any bytes) when no other recognises it.
const Format& recognise_format(std::string_view file_name, std::span<const std::byte> head);

}  // namespace feedrate
