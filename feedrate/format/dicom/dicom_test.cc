#include "feedrate/format/dicom/dicom.h"

#include "feedrate/base/random.h"
#include "feedrate/format/dicom/data_set.h"
#include "feedrate/format/dicom/image.h"
#include "feedrate/format/format_testing.h"
#include "feedrate/format/wire.h"

namespace feedrate::testing {
namespace {

std::string index_outcome(std::span<const std::byte> bytes) {
  MemoryFile memory(bytes);
  const auto index = dicom_format().index(memory);
  return index ? "fine" : index.error().message();
}

Bytes file_of(std::uint64_t payload_bytes, const char* syntax = "explicit") {
  const auto format = make_format("dicom", {{"transfer_syntax", syntax}});
  return render_all(**format, {{1, 2, payload_bytes, 7, 0}}, 65536);
}

std::string decoded(std::span<const std::byte> file) {
  const auto bytes = dicom_format().decoder()->decode(file);
  return bytes ? std::to_string(*bytes) : bytes.error().message();
}

Bytes foreign(const std::string& name) { return read_test_file("dicom/testdata/" + name); }

std::size_t find(const Bytes& file, std::string_view what) {
  const auto found = std::ranges::search(file, std::as_bytes(std::span(what)));
  EXPECT_FALSE(found.empty());
  return static_cast<std::size_t>(found.begin() - file.begin());
}

// Makes a file of one element after the meta group; `tag` and everything after it are as they are
// stored.
Bytes file_with(std::string_view syntax, std::initializer_list<std::string_view> parts) {
  Bytes file(128);
  append_text(file, "DICM");
  append_text(file, std::string_view("\x02\0\x10\0UI", 6));
  append_little(file, static_cast<std::uint16_t>(syntax.size()));
  append_text(file, syntax);
  for (const std::string_view part : parts) append_text(file, part);
  return file;
}

TEST(Dicom, DcmtkDecodesEverySize) {
  std::vector<std::uint64_t> payloads{0, 1, 2, 3, 4, 5, 31, 32, 33, 524'288, 3'000'000};
  RandomStream random(4);
  for (int i = 0; i < 60; ++i) payloads.push_back(random.below(150'000));
  for (const std::uint64_t payload : payloads)
    for (const char* syntax : {"explicit", "implicit"}) {
      const Bytes file = file_of(payload, syntax);
      const std::string bytes = std::to_string(dicom::Image(payload).pixel_bytes());
      ASSERT_EQ(decoded(file), bytes) << payload << syntax;
      ASSERT_EQ(index_outcome(file), "fine") << payload;
    }
}

TEST(Dicom, EveryPayloadFitsItsElements) {
  RandomStream random(6);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t payload =
        random.below(std::min<std::uint64_t>(1ULL << (8 + i % 25), dicom::kPayloadBytesMax + 1));
    const dicom::Image image(payload);
    ASSERT_LE(image.rows, 65535U) << payload;
    ASSERT_LE(image.columns, 65535U) << payload;
    ASSERT_LE(image.padding_bytes, 2 * image.columns) << payload;
    ASSERT_GE(image.pixel_bytes() + image.padding_bytes, payload) << payload;
  }
  const dicom::Image scan(524'288);
  EXPECT_EQ(scan.columns, 512U);
  EXPECT_EQ(scan.rows, 512U);
  EXPECT_EQ(scan.padding_bytes, 0U);
}

TEST(Dicom, PayloadsBeyondTheLengthFieldDoNotFit) {
  using dicom::TransferSyntax;
  EXPECT_LT(dicom::file_bytes(TransferSyntax::kExplicit, 0xFFFFFFFE), UINT64_MAX);
  EXPECT_EQ(dicom::file_bytes(TransferSyntax::kExplicit, 0xFFFFFFFF), UINT64_MAX);
}

TEST(Dicom, OptionsAreNamed) {
  const auto outcome = [](const FormatOptions& options) {
    const auto format = make_format("dicom", options);
    return format ? "fine" : format.error().render();
  };
  EXPECT_EQ(outcome({{"transfer_syntax", "implicit"}}), "fine");
  EXPECT_EQ(outcome({{"transfer_syntax", "big"}}),
            "error: transfer_syntax: unknown value 'big'\nhint:  it may be explicit or implicit\n");
  EXPECT_EQ(outcome({{"syntax", "x"}}),
            "error: format 'dicom' has no option 'syntax'\nhint:  it has transfer_syntax\n");
}

TEST(Dicom, ForeignFilesAreWalkedAndDecoded) {
  for (const char* name :
       {"explicit.dcm", "implicit.dcm", "undefined.dcm", "undefined_explicit.dcm", "rle.dcm"}) {
    const Bytes file = foreign(name);
    EXPECT_EQ(index_outcome(file), "fine") << name;
    EXPECT_EQ(recognise_format("x", file).name(), "dicom") << name;
    EXPECT_EQ(decoded(file), "3840") << name;
    EXPECT_NE(index_outcome(std::span(file).first(file.size() - 1)), "fine") << name;
  }
  EXPECT_EQ(index_outcome(foreign("deflated.dcm")), "fine");
  EXPECT_EQ(decoded(foreign("deflated.dcm")), "3840");
  EXPECT_EQ(index_outcome(foreign("jpeg.dcm")), "fine");
}

// DCMTK makes room for what an element claims: 1.3 GB here, of a file of 982 B. Found by a fuzzer.
TEST(Dicom, AnElementThatClaimsTooMuchWithinADeflatedDataSetIsFound) {
  const Bytes file = foreign("deflated_claims_too_much.dcm");
  EXPECT_TRUE(decoded(file).starts_with("in the data set that is deflated at offset "))
      << decoded(file);
}

// A representation that nobody knows has a long length: 1.2 GB here. Found by a fuzzer.
TEST(Dicom, AnElementOfUnknownRepresentationThatClaimsTooMuchIsFound) {
  EXPECT_EQ(decoded(foreign("unknown_representation.dcm")),
            "at offset 330: (0002,0013) of 1229342287 B goes beyond the end of the file at 400");
}

TEST(Dicom, OtherSyntaxesAreUnsupported) {
  const Bytes big = foreign("big_endian.dcm");
  MemoryFile big_file(big);
  const auto index = dicom_format().index(big_file);
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(index.error().message(), "big-endian DICOM files are not supported");
  const auto jpeg = dicom_format().decoder()->decode(foreign("jpeg.dcm"));
  ASSERT_FALSE(jpeg);
  EXPECT_EQ(jpeg.error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(jpeg.error().message(), "DICOM pixels in JPEG Baseline are not decoded");
}

TEST(Dicom, ReadsLittleOfTheValues) {
  const Bytes file = file_of(3'000'000);
  MemoryFile memory(file);
  ASSERT_TRUE(dicom_format().index(memory));
  EXPECT_LE(memory.read_bytes, 3 * 4096U);
}

TEST(Dicom, ErrorsNameTheElement) {
  const Bytes whole = file_of(5000);
  const std::string size = std::to_string(whole.size());
  EXPECT_EQ(index_outcome({}), "at offset 0: empty file");
  EXPECT_EQ(index_outcome(std::span(whole).first(131)),
            "at offset 0: not a DICOM file: no 'DICM' at 128");
  EXPECT_EQ(index_outcome(Bytes(200)), "at offset 0: not a DICOM file: no 'DICM' at 128");
  EXPECT_EQ(index_outcome(std::span(whole).first(132)),
            "at offset 132: no transfer syntax (0002,0010) in the file meta group");
  EXPECT_EQ(index_outcome(std::span(whole).first(139)),
            "at offset 132: 7 B where an element must begin");
  const std::size_t pixels = find(whole, std::string_view("\xE0\x7F\x10\0OW", 6));
  const std::string at_pixels = "at offset " + std::to_string(pixels) + ": ";
  EXPECT_EQ(index_outcome(std::span(whole).first(pixels + 1000)),
            at_pixels + "(7FE0,0010) of 5000 B goes beyond the end of the file at " +
                std::to_string(pixels + 1000));
  Bytes damaged = whole;
  store_little(damaged.data() + pixels + 8, 0xFFFFFFFEU);
  EXPECT_EQ(index_outcome(damaged),
            at_pixels + "(7FE0,0010) of 4294967294 B goes beyond the end of the file at " + size);
  EXPECT_EQ(decoded(damaged), index_outcome(damaged));
  damaged = whole;
  damaged[pixels + 4] = std::byte{'?'};
  EXPECT_EQ(index_outcome(damaged), at_pixels + "(7FE0,0010) has no value representation");
}

TEST(Dicom, SequencesAreBounded) {
  constexpr std::string_view kSequence("\x08\0\x40\x11\xFF\xFF\xFF\xFF", 8),
      kItem("\xFE\xFF\0\xE0\xFF\xFF\xFF\xFF", 8), kItemEnd("\xFE\xFF\x0D\xE0\0\0\0\0", 8),
      kSequenceEnd("\xFE\xFF\xDD\xE0\0\0\0\0", 8), kLong("\xFE\xFF\0\xE0\x64\0\0\0", 8);
  const std::string syntax = std::string(dicom::kImplicitLittle) + '\0';
  const auto outcome = [&](std::initializer_list<std::string_view> parts) {
    return index_outcome(file_with(syntax, parts));
  };
  EXPECT_EQ(outcome({kSequence, kItem, kItemEnd, kItem, kItemEnd, kSequenceEnd}), "fine");
  EXPECT_EQ(outcome({kSequence, kItem, kItemEnd}),
            "at offset 182: ends within a sequence of undefined length");
  EXPECT_EQ(outcome({kSequence, kItemEnd}), "at offset 166: (FFFE,E00D) ends nothing that is open");
  EXPECT_EQ(outcome({kSequenceEnd}), "at offset 158: (FFFE,E0DD) ends nothing that is open");
  EXPECT_EQ(outcome({kItem}), "at offset 158: an item outside of a sequence");
  EXPECT_EQ(outcome({kSequence, kSequence}), "at offset 166: (0008,1140) where an item must begin");
  EXPECT_EQ(outcome({kSequence, kLong}),
            "at offset 166: (FFFE,E000) of 100 B goes beyond the end of the file at 174");
  std::string deep;
  for (int i = 0; i < 40; ++i) (deep += kSequence) += kItem;
  EXPECT_EQ(outcome({deep}), "at offset 662: sequences nested deeper than 64");
  constexpr std::string_view kPixels("\xE0\x7F\x10\0\xFF\xFF\xFF\xFF", 8);
  EXPECT_EQ(outcome({kPixels, kItem}), "at offset 166: (FFFE,E000) may not be of undefined length");
}

TEST(Dicom, DamageIsATypedDecoderError) {
  const Bytes file = file_of(5000);
  EXPECT_EQ(decoded(std::span(file).first(2000)), index_outcome(std::span(file).first(2000)));
  RandomStream random(9);
  Bytes rle = foreign("rle.dcm");
  for (int i = 0; i < 2000; ++i) {
    Bytes damaged = i % 2 == 0 ? rle : file;
    damaged[random.below(damaged.size())] = static_cast<std::byte>(random.below(256));
    const auto bytes = dicom_format().decoder()->decode(damaged);
    if (bytes) continue;
    EXPECT_TRUE(bytes.error().kind() == ErrorKind::kCorrupt ||
                bytes.error().kind() == ErrorKind::kUnsupported)
        << bytes.error().message();
  }
}

}  // namespace
}  // namespace feedrate::testing
