// Helpers that the tests of the formats share: files in memory, and rendering and verifying in
// pieces.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "feedrate/format/format.h"

namespace feedrate::testing {

using Bytes = std::vector<std::byte>;

class MemoryFile : public RandomAccess {
 public:
  explicit MemoryFile(std::span<const std::byte> bytes, std::span<const std::byte> companion = {})
      : bytes_(bytes) {
    if (!companion.empty()) companion_ = std::make_unique<MemoryFile>(companion);
  }
  RandomAccess* companion() override { return companion_.get(); }
  std::uint64_t size() const override { return bytes_.size(); }
  Result<> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    ++reads;
    read_bytes += out.size();
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset)
      return fail(ErrorKind::kShortRead, "read beyond the end of the file");
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }

  std::uint64_t reads = 0, read_bytes = 0;

 private:
  std::span<const std::byte> bytes_;
  std::unique_ptr<MemoryFile> companion_;
};

inline Bytes read_test_file(const std::string& path) {
  std::ifstream file(std::string(FEEDRATE_SOURCE_DIR) + "/feedrate/format/" + path,
                     std::ios::binary);
  EXPECT_TRUE(file) << path;
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline Bytes render_all(const Format& format, const std::vector<SampleContent>& samples,
                        std::size_t chunk_bytes) {
  const auto renderer = format.render(samples);
  Bytes file, chunk(chunk_bytes);
  while (const std::size_t length = renderer->next(chunk))
    file.insert(file.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(length));
  EXPECT_EQ(renderer->next(chunk), 0U);
  return file;
}

inline FileIndex layout_of(const Format& format, const std::vector<SampleContent>& samples) {
  if (format.one_content_per_file())
    return format.layout(
        SampleSizes(samples.front().samples, samples.front().bytes / samples.front().samples));
  std::vector<std::uint64_t> payload_bytes;
  for (const SampleContent& sample : samples) payload_bytes.push_back(sample.bytes);
  return format.layout(SampleSizes(payload_bytes));
}

// Returns the bytes that reading every sample once moves, without open_reads.
inline std::uint64_t all_sample_bytes(const FileIndex& index) {
  std::vector<Extent> reads;
  index.locate(0, index.sample_count(), reads);
  std::uint64_t bytes = 0;
  for (const Extent& read : reads) bytes += read.length;
  return bytes;
}

// Shows `bytes` to the verifier in chunks, first to last or last to first.
enum class Order : std::uint8_t { kForward, kBackward };
inline Result<> verify(const Format& format, const FileIndex& index,
                       const std::vector<SampleContent>& samples, std::span<const std::byte> bytes,
                       std::size_t chunk_bytes, Order order = Order::kForward) {
  const auto verifier = format.verifier(std::make_shared<FileIndex>(index), samples);
  const std::size_t chunks = (bytes.size() + chunk_bytes - 1) / chunk_bytes;
  for (std::size_t i = 0; i < chunks; ++i) {
    const std::size_t at = (order == Order::kForward ? i : chunks - 1 - i) * chunk_bytes;
    FEEDRATE_CHECK(
        verifier->consume(at, bytes.subspan(at, std::min(chunk_bytes, bytes.size() - at))));
  }
  return {};
}

// Collects the messages and hints that damage to a file brings about, one a line. Every `step`th
// byte in turn becomes each of a few values, and the file is cut there. Each damaged file is
// treated as a job would: it is indexed, verified (against `known`, where that is what it should
// contain, and as if it was damaged after it was indexed), and its first sample is decoded.
class Damage {
 public:
  Damage(const Format& format, const std::vector<SampleContent>& known = {})
      : format_(format), known_(known) {}

  Damage& of(const Bytes& whole, std::size_t step = 1) {
    Bytes file = whole;
    MemoryFile memory(whole);
    before_.reset();
    if (const auto index = format_.index(memory)) before_ = *index;
    // Otherwise it would be made anew at each run.
    EXPECT_TRUE(!before_ || before_->is_sound(whole.size())) << format_.name();
    for (std::size_t at = 0; at < whole.size(); at += step) {
      const std::byte was = file[at];
      for (const std::byte value :
           {std::byte{0}, std::byte{1}, std::byte{0xFF}, was ^ std::byte{0x80}, was ^ std::byte{2},
            static_cast<std::byte>(std::to_integer<unsigned>(was) + 1)}) {
        if (value == was) continue;
        file[at] = value;
        look(file);
      }
      file[at] = was;
      look(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at)));
    }
    return *this;
  }
  void look(const Bytes& file) {
    MemoryFile memory(file);
    auto index = format_.index(memory);
    if (!index) note(index.error());
    if (before_)
      if (const auto changed = verify(format_, *before_, known_, file, 4096); !changed)
        note(changed.error());
    if (!known_.empty()) index = layout_of(format_, known_);
    if (!index) return;
    if (const auto checked = verify(format_, *index, known_, file, 4096); !checked)
      note(checked.error());
    const auto decoder = format_.decoder();
    if (decoder == nullptr || index->sample_count() == 0) return;
    std::vector<Extent> reads;
    index->locate(0, 1, reads);
    Bytes stored;
    for (const Extent& read : reads) {
      if (read.end() > file.size()) return;
      const auto part = std::span(file).subspan(read.offset, read.length);
      stored.insert(stored.end(), part.begin(), part.end());
    }
    if (const auto decoded = decoder->decode(stored); !decoded) note(decoded.error());
  }
  // Returns those of `parts` that are in no message, followed by all messages; empty when none is
  // missing.
  std::string lacks(std::initializer_list<std::string_view> parts) const {
    std::string lacking;
    for (const std::string_view part : parts)
      if (all_.find(part) == std::string::npos) lacking += std::string(part) + "\n";
    return lacking.empty() ? "" : "not seen:\n" + lacking + "seen:\n" + all_;
  }

 private:
  // Notes each message once, without its numbers.
  void note(const Error& error) {
    std::string line = error.message() + (error.hint().empty() ? "" : " | " + error.hint()) + "\n";
    std::erase_if(line, [](char c) { return c >= '0' && c <= '9'; });
    if (seen_.insert(line).second) all_ += error.message() + " | " + error.hint() + "\n";
  }

  const Format& format_;
  const std::vector<SampleContent> known_;
  std::optional<FileIndex> before_;  // of the whole file
  std::set<std::string> seen_;
  std::string all_;
};

inline std::string outcome(const Result<>& result) {
  return result ? "fine"
                : std::string(to_string(result.error().kind())) + ": " + result.error().message();
}

}  // namespace feedrate::testing
