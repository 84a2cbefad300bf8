#include "feedrate/format/flac/verifier.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "feedrate/format/checksum.h"
#include "feedrate/format/flac/frame.h"
#include "feedrate/format/flac/metadata.h"
#include "feedrate/format/wire.h"

namespace feedrate::flac {
namespace {

// Verifies frames by their CRC-16. The CRC-16 over a frame together with its own CRC-16 is 0, and
// so is the CRC-16 over several frames.
class FrameVerifier : public Verifier {
 public:
  explicit FrameVerifier(std::uint64_t file_bytes) : file_bytes_(file_bytes) {}

  Result<> consume(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (offset == 0) restart();
    if (offset != end_) {
      end_ = UINT64_MAX;
      return {};
    }
    while (!bytes.empty()) {
      const auto slice = bytes.first(std::min(bytes.size(), kCheckSliceBytes));
      bytes = bytes.subspan(slice.size());
      FEEDRATE_CHECK(add(slice));
    }
    return {};
  }

 private:
  void restart() {
    end_ = begin_ = frame_begin_ = skip_ = samples_ = total_samples_ = 0;
    part_ = Part::kMagic;
    buffer_.clear();
    frame_.reset();
    crc_ = 0;
  }

  // Goes on with what is left of the earlier slices in front of `bytes`.
  Result<> add(std::span<const std::byte> bytes) {
    const std::uint64_t skipped = std::min<std::uint64_t>(skip_, bytes.size());
    end_ += bytes.size();
    skip_ -= skipped;
    begin_ += skipped;
    buffer_.insert(buffer_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(skipped),
                   bytes.end());
    if (skip_ == 0 && part_ != Part::kFrames) FEEDRATE_CHECK(read_metadata());
    if (skip_ == 0 && part_ == Part::kFrames) FEEDRATE_CHECK(read_frames());
    return end_ == file_bytes_ ? finish() : Result<>{};
  }

  Result<> read_metadata() {
    while (part_ != Part::kFrames && buffer_.size() >= kBlockHeadBytes) {
      if (part_ == Part::kMagic) {
        if (as_text(std::span(buffer_).first(kMagic.size())) != kMagic)
          return corrupt_at(0, "not a FLAC file: no 'fLaC'");
        part_ = Part::kBlocks;
        drop(kMagic.size());
        continue;
      }
      FEEDRATE_TRY(const BlockHead block, parse_block_head(begin_, buffer_, file_bytes_));
      if (begin_ == kMagic.size()) {
        if (buffer_.size() < kBlockHeadBytes + kStreamInfoBytes) return {};
        total_samples_ = total_samples(std::span(buffer_).subspan(kBlockHeadBytes));
      }
      if (block.last) part_ = Part::kFrames;
      drop(kBlockHeadBytes + block.bytes);
    }
    return {};
  }

  // Tries every place where a header fits into the bytes at hand; at the end of the file, every
  // place.
  Result<> read_frames() {
    const std::size_t needed = end_ == file_bytes_ ? kHeaderBytesMin : kHeaderBytesMax;
    const std::span<const std::byte> all(buffer_);
    std::size_t summed = 0, at = 0;
    while (all.size() - at >= needed) {
      const auto rest = all.subspan(at);
      const std::size_t places = rest.size() - needed + 1;
      const void* found = frame_ ? std::memchr(rest.data(), 0xFF, places) : rest.data();
      if (found == nullptr) {
        at += places;
        break;
      }
      at = static_cast<std::size_t>(static_cast<const std::byte*>(found) - all.data());
      const auto header = parse_frame_header(all.subspan(at));
      if (!frame_ && !header) return no_frame(begin_ + at);
      if (!frame_ || (header && header->follows(*frame_))) {
        crc_ = update_checksum(ChecksumKind::kCrc16, crc_, all.subspan(summed, at - summed));
        summed = at;
        // Only the last block may have another size. It has too little in common with the others to
        // be sure that this is its header.
        if (crc_ != 0 && header->as_large_as(*frame_)) return wrong_frame();
        if (crc_ == 0) begin_frame(*header, begin_ + at);
      }
      ++at;
    }
    crc_ = update_checksum(ChecksumKind::kCrc16, crc_, all.subspan(summed, at - summed));
    drop(at);
    return {};
  }

  void begin_frame(const FrameHeader& header, std::uint64_t at) {
    if (!frame_) first_block_samples_ = header.block_samples;
    frame_ = header;
    frame_begin_ = at;
    samples_ = header.number * (header.variable ? 1 : first_block_samples_) + header.block_samples;
  }

  Result<> finish() const {
    if (part_ != Part::kFrames || skip_ != 0)
      return corrupt_at(begin_, "the file ends at " + std::to_string(end_) + ", within metadata");
    if (!frame_ && !buffer_.empty()) return no_frame(begin_);
    if (update_checksum(ChecksumKind::kCrc16, crc_, buffer_) != 0) return wrong_frame();
    if (total_samples_ != 0 && samples_ != total_samples_)
      return corrupt_at(end_, "the file ends after " + std::to_string(samples_) + " of " +
                                  std::to_string(total_samples_) + " samples");
    return {};
  }

  static std::unexpected<Error> no_frame(std::uint64_t at) {
    return corrupt_at(at, "no frame where the first must begin");
  }

  std::unexpected<Error> wrong_frame() const {
    return corrupt_at(frame_begin_, "the frame does not match its CRC-16");
  }

  void drop(std::uint64_t bytes) {
    const std::uint64_t here = std::min<std::uint64_t>(bytes, buffer_.size());
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(here));
    begin_ += here;
    skip_ += bytes - here;
  }

  enum class Part : std::uint8_t { kMagic, kBlocks, kFrames };

  const std::uint64_t file_bytes_;
  std::uint64_t end_ = UINT64_MAX;  // where the bytes must go on
  std::uint64_t begin_ = 0;         // offset of buffer_
  std::uint64_t skip_ = 0;          // what is not looked at next
  std::vector<std::byte> buffer_;   // a slice, and less than a header in front of it
  Part part_ = Part::kMagic;
  std::optional<FrameHeader> frame_;
  std::uint64_t frame_begin_ = 0, first_block_samples_ = 0;
  std::uint64_t samples_ = 0;        // up to the end of frame_
  std::uint64_t total_samples_ = 0;  // 0: unknown
  std::uint32_t crc_ = 0;            // of the frames up to buffer_
};

}  // namespace

std::unique_ptr<Verifier> make_frame_verifier(std::uint64_t file_bytes) {
  return std::make_unique<FrameVerifier>(file_bytes);
}

}  // namespace feedrate::flac
