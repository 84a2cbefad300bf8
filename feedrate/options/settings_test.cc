// Tests what a report says about settings: those that were given, and the defaults that hold
// otherwise.
#include "feedrate/options/settings.h"

#include <gtest/gtest.h>

namespace feedrate {
namespace {

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    using enum OptionType;
    table_.add("", {{{"directory", kDirectory, "", "", "where"}, directory_},
                    {{"--io", kWords, "auto", "auto|direct", "how"}, io_},
                    {{"--readers", kCount, "8, or 32", "1 to 9", "readers"}, readers_},
                    {{"--time", kDuration, "", "", "how long"}, time_},
                    {{"--count", kCount, "4", "1 to 9", "how many"}, count_},
                    {{"--limit", kCount, "0", "1 to 9", "how many"}, limit_},
                    {{"--clock", kWords, "real", "real|virtual", "which"}, clock_},
                    {{"--size", kSize, "published", "", "how large"}, size_},
                    {{"--storage", kText, "posix, or null", "NAME", "where"}, storage_},
                    {{"--index", kDirectory, "the folder itself", "", "where"}, index_},
                    {{"--hold", kFlag, "", "", "hold"}, hold_},
                    {{"--increments", kCount, "10", "1 to 9", "in a row", "--hold"}, increments_},
                    {{"--set", kText, "", "KEY=VALUE", "a key"}, sets_},
                    {{"--json", kFile, "", "", "result"}, json_},
                    {{"--quiet", kFlag, "", "", "quiet"}, quiet_}});
  }
  void give(std::string_view name, std::vector<std::string> values) {
    for (OptionEntry& entry : table_.entries())
      if (entry.shown_name() == name) entry.given = values;
  }

  OptionTable table_;
  std::string directory_, io_ = "auto", readers_, time_, increments_, json_;
  std::string count_, limit_, clock_, size_, storage_ = "posix", index_;
  std::vector<std::string> sets_;
  bool hold_ = false, quiet_ = false;
};

TEST_F(SettingsTest, WhatWasGivenByOption) {
  give("directory", {"d"});
  give("--readers", {"3"});
  give("--set", {"epochs=2", "a.b=c=d"});
  give("--json", {"r.json"});
  give("--quiet", {""});
  EXPECT_EQ(settings_given(table_, {"++workload.x=1"}),
            (Settings{{"directory", "d"},
                      {"readers", "3"},
                      {"set epochs", "epochs=2"},
                      {"set a.b", "a.b=c=d"},
                      {"++workload.x", "++workload.x=1"}}));
}

TEST_F(SettingsTest, WhatHoldsWithoutBeingGiven) {
  EXPECT_EQ(settings_in_effect(table_, {}),
            (Settings{{"count", "4"}, {"hold", "no"}, {"clock", "real"}, {"storage", "posix"}}))
      << "words of --help, words that leave it to the verb and limits of 0 are no values";
  give("--readers", {"3"});
  give("--hold", {""});
  EXPECT_EQ(settings_in_effect(table_, settings_given(table_, {})),
            (Settings{{"count", "4"},
                      {"clock", "real"},
                      {"storage", "posix"},
                      {"readers", "3"},
                      {"hold", "yes"},
                      {"increments", "10"}}))
      << "what has no effect alone has one beside another";
}

TEST_F(SettingsTest, WhatIsAValueOfAnOption) {
  const auto is = [](OptionType type, std::string_view among, std::string_view text) {
    std::string target;
    return is_value(OptionEntry("", {{"--x", type, "", among, "x"}, target}, "", ""), text);
  };
  using enum OptionType;
  EXPECT_TRUE(is(kCount, "1 to 9", "3"));
  EXPECT_FALSE(is(kCount, "1 to 9", "0"));
  EXPECT_FALSE(is(kCount, "", "as many as help"));
  EXPECT_TRUE(is(kBytes, "", "256 MiB"));
  EXPECT_FALSE(is(kBytes, "", "256MiB, 16MiB for the page cache"));
  EXPECT_TRUE(is(kSize, "", "1%"));
  EXPECT_TRUE(is(kDuration, "at least 1s", "2m 05s"));
  EXPECT_FALSE(is(kDuration, "more than 0", "0 ns"));
  EXPECT_FALSE(is(kDuration, "at least 1s", "10 ms"));
  EXPECT_TRUE(is(kFraction, "", "90.0 %"));
  EXPECT_TRUE(is(kRate, "", "28.3 GB/s"));
  EXPECT_TRUE(is(kNumber, "", "70B"));
  EXPECT_FALSE(is(kNumber, "", "B"));
  EXPECT_TRUE(is(kWords, "auto|direct", "direct"));
  EXPECT_FALSE(is(kWords, "auto|direct", "none"));
  EXPECT_TRUE(is(kFlag, "", "yes"));
  EXPECT_FALSE(is(kFlag, "", ""));
  EXPECT_FALSE(is(kText, "", ""));
}

}  // namespace
}  // namespace feedrate
