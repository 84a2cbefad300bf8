#include "feedrate/format/npy/npy.h"

#include "feedrate/format/npy_header.h"
#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

class NpyFormat : public WholeFileFormat {
 public:
  std::string_view name() const override { return "npy"; }
  std::string_view extension() const override { return ".npy"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    return lower_base_name(file_name).ends_with(".npy") || is_npy(head);
  }
  std::uint64_t reference_transfer_bytes() const override { return 4ULL << 20U; }

 protected:
  std::uint64_t file_bytes(std::uint64_t payload_bytes) const override {
    return kNpyHeaderBytes + payload_bytes;
  }

  FilePieces pieces(const SampleContent& content) const override {
    FilePieces all;
    all.literal(npy_header("|u1", content.bytes));
    all.content(content, 0, content.bytes);
    return all;
  }

  Result<> check_head(std::span<const std::byte> head, std::uint64_t total_bytes) const override {
    return check_npy_array(head, {0, total_bytes});
  }
};

}  // namespace

const Format& npy_format() {
  static const NpyFormat format;
  return format;
}

}  // namespace feedrate
