// Thrift's compact protocol, as far as Parquet's footers and page headers need it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace feedrate::parquet {

enum class ThriftType : std::uint8_t {
  kStop = 0,
  kTrue = 1,
  kFalse = 2,
  kByte = 3,
  kI16 = 4,
  kI32 = 5,
  kI64 = 6,
  kDouble = 7,
  kBinary = 8,
  kList = 9,
  kSet = 10,
  kMap = 11,
  kStruct = 12,
};

class ThriftWriter {
 public:
  void i32(int field, std::int32_t value) { number(field, ThriftType::kI32, value); }
  void i64(int field, std::int64_t value) { number(field, ThriftType::kI64, value); }
  void text(int field, std::string_view value);
  // The elements of a list follow by calls of element(), or as structs.
  void begin_list(int field, ThriftType elements, std::uint64_t count);
  void element(std::int32_t value) { zigzag(value); }
  void element(std::string_view value);
  void begin_struct(int field);  // a field
  void begin_struct();           // an element of a list, or the outermost
  void end_struct();

  std::vector<std::byte> take() { return std::move(out_); }
  std::size_t size() const { return out_.size(); }

 private:
  void head(int field, ThriftType type);
  void number(int field, ThriftType type, std::int64_t value);
  void varint(std::uint64_t value);
  void zigzag(std::int64_t value);

  std::vector<std::byte> out_;
  std::vector<int> last_fields_;  // of the structs that are open
};

// Reads Thrift, bounded by the bytes at hand in depth, in lengths and in time. After the first
// error failed() is true, and all values are zero.
class ThriftReader {
 public:
  explicit ThriftReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // Calls `take` for each field of a struct. It either reads the value and returns true, or leaves
  // it and returns false.
  using TakeField = std::function<bool(int field, ThriftType type)>;
  void read_struct(const TakeField& take);
  // Calls `take` for each element, which must read it. Returns false when the elements are of
  // another type.
  bool read_list(ThriftType elements, const std::function<void()>& take);
  std::int64_t number();
  std::string_view text();

  bool failed() const { return failed_; }
  void fail() { failed_ = true; }
  std::size_t position() const { return position_; }

 private:
  static constexpr int kDepthMax = 32;
  struct ListHead {
    ThriftType elements;
    std::uint64_t count;
  };
  std::size_t left() const { return failed_ ? 0 : bytes_.size() - position_; }
  std::uint8_t byte();
  std::uint64_t varint();
  ListHead list_head();
  void skip(ThriftType type);
  void skip_element(ThriftType type);
  void skip_bytes(std::uint64_t count);

  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  int depth_ = 0;
  bool failed_ = false;
};

}  // namespace feedrate::parquet
