#include "feedrate/format/hdf5/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "feedrate/format/hdf5/options.h"
#include "feedrate/format/wire.h"

namespace feedrate::hdf5 {
namespace {

// Deflate makes nothing smaller than by this factor (zlib's technical notes), which bounds the size
// of the output.
constexpr std::uint64_t kRatioMax = 1032;

class Inflater : public Decoder {
 public:
  explicit Inflater(bool shuffled) : shuffled_(shuffled) { ready_ = inflateInit(&stream_) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() override {
    if (ready_) inflateEnd(&stream_);
  }

  Result<std::uint64_t> decode(std::span<const std::byte> stored) override {
    if (!ready_) return fail(ErrorKind::kEnvironment, "zlib has no memory for an inflater");
    std::uint64_t total = 0;
    for (std::size_t at = 0; at < stored.size();) {
      FEEDRATE_TRY(const std::size_t used, inflate_chunk(stored.subspan(at), at));
      if (shuffled_) unshuffle();
      total += chunk_.size();
      at += used;
    }
    return total;
  }

 private:
  // Fills chunk_ from the stream at the front of `stored`, and returns the length of the stream.
  Result<std::size_t> inflate_chunk(std::span<const std::byte> stored, std::size_t offset) {
    inflateReset(&stream_);
    chunk_.resize(std::max<std::size_t>(chunk_.capacity(), kChunkBytesFirst));
    std::size_t taken = 0, made = 0;
    int state = Z_OK;
    // The stream does not tell the size of its output, so the buffer grows as needed, up to what
    // deflate can make of the input.
    while (state == Z_OK) {
      if (made == chunk_.size()) chunk_.resize(std::min(2 * made, kRatioMax * (stored.size() + 1)));
      const auto in = static_cast<uInt>(std::min<std::size_t>(stored.size() - taken, kStepBytes));
      const auto out = static_cast<uInt>(std::min<std::size_t>(chunk_.size() - made, kStepBytes));
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stored.data() + taken));
      stream_.avail_in = in;
      stream_.next_out = reinterpret_cast<Bytef*>(chunk_.data() + made);
      stream_.avail_out = out;
      state = inflate(&stream_, Z_NO_FLUSH);
      taken += in - stream_.avail_in;
      made += out - stream_.avail_out;
    }
    if (state != Z_STREAM_END)
      return corrupt_at(offset + taken, "a chunk of the HDF5 dataset cannot be inflated");
    chunk_.resize(made);
    return taken;
  }

  // Undoes the shuffle filter, which puts the first bytes of all elements first, then all second
  // bytes, and so on.
  void unshuffle() {
    const std::size_t elements = chunk_.size() / kElementBytes;
    values_.resize(chunk_.size());
    for (std::size_t byte = 0; byte < kElementBytes; ++byte)
      for (std::size_t i = 0; i < elements; ++i)
        values_[i * kElementBytes + byte] = chunk_[byte * elements + i];
  }

  static constexpr std::size_t kChunkBytesFirst = std::size_t{64} << 10U;
  static constexpr std::size_t kStepBytes = std::size_t{1} << 30U;
  const bool shuffled_;
  bool ready_ = false;
  z_stream stream_{};
  std::vector<std::byte> chunk_, values_;
};

}  // namespace

std::unique_ptr<Decoder> make_inflater(bool shuffled) {
  return std::make_unique<Inflater>(shuffled);
}

}  // namespace feedrate::hdf5
