#include "feedrate/format/tfrecord/verifier.h"

#include <algorithm>
#include <cstring>

#include "feedrate/format/wire.h"

namespace feedrate::tfrecord {
namespace {

// Copies the bytes that `bytes` (at `position`) and the field (at `field_position`) have in common.
void capture(std::span<std::byte> field, std::uint64_t field_position, std::uint64_t position,
             std::span<const std::byte> bytes) {
  const std::uint64_t from = std::max(position, field_position);
  const std::uint64_t to = std::min(position + bytes.size(), field_position + field.size());
  if (from < to)
    std::memcpy(field.data() + (from - field_position), bytes.data() + (from - position),
                to - from);
}

}  // namespace

RecordVerifier::RecordVerifier(std::shared_ptr<const FileIndex> index,
                               std::vector<SampleContent> samples)
    : index_(std::move(index)), samples_(std::move(samples)) {
  FEEDRATE_ASSERT(samples_.empty() || samples_.size() == index_->sample_count());
}

std::size_t RecordVerifier::record_at(std::uint64_t offset) {
  for (std::size_t record = last_record_;
       record < std::min<std::uint64_t>(last_record_ + 2, index_->sample_count()); ++record) {
    const Extent extent = index_->sample(record);
    if (offset >= extent.offset && offset < extent.end()) return record;
  }
  return index_->first_ending_after(offset);
}

Result<> RecordVerifier::consume(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t record = record_at(offset);
    if (record == index_->sample_count()) {
      if (samples_.empty()) return {};
      return corrupt_at(offset, "bytes after the planned end of the file");
    }
    last_record_ = record;
    const Extent extent = index_->sample(record);
    if (offset < extent.offset) {  // a gap: never in an index of ours
      const std::uint64_t gap = std::min<std::uint64_t>(bytes.size(), extent.offset - offset);
      bytes = bytes.subspan(gap);
      offset += gap;
      continue;
    }
    const std::size_t length =
        std::min({bytes.size(), kCheckSliceBytes, std::size_t{extent.end() - offset}});
    FEEDRATE_CHECK(check_slice(record, offset - extent.offset, bytes.first(length)));
    bytes = bytes.subspan(length);
    offset += length;
  }
  return {};
}

Result<> RecordVerifier::check_slice(std::size_t record, std::uint64_t position,
                                     std::span<const std::byte> bytes) {
  if (!samples_.empty()) FEEDRATE_CHECK(compare(record, position, bytes));
  return check_sums(record, position, bytes);
}

Result<> RecordVerifier::compare(std::size_t record, std::uint64_t position,
                                 std::span<const std::byte> bytes) {
  const Extent extent = index_->sample(record);
  const SampleContent& content = samples_[record];
  if (const std::uint64_t planned = stored_bytes(content.bytes); planned != extent.length)
    return corrupt_at(extent.offset, "record of " + std::to_string(extent.length) + " B where " +
                                         std::to_string(planned) + " B were written");
  // A record is read in many pieces, so its start is kept.
  if (start_of_ != record) {
    start_ = record_start(content);
    start_of_ = record;
  }
  if (position < start_.size()) {
    const std::size_t length = std::min<std::uint64_t>(bytes.size(), start_.size() - position);
    if (const auto at =
            first_mismatch(bytes.first(length), std::span(start_).subspan(position, length)))
      return corrupt_at(extent.offset + position + *at, "record header differs");
    bytes = bytes.subspan(length);
    position += length;
  }
  const std::uint64_t content_end = start_.size() + content.bytes;
  if (bytes.empty() || position >= content_end) return {};
  const std::size_t length = std::min<std::uint64_t>(bytes.size(), content_end - position);
  if (const auto at = first_difference(content, position - start_.size(), bytes.first(length)))
    return corrupt_at(extent.offset + start_.size() + *at, "content differs from what was written");
  return {};
}

Result<> RecordVerifier::check_sums(std::size_t record, std::uint64_t position,
                                    std::span<const std::byte> bytes) {
  const Extent extent = index_->sample(record);
  if (position == 0) in_progress_[record] = {};
  const auto found = in_progress_.find(record);
  if (found == in_progress_.end()) return {};
  Progress& progress = found->second;
  // A record whose bytes do not come in order is not checked by its checksums.
  if (progress.next != position) {
    in_progress_.erase(found);
    return {};
  }
  const std::uint64_t end = position + bytes.size();
  const std::uint64_t foot = extent.length - kFootBytes;
  capture(progress.head, 0, position, bytes);
  capture(progress.foot, foot, position, bytes);
  if (position < kHeadBytes && end >= kHeadBytes) FEEDRATE_CHECK(check_head(record, progress));
  const std::uint64_t from = std::max(position, kHeadBytes), to = std::min(end, foot);
  if (from < to)
    progress.checksum = crc32c(progress.checksum, bytes.subspan(from - position, to - from));
  progress.next = end;
  if (end < extent.length) return {};
  const bool valid =
      load_little<std::uint32_t>(progress.foot.data()) == mask_checksum(progress.checksum);
  in_progress_.erase(found);
  if (!valid) return corrupt_at(extent.offset, "data of the record does not match its checksum");
  return {};
}

Result<> RecordVerifier::check_head(std::size_t record, const Progress& progress) const {
  const Extent extent = index_->sample(record);
  if (!valid_head(progress.head))
    return corrupt_at(extent.offset, "length of the record does not match its checksum");
  const auto length = load_little<std::uint64_t>(progress.head.data());
  if (length != extent.length - kHeadBytes - kFootBytes)
    return corrupt_at(extent.offset, "length of the record is not the one that was indexed");
  return {};
}

}  // namespace feedrate::tfrecord
