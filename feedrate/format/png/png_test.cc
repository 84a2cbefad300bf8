#include "feedrate/format/png/png.h"

#include "feedrate/base/random.h"
#include "feedrate/format/checksum.h"
#include "feedrate/format/format_testing.h"
#include "feedrate/format/png/image.h"
#include "feedrate/format/wire.h"

namespace feedrate::testing {
namespace {

using png::Image;

std::string index_outcome(std::span<const std::byte> bytes) {
  MemoryFile memory(bytes);
  const auto index = png_format().index(memory);
  return index ? "fine" : index.error().message();
}

std::string verify_outcome(std::span<const std::byte> bytes, std::size_t chunk_bytes = 100) {
  FileIndex index;
  index.file_bytes = bytes.size();
  index.samples.push_back({0, bytes.size()});
  const auto result = verify(png_format(), index, {}, bytes, chunk_bytes);
  return result ? "fine" : result.error().message();
}

Bytes file_of(std::uint64_t payload_bytes, double compressibility = 0) {
  return render_all(png_format(), {{1, 2, payload_bytes, 7, compressibility}}, 65536);
}

std::string decoded(const Bytes& file) {
  const auto bytes = png_format().decoder()->decode(file);
  return bytes ? std::to_string(*bytes) : bytes.error().message();
}

constexpr std::size_t kHeader = 8, kRest = 33;  // where the chunks begin

TEST(Png, LibpngDecodesEverySize) {
  std::vector<std::uint64_t> payloads{0, 1, 3, 4, 5, 65534, 65535, 65536, 65537, 131070, 1000000};
  RandomStream random(4);
  for (int i = 0; i < 200; ++i) payloads.push_back(random.below(150'000));
  for (const std::uint64_t payload : payloads) {
    const Image image(payload);
    const Bytes file = file_of(payload);
    ASSERT_EQ(decoded(file), std::to_string(3 * image.columns * image.rows)) << payload;
    ASSERT_EQ(verify_outcome(file, 5000), "fine") << payload;
  }
}

TEST(Png, EveryPayloadFitsItsChunks) {
  RandomStream random(6);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t payload = random.below(1ULL << (8 + i % 30));
    const Image image(payload);
    ASSERT_LE(image.columns * image.rows, 89'478'485U) << payload;
    ASSERT_GE(image.columns, 1U) << payload;
    const std::uint64_t block = random.below(image.blocks);
    ASSERT_LE(image.block_begin(block + 1) - image.block_begin(block), png::kBlockBytesMax)
        << payload;
    const std::uint64_t rest = payload - std::min(image.rows_bytes(), payload);
    ASSERT_LE(rest, image.rests * png::kRestBytesMax) << payload;
    if (payload < 200'000'000) {
      ASSERT_LE(rest, 3 * image.rows) << payload;
    }
  }
}

TEST(Png, ForeignFilesAreVerifiedAndDecoded) {
  for (const auto& [name, bytes] :
       {std::pair("interlaced.png", "5760"), {"palette.png", "5760"}, {"gray_16.png", "5760"}}) {
    Bytes foreign = read_test_file(std::string("png/testdata/") + name);
    EXPECT_EQ(index_outcome(foreign), "fine") << name;
    EXPECT_EQ(recognise_format("x", foreign).name(), "png") << name;
    EXPECT_EQ(decoded(foreign), bytes) << name;
    for (const std::size_t chunk_bytes : {1U, 7U, 4096U})
      EXPECT_EQ(verify_outcome(foreign, chunk_bytes), "fine") << name;
    for (std::size_t at = 0; at < foreign.size(); ++at) {
      foreign[at] ^= std::byte{8};
      EXPECT_NE(verify_outcome(foreign), "fine") << name << " " << at;
      foreign[at] ^= std::byte{8};
    }
    for (std::size_t less = 1; less < foreign.size(); ++less)
      EXPECT_NE(verify_outcome(std::span(foreign).first(less)), "fine") << name << " " << less;
    foreign.push_back(std::byte{1});
    EXPECT_EQ(verify_outcome(foreign), "fine") << name;  // readers stop at IEND
  }
}

TEST(Png, ErrorsNameTheChunk) {
  const Bytes whole = file_of(5000);
  const auto with = [&](std::size_t at, std::uint32_t value) {
    Bytes file = whole;
    store_little(file.data() + at, std::byteswap(value));
    return file;
  };
  EXPECT_EQ(index_outcome({}), "at offset 0: empty file");
  EXPECT_EQ(index_outcome(with(0, 0)), "at offset 0: not a PNG file: no '\\x89PNG'");
  EXPECT_EQ(index_outcome(with(kHeader, 14)),
            "at offset 8: no 'IHDR' chunk where the first must be");
  EXPECT_EQ(index_outcome(with(kHeader + 8, 9)),
            "at offset 8: chunk 'IHDR' does not match its CRC-32");
  EXPECT_EQ(index_outcome(with(kRest, 0xFFFFFFFF)),
            "at offset 33: chunk 'fdRt' of 4294967295 B, at most 2147483647");
  EXPECT_EQ(verify_outcome(with(kRest, 0xFFFFFFFF)),
            "at offset 33: chunk 'fdRt' of 4294967295 B, at most 2147483647");
  EXPECT_EQ(index_outcome(with(kRest, 0x7FFFFFFF)),
            "at offset 33: chunk 'fdRt' of 2147483659 B goes beyond the end of the file at " +
                std::to_string(whole.size()));
  EXPECT_EQ(index_outcome(std::span(whole).first(kRest)),
            "at offset 33: the file ends before an 'IDAT' chunk");
  EXPECT_EQ(index_outcome(std::span(whole).first(kRest + 4)),
            "at offset 33: head of a chunk of 8 B goes beyond the end of the file at 37");
  EXPECT_EQ(verify_outcome(std::span(whole).first(whole.size() - 12)),
            "at offset " + std::to_string(whole.size() - 12) + ": the file ends at " +
                std::to_string(whole.size() - 12) + ", before the end of an 'IEND' chunk");
  Bytes damaged = whole;
  damaged[3000] ^= std::byte{1};
  const std::size_t rows = kRest + 12 + 5000 - Image(5000).rows_bytes();
  EXPECT_EQ(verify_outcome(damaged),
            "at offset " + std::to_string(rows) + ": chunk 'IDAT' does not match its CRC-32");
}

TEST(Png, AnImageWithoutPixelsIsRefused) {
  Bytes file = file_of(5000);
  std::fill_n(file.begin() + kHeader + 8, 4, std::byte{0});  // columns
  const std::uint32_t crc =
      update_checksum(ChecksumKind::kCrc32, 0, std::span(file).subspan(kHeader + 4, 4 + 13));
  store_little(file.data() + kHeader + 8 + 13, std::byteswap(crc));
  EXPECT_EQ(index_outcome(file), "at offset 8: an image without pixels");
}

TEST(Png, DamageIsATypedDecoderError) {
  EXPECT_EQ(decoded(Bytes(10)), "at offset 0: libpng: Not a PNG file");
  Bytes file = file_of(5000);
  file[3000] ^= std::byte{1};
  EXPECT_EQ(decoded(file), "at offset 0: libpng: IDAT: incorrect data check");
  file.resize(2500);
  EXPECT_EQ(decoded(file), "at offset 0: libpng: read beyond end of data");
}

TEST(Png, HugeImagesAreRefused) {
  EXPECT_EQ(decoded(read_test_file("png/testdata/claims_900000_rows.png")),
            "at offset 0: claims 2430000000000 B when decoded: at most 1073741824 are made");
}

}  // namespace
}  // namespace feedrate::testing
