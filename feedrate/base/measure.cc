#include "feedrate/base/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "feedrate/base/units.h"

namespace feedrate {
namespace {

// Writes three digits and a decimal prefix: "13.1 GB".
std::string decimal(double value, std::string_view unit) {
  constexpr std::array<const char*, 7> kPrefixes = {"", "k", "M", "G", "T", "P", "E"};
  std::size_t prefix = 0;
  while (std::abs(value) >= 999.5 && prefix + 1 < kPrefixes.size()) {
    value /= 1000;
    ++prefix;
  }
  const double size = std::abs(value);
  if (prefix == 0 && value == std::floor(value)) return fmt::format("{:.0f} {}", value, unit);
  const int digits = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}{}", value, digits, kPrefixes[prefix], unit);
}

std::string binary(double value) {
  constexpr std::array<const char*, 7> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  // Checkpoints of terabytes are published in GiB, so up to 99,999 GiB stay in that unit to be
  // comparable.
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size() && (unit < 3 || value >= 100'000)) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{} {}",
                     unit < 3 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value),
                     kUnits[unit]);
}

// Writes whole numbers with groups from 100 on, and three digits below.
std::string plain(double value) {
  if (std::abs(value) >= 1e15) return fmt::format("{:.3g}", value);
  if (value == std::floor(value) || std::abs(value) >= 99.95)
    return format_count(std::round(value));
  return fmt::format("{:.{}f}", value, std::abs(value) >= 9.995 ? 1 : 2);
}

std::string time_text(double seconds) {
  if (!std::isfinite(seconds)) return "never";
  if (seconds >= 48 * 3600.0) return fmt::format("{:.1f} days", seconds / 86400);
  if (seconds >= 3600)
    return fmt::format("{:.0f}h {:02.0f}m", std::floor(seconds / 3600),
                       std::floor(std::fmod(seconds, 3600) / 60));
  return format_duration(from_seconds(seconds));
}

// The order is that of the enumeration.
constexpr std::array<std::string_view, 12> kNames = {
    "",        "count",        "fraction",    "ratio",      "bytes", "bytes_per_second",
    "seconds", "milliseconds", "nanoseconds", "per_second", "money", "money_per_hour"};

}  // namespace

std::string_view to_string(Unit unit) { return kNames[static_cast<std::size_t>(unit)]; }

std::optional<Unit> unit_of(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Unit>(found - kNames.begin());
}

std::string Measure::brief() const {
  switch (unit_) {
    case Unit::kNone:
    case Unit::kCount:
      return plain(value_);
    case Unit::kRatio:
      return plain(value_) + " x";
    case Unit::kFraction:
      return value_ < 0.01 ? fmt::format("{:.2f} %", 100 * value_) : format_percent(value_);
    case Unit::kBytes:
      return decimal(value_, "B");
    case Unit::kBytesPerSecond:
      return decimal(value_, "B/s");
    case Unit::kSeconds:
      return time_text(value_);
    case Unit::kMilliseconds:
      return time_text(value_ / 1e3);
    case Unit::kNanoseconds:
      return time_text(value_ / 1e9);
    case Unit::kPerSecond:
      return plain(value_) + "/s";
    case Unit::kMoney:
      return plain(value_);
    case Unit::kMoneyPerHour:
      return plain(value_) + " an hour";
  }
  return "";
}

std::string Measure::text() const {
  if (unit_ == Unit::kBytes && value_ >= 1024)
    return fmt::format("{} ({})", brief(), binary(value_));
  return brief();
}

}  // namespace feedrate
