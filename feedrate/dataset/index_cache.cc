#include "feedrate/dataset/index_cache.h"

#include <xxhash.h>

#include <cstring>
#include <optional>
#include <vector>

#include "feedrate/base/whole_file.h"

namespace feedrate {
namespace {

// The index of a billion samples has more; its files are then looked into each time.
constexpr std::uint64_t kIndexBytesMax = std::uint64_t{16} << 30U;
constexpr std::string_view kMagic = "feedrate index 1\n";

class Writer {
 public:
  void number(std::uint64_t value) { raw(&value, sizeof value); }
  void text(std::string_view text) {
    number(text.size());
    raw(text.data(), text.size());
  }
  template <class Value>
  void values(const std::vector<Value>& list) {
    number(list.size());
    raw(list.data(), list.size() * sizeof(Value));
  }
  void raw(const void* data, std::size_t length) {
    const auto* bytes = static_cast<const char*>(data);
    out.insert(out.end(), bytes, bytes + length);
  }
  std::vector<char> out;
};

// Checks every length against what is left, so that a damaged file costs nothing.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}
  bool number(std::uint64_t& value) { return raw(&value, sizeof value); }
  bool text(std::string& text) {
    std::uint64_t length = 0;
    if (!number(length) || length > rest_.size()) return false;
    text.resize(length);
    return raw(text.data(), length);
  }
  template <class Value>
  bool values(std::vector<Value>& list) {
    std::uint64_t count = 0;
    if (!number(count) || count > rest_.size() / sizeof(Value)) return false;
    list.resize(count);
    return raw(list.data(), count * sizeof(Value));
  }
  bool at_end() const { return rest_.empty(); }

 private:
  bool raw(void* out, std::size_t length) {
    if (length > rest_.size()) return false;
    if (length > 0) std::memcpy(out, rest_.data(), length);
    rest_ = rest_.subspan(length);
    return true;
  }
  std::span<const std::byte> rest_;
};

void write_index(const FileIndex& index, Writer& writer) {
  writer.number(index.file_bytes);
  writer.values(index.open_reads);
  writer.values(index.samples);
  writer.number(index.records.offset);
  writer.number(index.records.bytes);
  writer.number(index.records.count);
  writer.number(index.blocks.samples);
  writer.number(index.blocks.samples_per_block);
  writer.values(index.blocks.reads);
  writer.values(index.blocks.begins);
}

bool read_index(Reader& reader, FileIndex& index) {
  return reader.number(index.file_bytes) && reader.values(index.open_reads) &&
         reader.values(index.samples) && reader.number(index.records.offset) &&
         reader.number(index.records.bytes) && reader.number(index.records.count) &&
         reader.number(index.blocks.samples) && reader.number(index.blocks.samples_per_block) &&
         reader.values(index.blocks.reads) && reader.values(index.blocks.begins);
}

std::uint64_t checksum(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace

void IndexCache::load(const std::string& path) {
  const auto text = read_whole_file(path, kIndexBytesMax);
  if (text && !parse(std::as_bytes(std::span(*text)))) entries_.clear();
}

bool IndexCache::parse(std::span<const std::byte> bytes) {
  if (bytes.size() < kMagic.size() + 8 ||
      std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    return false;
  std::uint64_t stored = 0;
  std::memcpy(&stored, bytes.data() + bytes.size() - 8, 8);
  bytes = bytes.first(bytes.size() - 8);
  if (stored != checksum(bytes)) return false;
  Reader reader(bytes.subspan(kMagic.size()));
  std::string key;
  if (!reader.text(key) || key != key_) return false;
  while (!reader.at_end()) {
    std::string path;
    std::uint64_t size = 0, modified = 0;
    const auto index = std::make_shared<FileIndex>();
    if (!reader.text(path) || !reader.number(size) || !reader.number(modified) ||
        !read_index(reader, *index))
      return false;
    entries_[path] = {size, static_cast<std::int64_t>(modified), index};
  }
  return true;
}

std::shared_ptr<const FileIndex> IndexCache::find(const FoundFile& file) const {
  const auto found = entries_.find(file.path);
  if (found == entries_.end() || found->second.bytes != file.bytes ||
      found->second.modified_ns != file.modified_ns ||
      // Whoever can write here can write an index, and a checksum is no signature.
      !found->second.index->is_sound(file.bytes))
    return nullptr;
  return found->second.index;
}

void IndexCache::put(const FoundFile& file, std::shared_ptr<const FileIndex> index) {
  entries_[file.path] = {file.bytes, file.modified_ns, std::move(index)};
}

Result<> IndexCache::save(const std::string& path) const {
  Writer writer;
  writer.raw(kMagic.data(), kMagic.size());
  writer.text(key_);
  for (const auto& [name, entry] : entries_) {
    writer.text(name);
    writer.number(entry.bytes);
    writer.number(static_cast<std::uint64_t>(entry.modified_ns));
    write_index(*entry.index, writer);
  }
  writer.number(checksum(std::as_bytes(std::span(writer.out))));
  const int code = write_whole_file(path, {writer.out.data(), writer.out.size()});
  if (code != 0) return fail(Error::storage(Error::kind_of(code), "write", path, 0, code));
  return {};
}

}  // namespace feedrate
