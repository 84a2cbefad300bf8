#include "feedrate/format/hdf5/group.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "feedrate/format/wire.h"

namespace feedrate::hdf5 {
namespace {

constexpr std::uint64_t kFirstReadBytes = 512;  // libhdf5's guess
constexpr std::uint64_t kSoftLinkCached = 2;

struct Heap {
  std::vector<std::byte> data;
  std::uint64_t offset;  // in the file

  Result<std::string_view> name(std::uint64_t position) const {
    if (position >= data.size()) return corrupt_at(offset, "a name does not lie in its local heap");
    const std::string_view text = as_text(data).substr(position);
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos) return corrupt_at(offset, "a name does not end in its heap");
    return text.substr(0, end);
  }
};

Result<Heap> read_heap(Source& source, std::uint64_t address) {
  FEEDRATE_TRY(auto bytes, source.read_signed(address, kFirstReadBytes, "HEAP"));
  Fields fields(bytes);
  fields.skip(8);
  const std::uint64_t length = fields.number(source.length_bytes);
  fields.skip(source.length_bytes);
  const std::uint64_t data = fields.number(source.offset_bytes);
  const std::uint64_t head = bytes.size() - fields.left();
  if (fields.failed() || length > source.size())
    return corrupt_at(source.offset_of(address), "local heap does not end within the file");
  const bool behind = data == address + head;
  if (behind && head + length <= bytes.size())
    return Heap{{bytes.begin() + static_cast<std::ptrdiff_t>(head),
                 bytes.begin() + static_cast<std::ptrdiff_t>(head + length)},
                source.offset_of(data)};
  FEEDRATE_TRY(auto separate, source.read(data, length, length, "local heap"));
  return Heap{std::move(separate), source.offset_of(data)};
}

}  // namespace

// The old form of a group: names in a local heap, and a B-tree of leaves with up to eight of them.
class SymbolTable {
 public:
  static Result<SymbolTable> open(Source& source, const Message& message) {
    Fields fields(message.body);
    SymbolTable table(source);
    table.tree_ = fields.number(source.offset_bytes);
    const std::uint64_t heap = fields.number(source.offset_bytes);
    FEEDRATE_TRY(table.heap_, read_heap(source, heap));
    return table;
  }

  Result<std::optional<Link>> find(std::string_view name) {
    std::uint64_t address = tree_;
    for (int level = -1; level != 0;) {
      FEEDRATE_TRY(const Node node, read_node(address, level));
      level = node.level;
      // Child i has the names after key i, up to and including key i + 1.
      std::size_t first = 0, last = node.children.size();
      while (first < last) {
        const std::size_t middle = first + (last - first) / 2;
        FEEDRATE_TRY(const std::string_view key, heap_.name(node.keys[middle + 1]));
        (name <= key ? last : first) = name <= key ? middle : middle + 1;
      }
      if (first == node.children.size()) return std::optional<Link>();
      address = node.children[first];
    }
    std::optional<Link> found;
    FEEDRATE_CHECK(read_leaf(address, [&](std::string_view entry, const Link& link) {
      if (entry == name) found = link;
    }));
    return found;
  }

  Result<> list(std::vector<std::string>& names) {
    struct Pending {
      std::uint64_t address;
      int level;  // -1: not known
    };
    std::vector<Pending> pending{{tree_, -1}};
    std::set<std::uint64_t> seen;
    while (!pending.empty()) {
      const Pending at = pending.back();
      pending.pop_back();
      if (!seen.insert(at.address).second)
        return corrupt_at(source_.offset_of(at.address), "a B-tree node has two nodes above it");
      FEEDRATE_TRY(const Node node, read_node(at.address, at.level));
      for (const std::uint64_t child : node.children)
        if (node.level > 0) {
          pending.push_back({child, node.level});
        } else {
          if (!seen.insert(child).second)
            return corrupt_at(source_.offset_of(child), "a group's leaf has two nodes above it");
          FEEDRATE_CHECK(read_leaf(child, [&](std::string_view entry, const Link& link) {
            if (link.type == LinkType::kHard) names.emplace_back(entry);
          }));
        }
    }
    return {};
  }

 private:
  explicit SymbolTable(Source& source) : source_(source) {}

  struct Node {
    int level = 0;
    std::vector<std::uint64_t> keys, children;  // one key more than children
  };

  // The level must be one less than `above`, so that no path is endless in a damaged file.
  Result<Node> read_node(std::uint64_t address, int above) {
    const std::uint64_t entry = source_.length_bytes + source_.offset_bytes;
    const std::uint64_t length =
        8 + 2 * source_.offset_bytes + 2 * source_.group_node_half * entry + source_.length_bytes;
    FEEDRATE_TRY(const auto bytes, source_.read_signed(address, length, "TREE"));
    Fields fields(bytes);
    fields.skip(4);
    const std::uint64_t type = fields.number(1);
    Node node;
    node.level = static_cast<int>(fields.number(1));
    const std::uint64_t used = fields.number(2);
    fields.skip(2 * source_.offset_bytes);
    node.keys.push_back(fields.number(source_.length_bytes));
    for (std::uint64_t i = 0; i < used && !fields.failed(); ++i) {
      node.children.push_back(fields.number(source_.offset_bytes));
      node.keys.push_back(fields.number(source_.length_bytes));
    }
    if (fields.failed() || type != 0 || (above >= 0 && node.level != above - 1))
      return corrupt_at(source_.offset_of(address), "a B-tree node does not fit its group");
    return node;
  }

  template <class Take>
  Result<> read_leaf(std::uint64_t address, Take take) {
    const std::uint64_t entry = 2 * source_.offset_bytes + 24;
    FEEDRATE_TRY(const auto bytes,
                 source_.read_signed(address, 8 + 2 * source_.group_leaf_half * entry, "SNOD"));
    Fields fields(bytes);
    fields.skip(6);
    const std::uint64_t count = fields.number(2);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t position = fields.number(source_.offset_bytes);
      Link link{LinkType::kHard, fields.number(source_.offset_bytes)};
      if (fields.number(4) == kSoftLinkCached) link.type = LinkType::kSoft;
      fields.skip(20);
      if (fields.failed())
        return corrupt_at(source_.offset_of(address), "a group's leaf is cut off");
      FEEDRATE_TRY(const std::string_view name, heap_.name(position));
      take(name, link);
    }
    return {};
  }

  Source& source_;
  std::uint64_t tree_ = 0;
  Heap heap_{};
};

namespace {

struct NamedLink {
  std::string name;
  Link link;
};

Result<NamedLink> parse_link(const Source& source, const ObjectHeader& group,
                             const Message& message) {
  Fields fields(message.body);
  fields.skip(1);
  const std::uint64_t flags = fields.number(1);
  const std::uint64_t type = (flags & 8U) != 0 ? fields.number(1) : 0;
  if ((flags & 4U) != 0) fields.skip(8);
  if ((flags & 16U) != 0) fields.skip(1);
  const std::uint64_t length = fields.number(std::size_t{1} << (flags & 3U));
  NamedLink result{std::string(as_text(fields.bytes(length))), {}};
  if (type == 0)
    result.link.address = fields.number(source.offset_bytes);
  else
    result.link.type = type == 1 ? LinkType::kSoft : LinkType::kExternal;
  if (fields.failed()) return corrupt_at(group.offset, "a link of a group is cut off");
  return result;
}

}  // namespace

Result<Group> Group::open(Source& source, ObjectHeader header) {
  Group group(source, std::move(header));
  if (const Message* message = group.header_.find(MessageType::kSymbolTable)) {
    FEEDRATE_TRY(SymbolTable table, SymbolTable::open(source, *message));
    group.table_ = std::make_shared<SymbolTable>(std::move(table));
    return group;
  }
  if (const Message* info = group.header_.find(MessageType::kLinkInfo)) {
    Fields fields(info->body);
    fields.skip(1);
    if ((fields.number(1) & 1U) != 0) fields.skip(8);
    const std::uint64_t heap = fields.number(source.offset_bytes);
    // Without a heap all links are in the header.
    if (!fields.failed() && source.defined(heap))
      return fail(ErrorKind::kUnsupported,
                  fmt::format("at offset {}: names of an HDF5 group in a fractal heap",
                              group.header_.offset),
                  "write it with h5py's libver='earliest', or with at most 8 names a group");
  }
  return group;
}

template <class Take>
Result<> Group::each_link(Take take) const {
  for (const Message& message : header_.messages) {
    if (message.type != MessageType::kLink) continue;
    FEEDRATE_TRY(const NamedLink named, parse_link(*source_, header_, message));
    take(named);
  }
  return {};
}

Result<std::optional<Link>> Group::find(std::string_view name) const {
  if (table_) return table_->find(name);
  std::optional<Link> found;
  FEEDRATE_CHECK(each_link([&](const NamedLink& named) {
    if (named.name == name) found = named.link;
  }));
  return found;
}

Result<std::vector<std::string>> Group::names() const {
  std::vector<std::string> names;
  if (table_) {
    FEEDRATE_CHECK(table_->list(names));
    return names;
  }
  FEEDRATE_CHECK(each_link([&](const NamedLink& named) {
    if (named.link.type == LinkType::kHard) names.push_back(named.name);
  }));
  return names;
}

Result<std::string> heap_name(Source& source, std::uint64_t address, std::uint64_t position) {
  FEEDRATE_TRY(const Heap heap, read_heap(source, address));
  FEEDRATE_TRY(const std::string_view name, heap.name(position));
  return std::string(name);
}

}  // namespace feedrate::hdf5
