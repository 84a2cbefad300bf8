// Object headers: the messages that describe a dataset or a group.
#pragma once

#include "feedrate/format/hdf5/source.h"

namespace feedrate::hdf5 {

enum class MessageType : std::uint16_t {
  kDataspace = 0x01,
  kLinkInfo = 0x02,
  kDatatype = 0x03,
  kLink = 0x06,
  kExternalFiles = 0x07,
  kLayout = 0x08,
  kFilters = 0x0B,
  kContinuation = 0x10,
  kSymbolTable = 0x11,
};

struct Message {
  MessageType type;
  bool shared;  // the body only says where it is
  std::vector<std::byte> body;
};

struct ObjectHeader {
  std::uint64_t offset = 0;  // in the file
  std::vector<Message> messages;
  const Message* find(MessageType type) const;
};

Result<ObjectHeader> read_object(Source& source, std::uint64_t address);

}  // namespace feedrate::hdf5
