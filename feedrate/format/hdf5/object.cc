#include "feedrate/format/hdf5/object.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "feedrate/format/wire.h"

namespace feedrate::hdf5 {
namespace {

constexpr std::uint64_t kFirstReadBytes = 512;  // libhdf5's guess
constexpr std::size_t kChecksumBytes = 4;

class HeaderReader {
 public:
  HeaderReader(Source& source, ObjectHeader& header) : source_(source), header_(header) {}

  Result<> read(std::uint64_t address) {
    FEEDRATE_TRY(auto bytes, source_.read(address, kFirstReadBytes, 16, "object header"));
    header_.offset = source_.offset_of(address);
    Fields fields(bytes);
    std::uint64_t length = 0;
    newer_ = as_text(bytes).starts_with("OHDR");
    if (newer_) {
      fields.skip(5);
      const std::uint64_t flags = fields.number(1);
      has_order_ = (flags & 4U) != 0;
      // Times and limits of attributes are optional and not needed.
      if ((flags & 32U) != 0) fields.skip(16);
      if ((flags & 16U) != 0) fields.skip(4);
      length = fields.number(std::size_t{1} << (flags & 3U));
    } else {
      if (bytes[0] != std::byte{1}) return corrupt_at(header_.offset, "no object header here");
      fields.skip(8);
      length = fields.number(4);
      fields.skip(4);
    }
    const std::size_t begin = bytes.size() - fields.left();
    if (fields.failed() || length > source_.size())
      return corrupt_at(header_.offset, "object header does not end within the file");
    if (begin + length > bytes.size()) {
      const std::uint64_t missing = begin + length - bytes.size();
      FEEDRATE_TRY(const auto rest,
                   source_.read(address + bytes.size(), missing, missing, "object header"));
      bytes.insert(bytes.end(), rest.begin(), rest.end());
    }
    add_messages(std::span(bytes).subspan(begin, length));
    // More messages may lie elsewhere, in continuation blocks. A block that was read before is not
    // read again, so the loop ends.
    std::set<std::uint64_t> seen;
    for (std::size_t i = 0; i < continuations_.size(); ++i) {
      if (!seen.insert(continuations_[i].offset).second)
        return corrupt_at(header_.offset, "object header is continued in a circle");
      FEEDRATE_CHECK(read_continuation(continuations_[i]));
    }
    return {};
  }

 private:
  Result<> read_continuation(const Extent at) {
    FEEDRATE_TRY(const auto bytes,
                 source_.read(at.offset, at.length, at.length, "continued object header"));
    std::span<const std::byte> messages(bytes);
    if (newer_) {
      if (!as_text(bytes).starts_with("OCHK") || bytes.size() < 4 + kChecksumBytes)
        return corrupt_at(source_.offset_of(at.offset), "no OCHK where one must be");
      messages = messages.subspan(4, messages.size() - 4 - kChecksumBytes);
    }
    add_messages(messages);
    return {};
  }

  void add_messages(std::span<const std::byte> bytes) {
    Fields fields(bytes);
    const std::size_t head = newer_ ? (has_order_ ? 6 : 4) : 8;
    while (fields.left() >= head) {
      const auto type = static_cast<MessageType>(fields.number(newer_ ? 1 : 2));
      const std::uint64_t length = fields.number(2);
      const std::uint64_t flags = fields.number(1);
      fields.skip(head - (newer_ ? 4 : 5));
      const auto body = fields.bytes(length);
      if (fields.failed()) return;
      if (type == MessageType::kContinuation) {
        Fields where(body);
        const std::uint64_t offset = where.number(source_.offset_bytes);
        continuations_.push_back({offset, where.number(source_.length_bytes)});
      } else {
        header_.messages.push_back({type, (flags & 2U) != 0, {body.begin(), body.end()}});
      }
    }
  }

  Source& source_;
  ObjectHeader& header_;
  bool newer_ = false, has_order_ = false;
  std::vector<Extent> continuations_;  // by address
};

}  // namespace

const Message* ObjectHeader::find(MessageType type) const {
  const auto found = std::ranges::find(messages, type, &Message::type);
  return found == messages.end() ? nullptr : &*found;
}

Result<ObjectHeader> read_object(Source& source, std::uint64_t address) {
  ObjectHeader header;
  FEEDRATE_CHECK(HeaderReader(source, header).read(address));
  return header;
}

}  // namespace feedrate::hdf5
