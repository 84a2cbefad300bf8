#include "feedrate/format/parquet/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/units.h"
#include "feedrate/format/parquet/footer.h"
#include "feedrate/format/parquet/thrift.h"
#include "feedrate/format/wire.h"

namespace feedrate::parquet {
namespace {

constexpr std::uint64_t kPageBytes = std::uint64_t{1} << 20U;  // parquet-mr's page size
constexpr std::uint64_t kGroupBytes = std::uint64_t{128} << 20U;
constexpr std::uint64_t kWidthMax = std::uint64_t{1} << 30U;  // page sizes have 31 bits
constexpr std::uint64_t kColumnsMax = 100'000;
constexpr std::uint64_t kRowsMax = std::uint64_t{1} << 31U;  // of a row group; values have i32

enum class Type : std::int32_t { kInt32 = 1, kInt64 = 2, kFixedLength = 7 };

Type type_of(std::uint64_t width) {
  return width == 4 ? Type::kInt32 : width == 8 ? Type::kInt64 : Type::kFixedLength;
}

std::uint64_t values_per_page(std::uint64_t width) {
  return std::max<std::uint64_t>(1, kPageBytes / width);
}

std::string column_name(std::size_t column) { return fmt::format("column_{:03}", column); }

// Returns the header of a data page of version 1. It has no levels, since every value is required.
std::vector<std::byte> page_header(std::uint64_t values, std::uint64_t width) {
  constexpr std::int32_t kDataPage = 0, kPlain = 0, kRunLength = 3;
  const auto bytes = static_cast<std::int32_t>(values * width);
  ThriftWriter writer;
  writer.begin_struct();
  writer.i32(1, kDataPage);
  writer.i32(2, bytes);
  writer.i32(3, bytes);
  writer.begin_struct(5);
  writer.i32(1, static_cast<std::int32_t>(values));
  writer.i32(2, kPlain);
  writer.i32(3, kRunLength);
  writer.i32(4, kRunLength);
  writer.end_struct();
  writer.end_struct();
  return writer.take();
}

void write_column_chunk(ThriftWriter& writer, const std::string& name, std::uint64_t width,
                        std::uint64_t rows, const Extent& extent) {
  constexpr std::int32_t kPlain = 0, kRunLength = 3, kUncompressed = 0;
  writer.begin_struct();
  writer.i64(2, static_cast<std::int64_t>(extent.offset));
  writer.begin_struct(3);
  writer.i32(1, static_cast<std::int32_t>(type_of(width)));
  writer.begin_list(2, ThriftType::kI32, 2);
  writer.element(kPlain);
  writer.element(kRunLength);
  writer.begin_list(3, ThriftType::kBinary, 1);
  writer.element(name);
  writer.i32(4, kUncompressed);
  writer.i64(5, static_cast<std::int64_t>(rows));
  writer.i64(6, static_cast<std::int64_t>(extent.length));
  writer.i64(7, static_cast<std::int64_t>(extent.length));
  writer.i64(9, static_cast<std::int64_t>(extent.offset));
  writer.end_struct();
  writer.end_struct();
}

}  // namespace

Result<Options> parse_options(const FormatOptions& options) {
  Options result;
  for (const auto& [key, value] : options) {
    if (key == "columns") {
      FEEDRATE_TRY(result.columns, parse_count(value, key, 1, kColumnsMax));
    } else if (key == "columns_read") {
      FEEDRATE_TRY(result.columns_read, parse_count(value, key, 1, kColumnsMax));
    } else if (key == "row_group_rows") {
      FEEDRATE_TRY(result.row_group_rows, parse_count(value, key, 1, kRowsMax - 1));
    } else {
      return fail(ErrorKind::kUsage, fmt::format("format 'parquet' has no option '{}'", key),
                  "it has columns, columns_read and row_group_rows");
    }
  }
  return result;
}

std::vector<std::size_t> columns_read(std::size_t columns, const Options& options) {
  const std::size_t count = std::min<std::uint64_t>(columns, options.columns_read);
  std::vector<std::size_t> read(count);
  for (std::size_t i = 0; i < count; ++i) read[i] = i * columns / count;
  return read;
}

Plan::Plan(std::uint64_t rows, std::uint64_t row_bytes, const Options& options)
    : rows_(rows), row_bytes_(row_bytes) {
  FEEDRATE_ASSERT(rows > 0);
  // No column may be empty, and none may have more than fits a page.
  const std::uint64_t columns =
      std::max({std::uint64_t{1}, std::min(options.columns, row_bytes), row_bytes / kWidthMax + 1});
  widths_.assign(columns, row_bytes / columns);
  std::uint64_t wider = row_bytes % columns;
  const std::vector<std::size_t> read = columns_read(columns, options);
  std::vector<bool> is_read(columns);
  for (const std::size_t column : read) is_read[column] = true;
  for (const bool pass : {true, false})
    for (std::size_t i = 0; i < columns && wider > 0; ++i)
      if (is_read[i] == pass) {
        ++widths_[i];
        --wider;
      }
  group_rows_ = options.row_group_rows;
  if (group_rows_ == 0)
    group_rows_ = std::max<std::uint64_t>(1, kGroupBytes / std::max<std::uint64_t>(1, row_bytes));
  group_rows_ = std::min(group_rows_, rows);
  for (const std::uint64_t width : widths_) {
    group_bytes_ += chunk_bytes(width, group_rows_);
    last_group_bytes_ += chunk_bytes(width, rows_in(groups() - 1));
  }
}

std::uint64_t Plan::rows_in(std::uint64_t group) const {
  return std::min(group_rows_, rows_ - group * group_rows_);
}

std::uint64_t Plan::chunk_bytes(std::uint64_t width, std::uint64_t rows) const {
  if (width == 0) return page_header(rows, 0).size();
  const std::uint64_t most = values_per_page(width), last = rows % most;
  return rows * width + rows / most * page_header(most, width).size() +
         (last > 0 ? page_header(last, width).size() : 0);
}

std::uint64_t Plan::part_offset(std::uint64_t part) const {
  if (part == 0) return 0;
  const std::uint64_t group = part - 1;
  if (group < groups()) return kMagic.size() + group * group_bytes_;
  return kMagic.size() + (groups() - 1) * group_bytes_ + last_group_bytes_;
}

std::uint64_t Plan::part_at(std::uint64_t offset) const {
  if (offset < kMagic.size()) return 0;
  if (offset >= part_offset(groups() + 1)) return groups() + 1;
  return 1 + std::min(groups() - 1, (offset - kMagic.size()) / group_bytes_);
}

std::vector<Extent> Plan::chunks(std::uint64_t group) const {
  std::vector<Extent> chunks;
  std::uint64_t at = part_offset(1 + group);
  for (const std::uint64_t width : widths_) {
    chunks.push_back({at, chunk_bytes(width, rows_in(group))});
    at = chunks.back().end();
  }
  return chunks;
}

void Plan::add_part(std::uint64_t part, const SampleContent& content, FilePieces& pieces) const {
  if (part == 0) {
    std::vector<std::byte> magic;
    append_text(magic, kMagic);
    return pieces.literal(std::move(magic));
  }
  if (part == groups() + 1) {
    std::vector<std::byte> bytes = footer();
    append_little(bytes, static_cast<std::uint32_t>(bytes.size()));
    append_text(bytes, kMagic);
    return pieces.literal(std::move(bytes));
  }
  const std::uint64_t group = part - 1, rows = rows_in(group);
  std::uint64_t from = group * group_rows_ * row_bytes_;
  for (const std::uint64_t width : widths_) {
    const std::uint64_t most = width == 0 ? rows : values_per_page(width);
    for (std::uint64_t row = 0; row < rows; row += most) {
      const std::uint64_t values = std::min(most, rows - row);
      pieces.literal(page_header(values, width));
      pieces.content(content, from, values * width);
      from += values * width;
    }
  }
}

std::vector<std::byte> Plan::footer() const {
  constexpr std::int32_t kVersion = 1, kRequired = 0;
  ThriftWriter writer;
  writer.begin_struct();
  writer.i32(1, kVersion);
  // The schema is a tree in depth-first order: its root, then a leaf for each column.
  writer.begin_list(2, ThriftType::kStruct, widths_.size() + 1);
  writer.begin_struct();
  writer.text(4, "row");
  writer.i32(5, static_cast<std::int32_t>(widths_.size()));
  writer.end_struct();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    names.push_back(column_name(i));
    writer.begin_struct();
    const Type type = type_of(widths_[i]);
    writer.i32(1, static_cast<std::int32_t>(type));
    if (type == Type::kFixedLength) writer.i32(2, static_cast<std::int32_t>(widths_[i]));
    writer.i32(3, kRequired);
    writer.text(4, names.back());
    writer.end_struct();
  }
  writer.i64(3, static_cast<std::int64_t>(rows_));
  writer.begin_list(4, ThriftType::kStruct, groups());
  for (std::uint64_t group = 0; group < groups(); ++group) {
    const std::vector<Extent> extents = chunks(group);
    writer.begin_struct();
    writer.begin_list(1, ThriftType::kStruct, extents.size());
    for (std::size_t i = 0; i < extents.size(); ++i)
      write_column_chunk(writer, names[i], widths_[i], rows_in(group), extents[i]);
    writer.i64(2, static_cast<std::int64_t>(extents.back().end() - extents.front().offset));
    writer.i64(3, static_cast<std::int64_t>(rows_in(group)));
    writer.end_struct();
  }
  writer.text(6, "feedrate");
  writer.end_struct();
  return writer.take();
}

}  // namespace feedrate::parquet
