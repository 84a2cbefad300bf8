#include "feedrate/base/yaml_rows.h"

#include <gtest/gtest.h>

#include "feedrate/base/quantity.h"

namespace feedrate {
namespace {

struct Thing {
  std::string name;
  bool loud = false;
  std::uint32_t legs = 4;
  PerSecond steps;
  Bytes memory;
  double rate = 0;
  Duration rest{};
  Seconds sleep;
  std::vector<std::string> friends;
};
using T = Thing;

constexpr YamlRow<T> kThing[] = {
    {"name", yaml::text<&T::name>, "What it is called.", kNeeded},
    {"loud", yaml::flag<&T::loud>, "Whether it makes noise.", "`false`"},
    {"legs", yaml::count<&T::legs, 2, 1000>, "Legs.", "4"},
    {"steps", yaml::number<&T::steps, 0.5, 1e6>, "Steps a second.", "none"},
    {"memory", yaml::bytes<&T::memory, std::uint64_t{1} << 40U>, "What it holds.", "nothing"},
    {"rate", yaml::rate<&T::rate>, "What it takes.", "no limit"},
    {"rest", yaml::time<&T::rest, 1'000'000, 2'000'000'000>, "Between steps.", "none"},
    {"sleep", yaml::time<&T::sleep, 0, 60'000'000'000>, "After steps.", "none"},
    {"friends", yaml::texts<&T::friends>, "Others.", "none"},
};

std::string error_of(std::string_view text) {
  Thing thing;
  const Result<> read =
      read_rows(YamlNode::parse(text, "t.yaml").value(), "a thing", kThing, thing);
  return read ? "none" : read.error().render();
}

TEST(YamlRows, ReadEachValueIntoItsMember) {
  Thing thing;
  const auto node = YamlNode::parse(
      "name: a\nloud: true\nlegs: 6\nsteps: 2.5\nmemory: 2GiB\nrate: 3MB/s\nrest: 5ms\n"
      "sleep: 1.5s\nfriends: [b, c]\n",
      "t.yaml");
  ASSERT_TRUE(read_rows(*node, "a thing", kThing, thing));
  EXPECT_EQ(thing.name, "a");
  EXPECT_TRUE(thing.loud);
  EXPECT_EQ(thing.legs, 6U);
  EXPECT_EQ(thing.steps, PerSecond(2.5));
  EXPECT_EQ(thing.memory, Bytes(2147483648.0));
  EXPECT_EQ(thing.rate, 3e6);
  EXPECT_EQ(thing.rest, std::chrono::milliseconds(5));
  EXPECT_EQ(thing.sleep, Seconds(1.5));
  EXPECT_EQ(thing.friends, (std::vector<std::string>{"b", "c"}));
}

TEST(YamlRows, WhatIsLeftOutStaysAndWhatIsNeededIsAskedFor) {
  Thing thing;
  ASSERT_TRUE(read_rows(YamlNode::parse("name: a\n", "t.yaml").value(), "a thing", kThing, thing));
  EXPECT_EQ(thing.legs, 4U);
  EXPECT_EQ(error_of("legs: 3\n"),
            "error: t.yaml:1:1: key 'name' is missing\nhint:  add 'name: ...'\n");
}

TEST(YamlRows, KnowTheirKeysAndKeepTheirLimits) {
  EXPECT_EQ(error_of("name: a\nlegz: 3\n"),
            "error: t.yaml:2:1: unknown key 'legz' in a thing, did you mean 'legs'?\n"
            "hint:  keys are name, loud, legs, steps, memory, rate, rest, sleep, friends\n");
  EXPECT_NE(error_of("name: a\nlegs: 1\n"), "none");
  EXPECT_NE(error_of("name: a\nlegs: 1001\n"), "none");
  EXPECT_NE(error_of("name: a\nsteps: 0.4\n"), "none");
  EXPECT_NE(error_of("name: a\nmemory: 2TiB\n"), "none");
  EXPECT_NE(error_of("name: a\nrest: 3s\n"), "none");
}

TEST(YamlRows, AreTheLinesOfATable) {
  const std::string lines = table_lines("thing.", kThing);
  EXPECT_TRUE(
      lines.starts_with("| `thing.name` | What it is called. | text | needed |\n"
                        "| `thing.loud` | Whether it makes noise. | `true`, `false` | "
                        "`false` |\n"
                        "| `thing.legs` | Legs. | 2 to 1,000 | 4 |\n"
                        "| `thing.steps` | Steps a second. | 0.5 to 1,000,000 | none |\n"
                        "| `thing.memory` | What it holds. | 1 B to 1 TiB | nothing |\n"
                        "| `thing.rate` | What it takes. | a rate: 2GB/s | no limit |\n"))
      << lines;
}

}  // namespace
}  // namespace feedrate
