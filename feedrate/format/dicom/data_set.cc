#include "feedrate/format/dicom/data_set.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate::dicom {
namespace {

constexpr std::uint32_t kUndefined = UINT32_MAX;
constexpr std::uint32_t kTransferSyntax = 0x00020010, kPixelData = 0x7FE00010;
constexpr std::uint32_t kItem = 0xFFFEE000, kItemEnd = 0xFFFEE00D, kSequenceEnd = 0xFFFEE0DD;
constexpr std::uint64_t kTransferSyntaxBytesMax = 64;

// A window over the file. Small reads in ascending order cost one read of its size each time they
// leave it.
class Window {
 public:
  explicit Window(RandomAccess& file) : file_(file) {}
  std::uint64_t file_bytes() const { return file_.size(); }

  // Returns `length` bytes that lie within the file; they stay valid until the next call.
  Result<std::span<const std::byte>> at(std::uint64_t offset, std::size_t length) {
    if (offset < begin_ || offset + length > begin_ + length_) {
      begin_ = offset;
      length_ = std::min<std::uint64_t>(bytes_.size(), file_.size() - offset);
      FEEDRATE_CHECK(file_.read_at(begin_, std::span(bytes_).first(length_)));
    }
    return std::span<const std::byte>(bytes_).subspan(offset - begin_, length);
  }

 private:
  RandomAccess& file_;
  std::uint64_t begin_ = 0;
  std::size_t length_ = 0;
  std::array<std::byte, 4096> bytes_;
};

// The content of a raw deflate stream, as far as the stream is there.
class Inflated : public RandomAccess {
 public:
  Inflated() { ready_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK; }
  ~Inflated() override {
    if (ready_) inflateEnd(&stream_);
  }
  Inflated(const Inflated&) = delete;
  Inflated& operator=(const Inflated&) = delete;

  // Returns false when the stream is damaged, or holds more than kDecodedBytesMax.
  bool add(std::span<const std::byte> bytes) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (ready_ && !done_) {
      std::array<std::byte, std::size_t{32} << 10U> out;
      stream_.next_out = reinterpret_cast<Bytef*>(out.data());
      stream_.avail_out = out.size();
      const int status = inflate(&stream_, Z_NO_FLUSH);
      bytes_.insert(bytes_.end(), out.begin(), out.end() - stream_.avail_out);
      if (bytes_.size() > kDecodedBytesMax) return false;
      done_ = status == Z_STREAM_END;
      if (status == Z_BUF_ERROR || (status == Z_OK && stream_.avail_out != 0)) break;
      if (status != Z_OK && !done_) return false;
    }
    return ready_;
  }
  bool done() const { return done_; }

  std::uint64_t size() const override { return bytes_.size(); }
  Result<> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    FEEDRATE_ASSERT(offset <= bytes_.size() && out.size() <= bytes_.size() - offset);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }

 private:
  z_stream stream_{};
  bool ready_ = false, done_ = false;
  std::vector<std::byte> bytes_;
};

struct Element {
  std::uint64_t at = 0, value_at = 0;
  std::uint32_t tag = 0, length = 0;
  std::array<char, 2> representation{};  // none: implicit

  bool undefined() const { return length == kUndefined; }
  bool is(std::string_view type) const {
    return std::string_view(representation.data(), 2) == type;
  }
  std::string name() const { return fmt::format("({:04X},{:04X})", tag >> 16U, tag & 0xFFFFU); }
};

// Says what a container holds: an item holds elements, a sequence holds items, and encapsulated
// pixel data holds fragments, which are items that hold bytes.
enum class Holds : std::uint8_t { kElements, kItems, kFragments };
struct Container {
  Holds holds;
  bool is_explicit;
  bool delimited;     // of undefined length: an element ends it
  std::uint64_t end;  // at most
};

// Returns whether the length has 32 bits. Every value representation has that but the old ones, and
// so will those not yet known (PS3.5, 7.1.2).
bool has_long_length(const Element& element) {
  static constexpr std::string_view kShort[] = {"AE", "AS", "AT", "CS", "DA", "DS", "DT",
                                                "FD", "FL", "IS", "LO", "LT", "PN", "SH",
                                                "SL", "SS", "ST", "TM", "UI", "UL", "US"};
  return std::ranges::none_of(kShort, [&](std::string_view type) { return element.is(type); });
}

// Returns whether the representation is UN, or not known yet.
bool is_unknown(const Element& element) {
  static constexpr std::string_view kLong[] = {"OB", "OD", "OF", "OL", "OV", "OW",
                                               "SQ", "SV", "UC", "UR", "UT", "UV"};
  return element.representation[0] != 0 && has_long_length(element) &&
         std::ranges::none_of(kLong, [&](std::string_view type) { return element.is(type); });
}

class Walk {
 public:
  explicit Walk(RandomAccess& file) : window_(file) {}

  Result<DataSetPlace> run() {
    const std::uint64_t total = window_.file_bytes();
    at_ = kPreambleBytes + kMagic.size();
    if (total < at_) return corrupt_at(0, "not a DICOM file: no 'DICM' at 128");
    FEEDRATE_TRY(const auto magic, window_.at(kPreambleBytes, kMagic.size()));
    if (as_text(magic) != kMagic) return corrupt_at(0, "not a DICOM file: no 'DICM' at 128");
    FEEDRATE_TRY(const std::string syntax, meta_group());
    const DataSetPlace place{at_, syntax};
    if (syntax == kDeflated) {
      FEEDRATE_CHECK(check_deflated());
      return place;
    }
    if (syntax == kExplicitBig)
      return fail(ErrorKind::kUnsupported, "big-endian DICOM files are not supported");
    open_.push_back({Holds::kElements, syntax != kImplicitLittle, false, total});
    while (!open_.empty()) FEEDRATE_CHECK(step());
    return place;
  }

  // Walks the elements of a data set alone, which must be in explicit representation.
  Result<> run_data_set() {
    open_.push_back({Holds::kElements, true, false, window_.file_bytes()});
    while (!open_.empty()) FEEDRATE_CHECK(step());
    return {};
  }

 private:
  // What comes after the meta group is one deflated stream, so its elements are checked in the
  // inflated bytes.
  Result<> check_deflated() {
    const std::uint64_t begin = at_;
    Inflated data;
    for (std::uint64_t at = begin; at < window_.file_bytes() && !data.done();) {
      const std::size_t length = std::min<std::uint64_t>(4096, window_.file_bytes() - at);
      FEEDRATE_TRY(const auto bytes, window_.at(at, length));
      if (!data.add(bytes)) return corrupt_at(at, "the deflated data set is damaged or too large");
      at += length;
    }
    const Result<> checked = Walk(data).run_data_set();
    if (!checked)
      return fail(checked.error().with_context(
          fmt::format("in the data set that is deflated at offset {}", begin)));
    return {};
  }

  // Walks the elements of group 0002, which are always explicit, and returns the transfer syntax.
  Result<std::string> meta_group() {
    const Container file{Holds::kElements, true, false, window_.file_bytes()};
    std::optional<std::string> syntax;
    while (at_ < file.end) {
      // The elements after the group need not be explicit, so the group's end is seen before its
      // parsing.
      FEEDRATE_TRY(const auto group, window_.at(at_, std::min<std::uint64_t>(2, file.end - at_)));
      if (group.size() == 2 && load_little<std::uint16_t>(group.data()) != 2) break;
      FEEDRATE_TRY(const Element element, head(file));
      FEEDRATE_CHECK(check_length(element, file));
      if (element.tag == kTransferSyntax) {
        if (element.length > kTransferSyntaxBytesMax)
          return corrupt_at(element.at, fmt::format("transfer syntax of {} B, at most {}",
                                                    element.length, kTransferSyntaxBytesMax));
        FEEDRATE_TRY(const auto value, window_.at(element.value_at, element.length));
        syntax = as_text(value);
        syntax->erase(
            std::min(syntax->find_last_not_of(std::string_view(" \0", 2)) + 1, syntax->size()));
        if (syntax->empty() || syntax->find_first_not_of("0123456789.") != std::string::npos)
          return corrupt_at(element.at, "the transfer syntax is not a UID");
      }
      at_ = element.value_at + element.length;
    }
    if (!syntax) return corrupt_at(at_, "no transfer syntax (0002,0010) in the file meta group");
    return *syntax;
  }

  Result<> step() {
    const Container in = open_.back();
    if (at_ == in.end) {
      if (in.delimited) return corrupt_at(at_, "ends within a sequence of undefined length");
      open_.pop_back();
      return {};
    }
    FEEDRATE_TRY(const Element element, head(in));
    if (element.tag == kItemEnd || element.tag == kSequenceEnd) {
      // A sequence ends the items that it holds, and an item its elements.
      const bool ends_items = in.holds != Holds::kElements;
      if (!in.delimited || ends_items != (element.tag == kSequenceEnd))
        return corrupt_at(element.at, element.name() + " ends nothing that is open");
      open_.pop_back();
      at_ = element.value_at;
      return {};
    }
    if (!element.undefined()) FEEDRATE_CHECK(check_length(element, in));
    if (in.holds == Holds::kElements) return enter_element(element, in);
    if (element.tag != kItem)
      return corrupt_at(element.at, element.name() + " where an item must begin");
    if (in.holds == Holds::kItems) return open(element, Holds::kElements, in.is_explicit);
    return skip(element);
  }

  Result<> enter_element(const Element& element, const Container& in) {
    if (element.tag == kItem) return corrupt_at(element.at, "an item outside of a sequence");
    const bool unknown = is_unknown(element);
    if (element.tag == kPixelData && element.undefined() && !unknown)
      return open(element, Holds::kFragments, in.is_explicit);
    // In Implicit VR, an unknown element of undefined length is a sequence (PS3.5, 6.2.2).
    if (element.is("SQ") || element.undefined())
      return open(element, Holds::kItems, in.is_explicit && !unknown);
    return skip(element);
  }

  Result<> open(const Element& element, Holds holds, bool is_explicit) {
    if (open_.size() == kDepthMax)
      return corrupt_at(element.at, fmt::format("sequences nested deeper than {}", kDepthMax));
    const std::uint64_t end =
        element.undefined() ? open_.back().end : element.value_at + element.length;
    open_.push_back({holds, is_explicit, element.undefined(), end});
    at_ = element.value_at;
    return {};
  }

  Result<> skip(const Element& element) {
    if (element.undefined())
      return corrupt_at(element.at, element.name() + " may not be of undefined length");
    at_ = element.value_at + element.length;
    return {};
  }

  // Reads the head of the element at at_, which lies before in.end.
  Result<Element> head(const Container& in) {
    Element element;
    element.at = at_;
    const std::uint64_t room = in.end - at_;
    const std::size_t here = std::min<std::uint64_t>(room, 12);
    if (here < 8) return corrupt_at(at_, fmt::format("{} B where an element must begin", here));
    FEEDRATE_TRY(const auto bytes, window_.at(at_, here));
    element.tag = std::uint32_t{load_little<std::uint16_t>(bytes.data())} << 16U |
                  load_little<std::uint16_t>(bytes.data() + 2);
    element.length = load_little<std::uint32_t>(bytes.data() + 4);
    element.value_at = at_ + 8;
    // Items and delimiters never have a value representation (PS3.5, 7.5).
    if (!in.is_explicit || element.tag >> 16U == 0xFFFE) return element;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto letter = static_cast<char>(bytes[4 + i]);
      if (letter < 'A' || letter > 'Z')
        return corrupt_at(at_, element.name() + " has no value representation");
      element.representation[i] = letter;
    }
    element.length = load_little<std::uint16_t>(bytes.data() + 6);
    if (!has_long_length(element)) return element;
    if (here < 12) return corrupt_at(at_, element.name() + " ends within its length");
    element.length = load_little<std::uint32_t>(bytes.data() + 8);
    element.value_at = at_ + 12;
    return element;
  }

  Result<> check_length(const Element& element, const Container& in) const {
    if (element.value_at <= in.end && element.length <= in.end - element.value_at) return {};
    return corrupt_at(
        element.at,
        fmt::format("{} of {} B goes beyond the end of the {} at {}", element.name(),
                    element.length, in.end == window_.file_bytes() ? "file" : "sequence", in.end));
  }

  Window window_;
  std::uint64_t at_ = 0;
  std::vector<Container> open_;
};

}  // namespace

Result<DataSetPlace> check_elements(RandomAccess& file) { return Walk(file).run(); }

}  // namespace feedrate::dicom
