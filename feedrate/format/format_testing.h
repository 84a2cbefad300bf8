// What the tests of the formats share: files in memory, rendering and verifying in pieces.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
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

inline std::string outcome(const Result<>& result) {
  return result ? "fine"
                : std::string(to_string(result.error().kind())) + ": " + result.error().message();
}

}  // namespace feedrate::testing
