#include "feedrate/checkpoint/file_bytes.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "feedrate/base/text.h"
#include "feedrate/format/checksum.h"

namespace feedrate {
namespace {

class Sum {
 public:
  Sum() : state_(XXH3_createState(), XXH3_freeState) { reset(); }
  void reset() { XXH3_64bits_reset(state_.get()); }
  void add(std::span<const std::byte> bytes) {
    XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
  }
  std::uint64_t value() const { return XXH3_64bits_digest(state_.get()); }

 private:
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state_;
};

// A file is pieces and what lies between them.
struct Segment {
  std::uint64_t begin = 0, end = 0;
  std::size_t piece = 0;  // kFrame: none
};
constexpr std::size_t kFrame = ~std::size_t{0};

template <class Pieces, class PlacedOf>
std::vector<Segment> segments_of(const Pieces& pieces, std::uint64_t bytes,
                                 const PlacedOf& placed_of) {
  std::vector<Segment> segments;
  std::uint64_t at = 0;
  for (std::size_t index = 0; index < pieces.size(); ++index) {
    const PlacedPiece& placed = placed_of(pieces[index]);
    if (placed.offset > at) segments.push_back({at, placed.offset, kFrame});
    at = placed.offset + placed.piece.bytes();
    segments.push_back({placed.offset, at, index});
  }
  if (bytes > at) segments.push_back({at, bytes, kFrame});
  return segments;
}

}  // namespace

struct FileRenderer::State {
  const FilePlan& file;
  const CheckpointLayout& layout;
  CheckpointContent content;
  std::uint64_t step;
  std::vector<Segment> segments;
  std::size_t segment = 0;
  std::uint64_t position = 0;
  PieceContent piece;    // of the segment, when it is one
  std::size_t text = 0;  // the first that does not end before `position`
  FileText after_piece;
  std::string trailer;
  Sum sum, frame;
  std::vector<std::uint64_t> sums;
  std::vector<std::uint32_t> crcs;

  void fill_frame(std::span<std::byte> out) {
    std::memset(out.data(), 0, out.size());
    const std::uint64_t end = position + out.size();
    copy(after_piece.offset, after_piece.bytes, out);
    for (; text < file.texts.size() && file.texts[text].offset < end; ++text) {
      const FileText& at = file.texts[text];
      copy(at.offset, at.bytes, out);
      if (at.offset + at.bytes.size() > end) break;
    }
    if (end > file.trailer_offset) {
      if (trailer.empty()) trailer = layout.trailer(file, crcs);
      copy(file.trailer_offset, trailer, out);
    }
    frame.add(out);
  }
  // The part of `bytes`, at `offset` of the file, that lies in `out`.
  void copy(std::uint64_t offset, const std::string& bytes, std::span<std::byte> out) const {
    const std::uint64_t begin = std::max(offset, position);
    const std::uint64_t end = std::min(offset + bytes.size(), position + out.size());
    if (begin < end)
      std::memcpy(out.data() + (begin - position), bytes.data() + (begin - offset), end - begin);
  }
  void fill_part(const Segment& at, std::span<std::byte> out) {
    if (position == at.begin) {
      piece = piece_content(content, file.pieces[at.piece].piece, step);
      sum.reset();
      crcs.push_back(0);
    }
    fill_piece(piece, position - at.begin, out);
    sum.add(out);
    if (layout.wants_crc32()) crcs.back() = update_checksum(ChecksumKind::kCrc32, crcs.back(), out);
    if (position + out.size() < at.end) return;
    sums.push_back(sum.value());
    after_piece = {at.end, layout.after_piece(file, at.piece, crcs.back())};
  }
};

FileRenderer::FileRenderer(const FilePlan& file, const CheckpointLayout& layout,
                           const CheckpointContent& content, std::uint64_t step)
    : state_(std::make_unique<State>(
          State{file, layout, content, step, {}, 0, 0, {}, 0, {}, {}, {}, {}, {}, {}})) {
  state_->segments = segments_of(file.pieces, file.bytes,
                                 [](const PlacedPiece& placed) -> auto& { return placed; });
}
FileRenderer::~FileRenderer() = default;

std::uint64_t FileRenderer::next(std::span<std::byte> out) {
  State& state = *state_;
  std::size_t done = 0;
  while (done < out.size() && state.segment < state.segments.size()) {
    const Segment& at = state.segments[state.segment];
    const std::size_t count = std::min<std::uint64_t>(out.size() - done, at.end - state.position);
    const std::span<std::byte> part = out.subspan(done, count);
    if (at.piece == kFrame)
      state.fill_frame(part);
    else
      state.fill_part(at, part);
    state.position += count;
    done += count;
    if (state.position == at.end) ++state.segment;
  }
  return done;
}

std::uint64_t FileRenderer::skip(std::uint64_t count) {
  State& state = *state_;
  const std::uint64_t moved = std::min(count, state.file.bytes - state.position);
  state.position += moved;
  state.sums.resize(state.file.pieces.size());
  return moved;
}

FileRecord FileRenderer::record() const {
  const State& state = *state_;
  FEEDRATE_ASSERT(state.sums.size() == state.file.pieces.size());
  FileRecord record{state.file.path, state.file.begin, state.file.bytes, state.frame.value(), {}};
  for (std::size_t index = 0; index < state.sums.size(); ++index)
    record.pieces.push_back({state.file.pieces[index], state.sums[index]});
  return record;
}

struct FileChecker::State {
  const FileRecord& file;
  std::vector<Segment> segments;
  std::size_t segment = 0;
  std::uint64_t position = 0;
  Sum sum, frame;

  Result<> check(const Segment& at) const {
    const PieceRecord& record = file.pieces[at.piece];
    if (sum.value() == record.checksum) return {};
    return fail(ErrorKind::kCorrupt,
                fmt::format("{}: {} (bytes {} to {}) is damaged: its checksum is wrong",
                            quote_path(file.path), record.placed.piece.name, file.begin + at.begin,
                            file.begin + at.end));
  }
};

FileChecker::FileChecker(const FileRecord& file)
    : state_(std::make_unique<State>(State{file, {}, 0, 0, {}, {}})) {
  state_->segments = segments_of(file.pieces, file.bytes,
                                 [](const PieceRecord& record) -> auto& { return record.placed; });
}
FileChecker::~FileChecker() = default;

Result<> FileChecker::consume(std::span<const std::byte> bytes) {
  State& state = *state_;
  while (!bytes.empty()) {
    FEEDRATE_ASSERT(state.segment < state.segments.size());
    const Segment& at = state.segments[state.segment];
    const std::size_t count = std::min<std::uint64_t>(bytes.size(), at.end - state.position);
    if (at.piece == kFrame) {
      state.frame.add(bytes.first(count));
    } else {
      if (state.position == at.begin) state.sum.reset();
      state.sum.add(bytes.first(count));
    }
    state.position += count;
    bytes = bytes.subspan(count);
    if (state.position < at.end) continue;
    ++state.segment;
    if (at.piece != kFrame) FEEDRATE_CHECK(state.check(at));
  }
  return {};
}

Result<> FileChecker::finish() {
  const State& state = *state_;
  FEEDRATE_ASSERT(state.segment == state.segments.size());
  if (state.frame.value() == state.file.frame_checksum) return {};
  return fail(ErrorKind::kCorrupt,
              fmt::format("{}: its header or index is damaged: the checksum is wrong",
                          quote_path(state.file.path)));
}

}  // namespace feedrate
