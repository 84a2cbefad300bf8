#include "feedrate/format/pieces.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "feedrate/format/wire.h"

namespace feedrate {

FilePieces::Piece& FilePieces::add(Kind kind, std::uint64_t length) {
  pieces_.push_back({size_, length, kind, ChecksumKind::kCrc32, nullptr, 0, 0, 0});
  size_ += length;
  return pieces_.back();
}

void FilePieces::literal(std::vector<std::byte> bytes) {
  if (bytes.empty()) return;
  add(Kind::kLiteral, bytes.size()).source = literals_.size();
  literals_.insert(literals_.end(), bytes.begin(), bytes.end());
}

void FilePieces::zeros(std::uint64_t count) {
  if (count > 0) add(Kind::kZeros, count);
}

void FilePieces::content(const SampleContent& content, std::uint64_t from, std::uint64_t length,
                         ByteMap map) {
  FEEDRATE_ASSERT(from <= content.bytes && length <= content.bytes - from);
  if (length == 0) return;
  const bool same = !contents_.empty() && contents_.back().sample == content.sample &&
                    contents_.back().seed == content.seed;
  if (!same) contents_.push_back(content);
  Piece& piece = add(Kind::kContent, length);
  piece.source = from;
  piece.map = map;
  piece.content = contents_.size() - 1;
}

void FilePieces::content(const SampleContent& content, std::uint64_t from, std::uint64_t length,
                         PlaceMap map) {
  this->content(content, from, length);
  if (length == 0) return;
  places_.push_back(std::move(map));
  pieces_.back().place = places_.size();
}

void FilePieces::begin_checksum(ChecksumKind kind) { add(Kind::kBegin, 0).checksum = kind; }
void FilePieces::pause_checksum(ChecksumKind kind) { add(Kind::kPause, 0).checksum = kind; }
void FilePieces::resume_checksum(ChecksumKind kind) { add(Kind::kResume, 0).checksum = kind; }

void FilePieces::end_checksum(ChecksumKind kind) {
  add(Kind::kEnd, checksum_bytes(kind)).checksum = kind;
}

// Goes through the bytes of the file, in order or from any offset.
class PieceReader {
 public:
  explicit PieceReader(FilePieces pieces) : pieces_(std::move(pieces)) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t file_bytes() const { return pieces_.size(); }

  void seek(std::uint64_t offset) {
    if (offset == position_) return;
    const auto& list = pieces_.pieces_;
    const auto next = std::partition_point(
        list.begin(), list.end(),
        [&](const FilePieces::Piece& piece) { return piece.begin + piece.length < offset; });
    piece_ = static_cast<std::size_t>(next - list.begin());
    position_ = offset;
    running_.fill({});
    finished_.reset();
  }

  // Fills the front of `out`; it is nullopt for stored checksum bytes that are not known. Returns
  // the number of bytes it concerns, which is 0 at the end of the file.
  struct Step {
    std::size_t length = 0;
    bool known = true;
    bool is_content = false;
  };
  Step next(std::span<std::byte> out) {
    const auto& list = pieces_.pieces_;
    // Marks of checksums have no bytes, so several pieces may end at one position.
    while (piece_ < list.size() && position_ == list[piece_].begin + list[piece_].length) {
      mark(list[piece_]);
      ++piece_;
      if (piece_ < list.size() && list[piece_].kind == FilePieces::Kind::kEnd) {
        Running& ended = running_[static_cast<std::size_t>(list[piece_].checksum)];
        finished_ = ended.value;
        ended = {};
      }
    }
    if (piece_ == list.size() || out.empty()) return {};
    const FilePieces::Piece& piece = list[piece_];
    const std::uint64_t within = position_ - piece.begin;
    const std::size_t length =
        std::min<std::uint64_t>({out.size(), piece.length - within, kCheckSliceBytes});
    Step step{length, true, piece.kind == FilePieces::Kind::kContent};
    step.known = fill(piece, within, out.first(length));
    position_ += length;
    return step;
  }
  // Must be called with the true bytes of each step, so that the checksums go on.
  void passed(std::span<const std::byte> bytes) {
    for (std::size_t kind = 0; kind < kChecksumKinds; ++kind)
      if (running_[kind].value && !running_[kind].paused)
        running_[kind].value =
            update_checksum(static_cast<ChecksumKind>(kind), *running_[kind].value, bytes);
  }

 private:
  struct Running {
    std::optional<std::uint32_t> value;  // none: not begun, or its beginning was not seen
    bool paused = false;
  };
  void mark(const FilePieces::Piece& piece) {
    Running& state = running_[static_cast<std::size_t>(piece.checksum)];
    if (piece.kind == FilePieces::Kind::kBegin)
      state = {checksum_of_nothing(piece.checksum), false};
    if (piece.kind == FilePieces::Kind::kPause) state.paused = true;
    if (piece.kind == FilePieces::Kind::kResume) state.paused = false;
  }
  bool fill(const FilePieces::Piece& piece, std::uint64_t within, std::span<std::byte> out) {
    switch (piece.kind) {
      case FilePieces::Kind::kLiteral:
        std::memcpy(out.data(), pieces_.literals_.data() + piece.source + within, out.size());
        return true;
      case FilePieces::Kind::kZeros:
        std::memset(out.data(), 0, out.size());
        return true;
      case FilePieces::Kind::kContent:
        fill_content(pieces_.contents_[piece.content], piece.source + within, out);
        if (piece.map != nullptr)
          for (std::byte& byte : out) byte = piece.map(byte);
        if (piece.place != 0) pieces_.places_[piece.place - 1](piece.source + within, out);
        return true;
      case FilePieces::Kind::kEnd:
        if (!finished_) return false;
        for (std::size_t i = 0; i < out.size(); ++i)
          out[i] = static_cast<std::byte>(*finished_ >> (8 * (piece.length - 1 - within - i)));
        return true;
      default:
        break;
    }
    return true;
  }

  const FilePieces pieces_;
  std::size_t piece_ = 0;
  std::uint64_t position_ = 0;
  std::array<Running, kChecksumKinds> running_{};
  std::optional<std::uint32_t> finished_;
};

namespace {

class PieceRenderer : public Renderer {
 public:
  explicit PieceRenderer(FilePieces pieces) : reader_(std::move(pieces)) {}

  std::size_t next(std::span<std::byte> out) override {
    std::size_t written = 0;
    while (written < out.size()) {
      const auto step = reader_.next(out.subspan(written));
      if (step.length == 0) break;
      reader_.passed(out.subspan(written, step.length));
      written += step.length;
    }
    return written;
  }

 private:
  PieceReader reader_;
};

class PieceVerifier : public Verifier {
 public:
  explicit PieceVerifier(FilePieces pieces)
      : reader_(std::move(pieces)), expected_(kCheckSliceBytes) {}

  Result<> consume(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (offset < reader_.file_bytes()) reader_.seek(offset);
    while (!bytes.empty()) {
      const std::uint64_t at = offset;
      const auto step =
          at < reader_.file_bytes()
              ? reader_.next(std::span(expected_).first(std::min(bytes.size(), expected_.size())))
              : PieceReader::Step{};
      if (step.length == 0) return corrupt_at(at, "bytes after the planned end of the file");
      const auto actual = bytes.first(step.length);
      const auto expected = std::span<const std::byte>(expected_).first(step.length);
      if (step.known)
        if (const auto wrong = first_mismatch(actual, expected))
          return corrupt_at(at + *wrong, step.is_content
                                             ? "content differs from what was written"
                                             : "structure differs from what was written");
      reader_.passed(actual);
      bytes = bytes.subspan(step.length);
      offset += step.length;
    }
    return {};
  }

 private:
  PieceReader reader_;
  std::vector<std::byte> expected_;
};

class AcceptingVerifier : public Verifier {
 public:
  Result<> consume(std::uint64_t, std::span<const std::byte>) override { return {}; }
};

}  // namespace

std::unique_ptr<Verifier> accept_anything() { return std::make_unique<AcceptingVerifier>(); }

std::unique_ptr<Renderer> render_pieces(FilePieces pieces) {
  return std::make_unique<PieceRenderer>(std::move(pieces));
}

std::unique_ptr<Verifier> verify_pieces(FilePieces pieces) {
  return std::make_unique<PieceVerifier>(std::move(pieces));
}

}  // namespace feedrate
