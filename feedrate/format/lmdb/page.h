// The layout of an LMDB file (liblmdb 0.9, mdb.c): fields of pages, and their places.
#pragma once

#include <cstdint>

namespace feedrate::lmdb {

inline constexpr std::uint64_t kPageBytes = 4096;  // of files that we write
inline constexpr std::uint64_t kPageHeadBytes = 16;
inline constexpr std::uint64_t kNodeHeadBytes = 8;
inline constexpr std::uint64_t kPointerBytes = 2;
inline constexpr std::uint64_t kMetaPages = 2;
inline constexpr std::uint64_t kValueBytesMax = 0xFFFFFFFF;
inline constexpr std::uint64_t kNoPage = UINT64_MAX;
inline constexpr std::uint32_t kDepthMax = 32;

// The head of a page: u64 number, u16, u16 flags; then u16 end of the pointers and u16 begin of the
// nodes, or u32 pages of an overflow run.
inline constexpr std::uint64_t kFlagsAt = 10, kLowerAt = 12, kUpperAt = 14, kRunAt = 12;
inline constexpr std::uint16_t kBranch = 1, kLeaf = 2, kOverflow = 4, kMeta = 8;

// A meta page, after its head: u32 magic, u32 version, u64 address, u64 size of the map, the
// database of free pages and the main database, u64 last page, u64 transaction.
inline constexpr std::uint32_t kMagic = 0xBEEFC0DE, kVersion = 1;
inline constexpr std::uint64_t kFreeDatabaseAt = kPageHeadBytes + 24,
                               kMainDatabaseAt = kFreeDatabaseAt + 48;
inline constexpr std::uint64_t kLastPageAt = kMainDatabaseAt + 48, kTransactionAt = kLastPageAt + 8;
inline constexpr std::uint64_t kMetaBytes = kTransactionAt + 8;

// The record of a database: u32 (for free pages: bytes of a page), u16 flags, u16 depth, u64 branch
// pages, leaf pages, overflow pages, entries, root.
inline constexpr std::uint16_t kIntegerKeys = 8, kSeveralValues = 4;

// A node: u16 and u16 length of the value (or, with a third u16, page of the child), u16 flags, u16
// length of the key; key, value.
inline constexpr std::uint16_t kBigValue = 1, kSubDatabase = 2, kDuplicates = 4;

// Returns the pages that a value in overflow pages takes.
constexpr std::uint64_t overflow_pages(std::uint64_t value_bytes, std::uint64_t page_bytes) {
  return (kPageHeadBytes + value_bytes + page_bytes - 1) / page_bytes;
}

}  // namespace feedrate::lmdb
