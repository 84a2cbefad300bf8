#include "feedrate/base/units.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace feedrate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

template <class T>
std::string rendered(const Result<T>& result) {
  return result ? std::string("no error") : result.error().render();
}

TEST(ParseBytes, KnowsEveryUnit) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"0", 0},
      {"4096", 4096},
      {"17B", 17},
      {"4K", 4096},
      {"4KiB", 4096},
      {"4kB", 4000},
      {"4KB", 4000},
      {"3M", 3 << 20},
      {"3MiB", 3 << 20},
      {"3MB", 3'000'000},
      {"20G", 20ULL << 30U},
      {"20GiB", 20ULL << 30U},
      {"20 GB", 20'000'000'000},
      {"1T", 1ULL << 40U},
      {"1TiB", 1ULL << 40U},
      {"1.5TB", 1'500'000'000'000},
      {"2PB", 2'000'000'000'000'000},
      {"  112KiB ", 114688},
      {"0.5KiB", 512},
      {"9.2e", 0},
  };
  for (const auto& [text, bytes] : cases) {
    const auto parsed = parse_bytes(text, "--size");
    if (std::string_view(text) == "9.2e") {
      EXPECT_FALSE(parsed) << text;
      continue;
    }
    ASSERT_TRUE(parsed) << text << ": " << rendered(parsed);
    EXPECT_EQ(*parsed, bytes) << text;
  }
}

TEST(ParseBytes, SaysWhatIsWrong) {
  EXPECT_EQ(rendered(parse_bytes("lots", "--size")),
            "error: --size: 'lots' is not a number\nhint:  write it like 20GiB, 1.5TB or 4096\n");
  EXPECT_EQ(rendered(parse_bytes("", "--size")),
            "error: --size: '' is not a number\nhint:  write it like 20GiB, 1.5TB or 4096\n");
  EXPECT_EQ(rendered(parse_bytes("20gb", "--size")),
            "error: --size: unknown unit 'gb' in '20gb'\n"
            "hint:  units are B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, PB\n");
  EXPECT_EQ(rendered(parse_bytes("-1", "--size")),
            "error: --size: '-1' is out of range\nhint:  sizes are 0 B to 9.2 EB\n");
  EXPECT_EQ(rendered(parse_bytes("10000PB", "--size")),
            "error: --size: '10000PB' is out of range\nhint:  sizes are 0 B to 9.2 EB\n");
  for (const char* text : {"inf", "nan", "-inf", "1e400", "+5", "0x10", "1,024", "5 5", "K"})
    EXPECT_FALSE(parse_bytes(text, "--size")) << text;
}

TEST(ParseDuration, KnowsEveryUnit) {
  const std::pair<const char*, Duration> cases[] = {
      {"2", seconds(2)},
      {"0", Duration(0)},
      {"5ns", Duration(5)},
      {"7us", Duration(7000)},
      {"250ms", milliseconds(250)},
      {"30s", seconds(30)},
      {"5m", seconds(300)},
      {"5min", seconds(300)},
      {"1h", seconds(3600)},
      {"1.5 s", milliseconds(1500)},
      {"30d", std::chrono::hours(720)},
      {"30.0 days", std::chrono::hours(720)},
      {"5m 00s", seconds(300)},
  };
  for (const auto& [text, duration] : cases) {
    const auto parsed = parse_duration(text, "--for");
    ASSERT_TRUE(parsed) << text << ": " << rendered(parsed);
    EXPECT_EQ(*parsed, duration) << text;
  }
}

TEST(ParseDuration, SaysWhatIsWrong) {
  EXPECT_EQ(rendered(parse_duration("soon", "--for")),
            "error: --for: 'soon' is not a number\nhint:  write it like 30s, 5m or 250ms\n");
  EXPECT_EQ(rendered(parse_duration("3w", "--for")),
            "error: --for: unknown unit 'w' in '3w'\nhint:  units are ns, us, ms, s, m, h, d\n");
  EXPECT_EQ(rendered(parse_duration("-3s", "--for")),
            "error: --for: '-3s' is out of range\nhint:  times are 0 to 285 years\n");
  EXPECT_EQ(rendered(parse_duration("9999999h", "--for")),
            "error: --for: '9999999h' is out of range\nhint:  times are 0 to 285 years\n");
}

TEST(ParseCount, TakesTheWholeRange) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(*parse_count("1", "--readers", 1, 8), 1U);
  EXPECT_EQ(*parse_count(" 8 ", "--readers", 1, 8), 8U);
  EXPECT_EQ(*parse_count("18446744073709551615", "--seed", 0, kMax), kMax);
}

TEST(ParseCount, SaysWhatIsWrong) {
  const std::string hint = "hint:  use a number from 1 to 8\n";
  EXPECT_EQ(rendered(parse_count("0", "--readers", 1, 8)),
            "error: --readers: value is too small (0), at least 1 is needed\n" + hint);
  EXPECT_EQ(rendered(parse_count("9", "--readers", 1, 8)),
            "error: --readers: value is too large (9), at most 8 is allowed\n" + hint);
  EXPECT_EQ(
      rendered(parse_count("99999999999999999999", "--readers", 1, 8)),
      "error: --readers: value is too large (99999999999999999999), at most 8 is allowed\n" + hint);
  for (const char* text : {"", "-1", "1.5", "8x", "eight", "1 2", "0x8"})
    EXPECT_EQ(rendered(parse_count(text, "--readers", 1, 8)),
              "error: --readers: '" + std::string(text) + "' is not a whole number\n" + hint);
}

// A number beyond 64 bits must not be taken for the largest one.
TEST(ParseCount, NumberBeyond64BitsIsTooLargeEvenWithoutALimit) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(rendered(parse_count("18446744073709551616", "--seed", 0, kMax)),
            "error: --seed: value is too large (18446744073709551616), at most "
            "18446744073709551615 is allowed\n"
            "hint:  use a number from 0 to 18446744073709551615\n");
}

TEST(ParseRate, ReadsBandwidths) {
  EXPECT_EQ(parse_rate("20GB/s", "--x").value(), BytesPerSecond(20e9));
  EXPECT_EQ(parse_rate(" 1MiB/s ", "--x").value(), BytesPerSecond(1048576));
  const std::string hint = "hint:  write it like 20GB/s or 800MiB/s\n";
  EXPECT_EQ(rendered(parse_rate("20GB", "--x")), "error: --x: '20GB' is not a bandwidth\n" + hint);
  EXPECT_EQ(rendered(parse_rate("0B/s", "--x")), "error: --x: '0B/s' must be more than 0\n" + hint);
  EXPECT_EQ(parse_rate("7parsecs/s", "--x").error().message(),
            "--x: unknown unit 'parsecs' in '7parsecs'");
}

TEST(ParseFraction, TakesFractionsAndPercent) {
  EXPECT_DOUBLE_EQ(*parse_fraction("0.9", "--au", 0, 1), 0.9);
  EXPECT_DOUBLE_EQ(*parse_fraction("90%", "--au", 0, 1), 0.9);
  EXPECT_DOUBLE_EQ(*parse_fraction("100 %", "--au", 0, 1), 1);
  EXPECT_DOUBLE_EQ(*parse_fraction("0", "--au", 0, 1), 0);
}

TEST(ParseFraction, SaysWhatIsWrong) {
  const std::string hint = "hint:  write it like 0.9 or 90%\n";
  EXPECT_EQ(rendered(parse_fraction("90", "--au", 0.5, 1)),
            "error: --au: 90 is outside 0.5 to 1\n" + hint);
  EXPECT_EQ(rendered(parse_fraction("10%", "--au", 0.5, 1)),
            "error: --au: 10% is outside 0.5 to 1\n" + hint);
  EXPECT_EQ(rendered(parse_fraction("0.9s", "--au", 0, 1)),
            "error: --au: unknown unit 's' in '0.9s'\n" + hint);
  EXPECT_EQ(rendered(parse_fraction("nan", "--au", 0, 1)),
            "error: --au: 'nan' is not a number\n" + hint);
}

TEST(Format, Bytes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1 KiB");
  EXPECT_EQ(format_bytes(114688), "112 KiB");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(20ULL << 30U), "20 GiB");
  EXPECT_EQ(format_bytes(std::numeric_limits<std::uint64_t>::max()), "16 EiB");
}

TEST(Format, Rate) {
  EXPECT_EQ(format_rate(0), "0.0 kB/s");
  EXPECT_EQ(format_rate(99'900), "99.9 kB/s");
  EXPECT_EQ(format_rate(1.25e6), "1.2 MB/s");
  EXPECT_EQ(format_rate(1.14e8), "114 MB/s");
  EXPECT_EQ(format_rate(1.7e9), "1.70 GB/s");
  EXPECT_EQ(format_rate(8.5176e12), "8.52 TB/s");
  EXPECT_EQ(format_rate(45864e12), "45.86 PB/s");
  EXPECT_EQ(format_rate(2e18), "2.00 EB/s");
}

TEST(Format, DurationAndBack) {
  EXPECT_EQ(format_duration(Duration(999)), "999 ns");
  EXPECT_EQ(format_duration(Duration(1500)), "1.5 us");
  EXPECT_EQ(format_duration(Duration(1'250'000)), "1.25 ms");
  EXPECT_EQ(format_duration(milliseconds(3200)), "3.2 s");
  EXPECT_EQ(format_duration(seconds(125)), "2m 05s");
  EXPECT_EQ(format_duration(milliseconds(3'599'600)), "1h 00m");
  EXPECT_EQ(format_duration(seconds(7265)), "2h 01m");
}

TEST(Format, CountAndPercent) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(2.5), "2.50");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1024), "1,024");
  EXPECT_EQ(format_count(999'999), "999,999");
  EXPECT_EQ(format_count(1.28e6), "1.28 M");
  EXPECT_EQ(format_count(3.5e9), "3.50 G");
  EXPECT_EQ(format_percent(0.973), "97.3 %");
}

// A printed budget must parse back, to the printed precision.
TEST(Format, BudgetsAreRoundedUpToWhatOneWouldType) {
  const std::pair<double, const char*> cases[] = {
      {0.1, "10s"}, {10, "10s"},  {10.1, "20s"}, {33.3, "45s"}, {45, "45s"},
      {46, "1m"},   {60, "1m"},   {61, "90s"},   {90, "90s"},   {91, "2m"},
      {121, "3m"},  {299, "5m"},  {301, "10m"},  {700, "15m"},  {1801, "45m"},
      {3599, "1h"}, {3600, "1h"}, {3601, "2h"},  {86000, "24h"}};
  for (const auto& [needed, text] : cases) {
    EXPECT_EQ(budget_text(needed), text);
    const auto back = parse_duration(text, "--budget");
    ASSERT_TRUE(back.has_value());
    EXPECT_GE(to_seconds(*back), needed);  // what is named is enough
  }
}

TEST(Format, RoundTripsThroughParse) {
  for (const std::uint64_t bytes : {0ULL, 17ULL, 4096ULL, 1536ULL, 20ULL << 30U, 7ULL << 40U})
    EXPECT_EQ(*parse_bytes(format_bytes(bytes), "size"), bytes);
  for (const Duration duration :
       {Duration(17), Duration(2500), Duration(1'250'000), Duration(milliseconds(3200)),
        Duration(seconds(90)), Duration(seconds(125)), Duration(seconds(3600 + 5 * 60))})
    EXPECT_EQ(*parse_duration(format_duration(duration), "time"), duration);
}

TEST(Duration, SecondsRoundTripOverTheWholeScale) {
  for (const std::int64_t ns : {0LL, 1LL, -1LL, 999'999'999LL, 86'400'000'000'000LL})
    EXPECT_EQ(from_seconds(to_seconds(Duration(ns))), Duration(ns));
}

}  // namespace
}  // namespace feedrate
