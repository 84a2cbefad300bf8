#include "feedrate/base/yaml_rows.h"

#include <fmt/format.h>

#include <cmath>

namespace feedrate {

std::string grouped(double number) {
  if (std::floor(number) != number) return fmt::format("{}", number);
  std::string text = fmt::format("{:.0f}", number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string range_of_numbers(double minimum, double maximum) {
  return fmt::format("{} to {}", grouped(minimum), grouped(maximum));
}

std::string range_of_times(Duration minimum, Duration maximum) {
  return fmt::format("{} to {}", format_duration(minimum), format_duration(maximum));
}

std::string yaml_table_head() {
  return "| key | what it says | values | left out |\n| --- | --- | --- | --- |\n";
}

std::string yaml_table_line(std::string_view key, std::string_view help, std::string_view values,
                            std::string_view absent) {
  return fmt::format("| `{}` | {} | {} | {} |\n", key, help, values, absent);
}

}  // namespace feedrate
