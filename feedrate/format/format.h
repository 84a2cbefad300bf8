// The interface of a file format. There is one folder for each format (tfrecord/, npz/, ...), and
// it is reached only through this header and the table in formats.cc.
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

// The payload sizes of the samples of a planned file.
class SampleSizes {
 public:
  explicit SampleSizes(std::span<const std::uint64_t> each) : each_(each), count_(each.size()) {}
  SampleSizes(std::uint64_t count, std::uint64_t bytes) : count_(count), bytes_(bytes) {}
  std::uint64_t size() const { return count_; }
  std::uint64_t operator[](std::uint64_t i) const { return each_.empty() ? bytes_ : each_[i]; }
  // Returns whether all sizes are equal and were given as one number.
  bool equal() const { return each_.empty(); }

 private:
  std::span<const std::uint64_t> each_;
  std::uint64_t count_, bytes_ = 0;
};

// The options that a user may set for a format: dataset.format_options of a workload file.
using FormatOptions = std::map<std::string, std::string>;

// Random access to a file on disk, for indexing. It blocks, and the caller implements it.
class RandomAccess {
 public:
  virtual ~RandomAccess() = default;
  virtual std::uint64_t size() const = 0;
  // Fills all of `out` from `offset`, or returns an error (also for a short read).
  virtual Result<> read_at(std::uint64_t offset, std::span<std::byte> out) = 0;
  // Returns the second file of a format with a companion_extension(), if it is there.
  virtual RandomAccess* companion() { return nullptr; }
};

// Produces the bytes of one planned file from first to last.
class Renderer {
 public:
  virtual ~Renderer() = default;
  // Fills `out` from the current position and returns the bytes written: fewer than out.size() only
  // at the end of the file, and 0 after it.
  virtual std::size_t next(std::span<std::byte> out) = 0;
};

// Checks bytes of one file as they arrive.
class Verifier {
 public:
  virtual ~Verifier() = default;
  // Checks `bytes`, which stand at `offset` of the file. Known content is compared byte for byte,
  // whatever the order of calls. A checksum is checked for each sample whose bytes came
  // contiguously and in order. Returns kCorrupt, which names the offset in the file of the first
  // bad byte or record.
  virtual Result<> consume(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
};

// Turns the stored bytes of a sample into tensors as a training job would (JPEG, inflate, ...),
// through the real libraries. Each thread has its own.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // `stored` is one sample as locate() finds it, its extents end to end, or the whole file when
  // whole_file(). Returns how many bytes came out, or kCorrupt (with the offset within `stored`)
  // when it cannot be decoded.
  virtual Result<std::uint64_t> decode(std::span<const std::byte> stored) = 0;
};

class Format {
 public:
  virtual ~Format() = default;
  virtual std::string_view name() const = 0;       // what a user types, and the folder's name
  virtual std::string_view extension() const = 0;  // of the files that we write, with its dot

  // Returns whether a file of this name, or with these first bytes, looks like one of this format.
  // It serves to recognise the files of a user's own folder.
  virtual bool recognises(std::string_view file_name, std::span<const std::byte> head) const = 0;
  // Returns the same format with these options; kUsage for an option that it does not have, or a
  // bad value.
  virtual Result<std::shared_ptr<const Format>> with_options(const FormatOptions& options) const;

  // Returns the largest payload whose stored form fits `stored_bytes` a sample, or 0 when none
  // does. With it a data set has the published size *on disk*.
  virtual std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const = 0;
  // Returns the layout of a planned file with these payload sizes. It must describe what render()
  // makes.
  virtual FileIndex layout(const SampleSizes& payload_bytes) const = 0;
  // Takes a content for each sample, or one for all of them when one_content_per_file().
  virtual std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const = 0;
  // Returns whether all samples of a file are equal in size and their content is one stream.
  // SampleContent.samples then says how many there are. This is for samples that are too small and
  // too many to keep a value for each.
  virtual bool one_content_per_file() const { return false; }

  // Returns the layout of a file on disk, foreign or ours. Its memory is bounded by the file's true
  // size, whatever the file's length fields claim. kCorrupt names the offset.
  virtual Result<FileIndex> index(RandomAccess& file) const = 0;

  // `samples` is what the file should contain. It is empty for foreign files, of which only
  // checksums are checked.
  virtual std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex> index,
                                             std::vector<SampleContent> samples) const = 0;
  // Returns whether verifier() can check anything in a file whose content we do not know.
  virtual bool has_checksums() const = 0;

  // Returns the bytes of one read call of the format's reference reader; the format's header says
  // where the figure comes from.
  virtual std::uint64_t reference_transfer_bytes() const = 0;
  // Returns what turns the bytes of a sample into tensors; nullptr when the stored bytes are the
  // tensors.
  virtual std::unique_ptr<Decoder> decoder() const { return nullptr; }
  // Returns whether a file is one sample that is read from its first byte to its last, so that
  // indexing need not look inside.
  virtual bool whole_file() const { return false; }
  // Some formats have a second file beside each file, which is read whole when the first is opened
  // (Megatron's .idx). These return its extension, or "" for formats without one, and its bytes.
  virtual std::string_view companion_extension() const { return {}; }
  virtual std::unique_ptr<Renderer> render_companion(const SampleSizes& payload_bytes) const;
  virtual std::uint64_t companion_bytes(const SampleSizes& payload_bytes) const;
  // Returns how many samples one of our files holds at most (npz and file: 1; tfrecord: no limit).
  virtual std::uint64_t samples_per_file_max() const = 0;
};

// Returns the format named `name`, or kUsage with the known names and a spelling hint.
Result<const Format*> find_format(std::string_view name);
std::span<const Format* const> all_formats();
// Returns the same with options. kUsage names the format, the option and its possible values.
Result<std::shared_ptr<const Format>> make_format(std::string_view name,
                                                  const FormatOptions& options);
// Returns the file that goes with `path` in a format that has companions: "dir/a.bin" ->
// "dir/a.idx".
std::string companion_path(const std::string& path, const Format& format);
// The format in which a sample is one whole file of any kind.
const Format& file_format();
// Returns the format that a file seems to have; `file` (any bytes) when no other recognises it.
const Format& recognise_format(std::string_view file_name, std::span<const std::byte> head);

}  // namespace feedrate
