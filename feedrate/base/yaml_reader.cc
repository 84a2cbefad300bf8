#include "feedrate/base/yaml_reader.h"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <set>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr int kDepthMax = 16;

struct Document {
  Document() = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document() {
    if (loaded) yaml_document_delete(&tree);
  }
  yaml_document_t tree{};
  bool loaded = false;
  std::string origin;
};

std::string place(std::string_view origin, const yaml_mark_t& mark) {
  return fmt::format("{}:{}:{}", origin, mark.line + 1, mark.column + 1);
}

// Returns whether brackets are nested deeper than any of our files need. It is checked before the
// parser recurses.
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

std::vector<int> children(const yaml_node_t& node) {
  std::vector<int> ids;
  if (node.type == YAML_SEQUENCE_NODE)
    ids.assign(node.data.sequence.items.start, node.data.sequence.items.top);
  if (node.type == YAML_MAPPING_NODE)
    for (const auto* pair = node.data.mapping.pairs.start; pair != node.data.mapping.pairs.top;
         ++pair)
      ids.insert(ids.end(), {pair->key, pair->value});
  return ids;
}

// Refuses tags, which no file of ours needs, and aliases that make a small file endless.
class PlainCheck {
 public:
  explicit PlainCheck(Document& document)
      : document_(document),
        sizes_(static_cast<std::size_t>(document.tree.nodes.top - document.tree.nodes.start) + 1) {}

  Result<> run() {
    for (const yaml_node_t* node = document_.tree.nodes.start; node != document_.tree.nodes.top;
         ++node) {
      const std::string_view tag(reinterpret_cast<const char*>(node->tag));
      const std::string_view plain = node->type == YAML_SCALAR_NODE     ? YAML_STR_TAG
                                     : node->type == YAML_SEQUENCE_NODE ? YAML_SEQ_TAG
                                                                        : YAML_MAP_TAG;
      if (tag != plain)
        return fail(
            ErrorKind::kUsage,
            fmt::format("{}: YAML tags are not read", place(document_.origin, node->start_mark)),
            "leave out what begins with '!', or put it in quotes");
    }
    if (sizes_.size() > 1 && size(1, 0) > kNodesMax)
      return fail(
          ErrorKind::kUsage,
          fmt::format("{}: YAML aliases make the file too large or endless", document_.origin),
          fmt::format("write values out; at most {} are read", kNodesMax));
    return {};
  }

 private:
  static constexpr std::uint64_t kNodesMax = 1'000'000, kDepthLimit = 100;

  // Counts this node and those below it, with every alias counted as what it stands for.
  std::uint64_t size(int id, std::uint64_t depth) {
    if (depth > kDepthLimit) return kNodesMax + 1;  // it contains itself
    std::uint64_t& known = sizes_[static_cast<std::size_t>(id)];
    if (known > 0) return known;
    std::uint64_t total = 1;
    for (const int child : children(*yaml_document_get_node(&document_.tree, id))) {
      total += size(child, depth + 1);
      if (total > kNodesMax) break;
    }
    return known = total;
  }

  Document& document_;
  std::vector<std::uint64_t> sizes_;
};

// Loads the first document of a text; more than one is an error.
Result<> load(std::string_view text, Document& document) {
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0) throw std::bad_alloc();
  const std::unique_ptr<yaml_parser_t, void (*)(yaml_parser_t*)> owner(&parser, yaml_parser_delete);
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size());
  for (std::size_t documents = 0;; ++documents) {
    yaml_document_t next;
    if (yaml_parser_load(&parser, &next) == 0)
      return fail(ErrorKind::kUsage,
                  fmt::format("{}: {}", place(document.origin, parser.problem_mark),
                              parser.problem == nullptr ? "out of memory" : parser.problem),
                  "it is not valid YAML there");
    // libyaml gives an empty document at the end of the text.
    const bool ended = yaml_document_get_root_node(&next) == nullptr;
    if (documents == 0) {
      document.tree = next;
      document.loaded = true;
    } else {
      yaml_document_delete(&next);
    }
    if (!ended) continue;
    if (documents <= 1) return {};
    return fail(ErrorKind::kUsage,
                fmt::format("{}: {} documents in one file", document.origin, documents),
                "keep one: remove the '---' lines between them");
  }
}

}  // namespace

struct YamlNode::Impl {
  std::shared_ptr<Document> document;
  const yaml_node_t* node;  // nullptr: an empty file

  YamlNode child(int id) const {
    return YamlNode(
        std::make_shared<const Impl>(document, yaml_document_get_node(&document->tree, id)));
  }
  bool is(yaml_node_type_t type) const { return node != nullptr && node->type == type; }
  std::string_view scalar() const {
    return {reinterpret_cast<const char*>(node->data.scalar.value), node->data.scalar.length};
  }
  // Returns the node behind a key, or 0.
  int find(std::string_view key) const {
    if (!is(YAML_MAPPING_NODE)) return 0;
    for (const auto* pair = node->data.mapping.pairs.start; pair != node->data.mapping.pairs.top;
         ++pair) {
      const Impl name{document, yaml_document_get_node(&document->tree, pair->key)};
      if (name.is(YAML_SCALAR_NODE) && name.scalar() == key) return pair->value;
    }
    return 0;
  }
};

std::unexpected<Error> YamlNode::error(std::string message, std::string hint) const {
  const std::string& origin = impl_->document->origin;
  return fail(
      ErrorKind::kUsage,
      (impl_->node == nullptr ? origin : place(origin, impl_->node->start_mark)) + ": " + message,
      std::move(hint));
}

Result<YamlNode> YamlNode::parse(std::string_view text, std::string_view origin) {
  if (text.size() > kYamlBytesMax || too_deep(text))
    return fail(
        ErrorKind::kUsage, fmt::format("{}: the file is too large or nested too deep", origin),
        fmt::format("at most {} and {} levels are read", format_bytes(kYamlBytesMax), kDepthMax));
  const auto document = std::make_shared<Document>();
  document->origin = origin;
  FEEDRATE_CHECK(load(text, *document));
  FEEDRATE_CHECK(PlainCheck(*document).run());
  YamlNode node(
      std::make_shared<const Impl>(document, yaml_document_get_root_node(&document->tree)));
  FEEDRATE_CHECK(node.expect_mapping("the file"));
  return node;
}

bool YamlNode::is_mapping() const { return impl_->is(YAML_MAPPING_NODE); }
bool YamlNode::is_sequence() const { return impl_->is(YAML_SEQUENCE_NODE); }
bool YamlNode::is_null() const {
  if (!impl_->is(YAML_SCALAR_NODE) || impl_->node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
    return false;
  const std::string_view text = impl_->scalar();
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

Result<> YamlNode::expect_mapping(std::string_view what) const {
  if (is_mapping()) return {};
  return error(fmt::format("{} must be a mapping of keys to values", what),
               "write it as 'key: value' lines");
}

Result<std::vector<std::pair<std::string, YamlNode>>> YamlNode::entries() const {
  FEEDRATE_CHECK(expect_mapping("this"));
  std::vector<std::pair<std::string, YamlNode>> found;
  std::set<std::string> names;
  const auto& pairs = impl_->node->data.mapping.pairs;
  for (const auto* pair = pairs.start; pair != pairs.top; ++pair) {
    const YamlNode key = impl_->child(pair->key);
    FEEDRATE_TRY(std::string name, key.text());
    if (!names.insert(name).second)
      return key.error(fmt::format("key '{}' stands here twice", name), "remove one");
    found.emplace_back(std::move(name), impl_->child(pair->value));
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
  const auto& pairs = impl_->node->data.mapping.pairs;
  for (const auto* pair = pairs.start; pair != pairs.top; ++pair) {
    const YamlNode node = impl_->child(pair->key);
    FEEDRATE_TRY(const std::string key, node.text());
    if (std::find(names.begin(), names.end(), key) == names.end())
      return node.error(
          fmt::format("unknown key '{}' in {}{}", key, what, did_you_mean(key, names)),
          "keys are " + join(names, ", "));
  }
  return {};
}

bool YamlNode::has(std::string_view key) const {
  const int found = impl_->find(key);
  return found != 0 && !impl_->child(found).is_null();
}

Result<YamlNode> YamlNode::at(std::string_view key) const {
  if (!has(key))
    return error(fmt::format("key '{}' is missing", key), fmt::format("add '{}: ...'", key));
  return impl_->child(impl_->find(key));
}

Result<std::string> YamlNode::text_at(std::string_view key) const {
  FEEDRATE_TRY(const YamlNode node, at(key));
  return node.text();
}

Result<bool> YamlNode::flag() const {
  FEEDRATE_TRY(const std::string value, text());
  if (value == "true" || value == "false") return value == "true";
  return error(fmt::format("'{}' is neither true nor false", value), "use true or false");
}

Result<std::string> YamlNode::text() const {
  if (!impl_->is(YAML_SCALAR_NODE) || is_null())
    return error("a single value is expected here", "write 'key: value'");
  return std::string(impl_->scalar());
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
  if (!is_sequence()) return error("a list is expected here", "write '- item' lines");
  std::vector<YamlNode> found;
  const auto& ids = impl_->node->data.sequence.items;
  for (const auto* id = ids.start; id != ids.top; ++id) found.push_back(impl_->child(*id));
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
