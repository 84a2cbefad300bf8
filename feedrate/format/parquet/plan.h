// The plan of a Parquet file that we write: where columns, pages and row groups lie.
#pragma once

#include <vector>

#include "feedrate/format/format.h"
#include "feedrate/format/pieces.h"

namespace feedrate::parquet {

struct Options {
  std::uint64_t columns = 1;
  std::uint64_t columns_read = UINT64_MAX;  // at most all
  std::uint64_t row_group_rows = 0;         // 0: as many as fit 128 MiB
};

Result<Options> parse_options(const FormatOptions& options);
// Returns which of `columns` columns are read: they are spread evenly, in order.
std::vector<std::size_t> columns_read(std::size_t columns, const Options& options);

// The parts of a file, from first to last: magic, row groups, footer.
class Plan {
 public:
  Plan(std::uint64_t rows, std::uint64_t row_bytes, const Options& options);

  std::uint64_t parts() const { return groups() + 2; }
  std::uint64_t part_offset(std::uint64_t part) const;
  std::uint64_t part_at(std::uint64_t offset) const;  // the last one after the end of the file
  // Appends the bytes of a part.
  void add_part(std::uint64_t part, const SampleContent& content, FilePieces& pieces) const;

  std::uint64_t groups() const { return (rows_ + group_rows_ - 1) / group_rows_; }
  std::uint64_t group_rows() const { return group_rows_; }
  // Returns the column chunks of a row group, in order.
  std::vector<Extent> chunks(std::uint64_t group) const;
  std::uint64_t columns() const { return widths_.size(); }
  std::vector<std::byte> footer() const;

 private:
  std::uint64_t rows_in(std::uint64_t group) const;
  std::uint64_t chunk_bytes(std::uint64_t width, std::uint64_t rows) const;

  const std::uint64_t rows_, row_bytes_;
  std::vector<std::uint64_t> widths_;  // of columns, in bytes
  std::uint64_t group_rows_ = 1;
  std::uint64_t group_bytes_ = 0, last_group_bytes_ = 0;
};

}  // namespace feedrate::parquet
