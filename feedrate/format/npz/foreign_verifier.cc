#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "feedrate/format/npz/verifier.h"
#include "feedrate/format/wire.h"

namespace feedrate::npz {
namespace {

// Inflates as much as it is given, and keeps only the CRC-32 of the output.
class InflateCrc {
 public:
  InflateCrc() { ready_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK; }
  ~InflateCrc() {
    if (ready_) inflateEnd(&stream_);
  }
  InflateCrc(const InflateCrc&) = delete;
  InflateCrc& operator=(const InflateCrc&) = delete;

  // Returns what is wrong with the deflated data, or nullptr.
  const char* add(std::span<const std::byte> bytes) {
    if (!ready_) return "cannot start zlib";
    if (done_ && !bytes.empty()) return "bytes after the end of the deflated data";
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());  // at most kCheckSliceBytes
    while (!done_) {
      std::byte out[std::size_t{32} << 10U];
      stream_.next_out = reinterpret_cast<Bytef*>(out);
      stream_.avail_out = sizeof out;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      crc_ = crc32(crc_, std::span(out).first(sizeof out - stream_.avail_out));
      produced_ += sizeof out - stream_.avail_out;
      if (status == Z_BUF_ERROR || (status == Z_OK && stream_.avail_out != 0)) break;
      if (status != Z_OK && status != Z_STREAM_END) return "deflated data is damaged";
      done_ = status == Z_STREAM_END;
    }
    if (done_ && stream_.avail_in != 0) return "bytes after the end of the deflated data";
    return nullptr;
  }
  bool done() const { return done_; }
  std::uint32_t crc() const { return crc_; }
  std::uint64_t produced() const { return produced_; }

 private:
  std::uint64_t produced_ = 0;
  z_stream stream_{};
  bool ready_ = false, done_ = false;
  std::uint32_t crc_ = 0;
};

class ForeignVerifier : public Verifier {
 public:
  explicit ForeignVerifier(const Extent& sample) : sample_(sample) {}

  Result<> consume(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const std::uint64_t begin = std::clamp(sample_.offset, offset, offset + bytes.size());
    const std::uint64_t end = std::clamp(sample_.end(), begin, offset + bytes.size());
    bytes = bytes.subspan(begin - offset, end - begin);
    std::uint64_t position = begin - sample_.offset;
    while (!bytes.empty()) {
      const auto slice = bytes.first(std::min(bytes.size(), kCheckSliceBytes));
      FEEDRATE_CHECK(add(position, slice));
      position += slice.size();
      bytes = bytes.subspan(slice.size());
    }
    return {};
  }

 private:
  Result<> add(std::uint64_t position, std::span<const std::byte> bytes) {
    if (position == 0) restart();
    if (position != next_) {
      next_ = UINT64_MAX;
      return {};
    }
    next_ = position + bytes.size();
    if (position < kLocalBytes) {
      const std::size_t length = std::min<std::uint64_t>(bytes.size(), kLocalBytes - position);
      std::memcpy(fixed_.data() + position, bytes.data(), length);
    }
    if (next_ < kLocalBytes) return {};
    if (position < kLocalBytes) FEEDRATE_CHECK(begin_member());
    const std::uint64_t data = header_.data_position();
    if (next_ > data) FEEDRATE_CHECK(add_data(bytes.subspan(std::max(position, data) - position)));
    return next_ == sample_.length ? finish() : Result<>{};
  }

  void restart() {
    next_ = 0;
    crc_ = 0;
    inflate_.reset();
  }

  Result<> begin_member() {
    FEEDRATE_TRY(header_, parse_local_header(sample_.offset, fixed_));
    const bool known_method = header_.method == kStored || header_.method == kDeflated;
    if (header_.data_position() > sample_.length || !known_method)
      return corrupt_at(sample_.offset, "local header of the array is not the one indexed");
    if (header_.method == kDeflated) inflate_ = std::make_unique<InflateCrc>();
    return {};
  }

  Result<> add_data(std::span<const std::byte> bytes) {
    if (!inflate_) {
      crc_ = crc32(crc_, bytes);
      return {};
    }
    if (const char* trouble = inflate_->add(bytes)) return corrupt_at(sample_.offset, trouble);
    return {};
  }

  Result<> finish() {
    if (inflate_ && !inflate_->done())
      return corrupt_at(sample_.offset, "deflated data of the array ends too early");
    const bool has_crc = (header_.flags & kDescriptorFlag) == 0;
    if (has_crc && header_.crc != (inflate_ ? inflate_->crc() : crc_))
      return corrupt_at(sample_.offset, "data of the array does not match its CRC-32");
    return {};
  }

  const Extent sample_;
  std::uint64_t next_ = UINT64_MAX;  // position in the sample where its bytes must go on
  std::array<std::byte, kLocalBytes> fixed_{};
  LocalHeader header_;
  std::uint32_t crc_ = 0;
  std::unique_ptr<InflateCrc> inflate_;
};

class ArrayDecoder : public Decoder {
 public:
  Result<std::uint64_t> decode(std::span<const std::byte> stored) override {
    if (stored.size() < kLocalBytes) return corrupt_at(0, "the array's local header is cut");
    std::array<std::byte, kLocalBytes> fixed{};
    std::memcpy(fixed.data(), stored.data(), kLocalBytes);
    FEEDRATE_TRY(const LocalHeader header, parse_local_header(0, fixed));
    if (header.data_position() > stored.size())
      return corrupt_at(0, "the array's local header goes beyond the sample");
    const auto data = stored.subspan(header.data_position());
    // Where a data descriptor follows the data, the header holds no CRC.
    const bool has_crc = (header.flags & kDescriptorFlag) == 0;
    std::uint32_t crc = 0;
    std::uint64_t bytes = data.size();
    if (header.method == kDeflated) {
      InflateCrc inflate;
      for (std::size_t at = 0; at < data.size(); at += kCheckSliceBytes)
        if (const char* trouble =
                inflate.add(data.subspan(at, std::min(kCheckSliceBytes, data.size() - at))))
          return corrupt_at(header.data_position() + at, trouble);
      if (!inflate.done()) return corrupt_at(stored.size(), "the deflated array ends too early");
      crc = inflate.crc();
      bytes = inflate.produced();
    } else if (header.method == kStored) {
      crc = crc32(0, data);
    } else {
      return corrupt_at(0, "local header of the array is not the one indexed");
    }
    if (has_crc && crc != header.crc)
      return corrupt_at(0, "data of the array does not match its CRC-32");
    return bytes;
  }
};

}  // namespace

std::unique_ptr<Decoder> make_array_decoder() { return std::make_unique<ArrayDecoder>(); }

std::unique_ptr<Verifier> make_foreign_verifier(const Extent& sample) {
  return std::make_unique<ForeignVerifier>(sample);
}

}  // namespace feedrate::npz
