#include "feedrate/format/webdataset/webdataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "feedrate/format/pieces.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kBlockBytes = 512;
constexpr std::uint64_t kLabelBytes = 10;               // any 32-bit label, zero padded
constexpr std::uint64_t kFrameBytes = 3 * kBlockBytes;  // both headers and the label's block
// The largest length that 11 octal digits hold.
constexpr std::uint64_t kOctalMax = (std::uint64_t{1} << 33U) - 1;
constexpr std::uint64_t kNameBytesMax = 1U << 16U;  // of a long name; longer ones are an error

std::uint64_t padded(std::uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

using Header = std::array<std::byte, kBlockBytes>;

struct Field {
  std::size_t offset, length;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kOwner{108, 8}, kGroup{116, 8}, kSize{124, 12},
    kTime{136, 12}, kChecksum{148, 8}, kType{156, 1}, kMagic{257, 8}, kPrefix{345, 155};

void put(Header& header, Field field, std::string_view text) {
  FEEDRATE_ASSERT(text.size() <= field.length);
  std::memcpy(header.data() + field.offset, text.data(), text.size());
}

// Returns the sum of all bytes of a header, with those of the checksum counted as spaces.
std::uint64_t checksum_of(std::span<const std::byte> header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlockBytes; ++i)
    sum += i >= kChecksum.offset && i < kChecksum.offset + kChecksum.length
               ? std::uint64_t{' '}
               : std::to_integer<std::uint64_t>(header[i]);
  return sum;
}

std::vector<std::byte> member_header(const std::string& name, std::uint64_t bytes) {
  Header header{};
  put(header, kName, name);
  put(header, kMode, "0000644");
  put(header, kOwner, "0000000");
  put(header, kGroup, "0000000");
  if (bytes <= kOctalMax) {
    put(header, kSize, fmt::format("{:011o}", bytes));
  } else {  // GNU: a set top bit, then the number with its most significant byte first
    header[kSize.offset] = std::byte{0x80};
    for (std::size_t i = 0; i < 8; ++i)
      header[kSize.offset + kSize.length - 1 - i] = static_cast<std::byte>(bytes >> (8 * i));
  }
  put(header, kTime, "00000000000");
  put(header, kType, "0");
  put(header, kMagic, std::string_view("ustar\00000", 8));
  put(header, kChecksum, fmt::format("{:06o}", checksum_of(header)));
  header[kChecksum.offset + 7] = std::byte{' '};
  return {header.begin(), header.end()};
}

std::vector<std::byte> label_block(std::uint32_t label) {
  std::vector<std::byte> block;
  append_text(block, fmt::format("{:010}", label));
  block.resize(kBlockBytes);
  return block;
}

FilePieces pieces_of(const std::vector<SampleContent>& samples) {
  FilePieces pieces;
  for (const SampleContent& content : samples) {
    pieces.literal(member_header(fmt::format("{:012}.bin", content.sample), content.bytes));
    pieces.content(content, 0, content.bytes);
    pieces.zeros(padded(content.bytes) - content.bytes);
    pieces.literal(member_header(fmt::format("{:012}.cls", content.sample), kLabelBytes));
    pieces.literal(label_block(content.label));
  }
  pieces.zeros(2 * kBlockBytes);
  return pieces;
}

std::string_view text_of(std::span<const std::byte> header, Field field) {
  const std::string_view text = as_text(header.subspan(field.offset, field.length));
  return text.substr(0, text.find('\0'));
}

Result<std::uint64_t> number_of(std::span<const std::byte> header, Field field, std::uint64_t at) {
  const auto bytes = header.subspan(field.offset, field.length);
  std::uint64_t value = 0;
  if (bytes[0] == std::byte{0x80}) {
    for (const std::byte byte : bytes.subspan(1)) {
      if (value >> 55U != 0) return corrupt_at(at + field.offset, "length of a member is absurd");
      value = value << 8U | std::to_integer<std::uint64_t>(byte);
    }
    return value;
  }
  for (const char digit : text_of(header, field)) {
    if (digit == ' ') continue;
    if (digit < '0' || digit > '7')
      return corrupt_at(at + field.offset, "number of a tar header is not octal");
    value = value << 3U | static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

struct Member {
  char type;
  std::string name;
  std::uint64_t data, bytes;  // where its data begins, and how much there is
  std::uint64_t end() const { return data + padded(bytes); }
};

// Reads the header at `at`; its checksum decides whether it is one.
Result<Member> read_member(RandomAccess& file, std::uint64_t at, bool& end_of_archive) {
  Header header;
  if (file.size() - at < kBlockBytes)
    return corrupt_at(at, "file ends within the header of a member");
  FEEDRATE_CHECK(file.read_at(at, header));
  end_of_archive = std::ranges::all_of(header, [](std::byte byte) { return byte == std::byte{}; });
  if (end_of_archive) return Member{};
  FEEDRATE_TRY(const std::uint64_t checksum, number_of(header, kChecksum, at));
  if (checksum != checksum_of(header))
    return corrupt_at(at, "header of a member does not match its checksum");
  Member member{static_cast<char>(header[kType.offset]), std::string(text_of(header, kName)),
                at + kBlockBytes, 0};
  const std::string_view prefix = text_of(header, kPrefix);
  const bool ustar = as_text(header).substr(kMagic.offset, 6) == std::string_view("ustar\0", 6);
  if (ustar && !prefix.empty()) member.name = fmt::format("{}/{}", prefix, member.name);
  FEEDRATE_TRY(member.bytes, number_of(header, kSize, at));
  if (member.bytes > file.size() - member.data)
    return corrupt_at(at, fmt::format("member of {} B does not end within the file of {} B",
                                      member.bytes, file.size()));
  return member;
}

// Returns the value of `key` in the records of a pax header, each of which is "LENGTH KEY=VALUE\n".
std::optional<std::string> pax_value(std::string_view records, std::string_view key) {
  std::optional<std::string> value;
  while (!records.empty()) {
    const std::size_t line_end = records.find('\n');
    const std::string_view line = records.substr(0, line_end);
    const std::size_t space = line.find(' '), equals = line.find('=');
    if (space != std::string_view::npos && equals != std::string_view::npos && equals > space &&
        line.substr(space + 1, equals - space - 1) == key)
      value = std::string(line.substr(equals + 1));
    if (line_end == std::string_view::npos) break;
    records.remove_prefix(line_end + 1);
  }
  return value;
}

// Goes through the members of an archive and groups those of one key.
class Indexer {
 public:
  explicit Indexer(RandomAccess& file) : file_(file) {}

  Result<FileIndex> run() {
    FileIndex index;
    index.file_bytes = file_.size();
    if (file_.size() == 0) return corrupt_at(0, "empty file");
    std::uint64_t at = 0;
    std::uint64_t begin = 0;  // of the member, long name included
    while (at < file_.size()) {
      bool end_of_archive = false;
      FEEDRATE_TRY(Member member, read_member(file_, at, end_of_archive));
      if (end_of_archive) break;
      if (long_name_.empty()) begin = at;
      at = std::min(member.end(), file_.size());
      if (member.type == 'L' || member.type == 'x') {
        FEEDRATE_CHECK(keep_long_name(member));
        continue;
      }
      if (!long_name_.empty()) member.name = std::move(long_name_);
      long_name_.clear();
      if (member.type == '0' || member.type == '\0' || member.type == '7')
        add(key_of(member.name), {begin, at - begin}, index);
    }
    return index;
  }

 private:
  Result<> keep_long_name(const Member& member) {
    if (member.bytes > kNameBytesMax)
      return corrupt_at(member.data, fmt::format("name of {} B; at most {} are read", member.bytes,
                                                 kNameBytesMax));
    std::vector<std::byte> bytes(member.bytes);
    FEEDRATE_CHECK(file_.read_at(member.data, bytes));
    const std::string_view text = as_text(bytes);
    long_name_ = member.type == 'L' ? std::string(text.substr(0, text.find('\0')))
                                    : pax_value(text, "path").value_or("");
    return {};
  }
  static std::string key_of(const std::string& name) {
    const std::size_t slash = name.rfind('/');
    return name.substr(0, name.find('.', slash == std::string::npos ? 0 : slash + 1));
  }
  void add(std::string key, Extent member, FileIndex& index) {
    if (index.samples.empty() || key != last_key_)
      index.samples.push_back(member);
    else
      index.samples.back().length = member.end() - index.samples.back().offset;
    last_key_ = std::move(key);
  }

  RandomAccess& file_;
  std::string long_name_, last_key_;
};

class WebdatasetFormat : public Format {
 public:
  std::string_view name() const override { return "webdataset"; }
  std::string_view extension() const override { return ".tar"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    if (head.size() >= kMagic.offset + 5 && as_text(head).substr(kMagic.offset, 5) == "ustar")
      return true;
    return lower_base_name(file_name).ends_with(extension());
  }

  std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const override {
    if (stored_bytes < kFrameBytes) return 0;
    return (stored_bytes - kFrameBytes) / kBlockBytes * kBlockBytes;
  }
  FileIndex layout(const SampleSizes& payload_bytes) const override {
    FileIndex index;
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < payload_bytes.size(); ++i) {
      index.samples.push_back({at, kFrameBytes + padded(payload_bytes[i])});
      at = index.samples.back().end();
    }
    index.file_bytes = at + 2 * kBlockBytes;
    return index;
  }
  std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const override {
    return render_pieces(pieces_of(samples));
  }
  Result<FileIndex> index(RandomAccess& file) const override { return Indexer(file).run(); }

  std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex>,
                                     std::vector<SampleContent> samples) const override {
    if (samples.empty()) return accept_anything();
    return verify_pieces(pieces_of(samples));
  }
  bool has_checksums() const override { return false; }
  std::uint64_t reference_transfer_bytes() const override { return 8192; }
  std::uint64_t samples_per_file_max() const override { return UINT64_MAX; }
};

}  // namespace

const Format& webdataset_format() {
  static const WebdatasetFormat format;
  return format;
}

}  // namespace feedrate
