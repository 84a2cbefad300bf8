#include "feedrate/format/tfrecord/record.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <string_view>

#include "feedrate/base/error.h"
#include "feedrate/format/wire.h"

namespace feedrate::tfrecord {
namespace {

constexpr std::string_view kLabelKey = "image/class/label";
constexpr std::string_view kContentKey = "image/encoded";
constexpr std::size_t kLabelVarintBytes = 5;

// Protobuf tags are (field number << 3) | 2, as all fields here are length-delimited.
constexpr std::byte kField1{0x0A}, kField2{0x12}, kField3{0x1A};

constexpr std::uint64_t varint_bytes(std::uint64_t value) {
  std::uint64_t bytes = 1;
  while (value >= 0x80) {
    value >>= 7U;
    ++bytes;
  }
  return bytes;
}

constexpr std::uint64_t field_bytes(std::uint64_t length) {
  return 1 + varint_bytes(length) + length;
}

// The nested lengths of Example { features { feature { key value { list } } } }.
struct ExampleSizes {
  std::uint64_t content_list, content_feature, content_entry, label_list, label_feature,
      label_entry, features, example;

  explicit constexpr ExampleSizes(std::uint64_t content)
      : content_list(field_bytes(content)),
        content_feature(field_bytes(content_list)),
        content_entry(field_bytes(kContentKey.size()) + field_bytes(content_feature)),
        label_list(field_bytes(kLabelVarintBytes)),
        label_feature(field_bytes(label_list)),
        label_entry(field_bytes(kLabelKey.size()) + field_bytes(label_feature)),
        features(field_bytes(label_entry) + field_bytes(content_entry)),
        example(field_bytes(features)) {}
};

void append_field(std::vector<std::byte>& out, std::byte tag, std::uint64_t length) {
  out.push_back(tag);
  for (; length >= 0x80; length >>= 7U) out.push_back(static_cast<std::byte>(length | 0x80));
  out.push_back(static_cast<std::byte>(length));
}

void append_label(std::vector<std::byte>& out, std::uint32_t label) {
  std::uint64_t rest = label;
  for (std::size_t i = 0; i + 1 < kLabelVarintBytes; ++i, rest >>= 7U)
    out.push_back(static_cast<std::byte>(rest | 0x80));
  out.push_back(static_cast<std::byte>(rest));
}

void append_key(std::vector<std::byte>& out, std::string_view key) {
  append_field(out, kField1, key.size());
  append_text(out, key);
}

void append_example_start(std::vector<std::byte>& out, const ExampleSizes& sizes,
                          const SampleContent& content) {
  append_field(out, kField1, sizes.features);
  append_field(out, kField1, sizes.label_entry);
  append_key(out, kLabelKey);
  append_field(out, kField2, sizes.label_feature);
  append_field(out, kField3, sizes.label_list);
  append_field(out, kField1, kLabelVarintBytes);
  append_label(out, content.label);
  append_field(out, kField1, sizes.content_entry);
  append_key(out, kContentKey);
  append_field(out, kField2, sizes.content_feature);
  append_field(out, kField1, sizes.content_list);
  append_field(out, kField1, content.bytes);
}

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
  constexpr std::size_t kStepBytes = std::size_t{1} << 30U;  // isal takes an int
  while (!bytes.empty()) {
    const auto step = bytes.first(std::min(bytes.size(), kStepBytes));
    // isal does not write to the buffer although it takes a pointer to mutable bytes, and it does
    // not invert the value on the way in or out.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(step.data()));
    crc = ~crc32_iscsi(data, static_cast<int>(step.size()), ~crc);
    bytes = bytes.subspan(step.size());
  }
  return crc;
}

std::uint32_t mask_checksum(std::uint32_t crc) { return std::rotr(crc, 15) + 0xA282EAD8U; }

bool valid_head(std::span<const std::byte> head) {
  return head.size() >= kHeadBytes &&
         load_little<std::uint32_t>(head.data() + 8) == mask_checksum(crc32c(0, head.first(8)));
}

std::uint64_t stored_bytes(std::uint64_t content_bytes) {
  return kHeadBytes + ExampleSizes(content_bytes).example + kFootBytes;
}

std::uint64_t content_bytes_within(std::uint64_t stored_bytes_max) {
  if (stored_bytes_max < stored_bytes(0)) return 0;
  std::uint64_t fits = 0, too_large = stored_bytes_max;
  while (too_large - fits > 1) {
    const std::uint64_t middle = fits + (too_large - fits) / 2;
    (stored_bytes(middle) <= stored_bytes_max ? fits : too_large) = middle;
  }
  return fits;
}

std::vector<std::byte> record_start(const SampleContent& content) {
  const ExampleSizes sizes(content.bytes);
  std::vector<std::byte> out;
  out.reserve(128);
  append_little<std::uint64_t>(out, sizes.example);
  append_little<std::uint32_t>(out, mask_checksum(crc32c(0, out)));
  append_example_start(out, sizes, content);
  FEEDRATE_ASSERT(out.size() + content.bytes + kFootBytes == stored_bytes(content.bytes));
  return out;
}

}  // namespace feedrate::tfrecord
