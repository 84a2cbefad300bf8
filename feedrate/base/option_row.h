// An option of the command line, as one row of a table. The parser, --help, the man page, the
// completions and docs/options.md are made of these rows, so that they cannot disagree.
#pragma once

#include <cstdint>
#include <string_view>

namespace feedrate {

enum class OptionType : std::uint8_t {
  kFlag,      // on or off, without a value
  kCount,     // a whole number
  kNumber,    // a number that may have a thousands letter: 70B
  kFraction,  // 0.9 or 90%
  kBytes,     // 4MiB
  kSize,      // 20GiB, or 1% of the published size
  kRate,      // 500MB/s
  kDuration,  // 5m
  kFile,
  kDirectory,
  kWords,     // one of `among`
  kWorkload,  // a name of the catalogue, or a file
  kModel,     // the same of the models
  kText,      // what `among` shows
};

std::string_view to_string(OptionType type);  // "flag", "count", ...

struct OptionRow {
  // "-n,--accelerators". A name without dashes is an argument that is known by its place, and
  // "[directory]" may be left out.
  std::string_view names;
  OptionType type = OptionType::kText;
  // What holds when the option is not given, in short; "" when there is nothing to show.
  std::string_view usual;
  // The allowed values. For numbers, sizes and times it is "1 to 1024", for words "real|virtual",
  // and for a text its shape, "KEY=VALUE".
  std::string_view among;
  // The help: one sentence, without its full stop.
  std::string_view help;
  // The option has an effect only beside one of these: "--async", "--async or --local". With a
  // value ("--data=DIR") it is what the remedy writes. It is "" where the option always has an
  // effect.
  std::string_view beside = {};
  // A name that it once had and that means something else now: who writes it is told the new one.
  std::string_view former = {};

  // Returns the same option for a verb where something else holds when it is not given.
  constexpr OptionRow usually(std::string_view other) const {
    OptionRow row = *this;
    row.usual = other;
    return row;
  }
  constexpr OptionRow once(std::string_view name) const {
    OptionRow row = *this;
    row.former = name;
    return row;
  }
  // The same option in a verb that allows another range.
  constexpr OptionRow within(std::string_view other) const {
    OptionRow row = *this;
    row.among = other;
    return row;
  }
};

}  // namespace feedrate
