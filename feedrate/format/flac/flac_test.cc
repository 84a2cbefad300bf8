#include "feedrate/format/flac/flac.h"

#include "feedrate/base/random.h"
#include "feedrate/format/checksum.h"
#include "feedrate/format/flac/frame.h"
#include "feedrate/format/format_testing.h"
#include "feedrate/format/wire.h"

namespace feedrate::testing {
namespace {

std::string index_outcome(std::span<const std::byte> bytes) {
  MemoryFile memory(bytes);
  const auto index = flac_format().index(memory);
  return index ? "fine" : index.error().message();
}

std::string verify_outcome(std::span<const std::byte> bytes, std::size_t chunk_bytes = 1000) {
  FileIndex index;
  index.file_bytes = bytes.size();
  index.samples.push_back({0, bytes.size()});
  const auto result = verify(flac_format(), index, {}, bytes, chunk_bytes);
  return result ? "fine" : result.error().message();
}

Bytes file_of(std::uint64_t payload_bytes, double compressibility = 0) {
  return render_all(flac_format(), {{1, 2, payload_bytes, 7, compressibility}}, 65536);
}

std::string decoded(std::span<const std::byte> file) {
  const auto bytes = flac_format().decoder()->decode(file);
  return bytes ? std::to_string(*bytes) : bytes.error().message();
}

constexpr std::size_t kFirstFrame = 42;

TEST(Flac, LibsndfileDecodesEverySize) {
  std::vector<std::uint64_t> payloads{0, 1, 2, 3, 31, 32, 8190, 8191, 8192, 8193, 8194, 3'000'000};
  RandomStream random(4);
  for (int i = 0; i < 100; ++i) payloads.push_back(random.below(150'000));
  for (const std::uint64_t payload : payloads) {
    const Bytes file = file_of(payload);
    ASSERT_EQ(decoded(file), std::to_string(2 * flac::samples_of(payload))) << payload;
    ASSERT_EQ(verify_outcome(file, 5000), "fine") << payload;
  }
  EXPECT_EQ(decoded(file_of(100'000, 1.0)), "100000");
}

TEST(Flac, TheContentIsTheSamples) {
  const Bytes file = file_of(100);
  Bytes content(100);
  fill_content({1, 2, 100, 7, 0}, 0, content);
  EXPECT_FALSE(std::ranges::search(file, content).empty());
}

TEST(Flac, FrameNumbersOfEveryLength) {
  for (unsigned bits = 0; bits <= 31; ++bits)
    for (const std::uint64_t number : {(1ULL << bits) - 1, 1ULL << bits, (1ULL << bits) + 1}) {
      for (const std::uint64_t samples : {4096U, 1U, 300U}) {
        Bytes bytes = flac::frame_header(number, samples);
        bytes.push_back(static_cast<std::byte>(update_checksum(ChecksumKind::kCrc8, 0, bytes)));
        const auto header = flac::parse_frame_header(bytes);
        ASSERT_TRUE(header) << number;
        EXPECT_EQ(header->number, number);
        EXPECT_EQ(header->block_samples, samples);
        EXPECT_FALSE(flac::parse_frame_header(std::span(bytes).first(bytes.size() - 1)));
        bytes.back() ^= std::byte{1};
        EXPECT_FALSE(flac::parse_frame_header(bytes));
      }
    }
}

TEST(Flac, PayloadsBeyondTheFrameNumbersDoNotFit) {
  EXPECT_LT(flac::frames_bytes(flac::kFramesMax * flac::kBlockSamples), UINT64_MAX);
  EXPECT_EQ(flac::frames_bytes(flac::kFramesMax * flac::kBlockSamples + 1), UINT64_MAX);
}

TEST(Flac, ForeignFilesAreVerifiedAndDecoded) {
  for (const auto& [name, bytes] : {std::pair("stereo.flac", "80000"), {"mono.flac", "40000"}}) {
    Bytes foreign = read_test_file(std::string("flac/testdata/") + name);
    EXPECT_EQ(index_outcome(foreign), "fine") << name;
    EXPECT_EQ(recognise_format("x", foreign).name(), "flac") << name;
    EXPECT_EQ(decoded(foreign), bytes) << name;
    for (const std::size_t chunk_bytes : {1U, 7U, 4096U, 100'000U})
      EXPECT_EQ(verify_outcome(foreign, chunk_bytes), "fine") << name;
    const auto frames = static_cast<std::size_t>(
        std::ranges::search(foreign, std::as_bytes(std::span("\xFF\xF8", 2))).begin() -
        foreign.begin());
    RandomStream random(5);
    for (std::size_t at = frames; at < foreign.size(); at += 1 + random.below(60)) {
      const auto flip = static_cast<std::byte>(1U << random.below(8));
      foreign[at] ^= flip;
      ASSERT_NE(verify_outcome(foreign), "fine") << name << " " << at;
      foreign[at] ^= flip;
    }
    for (std::size_t less = 1; less < foreign.size(); less += 1 + random.below(60))
      ASSERT_NE(verify_outcome(std::span(foreign).first(less)), "fine") << name << " " << less;
  }
}

TEST(Flac, ErrorsNameTheBlockOrFrame) {
  const Bytes whole = file_of(50'000);
  const auto with = [&](std::size_t at, unsigned value) {
    Bytes file = whole;
    file[at] = static_cast<std::byte>(value);
    return file;
  };
  EXPECT_EQ(index_outcome({}), "at offset 0: empty file");
  EXPECT_EQ(index_outcome(with(0, 0)), "at offset 0: not a FLAC file: no 'fLaC'");
  EXPECT_EQ(verify_outcome(with(0, 0)), "at offset 0: not a FLAC file: no 'fLaC'");
  const char* no_info =
      "at offset 4: STREAMINFO of 34 B must be the first metadata block, and no other";
  EXPECT_EQ(index_outcome(with(7, 35)), no_info);
  EXPECT_EQ(index_outcome(with(4, 0x84)), no_info);
  EXPECT_EQ(index_outcome(std::span(whole).first(30)),
            "at offset 4: metadata block of 38 B goes beyond the end of the file at 30");
  EXPECT_EQ(index_outcome(std::span(whole).first(6)),
            "at offset 4: head of a metadata block of 4 B goes beyond the end of the file at 6");
  Bytes more = with(4, 0);  // not the last block: one of 16 MB goes on
  more[kFirstFrame] = std::byte{4};
  std::fill_n(more.begin() + kFirstFrame + 1, 3, std::byte{0xFF});
  const std::string huge =
      "at offset 42: metadata block of 16777219 B goes beyond the end of the "
      "file at " +
      std::to_string(whole.size());
  EXPECT_EQ(index_outcome(more), huge);
  EXPECT_EQ(verify_outcome(more), huge);
  EXPECT_EQ(verify_outcome(with(kFirstFrame, 0)),
            "at offset 42: no frame where the first must begin");
  const std::size_t last = whole.size() - (50'000 % 8192) - 11;
  EXPECT_EQ(verify_outcome(std::span(whole).first(last)),
            "at offset " + std::to_string(last) + ": the file ends after 24576 of 25000 samples");
  const std::size_t second = kFirstFrame + 4 + 1 + 1 + 1 + 8192 + 2;
  EXPECT_EQ(verify_outcome(with(second + 100, 1)),
            "at offset " + std::to_string(second) + ": the frame does not match its CRC-16");
}

TEST(Flac, DamageIsATypedDecoderError) {
  const Bytes file = file_of(50'000);
  EXPECT_EQ(decoded(Bytes(10)), "at offset 0: libsndfile: Format not recognised.");
  EXPECT_EQ(decoded(std::span(file).first(20'000)),
            "at offset 0: libsndfile: 8192 of 25000 samples can be decoded");
}

}  // namespace
}  // namespace feedrate::testing
