// Tests that values are written, read and described as the rows of the tables say.
#include "feedrate/result/table.h"

#include <gtest/gtest.h>

namespace feedrate {
namespace {

struct Inner {
  std::uint8_t small = 0;
};
struct Base {
  std::string name;
};
struct Outer : Base {
  bool flag = false;
  double number = 0;
  std::optional<std::int32_t> maybe;
  std::vector<Inner> list;
  std::map<std::string, double> by_key;
  std::tuple<std::uint64_t, std::string> both;
  std::pair<double, bool> pair;
  std::string level = "raw";
  int doubled() const { return 2 * maybe.value_or(0); }
};

const Table<Inner>& table_of(Type<Inner>) {
  static const Table<Inner> table = Rows<Inner>().add("small", &Inner::small, bytes("of it"));
  return table;
}
const Table<Base>& table_of(Type<Base>) {
  static const Table<Base> table = Rows<Base>().add("name", &Base::name, text("its name"));
  return table;
}
const Table<Outer>& table_of(Type<Outer>) {
  using O = Outer;
  static const Table<O> table =
      Rows<O>()
          .base<Base>()
          .add("flag", &O::flag, flag("yes or no"))
          .add("number", &O::number, seconds("that it took").less())
          .group("group", "keys of the same struct",
                 Rows<O>()
                     .add("maybe", &O::maybe, number("how many").more())
                     .derived("doubled", &O::doubled, number("twice that")))
          .add("list", &O::list, things("each"))
          .add("by_key", &O::by_key, fraction("each").from("a source"))
          .add("both", &O::both, things("two"))
          .add("pair", &O::pair, things("two more"))
          .add("level", &O::level, word("of it", {"raw", "cooked"}))
          .converted(
              "shifted", [](const O& outer) { return outer.number + 1; },
              [](O& outer, double value) { outer.number = value - 1; }, number("one more"));
  return table;
}

Outer an_outer() {
  Outer outer;
  outer.name = "a name";
  outer.flag = true;
  outer.number = 2.5;
  outer.maybe = 7;
  outer.list = {{1}, {255}};
  outer.by_key = {{"b", 2}, {"a", 1}};
  outer.both = {8, "nine"};
  outer.pair = {0.5, true};
  outer.level = "cooked";
  return outer;
}

constexpr const char* kText =
    R"({"name":"a name","flag":true,"number":2.5,"group":{"maybe":7,"doubled":14},)"
    R"("list":[{"small":1},{"small":255}],"by_key":{"a":1.0,"b":2.0},"both":[8,"nine"],)"
    R"("pair":[0.5,true],"level":"cooked","shifted":3.5})";

std::string problem_with(const std::string& pointer, const Json& value) {
  Json json = Json::parse(kText);
  json[Json::json_pointer(pointer)] = value;
  Outer outer;
  JsonPlace place;
  const bool good = Codec<Outer>::read(json, outer, place);
  EXPECT_EQ(good, place.problem().empty());
  return place.problem();
}

TEST(Table, IsWrittenInTheOrderOfItsRows) {
  EXPECT_EQ(Codec<Outer>::write(an_outer()).dump(), kText);
  EXPECT_EQ(Codec<Outer>::write(Outer()).dump(),
            R"({"name":"","flag":false,"number":0.0,"group":{"maybe":null,"doubled":0},"list":[],)"
            R"("by_key":{},"both":[0,""],"pair":[0.0,false],"level":"raw","shifted":1.0})");
}

TEST(Table, IsReadIntoTheMembers) {
  Outer outer;
  outer.list = {{9}, {9}, {9}};
  outer.by_key = {{"old", 1}};
  JsonPlace place;
  ASSERT_TRUE(Codec<Outer>::read(Json::parse(kText), outer, place)) << place.problem();
  EXPECT_EQ(outer.name, "a name");
  EXPECT_TRUE(outer.flag);
  EXPECT_EQ(outer.number, 2.5);
  EXPECT_EQ(outer.maybe, 7);
  ASSERT_EQ(outer.list.size(), 2U) << "what was there before goes";
  EXPECT_EQ(outer.list[1].small, 255);
  EXPECT_EQ(outer.by_key, (std::map<std::string, double>{{"a", 1}, {"b", 2}}));
  EXPECT_EQ(outer.both, std::tuple(8U, "nine"));
  EXPECT_EQ(outer.pair, std::pair(0.5, true));
  EXPECT_EQ(outer.level, "cooked");
}

TEST(Table, NullTakesAwayWhatIsOptional) {
  Json json = Json::parse(kText);
  json["group"]["maybe"] = nullptr;
  Outer outer = an_outer();
  JsonPlace place;
  ASSERT_TRUE(Codec<Outer>::read(json, outer, place));
  EXPECT_FALSE(outer.maybe);
}

TEST(Table, AMistakeIsNamedByItsPath) {
  EXPECT_EQ(problem_with("/name", 1), "'name' is not a text");
  EXPECT_EQ(problem_with("/flag", 1), "'flag' is not true or false");
  EXPECT_EQ(problem_with("/number", "1"), "'number' is not a number");
  EXPECT_EQ(problem_with("/group", 1), "'group' is not an object");
  EXPECT_EQ(problem_with("/group/maybe", "1"), "'group.maybe' is not a whole number");
  EXPECT_EQ(problem_with("/group/doubled", "not read"), "");
  EXPECT_EQ(problem_with("/list", 1), "'list' is not a list");
  EXPECT_EQ(problem_with("/list/1", 1), "'list.1' is not an object");
  EXPECT_EQ(problem_with("/list/1/small", 256), "'list.1.small' is out of range");
  EXPECT_EQ(problem_with("/list/1/small", -1), "'list.1.small' is less than 0");
  EXPECT_EQ(problem_with("/group/maybe", -1), "'group.maybe' is less than 0");
  EXPECT_EQ(problem_with("/number", -0.5), "'number' is less than 0");
  EXPECT_EQ(problem_with("/group/maybe", 2147483648), "'group.maybe' is out of range");
  EXPECT_EQ(problem_with("/group/maybe", 2147483647), "");
  EXPECT_EQ(problem_with("/by_key", 1), "'by_key' is not an object");
  EXPECT_EQ(problem_with("/by_key/c", "1"), "'by_key.c' is not a number");
  EXPECT_EQ(problem_with("/both", Json({1})), "'both' is not a list of 2");
  EXPECT_EQ(problem_with("/both/1", 1), "'both' is not a text");
  EXPECT_EQ(problem_with("/pair/1", 1), "'pair' is not true or false");
  EXPECT_EQ(problem_with("/level", "burnt"),
            "'level' is 'burnt', which is none of 'raw', 'cooked'");
  EXPECT_EQ(problem_with("/level", 1), "'level' is not a text");
  EXPECT_EQ(problem_with("/shifted", "1"), "'shifted' is not a number");
}

TEST(Table, WhatIsMissingIsNamed) {
  Json json = Json::parse(kText);
  json["list"][0].erase("small");
  Outer outer;
  JsonPlace place;
  EXPECT_FALSE(Codec<Outer>::read(json, outer, place));
  EXPECT_EQ(place.problem(), "'list.0.small' is missing");
}

TEST(Table, DescribesItsJson) {
  const Shape shape = Codec<Outer>::shape();
  EXPECT_EQ(shape.kind, Shape::Kind::kObject);
  ASSERT_EQ(shape.fields.size(), 10U);
  EXPECT_EQ(shape.fields[0].key, "name");
  EXPECT_EQ(shape.fields[0].shape.kind, Shape::Kind::kText);
  EXPECT_EQ(shape.fields[1].shape.kind, Shape::Kind::kFlag);
  EXPECT_EQ(shape.fields[2].shape.kind, Shape::Kind::kNumber);
  EXPECT_EQ(shape.fields[2].metric.unit, Unit::kSeconds);
  EXPECT_EQ(shape.fields[2].metric.better, Better::kLess);
  ASSERT_EQ(shape.fields[3].shape.fields.size(), 2U);
  EXPECT_TRUE(shape.fields[3].shape.fields[0].shape.nullable);
  EXPECT_EQ(shape.fields[3].shape.fields[0].shape.kind, Shape::Kind::kWhole);
  EXPECT_EQ(shape.fields[3].shape.fields[0].metric.better, Better::kMore);
  EXPECT_EQ(shape.fields[3].metric.meaning, "keys of the same struct");
  EXPECT_EQ(shape.fields[4].shape.kind, Shape::Kind::kList);
  EXPECT_EQ(shape.fields[4].shape.items.front().fields.front().key, "small");
  EXPECT_EQ(shape.fields[5].shape.kind, Shape::Kind::kMap);
  EXPECT_EQ(shape.fields[5].metric.source, "a source");
  EXPECT_EQ(shape.fields[6].shape.kind, Shape::Kind::kTuple);
  EXPECT_EQ(shape.fields[6].shape.items.size(), 2U);
  EXPECT_EQ(shape.fields[7].shape.kind, Shape::Kind::kTuple);
  EXPECT_EQ(shape.fields[8].metric.words, (std::vector<std::string>{"raw", "cooked"}));
}

TEST(Table, MetricsHaveTheirUnit) {
  EXPECT_EQ(text("x").unit, Unit::kNone);
  EXPECT_EQ(flag("x").unit, Unit::kNone);
  EXPECT_EQ(things("x").unit, Unit::kNone);
  EXPECT_EQ(word("x", {"a"}).unit, Unit::kNone);
  EXPECT_EQ(number("x").unit, Unit::kCount);
  EXPECT_EQ(fraction("x").unit, Unit::kFraction);
  EXPECT_EQ(ratio("x").unit, Unit::kRatio);
  EXPECT_EQ(bytes("x").unit, Unit::kBytes);
  EXPECT_EQ(byte_rate("x").unit, Unit::kBytesPerSecond);
  EXPECT_EQ(seconds("x").unit, Unit::kSeconds);
  EXPECT_EQ(milliseconds("x").unit, Unit::kMilliseconds);
  EXPECT_EQ(nanoseconds("x").unit, Unit::kNanoseconds);
  EXPECT_EQ(per_second("x").unit, Unit::kPerSecond);
  EXPECT_EQ(seconds("x").better, Better::kNeither);
  EXPECT_EQ(seconds("x").more().better, Better::kMore);
  EXPECT_EQ(seconds("x").less().from("here").source, "here");
}

}  // namespace
}  // namespace feedrate
