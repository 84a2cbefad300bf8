// A planned file as a list of pieces from first to last: fixed bytes, content of a sample, and
// checksums over what came before. A format that describes its files this way gets a renderer, and
// a verifier of known content, without code of its own. Shared by the formats, not for users of
// format.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "feedrate/format/checksum.h"
#include "feedrate/format/content.h"
#include "feedrate/format/format.h"

namespace feedrate {

// Changes content bytes into bytes that the format allows at that place.
using ByteMap = std::byte (*)(std::byte);
// Does the same for bytes that stand at `position` of the content, where that matters: a format may
// put its own marks over the content at places that it can tell from the position.
using PlaceMap = std::function<void(std::uint64_t position, std::span<std::byte> bytes)>;

class FilePieces {
 public:
  // Returns the offset of what comes next; at the end it is the size of the file.
  std::uint64_t size() const { return size_; }

  void literal(std::vector<std::byte> bytes);
  void zeros(std::uint64_t count);
  // Adds bytes [from, from + length) of the content, each through `map` if there is one.
  void content(const SampleContent& content, std::uint64_t from, std::uint64_t length,
               ByteMap map = nullptr);
  void content(const SampleContent& content, std::uint64_t from, std::uint64_t length,
               PlaceMap map);
  // Starts a checksum over the bytes that follow. Several kinds may run at once, but each kind only
  // once at a time.
  void begin_checksum(ChecksumKind kind);
  // The bytes between these two calls are left out of the checksum.
  void pause_checksum(ChecksumKind kind);
  void resume_checksum(ChecksumKind kind);
  // Ends the checksum and stores it, most significant byte first.
  void end_checksum(ChecksumKind kind);

 private:
  friend class PieceReader;
  enum class Kind : std::uint8_t { kLiteral, kZeros, kContent, kBegin, kPause, kResume, kEnd };
  struct Piece {
    std::uint64_t begin, length;
    Kind kind;
    ChecksumKind checksum;
    ByteMap map;
    std::uint64_t source;  // offset in literals_; in the content
    std::size_t content;   // index in contents_
    std::size_t place;     // 1 + index in places_, or 0
  };
  Piece& add(Kind kind, std::uint64_t length);

  std::uint64_t size_ = 0;
  std::vector<Piece> pieces_;
  std::vector<std::byte> literals_;
  std::vector<SampleContent> contents_;
  std::vector<PlaceMap> places_;
};

std::unique_ptr<Renderer> render_pieces(FilePieces pieces);
// Returns a verifier that compares every byte with what render_pieces would write. A checksum is
// compared when everything that it covers came in order just before.
std::unique_ptr<Verifier> verify_pieces(FilePieces pieces);
// Returns a verifier that accepts everything, for foreign files of formats without checksums.
std::unique_ptr<Verifier> accept_anything();

}  // namespace feedrate
