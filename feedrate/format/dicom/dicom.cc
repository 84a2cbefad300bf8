#include "feedrate/format/dicom/dicom.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/format/dicom/data_set.h"
#include "feedrate/format/dicom/decoder.h"
#include "feedrate/format/dicom/image.h"
#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

using namespace dicom;

bool is_dicom(std::span<const std::byte> head) {
  return head.size() >= kPreambleBytes + kMagic.size() &&
         as_text(head.subspan(kPreambleBytes, kMagic.size())) == kMagic;
}

class DicomFormat : public WholeFileFormat {
 public:
  explicit DicomFormat(TransferSyntax syntax) : syntax_(syntax) {}

  std::string_view name() const override { return "dicom"; }
  std::string_view extension() const override { return ".dcm"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    const std::string name = lower_base_name(file_name);
    return name.ends_with(".dcm") || name.ends_with(".dicom") || is_dicom(head);
  }

  Result<std::shared_ptr<const Format>> with_options(const FormatOptions& options) const override {
    TransferSyntax syntax = syntax_;
    for (const auto& [key, value] : options) {
      if (key != "transfer_syntax")
        return fail(ErrorKind::kUsage, fmt::format("format 'dicom' has no option '{}'", key),
                    "it has transfer_syntax");
      if (value != "explicit" && value != "implicit")
        return fail(ErrorKind::kUsage, fmt::format("transfer_syntax: unknown value '{}'", value),
                    "it may be explicit or implicit");
      syntax = value == "explicit" ? TransferSyntax::kExplicit : TransferSyntax::kImplicit;
    }
    return std::make_shared<const DicomFormat>(syntax);
  }

  std::uint64_t reference_transfer_bytes() const override { return 4ULL << 20U; }
  std::unique_ptr<Decoder> decoder() const override { return make_decoder(); }

 protected:
  Result<> check_file(RandomAccess& file) const override {
    FEEDRATE_CHECK(check_elements(file));
    return {};
  }

  std::uint64_t file_bytes(std::uint64_t payload_bytes) const override {
    return dicom::file_bytes(syntax_, payload_bytes);
  }

  FilePieces pieces(const SampleContent& content) const override {
    const Image image(content.bytes);
    const std::uint64_t in_pixels = std::min(image.pixel_bytes(), content.bytes);
    const std::uint64_t rest = content.bytes - in_pixels;
    FilePieces all;
    all.literal(file_head(syntax_, image, content));
    all.content(content, 0, in_pixels);
    all.zeros(image.pixel_bytes() - in_pixels);
    all.literal(padding_head(syntax_, image));
    all.content(content, in_pixels, rest);
    all.zeros(image.padding_bytes - rest);
    return all;
  }

 private:
  const TransferSyntax syntax_;
};

}  // namespace

const Format& dicom_format() {
  static const DicomFormat format(TransferSyntax::kExplicit);
  return format;
}

}  // namespace feedrate
