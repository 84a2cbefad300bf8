#include "feedrate/base/yaml_reader.h"

#include <gtest/gtest.h>

namespace feedrate {
namespace {

std::string parse_error(std::string_view text) {
  const auto node = YamlNode::parse(text, "f.yaml");
  return node ? "no error" : node.error().render();
}

TEST(YamlReader, ReadsEveryKindOfValue) {
  const auto root = YamlNode::parse(
      "name: abc\ncount: 7\nratio: 0.25\ntime: 3ms\nsize: 4KiB\nrate: 2GB/s\nlist: [a, b]\n",
      "f.yaml");
  ASSERT_TRUE(root);
  EXPECT_EQ(*root->at("name")->text(), "abc");
  EXPECT_EQ(*root->at("count")->count(1, 10), 7U);
  EXPECT_EQ(*root->at("ratio")->number(0, 1), 0.25);
  EXPECT_EQ(*root->at("time")->duration(Duration(0), std::chrono::seconds(1)),
            std::chrono::milliseconds(3));
  EXPECT_EQ(*root->at("size")->bytes(0, 1 << 20), 4096U);
  EXPECT_EQ(*root->at("rate")->bytes_per_second(), 2e9);
  EXPECT_EQ(*root->at("list")->texts(), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(root->has("other"));
  EXPECT_EQ(root->at("other").error().render(),
            "error: f.yaml:1:1: key 'other' is missing\nhint:  add 'other: ...'\n");
}

TEST(YamlReader, RefusesWhatIsNotOneMapping) {
  const std::string hint = "hint:  write it as 'key: value' lines\n";
  EXPECT_EQ(parse_error(""),
            "error: f.yaml: the file must be a mapping of keys to values\n" + hint);
  EXPECT_EQ(parse_error("- a\n"),
            "error: f.yaml:1:1: the file must be a mapping of keys to values\n" + hint);
  EXPECT_EQ(parse_error("a: 1\n---\nb: 2\n"),
            "error: f.yaml: 2 documents in one file\n"
            "hint:  keep one: remove the '---' lines between them\n");
}

TEST(YamlReader, SaysWhereTheYamlIsBroken) {
  const std::string text = parse_error("a: 1\nb: [1, 2\n");
  EXPECT_TRUE(text.starts_with("error: f.yaml:")) << text;
  EXPECT_TRUE(text.ends_with("hint:  it is not valid YAML there\n")) << text;
}

TEST(YamlReader, RefusesTags) {
  for (const char* text : {"a: 1\nb: !x 2", "a: [!<x> 1]", "- !x", "{!x : 1}", "a: !!int 5"}) {
    const auto node = YamlNode::parse(text, "f.yaml");
    ASSERT_FALSE(node.has_value()) << text;
    EXPECT_NE(node.error().message().find(": YAML tags are not read"), std::string::npos) << text;
  }
  EXPECT_EQ(parse_error("a: 1\nb: !x 2"),
            "error: f.yaml:2:4: YAML tags are not read\n"
            "hint:  leave out what begins with '!', or put it in quotes\n");
  EXPECT_TRUE(
      YamlNode::parse("a: \"!x\"\nb: not!this # nor ! this\nc: no tag !\n", "f").has_value());
}

TEST(YamlReader, ReadsAliasesButNoEndlessOnes) {
  EXPECT_EQ(*YamlNode::parse("a: &x 1\nb: *x\n", "f")->at("b")->text(), "1");
  const std::string endless =
      "error: f.yaml: YAML aliases make the file too large or endless\n"
      "hint:  write values out; at most 1000000 are read\n";
  EXPECT_EQ(parse_error("a: &x [*x]"), endless);
  EXPECT_EQ(parse_error("a: &x {b: *x}"), endless);
  std::string laughs = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 12; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) laughs += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    laughs += "]\n";
  }
  EXPECT_EQ(parse_error(laughs), endless);
}

TEST(YamlReader, LimitsSizeAndDepth) {
  const std::string expected =
      "error: f.yaml: the file is too large or nested too deep\n"
      "hint:  at most 1 MiB and 16 levels are read\n";
  EXPECT_EQ(parse_error(std::string((1U << 20U) + 1, '#')), expected);
  EXPECT_EQ(parse_error("a: " + std::string(17, '[') + std::string(17, ']')), expected);
  // Closing brackets in a comment do not make up for opening ones.
  EXPECT_EQ(parse_error("# ]]]]]]]]]]\na: " + std::string(20, '[') + std::string(20, ']')),
            expected);
}

TEST(YamlReader, SurvivesHostileText) {
  for (const std::string& text :
       {std::string(100'000, '-'), std::string("a: *b\n"), std::string("a: &x {b: *x}\n"),
        std::string("\0\0\0", 3), std::string("\xFF\xFE\xFD"), std::string("? {a: b}\n: c\n"),
        "a: " + std::string(100'000, '!'), std::string("%YAML 9.9\n---\na: b\n"),
        std::string(50'000, '?') + " a", std::string("!,/'"), std::string(",$ ")}) {
    const auto node = YamlNode::parse(text, "f.yaml");
    if (node) {
      [[maybe_unused]] const auto checked = node->expect_keys("file", {"a"});
    }
  }
}

TEST(YamlReader, NamesUnknownAndRepeatedKeys) {
  const auto unknown = YamlNode::parse("name: a\nbandwith: 1\n", "f.yaml");
  ASSERT_TRUE(unknown);
  EXPECT_EQ(
      unknown->expect_keys("storage model", {"name", "bandwidth"}).error().render(),
      "error: f.yaml:2:1: unknown key 'bandwith' in storage model, did you mean 'bandwidth'?\n"
      "hint:  keys are name, bandwidth\n");
  const auto repeated = YamlNode::parse("name: a\nname: b\n", "f.yaml");
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->expect_keys("it", {"name"}).error().render(),
            "error: f.yaml:2:1: key 'name' stands here twice\nhint:  remove one\n");
}

TEST(YamlReader, NamesValueLimitAndRemedy) {
  const auto root =
      YamlNode::parse("a: ten\nb: -1\nc: 99s\nd: 1TB\ne: fast\nf: 0B/s\ng: {x: 1}\n", "f.yaml");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->at("a")->flag().error().render(),
            "error: f.yaml:1:4: 'ten' is neither true nor false\nhint:  use true or false\n");
  EXPECT_EQ(root->at("a")->items().error().render(),
            "error: f.yaml:1:4: a list is expected here\nhint:  write '- item' lines\n");
  EXPECT_EQ(root->at("a")->number(0, 5).error().render(),
            "error: f.yaml:1:4: 'ten' is not a number\nhint:  use a number from 0 to 5\n");
  EXPECT_EQ(root->at("b")->number(0, 5).error().render(),
            "error: f.yaml:2:4: -1 is outside 0 to 5\nhint:  use a number from 0 to 5\n");
  EXPECT_EQ(
      root->at("b")->count(1, 5).error().render(),
      "error: f.yaml:2:4: value: '-1' is not a whole number\nhint:  use a number from 1 to 5\n");
  EXPECT_EQ(root->at("c")->duration(Duration(1), std::chrono::seconds(2)).error().render(),
            "error: f.yaml:3:4: 99s is outside 1 ns to 2.0 s\nhint:  write it like 3.5ms or 2s\n");
  EXPECT_EQ(root->at("d")->bytes(1, 1 << 20).error().render(),
            "error: f.yaml:4:4: 1TB is outside 1 B to 1 MiB\nhint:  write it like 20GiB\n");
  EXPECT_EQ(root->at("e")->bytes_per_second().error().render(),
            "error: f.yaml:5:4: 'fast' is not a rate\nhint:  write it like 2GB/s\n");
  EXPECT_EQ(root->at("f")->bytes_per_second().error().render(),
            "error: f.yaml:6:4: a rate of 0 would never finish\n"
            "hint:  leave the key out for no limit\n");
  EXPECT_EQ(root->at("g")->text().error().render(),
            "error: f.yaml:7:4: a single value is expected here\nhint:  write 'key: value'\n");
}

}  // namespace
}  // namespace feedrate
