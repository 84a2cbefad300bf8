// Tests that words survive the way into a line and back.
#include "feedrate/options/command_line.h"

#include <gtest/gtest.h>

namespace feedrate {
namespace {

TEST(CommandLine, AWordIsQuotedOnlyWhereNeeded) {
  EXPECT_EQ(quoted_word("--set"), "--set");
  EXPECT_EQ(quoted_word("model:./m.yaml"), "model:./m.yaml");
  EXPECT_EQ(quoted_word(""), "''");
  EXPECT_EQ(quoted_word("a b"), "'a b'");
  EXPECT_EQ(quoted_word("it's"), "'it'\\''s'");
}

TEST(CommandLine, QuotedWordsAreReadBack) {
  const std::vector<std::string> words{"train",       "",      "a b", "it's", "\"x\"",
                                       "back\\slash", "$HOME", "\t"};
  std::string line;
  for (const std::string& word : words) line += " " + quoted_word(word);
  const auto read = split_words(line, "--with");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, words);
}

}  // namespace
}  // namespace feedrate
