#include "feedrate/format/jpeg/jpeg.h"

#include <turbojpeg.h>

#include "feedrate/base/random.h"
#include "feedrate/format/format_testing.h"
#include "feedrate/format/jpeg/image.h"

namespace feedrate::testing {
namespace {

using jpeg::Image;

std::string index_outcome(std::span<const std::byte> bytes) {
  MemoryFile memory(bytes);
  const auto index = jpeg_format().index(memory);
  return index ? "fine" : index.error().message();
}

Bytes file_of(std::uint64_t payload_bytes, double compressibility = 0) {
  return render_all(jpeg_format(), {{1, 2, payload_bytes, 7, compressibility}}, 65536);
}

std::string decoded(const Bytes& file) {
  const auto bytes = jpeg_format().decoder()->decode(file);
  return bytes ? std::to_string(*bytes) : bytes.error().message();
}

TEST(Jpeg, LibjpegDecodesEverySize) {
  std::vector<std::uint64_t> payloads{0, 1, 47, 48, 49, 95, 96, 97, 98, 99, 143, 144, 145, 1000000};
  RandomStream random(4);
  for (int i = 0; i < 200; ++i) payloads.push_back(random.below(150'000));
  for (const std::uint64_t payload : payloads) {
    const Image image(payload);
    const std::uint64_t pixels = image.unit_columns * image.unit_rows * 256;
    ASSERT_EQ(decoded(file_of(payload)), std::to_string(3 * pixels)) << payload;
  }
  EXPECT_EQ(decoded(file_of(100'000, 1.0)), decoded(file_of(100'000, 0.5)));
}

TEST(Jpeg, EveryCoefficientByteIsOneCoefficient) {
  // A block of one coefficient byte after DC: what decodes to the same image has the same bytes, so
  // two files that differ in one byte of content must differ when decoded.
  const Bytes file = file_of(10'000);
  const auto pixels_of = [](const Bytes& of) {
    const tjhandle handle = tjInitDecompress();
    const Image image(10'000);
    Bytes pixels(image.unit_columns * image.unit_rows * 256 * 3);
    tjDecompress2(handle, reinterpret_cast<const unsigned char*>(of.data()), of.size(),
                  reinterpret_cast<unsigned char*>(pixels.data()), 0, 0, 0, TJPF_RGB, 0);
    tjDestroy(handle);
    return pixels;
  };
  const Bytes pixels = pixels_of(file);
  std::size_t same = 0;
  for (std::size_t at = file.size() - 3000; at < file.size() - 2000; ++at) {
    Bytes other = file;
    if (other[at] >= std::byte{0xFE}) continue;  // a mark
    other[at] ^= other[at] == std::byte{0x7E} ? std::byte{0x20} : std::byte{0x40};
    if (pixels_of(other) == pixels) ++same;
  }
  EXPECT_LE(same, 20U);  // coefficients that clipping hides
}

TEST(Jpeg, ImagesLookLikePhotographs) {
  for (const std::uint64_t payload : {50'000ULL, 113'900ULL, 322'000ULL, 5'000'000ULL}) {
    const Image image(payload);
    const double pixels = static_cast<double>(image.unit_columns * image.unit_rows) * 256;
    EXPECT_NEAR(8 * static_cast<double>(payload) / pixels, 1.5, 0.1) << payload;
    EXPECT_NEAR(static_cast<double>(image.unit_columns) / static_cast<double>(image.unit_rows),
                4.0 / 3.0, 0.2)
        << payload;
  }
}

TEST(Jpeg, EveryPayloadFitsItsSegments) {
  RandomStream random(6);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t payload = random.below(1ULL << (8 + i % 30));
    const Image image(payload);
    ASSERT_LE(image.unit_columns * image.unit_rows * 256, 89'478'485U) << payload;
    ASSERT_GE(image.unit_columns, 1U) << payload;
    ASSERT_LE(image.unit_columns, 4093U) << payload;
    const std::uint64_t rest = payload - std::min(image.scan_bytes(), payload);
    ASSERT_LE(rest, image.comments * jpeg::kCommentBytesMax) << payload;
  }
}

TEST(Jpeg, MarksAreTheSameInAnyPieces) {
  const Image image(20'000);
  Bytes whole(image.scan_bytes(), std::byte{0xFF}), pieces = whole;
  image.mark_scan(0, whole);
  RandomStream random(8);
  for (std::size_t at = 0; at < pieces.size();) {
    const std::size_t length = std::min<std::size_t>(1 + random.below(50), pieces.size() - at);
    image.mark_scan(at, std::span(pieces).subspan(at, length));
    at += length;
  }
  EXPECT_EQ(pieces, whole);
}

TEST(Jpeg, ForeignFilesAreOneSampleAndDecoded) {
  for (const auto& [name, bytes] :
       {std::pair("progressive.jpg", "5760"), {"gray.jpg", "5760"}, {"cmyk.jpg", "7680"}}) {
    const Bytes foreign = read_test_file(std::string("jpeg/testdata/") + name);
    EXPECT_EQ(index_outcome(foreign), "fine") << name;
    EXPECT_EQ(recognise_format("x", foreign).name(), "jpeg") << name;
    EXPECT_EQ(decoded(foreign), bytes) << name;
  }
}

TEST(Jpeg, DamageIsATypedDecoderError) {
  Bytes file = file_of(5000);
  EXPECT_EQ(decoded(Bytes(10)),
            "at offset 0: libjpeg-turbo: Not a JPEG file: starts with 0x00 0x00");
  file.resize(file.size() / 2);
  EXPECT_EQ(decoded(file), "at offset 0: libjpeg-turbo: Premature end of JPEG file");
}

TEST(Jpeg, HugeImagesAreRefused) {
  Bytes file = file_of(5000);
  const std::size_t frame = 2 + 18 + 69;
  for (std::size_t i = 0; i < 4; ++i) file[frame + 5 + i] = std::byte{0xF0};
  EXPECT_EQ(decoded(file),
            "at offset 0: claims 11413267200 B when decoded: at most 1073741824 are made");
}

TEST(Jpeg, ErrorsNameTheSegment) {
  Bytes file = file_of(5000);
  EXPECT_EQ(index_outcome(std::span(file).first(60)),
            "at offset 20: segment of 69 B goes beyond the end of the file at 60");
  file[21] = std::byte{0xDA};
  EXPECT_EQ(index_outcome(file), "at offset 20: a scan without a frame in front of it");
  file[20] = std::byte{0};
  EXPECT_EQ(index_outcome(file), "at offset 20: no marker where a segment must begin");
  file[0] = std::byte{0};
  EXPECT_EQ(index_outcome(file), "at offset 0: not a JPEG file: no start of image");
}

}  // namespace
}  // namespace feedrate::testing
