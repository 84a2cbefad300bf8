#include "feedrate/format/safetensors/safetensors.h"

#include "feedrate/format/format_testing.h"
#include "feedrate/format/wire.h"

namespace feedrate::testing {
namespace {

Bytes file_of(const std::string& header, std::size_t data_bytes) {
  Bytes bytes;
  append_little(bytes, std::uint64_t{header.size()});
  append_text(bytes, header);
  bytes.resize(bytes.size() + data_bytes);
  return bytes;
}

std::string outcome_of(const Bytes& bytes) {
  MemoryFile memory(bytes);
  const auto index = safetensors_format().index(memory);
  if (!index) return index.error().message();
  std::string text;
  for (std::uint64_t i = 0; i < index->sample_count(); ++i)
    text += std::to_string(index->sample(i).offset) + "+" +
            std::to_string(index->sample(i).length) + " ";
  return text;
}

TEST(Safetensors, TensorsAreSamplesInTheOrderOfTheFile) {  // the layout of the format's own README
  EXPECT_EQ(outcome_of(file_of(R"({"__metadata__":{"format":"pt"},)"
                               R"("b":{"dtype":"F16","shape":[2,3],"data_offsets":[8,20]},)"
                               R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                               R"("none":{"dtype":"F32","shape":[0],"data_offsets":[20,20]}})",
                               20)),
            "207+8 215+12 ");
}

TEST(Safetensors, StructureThatIsWrongIsNamed) {
  EXPECT_EQ(outcome_of({}), "at offset 0: file ends within its length");
  EXPECT_EQ(outcome_of(file_of("[1]", 3)), "at offset 8: header is not a JSON object");
  EXPECT_EQ(outcome_of(file_of("{", 3)), "at offset 8: header is not a JSON object");
  EXPECT_EQ(outcome_of(file_of(R"({"a":3})", 3)), "at offset 8: tensor 'a': it is not an object");
  EXPECT_EQ(outcome_of(file_of(R"({"a":{"data_offsets":[0,-1]}})", 3)),
            "at offset 8: tensor 'a': data_offsets are not two numbers");
  EXPECT_EQ(outcome_of(file_of(R"({"a":{"data_offsets":[0,4]}})", 3)),
            "at offset 8: tensor 'a': bytes 0 to 4 do not lie within the 3 B of data");
  EXPECT_EQ(outcome_of(file_of(R"({"a":{"data_offsets":[0,3]},"b":{"data_offsets":[2,4]}})", 4)),
            "at offset 65: two tensors overlap");
  Bytes bytes;
  append_little(bytes, ~std::uint64_t{0});
  EXPECT_EQ(outcome_of(bytes),
            "at offset 0: header of 18446744073709551615 B; the file has 8 B and 100000000 are "
            "allowed");
}

}  // namespace
}  // namespace feedrate::testing
