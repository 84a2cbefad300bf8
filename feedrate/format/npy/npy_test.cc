#include "feedrate/format/npy/npy.h"

#include "feedrate/format/format_testing.h"

namespace feedrate::testing {
namespace {

std::string index_outcome(std::span<const std::byte> bytes) {
  MemoryFile memory(bytes);
  const auto index = npy_format().index(memory);
  return index ? "fine" : index.error().message();
}

TEST(Npy, IsByteForByteWhatNumpyWrites) {
  const Bytes foreign = read_test_file("npy/testdata/zeros_1000.npy");
  EXPECT_EQ(render_all(npy_format(), {{1, 2, 1000, 7, 1.0}}, 100), foreign);
}

TEST(Npy, TheArrayOfAForeignFileMustBeThere) {
  for (const auto& [name, begin, bytes] :
       {std::tuple("float_3d.npy", 128, 480), {"scalar.npy", 128, 8}, {"version_2.npy", 128, 3}}) {
    const Bytes foreign = read_test_file(std::string("npy/testdata/") + name);
    EXPECT_EQ(index_outcome(foreign), "fine") << name;
    EXPECT_EQ(recognise_format("x", foreign).name(), "npy") << name;
    const std::size_t less = foreign.size() - 1;
    EXPECT_EQ(index_outcome(std::span(foreign).first(less)),
              "at offset " + std::to_string(begin) + ": array of " + std::to_string(bytes) +
                  " B goes beyond the end of the array's bytes at " + std::to_string(less))
        << name;
  }
  EXPECT_EQ(index_outcome(read_test_file("npy/testdata/structure.npy")), "fine");
}

TEST(Npy, ErrorsNameTheOffset) {
  Bytes file = render_all(npy_format(), {{1, 2, 1000, 7, 0}}, 4096);
  EXPECT_EQ(index_outcome(std::span(file).first(127)),
            "at offset 10: header of 118 B goes beyond the end of the array's bytes at 127");
  const auto at = std::ranges::search(file, std::as_bytes(std::span("1000", 4))).begin();
  std::fill_n(at, 4, std::byte{'9'});
  EXPECT_EQ(index_outcome(file),
            "at offset 128: array of 9999 B goes beyond the end of the array's bytes at 1128");
  file[6] = std::byte{9};
  EXPECT_EQ(index_outcome(file), "at offset 6: unknown version 9 of NPY");
  file[0] = std::byte{9};
  EXPECT_EQ(index_outcome(file), "at offset 0: not an NPY array: no '\\x93NUMPY'");
}

}  // namespace
}  // namespace feedrate::testing
