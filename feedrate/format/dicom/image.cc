#include "feedrate/format/dicom/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "feedrate/base/random.h"
#include "feedrate/format/dicom/data_set.h"
#include "feedrate/format/wire.h"

namespace feedrate::dicom {
namespace {

constexpr std::string_view kSecondaryCapture = "1.2.840.10008.5.1.4.1.1.7";
// The identifier of this implementation. Feedrate has no root of its own, so it is made of numbers,
// as PS3.5 B.2 allows.
constexpr std::string_view kImplementation = "2.25.1016293180452";

class ElementWriter {
 public:
  explicit ElementWriter(TransferSyntax syntax) : explicit_(syntax == TransferSyntax::kExplicit) {}

  std::vector<std::byte> out;

  // Writes what stands in front of a value of `bytes`, an even number.
  void head(std::uint32_t tag, std::string_view representation, std::uint64_t bytes) {
    append_little(out, static_cast<std::uint16_t>(tag >> 16U));
    append_little(out, static_cast<std::uint16_t>(tag));
    if (!explicit_) {
      append_little(out, static_cast<std::uint32_t>(bytes));
      return;
    }
    append_text(out, representation);
    if (representation == "OB" || representation == "OW") {
      append_little<std::uint16_t>(out, 0);
      append_little(out, static_cast<std::uint32_t>(bytes));
    } else {
      append_little(out, static_cast<std::uint16_t>(bytes));
    }
  }
  // The standard fills up unique identifiers with a zero byte, and other text with a space.
  void text(std::uint32_t tag, std::string_view representation, std::string_view value) {
    head(tag, representation, value.size() + value.size() % 2);
    append_text(out, value);
    if (value.size() % 2 != 0)
      append_text(out, representation == "UI" ? std::string_view("\0", 1) : " ");
  }
  void number(std::uint32_t tag, std::uint16_t value) {
    head(tag, "US", sizeof value);
    append_little(out, value);
  }

 private:
  const bool explicit_;
};

// The numbers have 20 digits, so that all files have heads of the same size.
std::string unique_identifier(const SampleContent& content, std::uint64_t purpose) {
  constexpr std::uint64_t kTenToThe19 = 10'000'000'000'000'000'000ULL;
  const std::uint64_t number = combine_seeds(combine_seeds(content.seed, purpose), content.sample);
  return fmt::format("2.25.1{:019}", number % kTenToThe19);
}

std::vector<std::byte> meta_group(TransferSyntax syntax, std::string_view instance) {
  ElementWriter writer(TransferSyntax::kExplicit);
  writer.head(0x00020001, "OB", 2);
  append_text(writer.out, std::string_view("\0\1", 2));
  writer.text(0x00020002, "UI", kSecondaryCapture);
  writer.text(0x00020003, "UI", instance);
  writer.text(0x00020010, "UI",
              syntax == TransferSyntax::kExplicit ? kExplicitLittle : kImplicitLittle);
  writer.text(0x00020012, "UI", kImplementation);
  ElementWriter group(TransferSyntax::kExplicit);
  group.head(0x00020000, "UL", 4);
  append_little(group.out, static_cast<std::uint32_t>(writer.out.size()));
  group.out.insert(group.out.end(), writer.out.begin(), writer.out.end());
  return group.out;
}

}  // namespace

Image::Image(std::uint64_t payload_bytes) {
  const std::uint64_t pixels = std::max<std::uint64_t>(1, payload_bytes / kPixelBytes);
  columns = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(pixels)));
  rows = pixels / columns;
  const std::uint64_t rest = payload_bytes - std::min(payload_bytes, pixel_bytes());
  padding_bytes = rest + rest % 2;
}

std::vector<std::byte> file_head(TransferSyntax syntax, const Image& image,
                                 const SampleContent& content) {
  const std::string instance = unique_identifier(content, 1);
  std::vector<std::byte> out(kPreambleBytes);
  append_text(out, kMagic);
  const auto meta = meta_group(syntax, instance);
  out.insert(out.end(), meta.begin(), meta.end());

  ElementWriter data(syntax);
  data.text(0x00080016, "UI", kSecondaryCapture);
  data.text(0x00080018, "UI", instance);
  data.text(0x00080020, "DA", "");  // study date
  data.text(0x00080030, "TM", "");  // study time
  data.text(0x00080050, "SH", "");  // accession number
  data.text(0x00080060, "CS", "OT");
  data.text(0x00080064, "CS", "SYN");  // conversion type: synthetic
  data.text(0x00080090, "PN", "");     // referring physician
  data.text(0x00100010, "PN", "feedrate");
  data.text(0x00100020, "LO", "feedrate");
  data.text(0x00100030, "DA", "");  // birth date
  data.text(0x00100040, "CS", "");  // sex
  data.text(0x0020000D, "UI", unique_identifier(content, 2));
  data.text(0x0020000E, "UI", unique_identifier(content, 3));
  data.text(0x00200010, "SH", "");   // study
  data.text(0x00200011, "IS", "");   // series
  data.text(0x00200013, "IS", "1");  // instance
  data.number(0x00280002, 1);        // samples a pixel
  data.text(0x00280004, "CS", "MONOCHROME2");
  data.number(0x00280010, static_cast<std::uint16_t>(image.rows));
  data.number(0x00280011, static_cast<std::uint16_t>(image.columns));
  data.number(0x00280100, 16);  // bits allocated, stored, highest; not signed
  data.number(0x00280101, 16);
  data.number(0x00280102, 15);
  data.number(0x00280103, 0);
  data.text(0x00290010, "LO", "FEEDRATE");
  data.head(0x00291000, "UL", 4);
  append_little(data.out, content.label);
  data.head(0x7FE00010, "OW", image.pixel_bytes());
  out.insert(out.end(), data.out.begin(), data.out.end());
  return out;
}

std::vector<std::byte> padding_head(TransferSyntax syntax, const Image& image) {
  ElementWriter writer(syntax);
  writer.head(0xFFFCFFFC, "OB", image.padding_bytes);
  return writer.out;
}

std::uint64_t file_bytes(TransferSyntax syntax, std::uint64_t payload_bytes) {
  if (payload_bytes > kPayloadBytesMax) return UINT64_MAX;
  const auto heads_of = [](TransferSyntax of) {
    const Image any(0);
    return file_head(of, any, {}).size() + padding_head(of, any).size();
  };
  static const std::uint64_t explicit_heads = heads_of(TransferSyntax::kExplicit),
                             implicit_heads = heads_of(TransferSyntax::kImplicit);
  const Image image(payload_bytes);
  return (syntax == TransferSyntax::kExplicit ? explicit_heads : implicit_heads) +
         image.pixel_bytes() + image.padding_bytes;
}

}  // namespace feedrate::dicom
