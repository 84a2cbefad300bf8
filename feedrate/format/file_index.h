// The index of one file: where everything lies that a reader of the format touches, sample by
// sample.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace feedrate {

struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t end() const { return offset + length; }
  bool operator==(const Extent&) const = default;
};

// Samples of equal size side by side, which take no memory each.
struct EqualRecords {
  std::uint64_t offset = 0;  // of the first
  std::uint64_t bytes = 0;   // of each
  std::uint64_t count = 0;
  bool operator==(const EqualRecords&) const = default;
};

// Samples that are read in several pieces, or that can only be read several together.
struct SampleBlocks {
  std::uint64_t samples = 0;            // in the file
  std::uint64_t samples_per_block = 1;  // the last block may hold fewer
  std::vector<Extent> reads;            // of all blocks, each in the order of the reference reader
  std::vector<std::uint64_t> begins;    // of each block in `reads`, and the end of the last

  // Adds a block that is read by these reads.
  void add(const std::vector<Extent>& block_reads) {
    if (begins.empty()) begins.push_back(0);
    reads.insert(reads.end(), block_reads.begin(), block_reads.end());
    begins.push_back(reads.size());
  }
  bool operator==(const SampleBlocks&) const = default;
};

struct FileIndex {
  std::uint64_t file_bytes = 0;
  // What the format's reference reader reads once after opening, before any sample, in order (for
  // npz the end-of-central-directory record and the central directory). It is empty for formats
  // that read nothing there.
  std::vector<Extent> open_reads;

  // Exactly one of the three forms is used. In the first two a sample is one extent, and samples
  // are in file order.
  std::vector<Extent> samples;  // stored form of each, framing included (tfrecord: length to CRC)
  EqualRecords records;
  SampleBlocks blocks;

  std::uint64_t sample_count() const {
    return !samples.empty() ? samples.size() : records.count > 0 ? records.count : blocks.samples;
  }
  // Returns whether each sample is one extent of its own.
  bool contiguous() const { return blocks.samples == 0; }
  // Only for contiguous() files, and number < sample_count().
  Extent sample(std::uint64_t number) const {
    return samples.empty() ? Extent{records.offset + number * records.bytes, records.bytes}
                           : samples[number];
  }
  // Only for contiguous() files: returns the number of the first sample that ends after `offset`,
  // or sample_count().
  std::uint64_t first_ending_after(std::uint64_t offset) const;
  // Appends the reads of samples [first, first + count), in order; neighbours are merged. A block
  // that is read in part is read as a whole.
  void locate(std::uint64_t first, std::uint64_t count, std::vector<Extent>& reads) const;
  // Returns how many samples from `first` on can be read in one go: at most `samples_max` that move
  // at most `bytes_max`, but at least one sample, and to the end of its block.
  std::uint64_t run_length(std::uint64_t first, std::uint64_t samples_max,
                           std::uint64_t bytes_max) const;
  // Returns the most bytes that any sample (or block) moves.
  std::uint64_t largest_sample_bytes() const;

  // Returns whether this can be the index of a file of so many bytes: every sample and block has
  // bytes, all of them lie in the file, and the counts agree. An index that this program did not
  // just make must be.
  bool is_sound(std::uint64_t file_bytes) const;

  bool operator==(const FileIndex&) const = default;
};

}  // namespace feedrate
