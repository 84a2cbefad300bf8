// Reads, checks and writes a value of each type.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <type_traits>

#include "feedrate/base/text.h"
#include "feedrate/workload/workload_fields.h"

namespace feedrate {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_name_byte(char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; }
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax && is_letter_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), is_name_byte);
}

// Returns whether there are control characters, of ASCII or of U+0080 to U+009F, since they could
// change what a terminal shows.
bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) return true;
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0)
      return true;
  }
  return false;
}

// Returns the error of a parse function, which puts "FLAG: " in front. Here the flag is empty, so
// that is ": ", which is cut off.
std::unexpected<Error> parse_error(const Scalar& scalar, const Error& error) {
  return scalar.error(std::string_view(error.message()).substr(2), error.hint());
}

Result<std::string> read_value(const Scalar& scalar, const Limits& limits, std::string*) {
  return limits.is_name ? checked_name(scalar) : checked_text(scalar);
}

Result<std::uint64_t> read_value(const Scalar& scalar, const Limits& limits, std::uint64_t*) {
  const auto minimum = static_cast<std::uint64_t>(limits.minimum),
             maximum = static_cast<std::uint64_t>(limits.maximum);
  const auto count = parse_count(scalar.text, "", limits.zero_too ? 0 : minimum, maximum);
  if (!count) return parse_error(scalar, count.error());
  if (*count != 0 && *count < minimum)
    return scalar.error(fmt::format("{} B is too small, at least {} B are needed", *count, minimum),
                        fmt::format("use 0 for the client's own, or {} to {}", minimum, maximum));
  return *count;
}

Result<std::uint32_t> read_value(const Scalar& scalar, const Limits& limits, std::uint32_t*) {
  FEEDRATE_TRY(const std::uint64_t count,
               read_value(scalar, limits, static_cast<std::uint64_t*>(nullptr)));
  return static_cast<std::uint32_t>(count);
}

Result<double> read_value(const Scalar& scalar, const Limits& limits, double*) {
  if (limits.is_fraction) {
    const auto fraction = parse_fraction(scalar.text, "", limits.minimum, limits.maximum);
    if (!fraction) return parse_error(scalar, fraction.error());
    return *fraction;
  }
  const std::string_view text = trim(scalar.text);
  const std::string hint =
      fmt::format("use a number of bytes from {} to {}", limits.minimum, limits.maximum);
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || code == std::errc::invalid_argument)
    return scalar.error(fmt::format("'{}' is not a number", text), hint);
  if (code != std::errc{} || !(value >= limits.minimum && value <= limits.maximum))
    return scalar.error(fmt::format("{} is outside {} to {}", text, limits.minimum, limits.maximum),
                        hint);
  return value;
}

Result<bool> read_value(const Scalar& scalar, const Limits&, bool*) {
  for (const char* word : {"true", "True", "yes"})
    if (scalar.text == word) return true;
  for (const char* word : {"false", "False", "no"})
    if (scalar.text == word) return false;
  return scalar.error(fmt::format("'{}' is neither true nor false", scalar.text),
                      "use true or false");
}

Result<Duration> read_value(const Scalar& scalar, const Limits& limits, Duration*) {
  const auto value = parse_duration(scalar.text, "");
  if (!value) return parse_error(scalar, value.error().with_hint("write it like 224ms or 1.36s"));
  const Duration minimum = from_seconds(limits.minimum), maximum = from_seconds(limits.maximum);
  if (*value < minimum || *value > maximum)
    return scalar.error(fmt::format("{} is outside {} to {}", trim(scalar.text),
                                    format_duration(minimum), format_duration(maximum)),
                        "write it like 224ms or 1.36s; a bare number is seconds");
  return *value;
}

Result<AccessOrder> read_value(const Scalar& scalar, const Limits&, AccessOrder*) {
  const auto order = parse_access_order(scalar.text, "");
  if (!order) return parse_error(scalar, order.error());
  return *order;
}

template <class Word>
  requires std::is_enum_v<Word>
Result<Word> read_value(const Scalar& scalar, const Limits& limits, Word*) {
  const std::span<const std::string_view> words = enum_words<Word>();
  const auto found = std::ranges::find(words, scalar.text);
  if (found != words.end()) return static_cast<Word>(found - words.begin());
  const std::vector<std::string> known(words.begin(), words.end());
  return scalar.error(
      fmt::format("unknown {} '{}'{}", limits.noun, scalar.text, did_you_mean(scalar.text, known)),
      "use " + join(known, known.size() == 2 ? " or " : ", "));
}

std::string text_of(const std::string& value) { return yaml_scalar(value); }
std::string text_of(std::integral auto value) { return std::to_string(value); }
std::string text_of(double value) { return fmt::format("{}", value); }
std::string text_of(bool value) { return value ? "true" : "false"; }

// Returns the shortest text that is exact.
std::string text_of(Duration duration) {
  const auto count = duration.count();
  if (count % 1'000'000 == 0) return fmt::format("{}ms", count / 1'000'000);
  if (count % 1'000 == 0) return fmt::format("{}us", count / 1'000);
  return fmt::format("{}ns", count);
}

template <class Word>
  requires std::is_enum_v<Word>
std::string text_of(Word word) {
  return std::string(to_string(word));
}

}  // namespace

template <class Owner>
Result<> read_field(const WorkloadField<Owner>& field, const Scalar& scalar, Owner& owner) {
  return std::visit(
      [&](auto member) -> Result<> {
        FEEDRATE_TRY(owner.*member, read_value(scalar, field.limits, &(owner.*member)));
        return {};
      },
      field.member);
}

template <class Owner>
std::string write_field(const WorkloadField<Owner>& field, const Owner& owner) {
  return std::visit(
      [&](auto member) -> std::string {
        const bool left_out = !field.absent.empty() && owner.*member == Owner().*member;
        return left_out ? "" : text_of(owner.*member);
      },
      field.member);
}

template Result<> read_field(const WorkloadField<Workload>&, const Scalar&, Workload&);
template Result<> read_field(const WorkloadField<DatasetShape>&, const Scalar&, DatasetShape&);
template Result<> read_field(const WorkloadField<AcceleratorTiming>&, const Scalar&,
                             AcceleratorTiming&);
template std::string write_field(const WorkloadField<Workload>&, const Workload&);
template std::string write_field(const WorkloadField<DatasetShape>&, const DatasetShape&);
template std::string write_field(const WorkloadField<AcceleratorTiming>&, const AcceleratorTiming&);

std::unexpected<Error> Scalar::error(std::string_view message, std::string hint) const {
  if (node != nullptr) return node->error(fmt::format("{}: {}", path, message), std::move(hint));
  return fail(ErrorKind::kUsage, fmt::format("{}{}={}: {}", flag, path, text, message),
              std::move(hint));
}

Result<std::string> checked_text(const Scalar& scalar) {
  if (has_control_character(scalar.text))
    return scalar.error("the text holds a control character", "remove it");
  const std::string_view text = trim(scalar.text);
  if (text.size() > kTextBytesMax)
    return scalar.error(fmt::format("the text is too long ({} B), at most {} B are allowed",
                                    text.size(), kTextBytesMax),
                        "shorten it");
  return std::string(text);
}

Result<std::string> checked_name(const Scalar& scalar) {
  const std::string_view text = trim(scalar.text);
  if (is_name(text)) return std::string(text);
  return scalar.error(fmt::format("{} is not a name", quote_path(text)),
                      fmt::format("use letters, digits, '-' and '_', at most {}", kNameBytesMax));
}

std::string yaml_scalar(std::string_view text) {
  if (is_name(text) && text != "null" && text != "Null" && text != "NULL") return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n')
      quoted += "\\n";
    else if (c == '\t')
      quoted += "\\t";
    else
      quoted += c;
  }
  return quoted + "\"";
}

}  // namespace feedrate
