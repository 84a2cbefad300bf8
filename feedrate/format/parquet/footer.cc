#include "feedrate/format/parquet/footer.h"

#include <fmt/format.h>

#include "feedrate/format/parquet/thrift.h"
#include "feedrate/format/wire.h"

namespace feedrate::parquet {
namespace {

constexpr std::int64_t kRepeated = 2;

// The field numbers are those of parquet-format's parquet.thrift.
class FooterReader {
 public:
  FooterReader(Footer& footer, std::span<const std::byte> bytes)
      : footer_(footer), reader_(bytes) {}

  Result<> run() {
    reader_.read_struct([this](int field, ThriftType type) {
      if (field == 2 && type == ThriftType::kList)
        return reader_.read_list(ThriftType::kStruct, [this] { read_schema_element(); });
      if (field == 3 && type == ThriftType::kI64) return take(rows_);
      if (field == 4 && type == ThriftType::kList)
        return reader_.read_list(ThriftType::kStruct, [this] { read_row_group(); });
      return false;
    });
    if (error_) return fail(*error_);
    if (reader_.failed()) return bad("footer is not a FileMetaData of Thrift");
    if (rows_ < 0 || static_cast<std::uint64_t>(rows_) != rows_of_groups_)
      return bad(fmt::format("the footer says {} rows, its row groups {}", rows_, rows_of_groups_));
    return {};
  }

 private:
  std::unexpected<Error> bad(std::string_view what) const {
    return corrupt_at(footer_.extent.offset + reader_.position(), what);
  }
  void stop(std::unexpected<Error> error) {
    if (!error_) error_ = std::move(error).error();
    reader_.fail();
  }
  bool take(std::int64_t& value) {
    value = reader_.number();
    return true;
  }

  // The leaves of the schema are columns, and its first element is the root.
  void read_schema_element() {
    std::int64_t children = 0, repetition = 0;
    reader_.read_struct([&](int field, ThriftType type) {
      if (type != ThriftType::kI32) return false;
      if (field == 3) return take(repetition);
      return field == 5 && take(children);
    });
    if (children == 0) ++leaves_;
    if (repetition == kRepeated) repeated_ = true;
  }

  void read_row_group() {
    RowGroup group;
    std::int64_t rows = -1;
    values_.clear();
    reader_.read_struct([&](int field, ThriftType type) {
      if (field == 1 && type == ThriftType::kList)
        return reader_.read_list(ThriftType::kStruct, [&] { read_column_chunk(group); });
      return field == 3 && type == ThriftType::kI64 && take(rows);
    });
    if (reader_.failed()) return;
    if (group.columns.size() != leaves_)
      return stop(bad(fmt::format("row group of {} columns, the schema has {}",
                                  group.columns.size(), leaves_)));
    if (rows < 0) return stop(bad("row group without its number of rows"));
    // With repeated fields a row may have any number of values, but at least one.
    for (const std::int64_t values : values_)
      if (repeated_ ? values < rows : values != rows)
        return stop(bad(fmt::format("{} values in a column of {} rows", values, rows)));
    group.rows = static_cast<std::uint64_t>(rows);
    rows_of_groups_ += group.rows;
    if (group.rows > 0 && !group.columns.empty()) footer_.groups.push_back(std::move(group));
  }

  void read_column_chunk(RowGroup& group) {
    bool described = false;
    reader_.read_struct([&](int field, ThriftType type) {
      if (field == 1 && type == ThriftType::kBinary) {
        stop(fail(ErrorKind::kUnsupported,
                  fmt::format("Parquet column chunk in another file, '{}'", reader_.text())));
        return true;
      }
      if (field != 3 || type != ThriftType::kStruct) return false;
      described = true;
      read_column_metadata(group);
      return true;
    });
    if (!described && !reader_.failed()) stop(bad("column chunk without its metadata"));
  }

  void read_column_metadata(RowGroup& group) {
    std::int64_t values = -1, length = -1, data = -1, dictionary = 0;
    // The fields: 5 is the number of values, 7 the stored bytes, 9 and 11 the first data and
    // dictionary page.
    reader_.read_struct([&](int field, ThriftType type) {
      if (type != ThriftType::kI64) return false;
      if (field == 5) return take(values);
      if (field == 7) return take(length);
      if (field == 9) return take(data);
      return field == 11 && take(dictionary);
    });
    if (reader_.failed()) return;
    // The dictionary page comes first. An offset that is not in front of the data is none.
    const std::int64_t begin = dictionary > 0 && dictionary < data ? dictionary : data;
    const auto end = static_cast<std::int64_t>(footer_.extent.offset);
    if (begin < static_cast<std::int64_t>(kMagic.size()) || begin > end || length < 0 ||
        length > end - begin)
      return stop(bad(
          fmt::format("column chunk of {} B at {} does not lie before the footer", length, begin)));
    values_.push_back(values);
    group.columns.push_back(
        {static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(length)});
  }

  Footer& footer_;
  ThriftReader reader_;
  std::optional<Error> error_;
  std::int64_t rows_ = -1;
  std::uint64_t rows_of_groups_ = 0;
  std::size_t leaves_ = 0;
  bool repeated_ = false;
  std::vector<std::int64_t> values_;  // of the columns of a row group
};

}  // namespace

Result<Footer> read_footer(RandomAccess& file) {
  const std::uint64_t least = kMagic.size() + kTailBytes;
  if (file.size() < least) return corrupt_at(file.size(), "too short for a Parquet file");
  std::byte magic[4], tail[kTailBytes];
  FEEDRATE_CHECK(file.read_at(0, magic));
  if (as_text(magic) == "PARE")  // at both ends
    return fail(ErrorKind::kUnsupported, "the footer of the Parquet file is encrypted");
  if (as_text(magic) != kMagic) return corrupt_at(0, "it does not begin with PAR1");
  const std::uint64_t at = file.size() - kTailBytes;
  FEEDRATE_CHECK(file.read_at(at, tail));
  if (as_text(tail).substr(4) != kMagic)
    return corrupt_at(at + 4, "it does not end with PAR1: no Parquet file, or cut off");
  const std::uint64_t length = load_little<std::uint32_t>(tail);
  if (length > file.size() - least)
    return corrupt_at(at, fmt::format("footer of {} B in a file of {} B", length, file.size()));
  Footer footer;
  footer.extent = {at - length, length};
  std::vector<std::byte> bytes(length);
  FEEDRATE_CHECK(file.read_at(footer.extent.offset, bytes));
  FEEDRATE_CHECK(FooterReader(footer, bytes).run());
  return footer;
}

}  // namespace feedrate::parquet
