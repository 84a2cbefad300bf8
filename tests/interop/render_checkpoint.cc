// Writes a small checkpoint in one of our layouts and says what is in it, for check_checkpoints.py
// to compare with what PyTorch reads.
//   render_checkpoint LAYOUT mixed|many|large DIRECTORY
// A line a piece: "PIECE PATH OFFSET NAME DTYPE GLOBAL BEGIN SHAPE", with "x" between dimensions.
// Byte i of piece p is (7 i + p) & 255; "large" has a piece of zeros that are not written.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/checkpoint/layout.h"
#include "feedrate/format/checksum.h"

namespace {

using namespace feedrate;
namespace fs = std::filesystem;

constexpr std::string_view kZeros = "zeros";

// Matrices cut in rows and in columns, a norm that both ranks have, a flat tensor in two parts, a
// row for each rank, and a tensor of the second rank alone.
std::vector<RankGroups> mixed() {
  std::vector<RankGroups> ranks;
  for (std::uint64_t rank = 0; rank < 2; ++rank) {
    const std::uint64_t flat = rank == 0 ? 501 : 500;
    ranks.push_back({rank,
                     {{"layer_000",
                       {{"up.weight", Dtype::kBf16, {10, 6}, {5 * rank, 0}, {5, 6}},
                        {"down.weight", Dtype::kBf16, {4, 10}, {0, 5 * rank}, {4, 5}},
                        {"norm.weight", Dtype::kF32, {33}, {0}, {33}}}},
                      {"optimizer",
                       {{"exp_avg", Dtype::kF32, {1001}, {501 * rank}, {flat}},
                        {"own", Dtype::kU8, {2, 7}, {rank, 0}, {1, 7}}}}}});
  }
  ranks[1].groups.push_back(
      {"head", {{"head.weight", Dtype::kF32, {3, 70000}, {0, 0}, {3, 70000}}}});
  return ranks;
}

// More than 16 bits count.
std::vector<RankGroups> many() {
  ShardGroup group{"many", {}};
  for (std::uint64_t i = 0; i < 70'000; ++i)
    group.pieces.push_back({fmt::format("t{}", i), Dtype::kU8, {i % 3 + 1}, {0}, {i % 3 + 1}});
  return {{0, {group}}};
}

// More than 32 bits count.
std::vector<RankGroups> large() {
  constexpr std::uint64_t kBytes = (std::uint64_t{1} << 32U) + 5;
  return {{0,
           {{"large",
             {{"first", Dtype::kF32, {5}, {0}, {5}},
              {std::string(kZeros), Dtype::kU8, {kBytes}, {0}, {kBytes}},
              {"last", Dtype::kBf16, {3, 3}, {0, 0}, {3, 3}}}}}}};
}

class File {
 public:
  File(const fs::path& path, std::uint64_t bytes) {
    fs::create_directories(path.parent_path());
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    good_ = file_ >= 0 && ::ftruncate(file_, static_cast<off_t>(bytes)) == 0;
  }
  ~File() { ::close(file_); }
  File(const File&) = delete;
  bool good() const { return good_; }
  void write(std::uint64_t offset, const std::string& bytes) {
    good_ = good_ && ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
                         static_cast<ssize_t>(bytes.size());
  }

 private:
  int file_ = -1;
  bool good_ = false;
};

// Returns the CRC-32.
std::uint32_t write_piece(File& file, const PlacedPiece& placed, std::uint64_t number) {
  constexpr std::uint64_t kBlock = std::uint64_t{1} << 20U;
  const bool zeros = placed.piece.name == kZeros;
  std::uint32_t crc32 = checksum_of_nothing(ChecksumKind::kCrc32);
  for (std::uint64_t at = 0; at < placed.piece.bytes(); at += kBlock) {
    std::string block(std::min(kBlock, placed.piece.bytes() - at), '\0');
    if (!zeros) {
      for (std::uint64_t i = 0; i < block.size(); ++i)
        block[i] = static_cast<char>((7 * (at + i) + number) & 0xff);
      file.write(placed.offset + at, block);
    }
    crc32 = update_checksum(ChecksumKind::kCrc32, crc32, std::as_bytes(std::span(block)));
  }
  return crc32;
}

bool write_file(const CheckpointLayout& layout, const FilePlan& plan, const fs::path& directory,
                std::uint64_t& number) {
  File file(directory / plan.path, plan.bytes);
  std::vector<std::uint32_t> crc32;
  for (const FileText& text : plan.texts) file.write(text.offset, text.bytes);
  for (const PlacedPiece& placed : plan.pieces) {
    const TensorPiece& piece = placed.piece;
    fmt::print("{} {} {} {} {} {} {} {}\n", number, plan.path, placed.offset, piece.name,
               to_string(piece.dtype), fmt::join(piece.global, "x"), fmt::join(piece.begin, "x"),
               fmt::join(piece.shape, "x"));
    crc32.push_back(write_piece(file, placed, number++));
    file.write(placed.offset + piece.bytes(),
               layout.after_piece(plan, crc32.size() - 1, crc32.back()));
  }
  file.write(plan.trailer_offset, layout.trailer(plan, crc32));
  return file.good();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 4 ? argv[2] : "";
  if (what != "mixed" && what != "many" && what != "large") {
    std::fprintf(stderr, "usage: see the top of render_checkpoint.cc\n");
    return 2;
  }
  const auto layout = make_checkpoint_layout(argv[1]);
  if (!layout) {
    std::fputs(layout.error().render().c_str(), stderr);
    return layout.error().exit_code();
  }
  const fs::path directory = argv[3];
  const auto ranks = (*layout)->place(what == "mixed"  ? mixed()
                                      : what == "many" ? many()
                                                       : large());
  std::uint64_t number = 0;
  bool good = true;
  for (const RankFiles& rank : ranks)
    for (const FilePlan& plan : rank.files)
      good = write_file(**layout, plan, directory, number) && good;
  for (const WholeFile& whole : (*layout)->common_files(ranks)) {
    File file(directory / whole.path, whole.bytes.size());
    file.write(0, whole.bytes);
    good = good && file.good();
  }
  return good ? 0 : 3;
}
