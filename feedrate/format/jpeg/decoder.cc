#include "feedrate/format/jpeg/decoder.h"

#include <turbojpeg.h>

#include <type_traits>

#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate::jpeg {
namespace {

struct DestroyHandle {
  void operator()(void* handle) const { tjDestroy(handle); }
};

class TurboDecoder : public Decoder {
 public:
  TurboDecoder() : handle_(tjInitDecompress()) {}

  Result<std::uint64_t> decode(std::span<const std::byte> stored) override {
    if (!handle_) return fail(ErrorKind::kEnvironment, "libjpeg-turbo cannot be started");
    const auto* data = reinterpret_cast<const unsigned char*>(stored.data());
    int width = 0, height = 0, sampling = 0, space = 0;
    if (tjDecompressHeader3(handle_.get(), data, stored.size(), &width, &height, &sampling,
                            &space) != 0)
      return trouble();
    const auto pixels = static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height);
    // libjpeg converts CMYK images to CMYK only.
    const int pixel_format = space == TJCS_CMYK || space == TJCS_YCCK ? TJPF_CMYK : TJPF_RGB;
    const std::uint64_t bytes = pixels * static_cast<unsigned>(tjPixelSize[pixel_format]);
    FEEDRATE_CHECK(check_decoded_bytes(bytes));
    if (pixels_.size() < bytes) pixels_.resize(bytes);
    if (tjDecompress2(handle_.get(), data, stored.size(), pixels_.data(), width, 0, height,
                      pixel_format, TJFLAG_STOPONWARNING) != 0)
      return trouble();
    return bytes;
  }

 private:
  std::unexpected<Error> trouble() const {
    return corrupt_at(0, std::string("libjpeg-turbo: ") + tjGetErrorStr2(handle_.get()));
  }

  std::unique_ptr<std::remove_pointer_t<tjhandle>, DestroyHandle> handle_;
  std::vector<unsigned char> pixels_;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder() { return std::make_unique<TurboDecoder>(); }

}  // namespace feedrate::jpeg
