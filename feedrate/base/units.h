// Time, sizes and rates: types, parsing and text.
//
// Sizes are std::uint64_t bytes in names that end in _bytes. MB = 10^6, MiB = 2^20; both are
// accepted everywhere and every printed figure says which it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "feedrate/base/error.h"
#include "feedrate/base/quantity.h"

namespace feedrate {

using Duration = std::chrono::nanoseconds;

// The clock of a Reactor: real monotonic time or virtual time. Nothing reads it but a Reactor.
struct ReactorClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<ReactorClock, Duration>;
  static constexpr bool is_steady = true;
};
using Instant = ReactorClock::time_point;

constexpr double to_seconds(Duration duration) {
  return static_cast<double>(duration.count()) * 1e-9;
}
constexpr Duration from_seconds(double seconds) {
  return Duration(static_cast<std::int64_t>(seconds * 1e9 + (seconds < 0 ? -0.5 : 0.5)));
}

// Parses "20GiB", "23TB", "4096", "1.5MB". The error names `flag`.
Result<std::uint64_t> parse_bytes(std::string_view text, std::string_view flag);
// Parses "5m", "30s", "250ms", "1h"; a bare number is seconds.
Result<Duration> parse_duration(std::string_view text, std::string_view flag);
// Parses a whole number within [minimum, maximum]. The error names the flag, the value and the
// limit.
Result<std::uint64_t> parse_count(std::string_view text, std::string_view flag,
                                  std::uint64_t minimum, std::uint64_t maximum);
// Parses "2GB/s", "800MiB/s", which must be more than 0.
Result<BytesPerSecond> parse_rate(std::string_view text, std::string_view flag);
// Parses a fraction, "0.9" or "90%", within [minimum, maximum].
Result<double> parse_fraction(std::string_view text, std::string_view flag, double minimum,
                              double maximum);

std::string format_bytes(std::uint64_t bytes);     // "20 GiB", "1.5 GiB", "112 KiB", "17 B"
std::string format_rate(double bytes_per_second);  // "1.70 GB/s", "114 MB/s"
std::string format_duration(Duration duration);    // "1.25 ms", "3.2 s", "2m 05s"
// Returns a time limit of at least so many seconds that a person would choose: 20s, 2m, 15m.
std::string budget_text(double seconds);
double rounded_budget(double seconds);   // the same, as a number
std::string format_count(double count);  // "1,024", "1.28 M"
// Returns "1 file", "1,024 files": a count and a noun with a regular plural.
std::string format_counted(std::uint64_t count, std::string_view noun);
std::string format_percent(double fraction);  // "97.3 %"

}  // namespace feedrate
