// Tests where lines of results break.
#include "feedrate/options/wrap.h"

#include <gtest/gtest.h>

namespace feedrate {
namespace {

TEST(WrapLines, ShortLinesStay) {
  EXPECT_EQ(wrap_lines("fed\n\n  row  value\n", 40), "fed\n\n  row  value\n");
  EXPECT_EQ(wrap_lines("no end", 40), "no end");
}

TEST(WrapLines, ProseGoesOnALittleToTheRight) {
  EXPECT_EQ(wrap_lines("INVALID: no step was measured: use more --steps or --time\nnext\n", 40),
            "INVALID: no step was measured: use more\n  --steps or --time\nnext\n");
  EXPECT_EQ(wrap_lines("  note: of thirty columns there are not enough\n", 40),
            "  note: of thirty columns there are not\n    enough\n");
}

TEST(WrapLines, AValueGoesOnBelowItself) {
  EXPECT_EQ(wrap_lines("  client         native, 8 readers, window of 2 batches\n", 40),
            "  client         native, 8 readers,\n                 window of 2 batches\n");
  EXPECT_EQ(wrap_lines("warn    cores       4 of 8 processors may be used\n", 45),
            "warn    cores       4 of 8 processors may be\n                    used\n");
}

TEST(WrapLines, RowsOfATableStay) {
  const std::string row = "  accelerator  batch        step     samples/s        demand\n";
  EXPECT_EQ(wrap_lines(row, 40), row);
}

TEST(WrapLines, AWordThatIsTooLongStaysWholeAndCharactersCountOnce) {
  const std::string word(60, 'x');
  EXPECT_EQ(wrap_lines(word + " y\n", 40), word + "\n  y\n");
  EXPECT_EQ(wrap_lines("\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc", 10),
            "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc");
}

}  // namespace
}  // namespace feedrate
