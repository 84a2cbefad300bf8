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

// A part of a file: a piece, or what lies between pieces.
struct Segment {
  std::uint64_t begin = 0, end = 0;
  std::size_t piece = 0;  // kFrame where it is no piece.
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

PieceFill emulated_bytes(const FilePlan& file, const CheckpointContent& content,
                         std::uint64_t step) {
  struct Current {
    std::size_t number = kFrame;
    PieceContent content;
  };
  return [&file, content, step, current = Current()](std::size_t piece, std::uint64_t offset,
                                                     std::span<std::byte> out) mutable {
    if (current.number != piece)
      current = {piece, piece_content(content, file.pieces[piece].piece, step)};
    fill_piece(current.content, offset, out);
  };
}

struct FileRenderer::State {
  const FilePlan& file;
  const CheckpointLayout& layout;
  PieceFill fill;
  std::uint64_t sum_block_bytes;
  std::vector<Segment> segments = {};
  std::size_t segment = 0;
  std::uint64_t position = 0;
  std::size_t text = 0;  // The index of the first text that does not end before `position`.
  FileText after_piece = {};
  std::string trailer = {};
  Sum sum = {}, block_sum = {}, frame = {};
  std::vector<PieceRecord> records = {};
  std::vector<std::uint32_t> crcs = {};

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
  // Copies the part of `bytes`, which stand at `offset` of the file, that lies in `out`.
  void copy(std::uint64_t offset, const std::string& bytes, std::span<std::byte> out) const {
    const std::uint64_t begin = std::max(offset, position);
    const std::uint64_t end = std::min(offset + bytes.size(), position + out.size());
    if (begin < end)
      std::memcpy(out.data() + (begin - position), bytes.data() + (begin - offset), end - begin);
  }
  void fill_part(const Segment& at, std::span<std::byte> out) {
    if (position == at.begin) {
      sum.reset();
      crcs.push_back(0);
      records.push_back({file.pieces[at.piece], 0});
    }
    fill(at.piece, position - at.begin, out);
    sum.add(out);
    if (sum_block_bytes > 0) sum_blocks(position - at.begin, at.end - at.begin, out);
    if (layout.wants_crc32()) crcs.back() = update_checksum(ChecksumKind::kCrc32, crcs.back(), out);
    if (position + out.size() < at.end) return;
    records.back().checksum = sum.value();
    after_piece = {at.end, layout.after_piece(file, at.piece, crcs.back())};
  }
  // Passes pieces without bytes, which have records, too.
  void pass_empty() {
    for (; segment < segments.size() && segments[segment].end == position; ++segment)
      fill_part(segments[segment], {});
  }
  void sum_blocks(std::uint64_t offset, std::uint64_t piece_bytes, std::span<std::byte> out) {
    while (!out.empty()) {
      const std::uint64_t within = offset % sum_block_bytes;
      const std::size_t count = std::min<std::uint64_t>(out.size(), sum_block_bytes - within);
      if (within == 0) block_sum.reset();
      block_sum.add(out.first(count));
      offset += count;
      out = out.subspan(count);
      if (offset % sum_block_bytes == 0 || offset == piece_bytes)
        records.back().block_sums.push_back(block_sum.value());
    }
  }
};

FileRenderer::FileRenderer(const FilePlan& file, const CheckpointLayout& layout, PieceFill fill,
                           std::uint64_t sum_block_bytes)
    : state_(std::make_unique<State>(State{file, layout, std::move(fill), sum_block_bytes})) {
  state_->segments = segments_of(file.pieces, file.bytes,
                                 [](const PlacedPiece& placed) -> auto& { return placed; });
  state_->pass_empty();
}
FileRenderer::~FileRenderer() = default;
FileRenderer::FileRenderer(FileRenderer&&) noexcept = default;

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
    if (state.position < at.end) continue;
    ++state.segment;
    state.pass_empty();
  }
  return done;
}

std::uint64_t FileRenderer::skip(std::uint64_t count) {
  State& state = *state_;
  const std::uint64_t moved = std::min(count, state.file.bytes - state.position);
  state.position += moved;
  // Nothing can be summed up without bytes, but the record names all pieces all the same.
  if (state.records.empty())
    for (const PlacedPiece& placed : state.file.pieces) state.records.push_back({placed, 0});
  return moved;
}

FileRecord FileRenderer::record() const {
  const State& state = *state_;
  FEEDRATE_ASSERT(state.records.size() == state.file.pieces.size());
  return {state.file.path, state.file.begin, state.file.bytes, state.frame.value(), state.records};
}

FileRenderer::Part FileRenderer::part() const {
  const State& state = *state_;
  if (state.segment == state.segments.size()) return {};
  const Segment& at = state.segments[state.segment];
  if (at.piece == kFrame) return {true, 0, 0, at.end - state.position};
  FEEDRATE_ASSERT(state.sum_block_bytes > 0);
  const std::uint64_t offset = state.position - at.begin;
  const std::uint64_t rest = state.sum_block_bytes - offset % state.sum_block_bytes;
  return {false, at.piece, offset / state.sum_block_bytes, std::min(rest, at.end - state.position)};
}

std::uint64_t FileRenderer::last_block_sum() const {
  return state_->records.back().block_sums.back();
}

ChangedRenderer::ChangedRenderer(std::span<const FilePlan> files, const CheckpointLayout& layout,
                                 std::function<PieceFill(std::size_t file)> fill,
                                 std::uint64_t sum_block_bytes, const RankRecord& parent)
    : files_(files),
      layout_(layout),
      fill_(std::move(fill)),
      block_bytes_(sum_block_bytes),
      parent_(parent) {
  FEEDRATE_ASSERT(files.size() == parent.files.size());
}

bool ChangedRenderer::advance() {
  while (true) {
    if (!renderer_) {
      if (records_.size() == files_.size()) return false;
      const FilePlan& file = files_[records_.size()];
      renderer_ =
          std::make_unique<FileRenderer>(file, layout_, fill_(records_.size()), block_bytes_);
      changed_.assign(file.pieces.size(), {});
    }
    const FileRenderer::Part part = renderer_->part();
    const std::size_t length = std::min(part.length, block_bytes_);
    if (length == 0) {
      records_.push_back(renderer_->record());
      for (std::size_t piece = 0; piece < changed_.size(); ++piece)
        records_.back().pieces[piece].changed = std::move(changed_[piece]);
      renderer_.reset();
      continue;
    }
    staging_.resize(block_bytes_);
    // The block is made before it is known whether it changed, because only its bytes give its
    // checksum.
    pending_ = std::span(staging_).first(length);
    renderer_->next(std::span(staging_).first(length));
    if (part.frame) return true;
    const PieceRecord& before = parent_.files[records_.size()].pieces[part.piece];
    if (before.block_sums[part.block] == renderer_->last_block_sum()) continue;
    std::vector<BlockRun>& runs = changed_[part.piece];
    if (!runs.empty() && runs.back().first + runs.back().count == part.block)
      ++runs.back().count;
    else
      runs.push_back({part.block, 1});
    return true;
  }
}

std::uint64_t ChangedRenderer::next(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    if (pending_.empty() && !advance()) {
      pending_ = {};
      break;
    }
    const std::size_t count = std::min(pending_.size(), out.size() - done);
    std::memcpy(out.data() + done, pending_.data(), count);
    pending_ = pending_.subspan(count);
    done += count;
  }
  return done;
}

std::uint64_t ChangedRenderer::skip(std::uint64_t count, const CheckpointContent& content,
                                    std::uint64_t step) {
  if (!counted_) count_changed(content, step);
  counted_ = true;
  const std::uint64_t moved = std::min(count, left_);
  left_ -= moved;
  return moved;
}

void ChangedRenderer::count_changed(const CheckpointContent& content, std::uint64_t step) {
  for (const FilePlan& file : files_) {
    FileRecord& record =
        records_.emplace_back(FileRecord{file.path, file.begin, file.bytes, 0, {}});
    for (const PlacedPiece& placed : file.pieces) {
      PieceRecord& piece = record.pieces.emplace_back(PieceRecord{placed, 0});
      const PieceContent bytes = piece_content(content, placed.piece, step);
      for (std::uint64_t block = 0; block < block_count(bytes.bytes, block_bytes_); ++block)
        if (block_version(bytes, block) == step) piece.changed.push_back({block, 1});
      left_ += piece.changed_bytes(block_bytes_);
    }
    left_ += record.frame_bytes();
  }
}

std::vector<FileRecord> ChangedRenderer::records() && {
  FEEDRATE_ASSERT(records_.size() == files_.size());
  return std::move(records_);
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
