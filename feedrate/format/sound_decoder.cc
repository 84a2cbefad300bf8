#include "feedrate/format/sound_decoder.h"

#include <sndfile.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

// The bytes of a sample, which libsndfile sees as a file.
struct Memory {
  std::span<const std::byte> bytes;
  sf_count_t position = 0;
};

Memory& memory_of(void* user) { return *static_cast<Memory*>(user); }

sf_count_t memory_size(void* user) { return static_cast<sf_count_t>(memory_of(user).bytes.size()); }

sf_count_t memory_seek(sf_count_t offset, int whence, void* user) {
  Memory& memory = memory_of(user);
  const sf_count_t size = memory_size(user);
  const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory.position : size;
  if (offset < -base || offset > size - base) return -1;
  return memory.position = base + offset;
}

sf_count_t memory_read(void* out, sf_count_t count, void* user) {
  Memory& memory = memory_of(user);
  const sf_count_t length = std::clamp<sf_count_t>(memory_size(user) - memory.position, 0, count);
  std::memcpy(out, memory.bytes.data() + memory.position, static_cast<std::size_t>(length));
  memory.position += length;
  return length;
}

sf_count_t memory_write(const void*, sf_count_t, void*) { return 0; }

sf_count_t memory_tell(void* user) { return memory_of(user).position; }

struct CloseSound {
  void operator()(SNDFILE* sound) const { sf_close(sound); }
};

class SoundDecoder : public Decoder {
 public:
  Result<std::uint64_t> decode(std::span<const std::byte> stored) override {
    Memory memory{stored};
    SF_VIRTUAL_IO calls{memory_size, memory_seek, memory_read, memory_write, memory_tell};
    SF_INFO info{};
    const std::unique_ptr<SNDFILE, CloseSound> sound(
        sf_open_virtual(&calls, SFM_READ, &info, &memory));
    if (!sound) return corrupt_at(0, std::string("libsndfile: ") + sf_strerror(nullptr));
    std::uint64_t samples = 0;
    while (const sf_count_t count = sf_read_short(sound.get(), samples_.data(), kSamples))
      samples += static_cast<std::uint64_t>(count);
    if (sf_error(sound.get()) != SF_ERR_NO_ERROR)
      return corrupt_at(0, std::string("libsndfile: ") + sf_strerror(sound.get()));
    const auto frames = static_cast<std::uint64_t>(info.frames);
    const auto channels = static_cast<std::uint64_t>(info.channels);
    if (samples / channels < frames)
      return corrupt_at(0, "libsndfile: " + std::to_string(samples / channels) + " of " +
                               std::to_string(frames) + " samples can be decoded");
    return samples * sizeof(short);
  }

 private:
  // It is a multiple of every number of channels up to 16, so that libsndfile accepts it for most
  // files.
  static constexpr sf_count_t kSamples = 720720 / 8;
  std::vector<short> samples_ = std::vector<short>(kSamples);
};

}  // namespace

std::unique_ptr<Decoder> make_sound_decoder() { return std::make_unique<SoundDecoder>(); }

}  // namespace feedrate
