#include "feedrate/format/content.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "feedrate/base/error.h"
#include "feedrate/base/random.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

constexpr std::size_t kBlockWords = kContentBlockBytes / 8;
constexpr std::size_t kPoolWords = (std::size_t{64} << 10U) / 8;  // stays in the level 2 cache
constexpr std::size_t kPhaseWords = 8;                            // phases are whole cache lines
constexpr std::uint64_t kPoolSeed = 0x6665656472617465ULL;

struct alignas(64) Pool {
  std::uint64_t words[kPoolWords + kBlockWords];
};

const Pool& pool() {
  static const Pool instance = [] {
    Pool made;
    RandomStream stream(kPoolSeed);
    for (std::uint64_t& word : made.words) word = stream.next();
    return made;
  }();
  return instance;
}

// Two words are taken side by side, since GCC 12 at -O2 does not vectorise a loop of unknown length
// by itself.
using WordPair = std::uint64_t __attribute__((vector_size(16)));

WordPair load_pair(const void* at) {
  WordPair pair;
  std::memcpy(&pair, at, sizeof pair);
  return pair;
}

// The random bytes of one block: word i is pool_words[i] ^ key.
struct BlockSource {
  const std::uint64_t* pool_words;
  std::uint64_t key;

  std::uint64_t word(std::size_t index) const { return pool_words[index] ^ key; }

  void fill_words(std::size_t first, std::byte* out, std::size_t count) const {
    const WordPair keys{key, key};
    const std::uint64_t* from = pool_words + first;
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {
      const WordPair low = load_pair(from + i) ^ keys;
      const WordPair high = load_pair(from + i + 2) ^ keys;
      std::memcpy(out + 8 * i, &low, sizeof low);
      std::memcpy(out + 8 * i + 16, &high, sizeof high);
    }
    for (; i < count; ++i) store_little(out + 8 * i, word(first + i));
  }

  bool equals_words(std::size_t first, const std::byte* actual, std::size_t count) const {
    const WordPair keys{key, key};
    const std::uint64_t* from = pool_words + first;
    WordPair low{}, high{};
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {
      low |= load_pair(actual + 8 * i) ^ load_pair(from + i) ^ keys;
      high |= load_pair(actual + 8 * i + 16) ^ load_pair(from + i + 2) ^ keys;
    }
    low |= high;
    std::uint64_t different = low[0] | low[1];
    for (; i < count; ++i)
      different |= load_little<std::uint64_t>(actual + 8 * i) ^ word(first + i);
    return different == 0;
  }

  void fill(std::size_t within, std::span<std::byte> out) const {
    if (const std::size_t skip = within % 8; skip != 0 && !out.empty()) {
      const std::uint64_t partial = word(within / 8) >> (8 * skip);
      const std::size_t length = std::min(out.size(), 8 - skip);
      std::memcpy(out.data(), &partial, length);
      out = out.subspan(length);
      within += length;
    }
    if (out.empty()) return;
    const std::size_t count = out.size() / 8;
    fill_words(within / 8, out.data(), count);
    if (const std::size_t rest = out.size() % 8; rest != 0) {
      const std::uint64_t partial = word(within / 8 + count);
      std::memcpy(out.data() + 8 * count, &partial, rest);
    }
  }
};

// The stream of blocks that is one sample's content.
class ContentBlocks {
 public:
  explicit ContentBlocks(const SampleContent& content)
      : base_(combine_seeds(
            combine_seeds(content.seed, static_cast<std::uint64_t>(SeedPurpose::kContent)),
            content.sample)) {
    const double zero = std::clamp(content.compressibility, 0.0, 1.0) * kContentBlockBytes;
    random_bytes_ = kContentBlockBytes - static_cast<std::size_t>(std::llround(zero));
  }

  BlockSource source(std::uint64_t block) const {
    const std::uint64_t key = mix64(base_ + block * 0x9E3779B97F4A7C15ULL);
    const std::size_t phase = (mix64(key) % (kPoolWords / kPhaseWords)) * kPhaseWords;
    return {pool().words + phase, key};
  }
  // Returns how many of `length` bytes at `within` of a block are random; those after them are
  // zero.
  std::size_t random_part(std::size_t within, std::size_t length) const {
    return within < random_bytes_ ? std::min(length, random_bytes_ - within) : 0;
  }

 private:
  std::uint64_t base_;
  std::size_t random_bytes_;
};

void fill_block(const ContentBlocks& blocks, std::uint64_t offset, std::span<std::byte> out) {
  const std::size_t within = offset % kContentBlockBytes;
  const std::size_t random = blocks.random_part(within, out.size());
  if (random != 0) blocks.source(offset / kContentBlockBytes).fill(within, out.first(random));
  if (random != out.size()) std::memset(out.data() + random, 0, out.size() - random);
}

bool equals_block(const ContentBlocks& blocks, std::uint64_t offset,
                  std::span<const std::byte> bytes) {
  const std::size_t within = offset % kContentBlockBytes;
  if (within % 8 != 0 || bytes.size() % 8 != 0 ||
      blocks.random_part(within, bytes.size()) != bytes.size())
    return false;
  return blocks.source(offset / kContentBlockBytes)
      .equals_words(within / 8, bytes.data(), bytes.size() / 8);
}

std::size_t bytes_in_block(std::uint64_t offset, std::size_t wanted) {
  return std::min<std::size_t>(wanted, kContentBlockBytes - offset % kContentBlockBytes);
}

}  // namespace

void fill_content(const SampleContent& content, std::uint64_t offset, std::span<std::byte> out) {
  FEEDRATE_ASSERT(offset <= content.bytes && out.size() <= content.bytes - offset);
  const ContentBlocks blocks(content);
  while (!out.empty()) {
    const std::size_t length = bytes_in_block(offset, out.size());
    fill_block(blocks, offset, out.first(length));
    out = out.subspan(length);
    offset += length;
  }
}

std::optional<std::uint64_t> first_difference(const SampleContent& content, std::uint64_t offset,
                                              std::span<const std::byte> bytes) {
  FEEDRATE_ASSERT(offset <= content.bytes && bytes.size() <= content.bytes - offset);
  const ContentBlocks blocks(content);
  while (!bytes.empty()) {
    const std::size_t length = bytes_in_block(offset, bytes.size());
    const auto piece = bytes.first(length);
    if (!equals_block(blocks, offset, piece)) {  // differs, or is not made of whole random words
      std::byte expected[kContentBlockBytes];
      fill_block(blocks, offset, std::span(expected).first(length));
      if (const auto at = first_mismatch(piece, std::span(expected).first(length)))
        return offset + *at;
    }
    bytes = bytes.subspan(length);
    offset += length;
  }
  return std::nullopt;
}

}  // namespace feedrate
