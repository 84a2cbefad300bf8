#include "feedrate/checkpoint/range_checker.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"

namespace feedrate {

Result<> RangeChecker::consume(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const PieceRange& range = ranges_[range_];
    const FileRecord& file = manifest_.ranks[range.place.rank].files[range.place.file];
    const PlacedPiece& placed = file.pieces[range.place.piece].placed;
    const std::size_t count = std::min<std::uint64_t>(bytes.size(), range.length - done_);
    const PieceContent content = piece_content(manifest_.content, placed.piece, manifest_.step);
    const auto wrong = first_wrong_byte(content, range.offset + done_, bytes.first(count));
    if (wrong)
      return fail(ErrorKind::kCorrupt,
                  fmt::format("{}: {} is damaged: byte {} is not what was written",
                              quote_path(file.path), placed.piece.name, *wrong));
    bytes = bytes.subspan(count);
    done_ += count;
    if (done_ < range.length) continue;
    ++range_;
    done_ = 0;
  }
  return {};
}

}  // namespace feedrate
