#include "feedrate/checkpoint/pickle.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace feedrate {
namespace {

using namespace std::string_literals;

std::string integer(std::uint64_t value) {
  Pickle pickle;
  pickle.integer(value);
  return std::move(pickle).finish();
}

TEST(Pickle, IntegersTakeTheShortestForm) {
  EXPECT_EQ(integer(0), "\x80\x02K\0."s);
  EXPECT_EQ(integer(255), "\x80\x02K\xff."s);
  EXPECT_EQ(integer(256), "\x80\x02M\0\x01."s);
  EXPECT_EQ(integer(65536), "\x80\x02J\0\0\x01\0."s);
  EXPECT_EQ(integer(0x7fffffff), "\x80\x02J\xff\xff\xff\x7f."s);
  EXPECT_EQ(integer(0x80000000), "\x80\x02\x8a\x05\0\0\0\x80\0."s);
  EXPECT_EQ(integer(0x7fffffffff), "\x80\x02\x8a\x05\xff\xff\xff\xff\x7f."s);
  EXPECT_EQ(integer(~std::uint64_t{0}), "\x80\x02\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0."s);
}

TEST(Pickle, TuplesOfIntegers) {
  const auto tuple = [](std::vector<std::uint64_t> values) {
    Pickle pickle;
    pickle.integers(values);
    return std::move(pickle).finish();
  };
  EXPECT_EQ(tuple({}), "\x80\x02)."s);
  EXPECT_EQ(tuple({1}), "\x80\x02K\x01\x85."s);
  EXPECT_EQ(tuple({1, 2, 3}), "\x80\x02K\x01K\x02K\x03\x87."s);
  EXPECT_EQ(tuple({1, 2, 3, 4}), "\x80\x02(K\x01K\x02K\x03K\x04t."s);
}

TEST(Pickle, NamesAreWrittenOnce) {
  Pickle pickle;
  pickle.text("ab");
  pickle.global("m", "ab");
  pickle.text("ab");
  pickle.global("m", "ab");
  EXPECT_EQ(std::move(pickle).finish(), "\x80\x02X\x02\0\0\0abq\0cm\nab\nq\x01h\0h\x01."s);
}

TEST(Pickle, ReferencesBeyond255AreLong) {
  Pickle pickle;
  for (int i = 0; i < 257; ++i) pickle.text(std::to_string(i));
  pickle.text("256");
  pickle.text("255");
  const std::string bytes = std::move(pickle).finish();
  EXPECT_TRUE(bytes.ends_with("X\x03\0\0\0"s + "256r\0\x01\0\0j\0\x01\0\0h\xff."s));
}

TEST(Pickle, ObjectsAreKeptByKey) {
  Pickle pickle;
  for (int i = 0; i < 2; ++i)
    if (!pickle.recall("o")) {
      pickle.empty_list();
      pickle.keep("o");
    }
  EXPECT_EQ(std::move(pickle).finish(), "\x80\x02]q\0h\0."s);
}

}  // namespace
}  // namespace feedrate
