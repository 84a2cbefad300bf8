#include "feedrate/base/text.h"

#include "feedrate/base/json_text.h"
#include "feedrate/base/random.h"
#include "feedrate/base/shown_text.h"

namespace feedrate {
namespace {

using Texts = std::vector<std::string>;

TEST(QuotePath, LeavesReadableNamesAlone) {
  EXPECT_EQ(quote_path(""), R"("")");
  EXPECT_EQ(quote_path("data/part-0001.tfrecord"), R"("data/part-0001.tfrecord")");
  EXPECT_EQ(quote_path("two words"), R"("two words")");
  EXPECT_EQ(quote_path("gr\xC3\xBC\xC3\x9F"
                       "e/\xE6\x97\xA5/\xF0\x9F\x9A\x80"),
            "\"gr\xC3\xBC\xC3\x9F"
            "e/\xE6\x97\xA5/\xF0\x9F\x9A\x80\"");
}

TEST(SameName, TheCaseOfLettersDoesNotMatter) {
  EXPECT_TRUE(same_name("H100", "h100"));
  EXPECT_TRUE(same_name("", ""));
  EXPECT_FALSE(same_name("h100", "h1000"));
  EXPECT_FALSE(same_name("\xC4", "\xE4"));
}

TEST(Utf8, IsTold) {
  for (const auto* text : {"", "plain\n", "gr\xC3\xBC\xC3\x9F", "\xE2\x80\xAE", "\xF0\x9F\x98\x80"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (const auto* text : {"\xFF", "a\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"})
    EXPECT_FALSE(is_utf8(text)) << text;
}

TEST(JsonText, BytesThatAreNoTextAreReplaced) {
  const nlohmann::ordered_json json{{"pa\xFFth", "/mnt/\xE4\xF6"}};
  EXPECT_EQ(json_text(json, -1), "{\"pa\uFFFDth\":\"/mnt/\uFFFD\uFFFD\"}");
}

TEST(QuotePath, HidesControlCharactersQuotesAndBackslashes) {
  EXPECT_EQ(quote_path("a\nb\r\t"), R"("a\x0ab\x0d\x09")");
  EXPECT_EQ(quote_path("\x1B[31mred"), R"("\x1b[31mred")");
  EXPECT_EQ(quote_path("say \"hi\" \\"), R"("say \x22hi\x22 \x5c")");
  EXPECT_EQ(quote_path(std::string_view("a\0b\x7F", 4)), R"("a\x00b\x7f")");
  EXPECT_EQ(quote_path("\xC2\x9B"
                       "31m"),
            R"("\xc2\x9b31m")");  // the one-character form of ESC [
}

TEST(QuotePath, HidesWhatTurnsOrBreaksALine) {
  EXPECT_EQ(quote_path("a\xE2\x80\xA8"
                       "b"),
            R"("a\xe2\x80\xa8b")");  // line separator
  EXPECT_EQ(quote_path("a\xE2\x80\xAE"
                       "gpj"),
            R"("a\xe2\x80\xaegpj")");  // right-to-left override
}

TEST(ShownText, HidesTheSameButLeavesQuotesAndWhatIsKept) {
  EXPECT_EQ(shown_text("unknown 'gr\xC3\xBCn' in \"a\\b\""), "unknown 'gr\xC3\xBCn' in \"a\\b\"");
  EXPECT_EQ(shown_text("\x1B[31mX\nY\x7F\xFF"), R"(\x1b[31mX\x0aY\x7f\xff)");
  EXPECT_EQ(shown_text("a\n\tb\r", "\n\t"), "a\n\tb\\x0d");
}

TEST(QuotePath, HidesBytesThatAreNotUtf8) {
  EXPECT_EQ(quote_path("\xFF\xFE"), R"("\xff\xfe")");
  EXPECT_EQ(quote_path("caf\xE9"), R"("caf\xe9")");                    // Latin-1
  EXPECT_EQ(quote_path("\xC0\xAF"), R"("\xc0\xaf")");                  // overlong '/'
  EXPECT_EQ(quote_path("\xE0\x80\xAF"), R"("\xe0\x80\xaf")");          // overlong in three bytes
  EXPECT_EQ(quote_path("\xED\xA0\x80"), R"("\xed\xa0\x80")");          // surrogate
  EXPECT_EQ(quote_path("\xF4\x90\x80\x80"), R"("\xf4\x90\x80\x80")");  // beyond U+10FFFF
  EXPECT_EQ(quote_path("end\xE6\x97"), R"("end\xe6\x97")");            // cut short
}

// Whatever the bytes, the result is one line of printable text and tells the bytes apart.
TEST(QuotePath, NeverLetsAControlByteThrough) {
  RandomStream random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random.below(24), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
    const std::string quoted = quote_path(bytes);
    for (const char c : quoted) {
      const auto byte = static_cast<unsigned char>(c);
      ASSERT_TRUE(byte >= 0x20 && byte != 0x7F) << "seed 7, round " << round;
    }
    ASSERT_EQ(quoted.front(), '"');
    ASSERT_EQ(quoted.back(), '"');
    ASSERT_EQ(quoted.find('"', 1), quoted.size() - 1);
  }
}

TEST(DidYouMean, NamesTheNearest) {
  const Texts known{"posix", "null", "model:FILE.yaml"};
  EXPECT_EQ(did_you_mean("posx", known), ", did you mean 'posix'?");
  EXPECT_EQ(did_you_mean("nul", known), ", did you mean 'null'?");
  EXPECT_EQ(did_you_mean("POSIX", known), ", did you mean 'posix'?");
  EXPECT_EQ(did_you_mean("s3", known), "");
  EXPECT_EQ(did_you_mean("", known), "");
  EXPECT_EQ(did_you_mean("null", {}), "");
}

TEST(DidYouMean, AnotherDigitIsAnotherThing) {
  const Texts known{"v100", "a100", "h100"};
  EXPECT_EQ(did_you_mean("H1000", known), ", did you mean 'h100'?");
  EXPECT_EQ(did_you_mean("b200", known), "");
}

TEST(DidYouMean, AllowsMoreSlipsInLongerWords) {
  const Texts known{"sample_bytes_mean", "ab"};
  EXPECT_EQ(nearest_spelling("sampel_byte_mean", known), "sample_bytes_mean");
  EXPECT_EQ(nearest_spelling("simple_buttes_men", known), std::nullopt);
  EXPECT_EQ(nearest_spelling("ac", known), "ab");
  EXPECT_EQ(nearest_spelling("xy", known), std::nullopt);
}

TEST(Join, KeepsEmptyParts) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join(Texts{"a"}, ", "), "a");
  EXPECT_EQ(join(Texts{"a", "b"}, ", "), "a, b");
  EXPECT_EQ(join(Texts{"", "a", "", "b", ""}, ","), ",a,,b,");
}

TEST(Split, IsTheReverseOfJoin) {
  for (const Texts& parts : {Texts{""}, Texts{"a"}, Texts{"", "a", "", "b", ""}, Texts{"", ""}})
    EXPECT_EQ(split(join(parts, ","), ','), parts);
}

TEST(Trim, TakesSpaceFromBothEnds) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim(" \n"), "");
}

}  // namespace
}  // namespace feedrate
