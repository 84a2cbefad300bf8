#include "feedrate/base/yaml_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr int kDepthMax = 16;

std::string place(std::string_view origin, const YAML::Mark& mark) {
  if (mark.is_null()) return std::string(origin);
  return fmt::format("{}:{}:{}", origin, mark.line + 1, mark.column + 1);
}

// Brackets nested deeper than any of our files need; checked before the parser recurses.
bool too_deep(std::string_view text) {
  int depth = 0;
  std::size_t indent_levels = 0;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[' || text[i] == '{') ++depth;
    if ((text[i] == ']' || text[i] == '}') && depth > 0) --depth;
    if (depth > kDepthMax) return true;
    if (text[i] != '\n') continue;
    indent_levels = 0;
    for (line_start = i + 1; line_start < text.size(); ++line_start) {
      const char c = text[line_start];
      if (c != ' ' && c != '-' && c != '?' && c != ':') break;
      ++indent_levels;
    }
    if (indent_levels > 8 * kDepthMax) return true;
  }
  return false;
}

// The line of the first '!' where a value may begin, or 0. No file of ours needs a YAML tag, and
// yaml-cpp 0.7 never comes back from "!,".
std::size_t line_of_tag(std::string_view text) {
  std::size_t line = 1;
  char before = '\n';  // the last that is no blank
  bool apart = true;   // from it, by a blank
  for (const char c : text) {
    const bool opens = before == '\n' || before == '[' || before == '{' || before == ',' ||
                       (apart && (before == ':' || before == '-' || before == '?'));
    if (c == '!' && opens) return line;
    if (c == '\n') ++line;
    apart = c == ' ' || c == '\t' || c == '\r';
    if (!apart) before = c;
  }
  return 0;
}

}  // namespace

struct YamlNode::Impl {
  YAML::Node node;
  std::string origin;
};

std::unexpected<Error> YamlNode::error(std::string message, std::string hint) const {
  return fail(ErrorKind::kUsage, place(impl_->origin, impl_->node.Mark()) + ": " + message,
              std::move(hint));
}

Result<YamlNode> YamlNode::parse(std::string_view text, std::string_view origin) {
  if (text.size() > kYamlBytesMax || too_deep(text))
    return fail(
        ErrorKind::kUsage, fmt::format("{}: the file is too large or nested too deep", origin),
        fmt::format("at most {} and {} levels are read", format_bytes(kYamlBytesMax), kDepthMax));
  if (const std::size_t line = line_of_tag(text); line > 0)
    return fail(ErrorKind::kUsage, fmt::format("{}:{}: YAML tags are not read", origin, line),
                "leave out what begins with '!', or put it in quotes");
  try {
    auto impl = std::make_shared<Impl>();
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1)
      return fail(ErrorKind::kUsage,
                  fmt::format("{}: {} documents in one file", origin, documents.size()),
                  "keep one: remove the '---' lines between them");
    if (!documents.empty()) impl->node = documents.front();
    impl->origin = origin;
    YamlNode node(std::move(impl));
    FEEDRATE_CHECK(node.expect_mapping("the file"));
    return node;
  } catch (const YAML::Exception& problem) {
    return fail(ErrorKind::kUsage, fmt::format("{}: {}", place(origin, problem.mark), problem.msg),
                "it is not valid YAML there");
  }
}

bool YamlNode::is_mapping() const { return impl_->node.IsMap(); }
bool YamlNode::is_sequence() const { return impl_->node.IsSequence(); }
bool YamlNode::is_null() const { return impl_->node.IsNull(); }

Result<> YamlNode::expect_mapping(std::string_view what) const {
  if (impl_->node.IsMap()) return {};
  return error(fmt::format("{} must be a mapping of keys to values", what),
               "write it as 'key: value' lines");
}

Result<std::vector<std::pair<std::string, YamlNode>>> YamlNode::entries() const {
  FEEDRATE_CHECK(expect_mapping("this"));
  std::vector<std::pair<std::string, YamlNode>> found;
  for (const auto& entry : impl_->node) {
    YamlNode key(std::make_shared<const Impl>(Impl{entry.first, impl_->origin}));
    FEEDRATE_TRY(std::string name, key.text());
    for (const auto& [other, value] : found)
      if (other == name)
        return key.error(fmt::format("key '{}' stands here twice", name), "remove one");
    found.emplace_back(std::move(name),
                       YamlNode(std::make_shared<const Impl>(Impl{entry.second, impl_->origin})));
  }
  return found;
}

Result<> YamlNode::expect_keys(std::string_view what,
                               std::initializer_list<std::string_view> known) const {
  return expect_keys(what, std::vector<std::string>(known.begin(), known.end()));
}

Result<> YamlNode::expect_keys(std::string_view what, const std::vector<std::string>& names) const {
  FEEDRATE_CHECK(expect_mapping(what));
  FEEDRATE_CHECK(entries());
  for (const auto& entry : impl_->node) {
    const std::string key = entry.first.Scalar();
    if (std::find(names.begin(), names.end(), key) != names.end()) continue;
    return fail(
        ErrorKind::kUsage,
        fmt::format("{}: unknown key '{}' in {}{}", place(impl_->origin, entry.first.Mark()), key,
                    what, did_you_mean(key, names)),
        "keys are " + join(names, ", "));
  }
  return {};
}

bool YamlNode::has(std::string_view key) const {
  if (!impl_->node.IsMap()) return false;
  const YAML::Node child = impl_->node[std::string(key)];
  return child.IsDefined() && !child.IsNull();
}

Result<YamlNode> YamlNode::at(std::string_view key) const {
  if (!has(key))
    return error(fmt::format("key '{}' is missing", key), fmt::format("add '{}: ...'", key));
  return YamlNode(std::make_shared<const Impl>(Impl{impl_->node[std::string(key)], impl_->origin}));
}

Result<std::string> YamlNode::text() const {
  if (!impl_->node.IsScalar())
    return error("a single value is expected here", "write 'key: value'");
  return impl_->node.Scalar();
}

Result<std::uint64_t> YamlNode::count(std::uint64_t minimum, std::uint64_t maximum) const {
  FEEDRATE_TRY(const std::string value, text());
  const auto parsed = parse_count(value, "value", minimum, maximum);
  if (!parsed) return error(parsed.error().message(), parsed.error().hint());
  return *parsed;
}

Result<double> YamlNode::number(double minimum, double maximum) const {
  FEEDRATE_TRY(const std::string value, text());
  double parsed = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (code != std::errc{} || end != value.data() + value.size())
    return error(fmt::format("'{}' is not a number", value),
                 fmt::format("use a number from {} to {}", minimum, maximum));
  if (!(parsed >= minimum && parsed <= maximum))
    return error(fmt::format("{} is outside {} to {}", value, minimum, maximum),
                 fmt::format("use a number from {} to {}", minimum, maximum));
  return parsed;
}

Result<Duration> YamlNode::duration(Duration minimum, Duration maximum) const {
  FEEDRATE_TRY(const std::string value, text());
  const auto parsed = parse_duration(value, "time");
  if (!parsed) return error(parsed.error().message(), parsed.error().hint());
  if (*parsed < minimum || *parsed > maximum)
    return error(fmt::format("{} is outside {} to {}", value, format_duration(minimum),
                             format_duration(maximum)),
                 "write it like 3.5ms or 2s");
  return *parsed;
}

Result<std::uint64_t> YamlNode::bytes(std::uint64_t minimum, std::uint64_t maximum) const {
  FEEDRATE_TRY(const std::string value, text());
  const auto parsed = parse_bytes(value, "size");
  if (!parsed) return error(parsed.error().message(), parsed.error().hint());
  if (*parsed < minimum || *parsed > maximum)
    return error(
        fmt::format("{} is outside {} to {}", value, format_bytes(minimum), format_bytes(maximum)),
        "write it like 20GiB");
  return *parsed;
}

Result<double> YamlNode::bytes_per_second() const {
  FEEDRATE_TRY(const std::string value, text());
  if (!value.ends_with("/s"))
    return error(fmt::format("'{}' is not a rate", value), "write it like 2GB/s");
  const auto parsed = parse_bytes(value.substr(0, value.size() - 2), "rate");
  if (!parsed) return error(parsed.error().message(), parsed.error().hint());
  if (*parsed == 0)
    return error("a rate of 0 would never finish", "leave the key out for no limit");
  return static_cast<double>(*parsed);
}

Result<std::vector<YamlNode>> YamlNode::items() const {
  if (!impl_->node.IsSequence()) return error("a list is expected here", "write '- item' lines");
  std::vector<YamlNode> found;
  for (const auto& entry : impl_->node)
    found.push_back(YamlNode(std::make_shared<const Impl>(Impl{entry, impl_->origin})));
  return found;
}

Result<std::vector<std::string>> YamlNode::texts() const {
  FEEDRATE_TRY(const std::vector<YamlNode> nodes, items());
  std::vector<std::string> values;
  for (const YamlNode& node : nodes) {
    FEEDRATE_TRY(std::string value, node.text());
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace feedrate
