#include "feedrate/format/file_index.h"

#include <algorithm>

#include "feedrate/base/error.h"

namespace feedrate {
namespace {

void append_merged(const Extent& extent, std::size_t first_of_call, std::vector<Extent>& reads) {
  if (extent.length == 0) return;
  if (reads.size() > first_of_call && reads.back().end() == extent.offset)
    reads.back().length += extent.length;
  else
    reads.push_back(extent);
}

std::uint64_t block_bytes(const SampleBlocks& blocks, std::uint64_t block) {
  std::uint64_t bytes = 0;
  for (std::uint64_t i = blocks.begins[block]; i < blocks.begins[block + 1]; ++i)
    bytes += blocks.reads[i].length;
  return bytes;
}

bool lies_within(const Extent& extent, std::uint64_t bytes) {
  return extent.offset <= bytes && extent.length <= bytes - extent.offset;
}

bool is_sound(const EqualRecords& records, std::uint64_t bytes) {
  if (records.count == 0) return true;
  return records.bytes > 0 && records.offset <= bytes &&
         records.count <= (bytes - records.offset) / records.bytes;
}

bool is_sound(const SampleBlocks& blocks, std::uint64_t bytes) {
  if (blocks.samples == 0) return blocks.begins.empty() && blocks.reads.empty();
  if (blocks.samples_per_block == 0 || blocks.begins.empty() || blocks.begins.front() != 0 ||
      blocks.begins.back() != blocks.reads.size())
    return false;
  const std::uint64_t needed = (blocks.samples - 1) / blocks.samples_per_block + 1;
  if (blocks.begins.size() - 1 != needed) return false;
  // Each is compared with the one before it first, so that no block reaches beyond the reads.
  if (!std::ranges::is_sorted(blocks.begins)) return false;
  for (const Extent& read : blocks.reads)
    if (!lies_within(read, bytes)) return false;
  for (std::uint64_t block = 0; block < needed; ++block)
    if (block_bytes(blocks, block) == 0) return false;
  return true;
}

}  // namespace

bool FileIndex::is_sound(std::uint64_t bytes) const {
  const int forms =
      (samples.empty() ? 0 : 1) + (records.count > 0 ? 1 : 0) + (blocks.samples > 0 ? 1 : 0);
  if (file_bytes != bytes || forms != 1) return false;
  for (const Extent& read : open_reads)
    if (!lies_within(read, bytes)) return false;
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (samples[i].length == 0 || !lies_within(samples[i], bytes) ||
        (i > 0 && samples[i].offset < samples[i - 1].end()))
      return false;
  return feedrate::is_sound(records, bytes) && feedrate::is_sound(blocks, bytes);
}

std::uint64_t FileIndex::first_ending_after(std::uint64_t offset) const {
  if (samples.empty()) {
    if (offset < records.offset || records.bytes == 0) return 0;
    return std::min(records.count, (offset - records.offset) / records.bytes);
  }
  const auto after = std::ranges::upper_bound(samples, offset, {}, &Extent::end);
  return static_cast<std::uint64_t>(after - samples.begin());
}

void FileIndex::locate(std::uint64_t first, std::uint64_t count, std::vector<Extent>& reads) const {
  FEEDRATE_ASSERT(count > 0 && first + count <= sample_count());
  const std::size_t begin = reads.size();
  if (!contiguous()) {
    const std::uint64_t last = (first + count - 1) / blocks.samples_per_block;
    for (std::uint64_t block = first / blocks.samples_per_block; block <= last; ++block)
      for (std::uint64_t i = blocks.begins[block]; i < blocks.begins[block + 1]; ++i)
        append_merged(blocks.reads[i], begin, reads);
  } else if (samples.empty()) {
    append_merged({records.offset + first * records.bytes, count * records.bytes}, begin, reads);
  } else {
    for (std::uint64_t i = first; i < first + count; ++i) append_merged(samples[i], begin, reads);
  }
}

std::uint64_t FileIndex::run_length(std::uint64_t first, std::uint64_t samples_max,
                                    std::uint64_t bytes_max) const {
  const std::uint64_t most = std::min(samples_max, sample_count() - first);
  if (!contiguous()) {
    // The block of the first sample is always read, however large it is.
    const std::uint64_t per_block = blocks.samples_per_block;
    std::uint64_t block = first / per_block;
    std::uint64_t run = std::min((block + 1) * per_block, sample_count()) - first;
    std::uint64_t bytes = block_bytes(blocks, block);
    while (run < most && first + run < sample_count()) {
      bytes += block_bytes(blocks, ++block);
      if (bytes > bytes_max) break;
      run = std::min((block + 1) * per_block, sample_count()) - first;
    }
    return std::min(run, std::max<std::uint64_t>(most, 1));
  }
  if (samples.empty())
    return std::max<std::uint64_t>(
        1, std::min(most, bytes_max / std::max<std::uint64_t>(1, records.bytes)));
  const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(first);
  const auto limit = std::partition_point(
      begin, begin + static_cast<std::ptrdiff_t>(most),
      [&](const Extent& sample) { return sample.end() - begin->offset <= bytes_max; });
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(limit - begin));
}

std::uint64_t FileIndex::largest_sample_bytes() const {
  std::uint64_t largest = records.bytes;
  for (const Extent& sample : samples) largest = std::max(largest, sample.length);
  for (std::uint64_t block = 0; block + 1 < blocks.begins.size(); ++block)
    largest = std::max(largest, block_bytes(blocks, block));
  return largest;
}

}  // namespace feedrate
