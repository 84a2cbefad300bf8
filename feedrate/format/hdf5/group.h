// Groups, and how names are looked up in them.
#pragma once

#include "feedrate/format/hdf5/object.h"

namespace feedrate::hdf5 {

enum class LinkType : std::uint8_t { kHard, kSoft, kExternal };

struct Link {
  LinkType type = LinkType::kHard;
  std::uint64_t address = 0;  // of the object header of a hard one
};

class SymbolTable;

class Group {
 public:
  // `source` must outlive the group.
  static Result<Group> open(Source& source, ObjectHeader header);
  // Reads what libhdf5 reads to look up `name`; returns nullopt when there is no such name, and
  // kUnsupported for groups whose names are in a fractal heap (many names, newest file versions).
  Result<std::optional<Link>> find(std::string_view name) const;
  // Returns the names of the objects in the group; soft and external links are left out.
  Result<std::vector<std::string>> names() const;

 private:
  Group(Source& source, ObjectHeader header) : source_(&source), header_(std::move(header)) {}
  template <class Take>
  Result<> each_link(Take take) const;

  Source* source_;
  ObjectHeader header_;
  std::shared_ptr<SymbolTable> table_;  // of old files; newer ones have the links in the header
};

// Returns the name at `position` of the local heap at `address`.
Result<std::string> heap_name(Source& source, std::uint64_t address, std::uint64_t position);

}  // namespace feedrate::hdf5
