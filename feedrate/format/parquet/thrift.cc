#include "feedrate/format/parquet/thrift.h"

#include "feedrate/format/wire.h"

namespace feedrate::parquet {

void ThriftWriter::head(int field, ThriftType type) {
  int& last = last_fields_.back();
  const int step = field - last;
  FEEDRATE_ASSERT(step > 0 && step < 16);  // the long form of a field's head is not needed
  out_.push_back(
      static_cast<std::byte>(static_cast<unsigned>(step) << 4U | static_cast<unsigned>(type)));
  last = field;
}

void ThriftWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out_.push_back(static_cast<std::byte>(value | 0x80U));
  out_.push_back(static_cast<std::byte>(value));
}

void ThriftWriter::zigzag(std::int64_t value) {
  varint(static_cast<std::uint64_t>(value) << 1U ^ static_cast<std::uint64_t>(value >> 63));
}

void ThriftWriter::number(int field, ThriftType type, std::int64_t value) {
  head(field, type);
  zigzag(value);
}

void ThriftWriter::text(int field, std::string_view value) {
  head(field, ThriftType::kBinary);
  element(value);
}

void ThriftWriter::element(std::string_view value) {
  varint(value.size());
  append_text(out_, value);
}

void ThriftWriter::begin_list(int field, ThriftType elements, std::uint64_t count) {
  head(field, ThriftType::kList);
  const auto type = static_cast<unsigned>(elements);
  if (count < 15) {
    out_.push_back(static_cast<std::byte>(count << 4U | type));
    return;
  }
  out_.push_back(static_cast<std::byte>(0xF0U | type));
  varint(count);
}

void ThriftWriter::begin_struct(int field) {
  head(field, ThriftType::kStruct);
  begin_struct();
}

void ThriftWriter::begin_struct() { last_fields_.push_back(0); }

void ThriftWriter::end_struct() {
  out_.push_back(std::byte{0});
  last_fields_.pop_back();
}

std::uint8_t ThriftReader::byte() {
  if (left() == 0) {
    failed_ = true;
    return 0;
  }
  return std::to_integer<std::uint8_t>(bytes_[position_++]);
}

std::uint64_t ThriftReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t part = byte();
    value |= std::uint64_t{part & 0x7FU} << shift;
    if ((part & 0x80U) == 0) return value;
  }
  failed_ = true;
  return 0;
}

std::int64_t ThriftReader::number() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

std::string_view ThriftReader::text() {
  const std::uint64_t length = varint();
  const std::size_t begin = position_;
  skip_bytes(length);
  return failed_ ? std::string_view() : as_text(bytes_.subspan(begin, length));
}

void ThriftReader::skip_bytes(std::uint64_t count) {
  if (count > left()) {
    failed_ = true;
    return;
  }
  position_ += count;
}

void ThriftReader::read_struct(const TakeField& take) {
  if (++depth_ > kDepthMax) failed_ = true;
  for (std::int64_t field = 0; !failed_;) {
    const std::uint8_t head = byte();
    const auto type = static_cast<ThriftType>(head & 0x0FU);
    if (failed_ || type == ThriftType::kStop) break;
    const unsigned step = head >> 4U;
    field = step > 0 ? field + step : number();
    if (field < 0 || field > INT16_MAX) failed_ = true;
    if (!failed_ && !take(static_cast<int>(field), type)) skip(type);
  }
  --depth_;
}

// Reads the head of a list. An element takes at least a byte, so the count is bounded by what is
// left.
ThriftReader::ListHead ThriftReader::list_head() {
  const std::uint8_t head = byte();
  ListHead list{static_cast<ThriftType>(head & 0x0FU), std::uint64_t{head} >> 4U};
  if (list.count == 15) list.count = varint();
  if (list.count > left()) {
    failed_ = true;
    list.count = 0;
  }
  return list;
}

bool ThriftReader::read_list(ThriftType elements, const std::function<void()>& take) {
  const ListHead list = list_head();
  if (list.elements != elements && list.count > 0) failed_ = true;
  if (++depth_ > kDepthMax) failed_ = true;
  for (std::uint64_t i = 0; i < list.count && !failed_; ++i) take();
  --depth_;
  return !failed_;
}

// As an element, a truth value takes a byte; as a field it takes none.
void ThriftReader::skip_element(ThriftType type) {
  const bool truth = type == ThriftType::kTrue || type == ThriftType::kFalse;
  skip(truth ? ThriftType::kByte : type);
}

void ThriftReader::skip(ThriftType type) {
  // Structs and lists in each other recurse, so damage could exhaust the stack. After a failure
  // nothing is read: a truth value skips no byte.
  if (++depth_ > kDepthMax) failed_ = true;
  switch (failed_ ? ThriftType::kTrue : type) {
    case ThriftType::kTrue:
    case ThriftType::kFalse:
      break;
    case ThriftType::kByte:
      skip_bytes(1);
      break;
    case ThriftType::kI16:
    case ThriftType::kI32:
    case ThriftType::kI64:
      varint();
      break;
    case ThriftType::kDouble:
      skip_bytes(8);
      break;
    case ThriftType::kBinary:
      skip_bytes(varint());
      break;
    case ThriftType::kList:
    case ThriftType::kSet: {
      const ListHead list = list_head();
      for (std::uint64_t i = 0; i < list.count && !failed_; ++i) skip_element(list.elements);
      break;
    }
    case ThriftType::kMap: {
      const std::uint64_t count = varint();
      // An empty map has no byte for its types.
      if (count == 0) break;
      const std::uint8_t types = byte();
      for (std::uint64_t i = 0; i < count && !failed_; ++i) {
        skip_element(static_cast<ThriftType>(types >> 4U));
        skip_element(static_cast<ThriftType>(types & 0x0FU));
      }
      break;
    }
    case ThriftType::kStruct:
      read_struct([](int, ThriftType) { return false; });
      break;
    default:
      failed_ = true;
  }
  --depth_;
}

}  // namespace feedrate::parquet
