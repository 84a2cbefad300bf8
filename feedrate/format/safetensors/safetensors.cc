#include "feedrate/format/safetensors/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "feedrate/format/pieces.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kHeaderBytesMax = 100'000'000;
constexpr std::size_t kAlignment = 8;

std::string header_of(const SampleSizes& sizes) {
  std::string text = "{";
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < sizes.size(); ++i) {
    text += fmt::format(R"({}"sample_{:06}":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}})",
                        i == 0 ? "" : ",", i, sizes[i], at, at + sizes[i]);
    at += sizes[i];
  }
  text += "}";
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  return text;
}

SampleSizes sizes_of(const std::vector<SampleContent>& samples, std::vector<std::uint64_t>& each) {
  for (const SampleContent& sample : samples) each.push_back(sample.bytes);
  return SampleSizes(each);
}

FilePieces pieces_of(const std::vector<SampleContent>& samples) {
  std::vector<std::uint64_t> each;
  const std::string header = header_of(sizes_of(samples, each));
  std::vector<std::byte> start;
  append_little(start, std::uint64_t{header.size()});
  append_text(start, header);
  FilePieces pieces;
  pieces.literal(std::move(start));
  for (const SampleContent& content : samples) pieces.content(content, 0, content.bytes);
  return pieces;
}

// Returns the extent of one tensor, whose offsets count from the end of the header.
Result<Extent> tensor_extent(const nlohmann::json& tensor, const std::string& name,
                             std::uint64_t data, std::uint64_t file_bytes) {
  const auto bad = [&](std::string_view what) {
    return corrupt_at(kLengthBytes, fmt::format("tensor '{}': {}", name, what));
  };
  if (!tensor.is_object()) return bad("it is not an object");
  const auto offsets = tensor.find("data_offsets");
  if (offsets == tensor.end() || !offsets->is_array() || offsets->size() != 2 ||
      !(*offsets)[0].is_number_unsigned() || !(*offsets)[1].is_number_unsigned())
    return bad("data_offsets are not two numbers");
  const auto begin = (*offsets)[0].get<std::uint64_t>(), end = (*offsets)[1].get<std::uint64_t>();
  if (begin > end || end > file_bytes - data)
    return bad(fmt::format("bytes {} to {} do not lie within the {} B of data", begin, end,
                           file_bytes - data));
  return Extent{data + begin, end - begin};
}

class SafetensorsFormat : public Format {
 public:
  std::string_view name() const override { return "safetensors"; }
  std::string_view extension() const override { return ".safetensors"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    if (lower_base_name(file_name).ends_with(extension())) return true;
    if (head.size() < kLengthBytes + 2) return false;
    const auto length = load_little<std::uint64_t>(head.data());
    return length >= 2 && length <= kHeaderBytesMax &&
           as_text(head).substr(kLengthBytes, 2) == "{\"";
  }

  std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const override {
    return stored_bytes;
  }
  FileIndex layout(const SampleSizes& payload_bytes) const override {
    FileIndex index;
    const std::uint64_t header = header_of(payload_bytes).size();
    index.open_reads = {{0, kLengthBytes}, {kLengthBytes, header}};
    std::uint64_t at = kLengthBytes + header;
    for (std::uint64_t i = 0; i < payload_bytes.size(); ++i) {
      index.samples.push_back({at, payload_bytes[i]});
      at += payload_bytes[i];
    }
    index.file_bytes = at;
    return index;
  }
  std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const override {
    return render_pieces(pieces_of(samples));
  }

  Result<FileIndex> index(RandomAccess& file) const override {
    std::byte length_bytes[kLengthBytes];
    if (file.size() < kLengthBytes) return corrupt_at(file.size(), "file ends within its length");
    FEEDRATE_CHECK(file.read_at(0, length_bytes));
    const auto length = load_little<std::uint64_t>(length_bytes);
    if (length > kHeaderBytesMax || length > file.size() - kLengthBytes)
      return corrupt_at(0, fmt::format("header of {} B; the file has {} B and {} are allowed",
                                       length, file.size(), kHeaderBytesMax));
    std::string header(length, '\0');
    FEEDRATE_CHECK(
        file.read_at(kLengthBytes, std::as_writable_bytes(std::span(header.data(), length))));
    const nlohmann::json json = nlohmann::json::parse(header, nullptr, false);
    if (!json.is_object()) return corrupt_at(kLengthBytes, "header is not a JSON object");
    FileIndex index;
    index.file_bytes = file.size();
    index.open_reads = {{0, kLengthBytes}, {kLengthBytes, length}};
    for (const auto& [name, tensor] : json.items()) {
      if (name == "__metadata__") continue;
      FEEDRATE_TRY(const Extent extent,
                   tensor_extent(tensor, name, kLengthBytes + length, file.size()));
      if (extent.length > 0) index.samples.push_back(extent);
    }
    // JSON has no order, but FileIndex lists samples in that of the file.
    std::ranges::sort(index.samples, {}, &Extent::offset);
    for (std::size_t i = 1; i < index.samples.size(); ++i)
      if (index.samples[i - 1].end() > index.samples[i].offset)
        return corrupt_at(index.samples[i].offset, "two tensors overlap");
    return index;
  }

  std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex>,
                                     std::vector<SampleContent> samples) const override {
    if (samples.empty()) return accept_anything();
    return verify_pieces(pieces_of(samples));
  }
  bool has_checksums() const override { return false; }
  std::uint64_t reference_transfer_bytes() const override { return std::uint64_t{128} << 10U; }
  std::uint64_t samples_per_file_max() const override { return 1'000'000; }
};

}  // namespace

const Format& safetensors_format() {
  static const SafetensorsFormat format;
  return format;
}

}  // namespace feedrate
