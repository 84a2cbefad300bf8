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
            (Settings{{"io", "auto"}, {"readers", "8, or 32"}, {"hold", "no"}}));
  give("--readers", {"3"});
  give("--hold", {""});
  EXPECT_EQ(settings_in_effect(table_, settings_given(table_, {})),
            (Settings{{"io", "auto"}, {"readers", "3"}, {"hold", "yes"}, {"increments", "10"}}))
      << "what has no effect alone has one beside another";
}

}  // namespace
}  // namespace feedrate
