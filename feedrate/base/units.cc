#include "feedrate/base/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

struct Number {
  double value;
  std::string_view unit;
};

Result<Number> split_number(std::string_view text, std::string_view flag,
                            std::string_view example) {
  text = trim(text);
  double value = 0;
  const auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (code != std::errc{} || !std::isfinite(value))
    return fail(ErrorKind::kUsage, fmt::format("{}: '{}' is not a number", flag, text),
                fmt::format("write it like {}", example));
  return Number{value, trim(text.substr(static_cast<std::size_t>(end - text.data())))};
}

struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array<Unit, 19> kByteUnits{{{"", 1},
                                           {"B", 1},
                                           {"K", 1024},
                                           {"KiB", 1024},
                                           {"kB", 1e3},
                                           {"KB", 1e3},
                                           {"M", 1048576},
                                           {"MiB", 1048576},
                                           {"MB", 1e6},
                                           {"G", 1073741824},
                                           {"GiB", 1073741824},
                                           {"GB", 1e9},
                                           {"T", 1099511627776},
                                           {"TiB", 1099511627776},
                                           {"TB", 1e12},
                                           {"PB", 1e15},
                                           {"PiB", 0x1p50},
                                           {"EB", 1e18},
                                           {"EiB", 0x1p60}}};
constexpr std::array<Unit, 10> kTimeUnits{{{"", 1e9},
                                           {"ns", 1},
                                           {"us", 1e3},
                                           {"ms", 1e6},
                                           {"s", 1e9},
                                           {"m", 60e9},
                                           {"min", 60e9},
                                           {"h", 3600e9},
                                           {"d", 86400e9},
                                           {"days", 86400e9}}};

template <std::size_t N>
Result<double> scaled(const Number& number, const std::array<Unit, N>& units, std::string_view text,
                      std::string_view flag, std::string_view known) {
  for (const Unit& unit : units)
    if (unit.name == number.unit) return number.value * unit.factor;
  return fail(ErrorKind::kUsage,
              fmt::format("{}: unknown unit '{}' in '{}'", flag, number.unit, text),
              fmt::format("units are {}", known));
}

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text, std::string_view flag) {
  FEEDRATE_TRY(const Number number, split_number(text, flag, "20GiB, 1.5TB or 4096"));
  FEEDRATE_TRY(const double bytes,
               scaled(number, kByteUnits, text, flag, "B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, PB"));
  if (bytes < 0 || bytes > 9.2e18)
    return fail(ErrorKind::kUsage, fmt::format("{}: '{}' is out of range", flag, text),
                "sizes are 0 B to 9.2 EB");
  return static_cast<std::uint64_t>(std::llround(bytes));
}

Result<BytesPerSecond> parse_rate(std::string_view text, std::string_view flag) {
  const std::string_view trimmed = trim(text);
  if (!trimmed.ends_with("/s"))
    return fail(ErrorKind::kUsage, fmt::format("{}: '{}' is not a bandwidth", flag, text),
                "write it like 20GB/s or 800MiB/s");
  FEEDRATE_TRY(const std::uint64_t bytes, parse_bytes(trimmed.substr(0, trimmed.size() - 2), flag));
  if (bytes == 0)
    return fail(ErrorKind::kUsage, fmt::format("{}: '{}' must be more than 0", flag, text),
                "write it like 20GB/s or 800MiB/s");
  return BytesPerSecond(static_cast<double>(bytes));
}

Result<Duration> parse_duration(std::string_view text, std::string_view flag) {
  // What format_duration() writes has two parts, "5m 00s", and is taken back.
  const std::string_view whole = trim(text);
  const std::size_t space = whole.find("m ") != whole.npos   ? whole.find("m ")
                            : whole.find("h ") != whole.npos ? whole.find("h ")
                                                             : whole.npos;
  double ns = 0;
  for (const std::string_view part :
       space == whole.npos ? std::vector{whole}
                           : std::vector{whole.substr(0, space + 1), whole.substr(space + 2)}) {
    FEEDRATE_TRY(const Number number, split_number(part, flag, "30s, 5m or 250ms"));
    FEEDRATE_TRY(const double each,
                 scaled(number, kTimeUnits, text, flag, "ns, us, ms, s, m, h, d"));
    ns += each;
  }
  if (ns < 0 || ns > 9e18)
    return fail(ErrorKind::kUsage, fmt::format("{}: '{}' is out of range", flag, text),
                "times are 0 to 285 years");
  return Duration(std::llround(ns));
}

Result<std::uint64_t> parse_count(std::string_view text, std::string_view flag,
                                  std::uint64_t minimum, std::uint64_t maximum) {
  text = trim(text);
  std::uint64_t value = 0;
  bool overflow = false;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) {
    if (code != std::errc::result_out_of_range)
      return fail(ErrorKind::kUsage, fmt::format("{}: '{}' is not a whole number", flag, text),
                  fmt::format("use a number from {} to {}", minimum, maximum));
    overflow = true;
    value = std::numeric_limits<std::uint64_t>::max();
  }
  if (value < minimum)
    return fail(
        ErrorKind::kUsage,
        fmt::format("{}: value is too small ({}), at least {} is needed", flag, text, minimum),
        fmt::format("use a number from {} to {}", minimum, maximum));
  if (value > maximum || overflow)
    return fail(
        ErrorKind::kUsage,
        fmt::format("{}: value is too large ({}), at most {} is allowed", flag, text, maximum),
        fmt::format("use a number from {} to {}", minimum, maximum));
  return value;
}

Result<double> parse_fraction(std::string_view text, std::string_view flag, double minimum,
                              double maximum) {
  FEEDRATE_TRY(const Number number, split_number(text, flag, "0.9 or 90%"));
  if (!number.unit.empty() && number.unit != "%")
    return fail(ErrorKind::kUsage,
                fmt::format("{}: unknown unit '{}' in '{}'", flag, number.unit, text),
                "write it like 0.9 or 90%");
  const double value = number.unit == "%" ? number.value / 100 : number.value;
  if (value < minimum || value > maximum)
    return fail(ErrorKind::kUsage,
                fmt::format("{}: {} is outside {} to {}", flag, text, minimum, maximum),
                "write it like 0.9 or 90%");
  return value;
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr const char* kNames[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit < 6) value /= 1024, ++unit;
  if (unit == 0) return fmt::format("{} B", bytes);
  return value < 100 && value != std::floor(value) ? fmt::format("{:.1f} {}", value, kNames[unit])
                                                   : fmt::format("{:.0f} {}", value, kNames[unit]);
}

std::string format_rate(double bytes_per_second) {
  for (const auto& [unit, name] :
       {std::pair{1e18, "EB"}, std::pair{1e15, "PB"}, std::pair{1e12, "TB"}})
    if (bytes_per_second >= unit) return fmt::format("{:.2f} {}/s", bytes_per_second / unit, name);
  if (bytes_per_second >= 1e9) return fmt::format("{:.2f} GB/s", bytes_per_second / 1e9);
  if (bytes_per_second >= 1e8) return fmt::format("{:.0f} MB/s", bytes_per_second / 1e6);
  if (bytes_per_second >= 1e5) return fmt::format("{:.1f} MB/s", bytes_per_second / 1e6);
  return fmt::format("{:.1f} kB/s", bytes_per_second / 1e3);
}

std::string format_duration(Duration duration) {
  const double seconds = to_seconds(duration);
  if (seconds < 1e-6) return fmt::format("{} ns", duration.count());
  if (seconds < 1e-3) return fmt::format("{:.1f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.2f} ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m", whole / 3600, whole / 60 % 60);
}

std::string format_count(double count) {
  if (count >= 1e12) return fmt::format("{:.2f} T", count / 1e12);
  if (count >= 1e9) return fmt::format("{:.2f} G", count / 1e9);
  if (count >= 1e6) return fmt::format("{:.2f} M", count / 1e6);
  if (count < 10 && count != std::floor(count)) return fmt::format("{:.2f}", count);
  std::string digits = fmt::format("{:.0f}", count);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

std::string format_counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", format_count(static_cast<double>(count)), noun,
                     count == 1 ? "" : "s");
}

std::string format_percent(double fraction) { return fmt::format("{:.1f} %", fraction * 100); }

double rounded_budget(double seconds) {
  static constexpr double kSteps[] = {10,  20,  30,  45,   60,   90,   120, 180,
                                      300, 600, 900, 1200, 1800, 2700, 3600};
  for (const double step : kSteps)
    if (step >= seconds) return step;
  return std::ceil(seconds / 3600) * 3600;
}

std::string budget_text(double seconds) {
  const double rounded = rounded_budget(seconds);
  if (rounded < 120 && std::fmod(rounded, 60) != 0) return fmt::format("{:.0f}s", rounded);
  if (rounded < 3600) return fmt::format("{:.0f}m", std::ceil(rounded / 60));
  return fmt::format("{:.0f}h", rounded / 3600);
}

}  // namespace feedrate
