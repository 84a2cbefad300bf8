#include "feedrate/format/png/decoder.h"

#include <png.h>

#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate::png {
namespace {

struct OpenImage {
  png_image image{};
  OpenImage() { image.version = PNG_IMAGE_VERSION; }
  ~OpenImage() { png_image_free(&image); }
  OpenImage(const OpenImage&) = delete;
  OpenImage& operator=(const OpenImage&) = delete;
};

class PngDecoder : public Decoder {
 public:
  Result<std::uint64_t> decode(std::span<const std::byte> stored) override {
    OpenImage open;
    png_image& image = open.image;
    if (png_image_begin_read_from_memory(&image, stored.data(), stored.size()) == 0)
      return trouble(image);
    image.format = PNG_FORMAT_RGB;
    const std::uint64_t bytes = std::uint64_t{3} * image.width * image.height;
    FEEDRATE_CHECK(check_decoded_bytes(bytes));
    if (pixels_.size() < bytes) pixels_.resize(bytes);
    constexpr png_color kBlack{};  // behind what is transparent
    if (png_image_finish_read(&image, &kBlack, pixels_.data(), 0, nullptr) == 0)
      return trouble(image);
    return bytes;
  }

 private:
  static std::unexpected<Error> trouble(const png_image& image) {
    return corrupt_at(0, std::string("libpng: ") + image.message);
  }

  std::vector<unsigned char> pixels_;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder() { return std::make_unique<PngDecoder>(); }

}  // namespace feedrate::png
