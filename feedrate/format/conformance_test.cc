// One suite for every format.
#include <gtest/gtest.h>

#include <optional>

#include "feedrate/base/random.h"
#include "feedrate/format/format_testing.h"

namespace feedrate::testing {
namespace {

struct Case {
  const char* format;
  std::vector<std::uint64_t> payload_bytes;  // equal ones when one_content_per_file()
  FormatOptions options = {};
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.format;
  for (const auto& [key, value] : c.options) *out << " " << key << "=" << value;
  for (const std::uint64_t bytes : c.payload_bytes) *out << " " << bytes;
}

const Case kCases[] = {
    {"tfrecord", {900}},
    {"tfrecord", {1, 130, 70, 1300, 0, 17000}},
    {"tfrecord", {64, 64, 64}},
    {"npz", {1}},
    {"npz", {5000}},
    {"npz", {12345}},
    {"webdataset", {5000}},
    {"webdataset", {1, 512, 513, 9000}},
    {"safetensors", {5000}},
    {"safetensors", {1, 512, 513, 9000}},
    {"megatron", {512}},
    {"megatron", {40, 40, 40, 40}},
    {"raw", {160, 160, 160}, {{"record_bytes", "160"}}},
    {"wav", {1}},
    {"wav", {5000}},
    {"wav", {12345}},
    {"jpeg", {1}},
    {"jpeg", {500}},
    {"jpeg", {5000}},
    {"jpeg", {12345}},
    {"npy", {1}},
    {"npy", {12345}},
    {"png", {5}},
    {"png", {12345}},
    {"flac", {5}},
    {"flac", {9001}},
    {"dicom", {1}},
    {"dicom", {512}},
    {"dicom", {12345}},
    {"dicom", {5000}, {{"transfer_syntax", "implicit"}}},
    {"hdf5", {1}},
    {"hdf5", {5000}},
    {"hdf5", {800, 800, 800}},
    {"hdf5", {800, 4, 1203, 2000}},
    {"hdf5", {5000}, {{"chunk_bytes", "1200"}}},
    {"hdf5", {5000, 5000}, {{"chunk_bytes", "1KiB"}, {"gzip", "on"}, {"shuffle", "on"}}},
    {"hdf5", {5000, 6001}, {{"chunk_bytes", "1MiB"}, {"gzip", "on"}}},
    {"parquet", {100}},
    {"parquet", {64, 64, 64, 64, 64}, {{"columns", "7"}, {"row_group_rows", "2"}}},
    {"parquet", {90, 90, 90}, {{"columns", "9"}, {"columns_read", "4"}}},
    {"lmdb", {100}},
    {"lmdb", {1500, 1500, 1500, 1500, 1500}},
    {"lmdb", {5000, 5000, 5000}},
    {"file", {1}},
    {"file", {10001}},
};

class Conformance : public ::testing::TestWithParam<Case> {
 protected:
  Conformance()
      : owned(*make_format(GetParam().format, GetParam().options)),
        format(*owned),
        sample_total(GetParam().payload_bytes.size()) {
    const auto& payloads = GetParam().payload_bytes;
    if (format.one_content_per_file())
      samples.push_back({5, 10, payloads.front() * payloads.size(), 7, 0, payloads.size()});
    else
      for (const std::uint64_t bytes : payloads)
        samples.push_back({5, samples.size() + 10, bytes,
                           static_cast<std::uint32_t>(1000 * samples.size() + 7), 0});
    index = layout_of(format, samples);
    file = render_all(format, samples, std::size_t{1} << 20U);
    if (!format.companion_extension().empty()) {
      const auto renderer = format.render_companion(SampleSizes(GetParam().payload_bytes));
      companion.resize(format.companion_bytes(SampleSizes(GetParam().payload_bytes)));
      EXPECT_EQ(renderer->next(companion), companion.size());
      std::byte more[1];
      EXPECT_EQ(renderer->next(more), 0U);
    }
    in_one_piece = !format.one_content_per_file() && index.contiguous();
    for (std::size_t i = 0; in_one_piece && i < samples.size(); ++i)
      in_one_piece = find_content(i).has_value();
  }

  std::vector<Extent> located(const FileIndex& of, std::uint64_t sample) const {
    std::vector<Extent> reads;
    of.locate(sample, 1, reads);
    return reads;
  }

  bool at_or_record_of(const std::string& message, std::uint64_t offset) const {
    const auto names = [&](std::uint64_t n) {
      return message.find("at offset " + std::to_string(n) + ":") != std::string::npos;
    };
    if (names(offset)) return true;
    if (index.contiguous())
      for (std::uint64_t i = 0; i < index.sample_count(); ++i) {
        const Extent sample = index.sample(i);
        if (offset >= sample.offset && offset < sample.end() && names(sample.offset)) return true;
      }
    // Formats that are read whole have records of their own: chunks, frames.
    if (format.whole_file() && message.starts_with("at offset "))
      return std::stoull(message.substr(std::strlen("at offset "))) <= offset;
    // npz: the data is checked against two copies of its checksum
    return message.find("CRC-32 of x.npy") != std::string::npos;
  }

  // Returns where the content of sample `i` lies, found by looking for it; none when it is not
  // stored as one run of bytes.
  std::optional<std::uint64_t> find_content(std::size_t i) const {
    Bytes content(samples[i].bytes);
    fill_content(samples[i], 0, content);
    const Extent extent = index.sample(i);
    const auto begin = file.begin() + static_cast<std::ptrdiff_t>(extent.offset);
    const auto end = begin + static_cast<std::ptrdiff_t>(extent.length);
    const auto at = std::find_end(begin, end, content.begin(), content.end());
    if (!content.empty() && at == end) return std::nullopt;
    return static_cast<std::uint64_t>(at - file.begin());
  }
  std::uint64_t content_offset(std::size_t i) const { return *find_content(i); }

  std::shared_ptr<const Format> owned;
  const Format& format;
  std::uint64_t sample_total;
  bool in_one_piece = false;
  std::vector<SampleContent> samples;
  FileIndex index;
  Bytes file, companion;
};

TEST_P(Conformance, RenderHasTheSizeOfTheLayout) {
  EXPECT_EQ(file.size(), index.file_bytes);
  ASSERT_EQ(index.sample_count(), sample_total);
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < sample_total; ++i) {
    for (const Extent& read : located(index, i)) EXPECT_LE(read.end(), index.file_bytes);
    if (!index.contiguous()) continue;
    EXPECT_GE(index.sample(i).offset, end);
    EXPECT_GE(index.sample(i).length, GetParam().payload_bytes[i]);
    end = index.sample(i).end();
  }
  for (const Extent& read : index.open_reads) EXPECT_LE(read.end(), index.file_bytes);
}

TEST_P(Conformance, RenderInPiecesIsTheSameFile) {
  for (const std::size_t chunk_bytes : {1U, 3U, 127U, 4096U, 5001U})
    EXPECT_EQ(render_all(format, samples, chunk_bytes), file) << chunk_bytes;
}

TEST_P(Conformance, IndexFindsWhatWasLaidOut) {
  MemoryFile memory(file, companion);
  const auto found = format.index(memory);
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->file_bytes, index.file_bytes);
  ASSERT_EQ(found->sample_count(), sample_total);
  for (std::size_t i = 0; i < sample_total; ++i) EXPECT_EQ(located(*found, i), located(index, i));
  EXPECT_EQ(found->open_reads, index.open_reads);
}

TEST_P(Conformance, RecognisesItsOwnFiles) {
  if (format.name() == "raw") return;  // says nothing about itself
  const std::string name = "a/b" + std::string(format.extension());
  EXPECT_EQ(recognise_format(name, file).name(), format.name());
  if (format.name() == "megatron") return;  // by its name alone
  EXPECT_EQ(
      recognise_format("unnamed", std::span(file).first(std::min<std::size_t>(file.size(), 512)))
          .name(),
      format.name());
}

TEST_P(Conformance, VerifierAcceptsOurBytes) {
  for (const std::size_t chunk_bytes : {1U, 7U, 1000U, 4096U, 1U << 20U})
    for (const Order order : {Order::kForward, Order::kBackward}) {
      EXPECT_EQ(outcome(verify(format, index, samples, file, chunk_bytes, order)), "fine");
      EXPECT_EQ(outcome(verify(format, index, {}, file, chunk_bytes, order)), "fine");
    }
}

TEST_P(Conformance, VerifierFindsEveryWrongByteInOrder) {
  RandomStream random(3);
  for (std::uint64_t at = 0; at < file.size(); ++at) {
    const auto flip = static_cast<std::byte>(1U << random.below(8));
    file[at] ^= flip;
    const auto result = verify(format, index, samples, file, 1 + random.below(6000));
    ASSERT_FALSE(result) << at;
    EXPECT_EQ(result.error().kind(), ErrorKind::kCorrupt);
    EXPECT_TRUE(at_or_record_of(result.error().message(), at))
        << at << ": " << result.error().message();
    file[at] ^= flip;
  }
}

TEST_P(Conformance, VerifierNamesEveryWrongContentByteInAnyOrder) {
  if (!in_one_piece) return;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::uint64_t begin = content_offset(i), end = begin + samples[i].bytes;
    for (std::uint64_t at = begin; at < end; at += at % 3 + 1) {
      file[at] ^= std::byte{0x80};
      EXPECT_EQ(
          outcome(verify(format, index, samples, file, 999, Order::kBackward)),
          "corrupt: at offset " + std::to_string(at) + ": content differs from what was written");
      file[at] ^= std::byte{0x80};
    }
  }
}

TEST_P(Conformance, VerifierChecksSamplesThatAreReadInTurns) {
  if (!format.has_checksums() || !in_one_piece) return;
  constexpr std::uint64_t kTurnBytes = 50;
  const auto read_in_turns = [&] {
    const auto verifier = format.verifier(std::make_shared<FileIndex>(index), {});
    Result<> result;
    for (std::uint64_t at = 0; at < index.file_bytes; at += kTurnBytes)
      for (const Extent& sample : index.samples)  // in_one_piece: contiguous, not equal records
        if (result && at < sample.length)
          result =
              verifier->consume(sample.offset + at,
                                std::span(file).subspan(sample.offset + at,
                                                        std::min(kTurnBytes, sample.length - at)));
    return result;
  };
  EXPECT_EQ(outcome(read_in_turns()), "fine");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples[i].bytes == 0) continue;
    const std::uint64_t at = content_offset(i) + samples[i].bytes / 2;
    file[at] ^= std::byte{4};
    const auto result = read_in_turns();
    ASSERT_FALSE(result);
    EXPECT_TRUE(at_or_record_of(result.error().message(), at)) << result.error().message();
    file[at] ^= std::byte{4};
  }
}

TEST_P(Conformance, VerifierFindsWrongDataInForeignFiles) {
  if (!format.has_checksums() || !in_one_piece) return;
  for (std::size_t i = 0; i < samples.size(); ++i)
    for (std::uint64_t at = content_offset(i), k = 0; k < samples[i].bytes; ++k) {
      file[at + k] ^= std::byte{1};
      const auto result = verify(format, index, {}, file, 500);
      ASSERT_FALSE(result) << at + k;
      EXPECT_TRUE(at_or_record_of(result.error().message(), at + k)) << result.error().message();
      file[at + k] ^= std::byte{1};
    }
}

TEST_P(Conformance, VerifierRefusesBytesAfterThePlannedEnd) {
  file.push_back(std::byte{0});
  const auto result = verify(format, index, samples, file, 4096);
  ASSERT_FALSE(result);
  EXPECT_TRUE(at_or_record_of(result.error().message(), file.size() - 1));
}

TEST_P(Conformance, TruncationIsATypedErrorOrACleanIndex) {
  for (std::size_t length = 0; length < file.size(); length += length < 600 ? 1 : 37) {
    const auto head = std::span<const std::byte>(file).first(length);
    MemoryFile memory(head, companion);
    const auto found = format.index(memory);
    if (found) {
      ASSERT_EQ(found->file_bytes, length);
      for (std::uint64_t i = 0; i < found->sample_count(); ++i)
        for (const Extent& read : located(*found, i)) ASSERT_LE(read.end(), length);
      const auto verified = verify(format, *found, {}, head, 333);
      if (verified) continue;
      // Only the verifier goes through the whole of a file that is one sample.
      EXPECT_TRUE(format.whole_file() && format.has_checksums());
      EXPECT_EQ(verified.error().kind(), ErrorKind::kCorrupt) << verified.error().message();
      EXPECT_TRUE(at_or_record_of(verified.error().message(), length));
    } else {
      EXPECT_EQ(found.error().kind(), ErrorKind::kCorrupt) << found.error().message();
      EXPECT_NE(found.error().message().find("at offset "), std::string::npos);
    }
  }
}

TEST_P(Conformance, RandomDamageNeverCrashes) {
  RandomStream random(11);
  for (int round = 0; round < 3000; ++round) {
    Bytes damaged = file;
    for (std::uint64_t i = 0, count = 1 + random.below(4); i < count; ++i) {
      // Mostly near the ends, where the structure is.
      const std::uint64_t near = std::min<std::uint64_t>(damaged.size(), 400);
      std::uint64_t at = random.below(random.below(4) == 0 ? damaged.size() : near);
      if (random.below(2) == 0) at = damaged.size() - 1 - at;
      damaged[at] = static_cast<std::byte>(random.below(3) == 0 ? 0xFF : random.below(256));
    }
    MemoryFile memory(damaged, companion);
    const auto found = format.index(memory);
    if (found) {
      ASSERT_LT(found->sample_count(), 100'000U);
      for (std::uint64_t i = 0; i < found->sample_count(); ++i)
        for (const Extent& read : located(*found, i)) ASSERT_LE(read.end(), damaged.size());
      (void)verify(format, *found, {}, damaged, 1 + random.below(3000));
      if (found->sample_count() == sample_total)
        (void)verify(format, *found, samples, damaged, 1 + random.below(3000));
    }
    (void)verify(format, index, samples, damaged, 1 + random.below(3000));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Conformance, ::testing::ValuesIn(kCases), [](const auto& test) {
  return std::string(test.param.format) + "_" + std::to_string(test.index);
});

TEST(Formats, PayloadForStoredIsTheLargestThatFits) {
  for (const Format* format : all_formats()) {
    if (!format->layout(SampleSizes(1, 64)).contiguous()) continue;  // in the format's own test
    const auto stored = [&](std::uint64_t payload) {
      return format->layout(SampleSizes(1, payload)).sample(0).length;
    };
    RandomStream random(2);
    for (int i = 0; i < 4000; ++i) {
      const std::uint64_t bytes = i < 2000 ? i : random.below(1ULL << (12 + i % 30));
      const std::uint64_t payload = format->payload_for_stored(bytes);
      if (payload != 0) {
        ASSERT_LE(stored(payload), bytes) << format->name();
      }
      const std::uint64_t granule = format->name() == "megatron" ? 2 : 1;  // a token
      ASSERT_GT(stored(payload + granule), bytes) << format->name();
    }
  }
}

TEST(Formats, AreFoundByName) {
  EXPECT_EQ((*find_format("npz"))->name(), "npz");
  const auto wrong = find_format("tfrecrod");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(
      wrong.error().render(),
      "error: unknown format 'tfrecrod', did you mean 'tfrecord'?\n"
      "hint:  known formats: tfrecord, npz, npy, hdf5, lmdb, parquet, webdataset, raw, megatron, "
      "safetensors, jpeg, png, wav, flac, dicom, file\n");
}

TEST(Formats, AreRecognisedByNameOrFirstBytes) {
  const auto name = [](std::string_view file_name) {
    return recognise_format(file_name, {}).name();
  };
  EXPECT_EQ(name("train/train-00000-of-01024.tfrecords"), "tfrecord");
  EXPECT_EQ(name("img_0.TFRecord"), "tfrecord");
  EXPECT_EQ(name("imagenet.tfrecord-00001"), "tfrecord");
  EXPECT_EQ(name("tfrecord/case_00000.npz"), "npz");
  EXPECT_EQ(name("x.NPZ"), "npz");
  EXPECT_EQ(name("tfrecord/cat.jpg"), "jpeg");
  EXPECT_EQ(name("tfrecord/cat.tiff"), "file");
  EXPECT_EQ(name(""), "file");
}

}  // namespace
}  // namespace feedrate::testing
