#include "feedrate/format/wav/wav.h"

#include "feedrate/format/format_testing.h"
#include "feedrate/format/wire.h"

namespace feedrate::testing {
namespace {

std::string index_outcome(std::span<const std::byte> bytes) {
  MemoryFile memory(bytes);
  const auto index = wav_format().index(memory);
  return index ? "fine" : index.error().message();
}

TEST(Wav, IsByteForByteWhatLibsndfileWrites) {
  const Bytes foreign = read_test_file("wav/testdata/zeros_1000.wav");
  EXPECT_EQ(render_all(wav_format(), {{1, 2, 1000, 7, 1.0}}, 100), foreign);
}

TEST(Wav, AnOddPayloadEndsWithAWholeSample) {
  const Bytes file = render_all(wav_format(), {{1, 2, 1001, 7, 0}}, 100);
  EXPECT_EQ(file.size(), 44U + 1002U);
  EXPECT_EQ(file.back(), std::byte{0});
  EXPECT_EQ(load_little<std::uint32_t>(file.data() + 40), 1002U);
}

TEST(Wav, SizesThatDoNotFitAreUnknown) {
  const Bytes file = [] {
    Bytes head(44);
    wav_format().render({{1, 2, 5ULL << 30U, 7, 0}})->next(head);
    return head;
  }();
  EXPECT_EQ(load_little<std::uint32_t>(file.data() + 4), UINT32_MAX);
  EXPECT_EQ(load_little<std::uint32_t>(file.data() + 40), UINT32_MAX);
  EXPECT_EQ(index_outcome(file), "fine");
}

TEST(Wav, ForeignFilesAreOneSampleAndDecoded) {
  const Bytes foreign = read_test_file("wav/testdata/stereo_float.wav");
  EXPECT_EQ(index_outcome(foreign), "fine");
  EXPECT_EQ(*wav_format().decoder()->decode(foreign), 1200U);
}

TEST(Wav, DecodesToItsSamples) {
  const Bytes file = render_all(wav_format(), {{1, 2, 300'001, 7, 0}}, 4096);
  const auto decoder = wav_format().decoder();
  EXPECT_EQ(*decoder->decode(file), 300'002U);
  const auto wrong = decoder->decode(std::span(file).subspan(1));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind(), ErrorKind::kCorrupt);
}

TEST(Wav, ErrorsNameTheChunk) {
  Bytes file = render_all(wav_format(), {{1, 2, 1000, 7, 0}}, 4096);
  EXPECT_EQ(index_outcome(std::span(file).first(500)),
            "at offset 36: 'data' chunk of 1008 B goes beyond the end of the file at 500");
  EXPECT_EQ(index_outcome(std::span(file).first(40)), "at offset 36: no 'data' chunk");
  file[12] = std::byte{1};
  EXPECT_EQ(index_outcome(file),
            "at offset 36: 'data' chunk without a 'fmt ' chunk in front of it");
  file[0] = std::byte{'r'};
  EXPECT_EQ(index_outcome(file), "at offset 0: not a WAV file: no 'RIFF' and 'WAVE'");
}

}  // namespace
}  // namespace feedrate::testing
