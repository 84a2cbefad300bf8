#include "feedrate/format/megatron/megatron.h"

#include "feedrate/format/format_testing.h"
#include "feedrate/format/wire.h"

namespace feedrate::testing {
namespace {

// Makes an index as Megatron-LM's IndexedDatasetBuilder writes it; token type 4 is int32.
Bytes index_of(const std::vector<std::int32_t>& lengths, const std::vector<std::int64_t>& offsets,
               std::uint8_t code = 4) {
  Bytes bytes;
  append_text(bytes, std::string_view("MMIDIDX\0\0", 9));
  append_little(bytes, std::uint64_t{1});
  bytes.push_back(std::byte{code});
  append_little(bytes, std::uint64_t{lengths.size()});
  append_little(bytes, std::uint64_t{lengths.size() + 1});
  for (const std::int32_t length : lengths) append_little(bytes, length);
  for (const std::int64_t offset : offsets) append_little(bytes, offset);
  for (std::size_t i = 0; i <= lengths.size(); ++i) append_little(bytes, std::int64_t(i));
  return bytes;
}

std::string outcome_of(const Bytes& idx, std::size_t bin_bytes) {
  const Bytes bin(bin_bytes);
  MemoryFile memory(bin, idx);
  const auto index = megatron_format().index(memory);
  if (!index) return index.error().message();
  std::string text;
  for (std::uint64_t i = 0; i < index->sample_count(); ++i)
    text += std::to_string(index->sample(i).offset) + "+" +
            std::to_string(index->sample(i).length) + " ";
  return text;
}

TEST(Megatron, SequencesOfTheIndexAreSamples) {
  EXPECT_EQ(outcome_of(index_of({10, 0, 3}, {0, 40, 40}), 52), "0+40 40+12 ");
  EXPECT_EQ(outcome_of(index_of({10, 3}, {0, 20}, 8), 26), "0+20 20+6 ");
}

TEST(Megatron, AnIndexThatIsWrongIsNamed) {
  EXPECT_EQ(outcome_of({}, 52), "at offset 0: there is no .idx file beside the .bin file");
  EXPECT_EQ(outcome_of(Bytes(10), 52), "at offset 10: of the .idx file: it ends within its header");
  EXPECT_EQ(outcome_of(Bytes(100), 52),
            "at offset 0: of the .idx file: it does not begin with MMIDIDX");
  EXPECT_EQ(outcome_of(index_of({10}, {0}, 9), 52),
            "at offset 17: of the .idx file: unknown token type 9");
  EXPECT_EQ(outcome_of(index_of({10}, {16}), 52),
            "at offset 34: of the .idx file: sequence 0 (10 tokens at 16) does not lie within the "
            "52 B of the .bin file");
  EXPECT_EQ(outcome_of(index_of({-1}, {0}), 52),
            "at offset 34: of the .idx file: sequence 0 (-1 tokens at 0) does not lie within the "
            "52 B of the .bin file");
  Bytes many = index_of({10}, {0});
  std::memset(many.data() + 18, 0xFF, 8);
  EXPECT_EQ(outcome_of(many, 52),
            "at offset 18: of the .idx file: 18446744073709551615 sequences and 2 document "
            "boundaries do not fit its 62 B");
  EXPECT_EQ(outcome_of(index_of({1, 1}, {4, 0}), 52),
            "at offset 42: of the .idx file: its sequences are not in the order of the file");
}

}  // namespace
}  // namespace feedrate::testing
