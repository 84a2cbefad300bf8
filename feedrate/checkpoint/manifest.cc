#include "feedrate/checkpoint/manifest.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "feedrate/base/json_text.h"
#include "feedrate/base/text.h"

namespace feedrate {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t kVersion = 1;
// The largest file; below it sums of sizes do not overflow.
constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 60U;
constexpr std::uint64_t kSumBlockMax = std::uint64_t{1} << 30U;

// Many readers take JSON numbers as doubles, so 64-bit checksums are written as text.
std::string hex(std::uint64_t value) { return fmt::format("{:016x}", value); }

std::uint64_t from_hex(const Json& json) {
  const auto text = json.get<std::string>();
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (code != std::errc{} || end != text.data() + text.size())
    throw Json::other_error::create(501, "'" + text + "' is no checksum", &json);
  return value;
}

// The parser turns numbers beyond 64 bits into doubles, whose conversion to an integer is
// undefined, so they are refused.
template <class T>
void read_count(const Json& json, T& target) {
  if (!json.is_number_unsigned() || json.get<std::uint64_t>() > std::numeric_limits<T>::max())
    throw Json::other_error::create(501, "'" + json_text(json, -1) + "' is no count", &json);
  target = json.get<T>();
}
void read_counts(const Json& json, std::vector<std::uint64_t>& target) {
  for (const Json& entry : json) read_count(entry, target.emplace_back());
}

std::string hex(const std::vector<std::uint64_t>& values) {
  std::string text;
  text.reserve(16 * values.size());
  for (const std::uint64_t value : values) text += hex(value);
  return text;
}

Json to_json(const FileRecord& file) {
  Json json{{"path", file.path},
            {"begin", file.begin},
            {"bytes", file.bytes},
            {"frame", hex(file.frame_checksum)},
            {"pieces", Json::array()}};
  for (const PieceRecord& record : file.pieces) {
    const TensorPiece& piece = record.placed.piece;
    json["pieces"].push_back({{"name", piece.name},
                              {"dtype", to_string(piece.dtype)},
                              {"global", piece.global},
                              {"begin", piece.begin},
                              {"shape", piece.shape},
                              {"offset", record.placed.offset},
                              {"xxh3", hex(record.checksum)}});
    if (!record.block_sums.empty()) json["pieces"].back()["blocks"] = hex(record.block_sums);
    if (!record.changed.empty()) {
      Json& changed = json["pieces"].back()["changed"] = Json::array();
      for (const BlockRun& run : record.changed) changed.push_back({run.first, run.count});
    }
  }
  return json;
}

Dtype dtype_from(const Json& json) {
  const auto text = json.get<std::string>();
  for (const Dtype dtype : {Dtype::kF32, Dtype::kBf16, Dtype::kU8})
    if (to_string(dtype) == text) return dtype;
  throw Json::other_error::create(501, "'" + text + "' is no type of a tensor", &json);
}

// Reads the checksums of all blocks, and the runs of changed ones, which must be ascending and lie
// within the piece.
void read_blocks(const Json& json, std::uint64_t block_bytes, PieceRecord& record) {
  const auto wrong = [&](std::string_view what) {
    throw Json::other_error::create(
        501, fmt::format("'{}' has wrong {}", record.placed.piece.name, what), &json);
  };
  const std::uint64_t blocks = block_count(record.placed.piece.bytes(), block_bytes);
  const auto sums = json.at("blocks").get<std::string>();
  if (sums.size() / 16 != blocks || sums.size() % 16 != 0) wrong("sums of blocks");
  for (std::size_t at = 0; at < sums.size(); at += 16)
    record.block_sums.push_back(from_hex(Json(sums.substr(at, 16))));
  std::uint64_t end = 0;
  for (const Json& entry : json.value("changed", Json::array())) {
    BlockRun run;
    read_count(entry.at(0), run.first);
    read_count(entry.at(1), run.count);
    if (run.first < end || run.count == 0 || run.first > blocks || run.count > blocks - run.first)
      wrong("runs of blocks");
    end = run.first + run.count;
    record.changed.push_back(run);
  }
}

PieceRecord piece_from(const Json& json, std::uint64_t file_bytes, std::uint64_t block_bytes) {
  PieceRecord record;
  TensorPiece& piece = record.placed.piece;
  json.at("name").get_to(piece.name);
  piece.dtype = dtype_from(json.at("dtype"));
  read_counts(json.at("global"), piece.global);
  read_counts(json.at("begin"), piece.begin);
  read_counts(json.at("shape"), piece.shape);
  read_count(json.at("offset"), record.placed.offset);
  record.checksum = from_hex(json.at("xxh3"));
  // Shapes come from a file that may be damaged, so the product of the dimensions is checked for
  // overflow before anybody uses it.
  const std::size_t dimensions = piece.global.size();
  const bool shaped = dimensions > 0 && dimensions <= kTensorDimensionsMax &&
                      piece.begin.size() == dimensions && piece.shape.size() == dimensions;
  bool fits = shaped;
  std::uint64_t bytes = dtype_bytes(piece.dtype);
  for (std::size_t d = 0; fits && d < dimensions; ++d) {
    fits = piece.begin[d] <= piece.global[d] &&
           piece.shape[d] <= piece.global[d] - piece.begin[d] &&
           !__builtin_mul_overflow(bytes, piece.shape[d], &bytes);
  }
  if (!fits || record.placed.offset > file_bytes || bytes > file_bytes - record.placed.offset)
    throw Json::other_error::create(501, "'" + piece.name + "' does not fit", &json);
  if (block_bytes > 0 && bytes > 0) read_blocks(json, block_bytes, record);
  return record;
}

FileRecord file_from(const Json& json, std::uint64_t block_bytes) {
  FileRecord file;
  json.at("path").get_to(file.path);
  read_count(json.at("begin"), file.begin);
  read_count(json.at("bytes"), file.bytes);
  file.frame_checksum = from_hex(json.at("frame"));
  if (file.begin > kBytesMax || file.bytes > kBytesMax)
    throw Json::other_error::create(501, "'" + file.path + "' cannot be as large", &json);
  // Refuses paths that lead out of the checkpoint, whatever a damaged or foreign manifest says.
  if (file.path.empty() || file.path.front() == '/' || file.path.find("..") != std::string::npos)
    throw Json::other_error::create(501, "'" + file.path + "' is outside", &json);
  std::uint64_t end = 0;
  for (const Json& entry : json.at("pieces")) {
    file.pieces.push_back(piece_from(entry, file.bytes, block_bytes));
    const PlacedPiece& placed = file.pieces.back().placed;
    if (placed.offset < end)
      throw Json::other_error::create(501, "'" + placed.piece.name + "' overlaps", &entry);
    end = placed.offset + placed.piece.bytes();
  }
  return file;
}

CheckpointManifest manifest_from(const Json& json) {
  CheckpointManifest manifest;
  read_count(json.at("step"), manifest.step);
  json.at("model").get_to(manifest.model);
  json.at("layout").get_to(manifest.layout);
  const Json& parallel = json.at("parallelism");
  read_count(parallel.at("tensor"), manifest.parallelism.tensor);
  read_count(parallel.at("pipeline"), manifest.parallelism.pipeline);
  read_count(parallel.at("data"), manifest.parallelism.data);
  read_count(parallel.at("zero_stage"), manifest.parallelism.zero_stage);
  json.at("weight_bytes").get_to(manifest.weight_bytes);
  json.at("optimizer_bytes").get_to(manifest.optimizer_bytes);
  json.at("scale").get_to(manifest.scale);
  if (json.contains("sum_block_bytes")) {
    read_count(json.at("sum_block_bytes"), manifest.sum_block_bytes);
    if (manifest.sum_block_bytes == 0 || manifest.sum_block_bytes > kSumBlockMax)
      throw Json::other_error::create(501, "no block is so large", &json);
  }
  if (json.contains("parent")) {
    read_count(json.at("parent"), manifest.parent.emplace());
    read_count(json.at("increments"), manifest.increments);
    // A parent is always older, which also makes sure that a chain of damaged manifests ends.
    if (*manifest.parent >= manifest.step || manifest.increments == 0 ||
        manifest.sum_block_bytes == 0)
      throw Json::other_error::create(501, "no parent can be so", &json);
  }
  const Json& content = json.at("content");
  json.at("emulated").get_to(manifest.emulated);
  manifest.content.seed = from_hex(content.at("seed"));
  content.at("changed").get_to(manifest.content.changed);
  read_count(content.at("block_bytes"), manifest.content.block_bytes);
  if (manifest.content.block_bytes == 0 || !(manifest.content.changed > 0))
    throw Json::other_error::create(501, "zero blocks", &json);
  for (const Json& entry : json.at("ranks")) {
    RankRecord rank;
    read_count(entry.at("rank"), rank.rank);
    for (const Json& file : entry.at("files"))
      rank.files.push_back(file_from(file, manifest.sum_block_bytes));
    manifest.ranks.push_back(std::move(rank));
  }
  return manifest;
}

Json to_json(const CheckpointManifest& manifest) {
  Json json{{"feedrate_checkpoint", kVersion},
            {"step", manifest.step},
            {"model", manifest.model},
            {"layout", manifest.layout},
            {"parallelism",
             {{"tensor", manifest.parallelism.tensor},
              {"pipeline", manifest.parallelism.pipeline},
              {"data", manifest.parallelism.data},
              {"zero_stage", manifest.parallelism.zero_stage}}},
            {"weight_bytes", manifest.weight_bytes},
            {"optimizer_bytes", manifest.optimizer_bytes},
            {"scale", manifest.scale},
            {"emulated", manifest.emulated},
            {"content",
             {{"seed", hex(manifest.content.seed)},
              {"changed", manifest.content.changed},
              {"block_bytes", manifest.content.block_bytes}}},
            {"ranks", Json::array()}};
  if (manifest.sum_block_bytes > 0) json["sum_block_bytes"] = manifest.sum_block_bytes;
  if (manifest.parent) {
    json["parent"] = *manifest.parent;
    json["increments"] = manifest.increments;
  }
  for (const RankRecord& rank : manifest.ranks) {
    Json entry{{"rank", rank.rank}, {"files", Json::array()}};
    for (const FileRecord& file : rank.files) entry["files"].push_back(to_json(file));
    json["ranks"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace

std::uint64_t block_count(std::uint64_t bytes, std::uint64_t block_bytes) {
  return bytes / block_bytes + (bytes % block_bytes > 0 ? 1 : 0);
}

std::uint64_t PieceRecord::changed_bytes(std::uint64_t block_bytes) const {
  const std::uint64_t bytes = placed.piece.bytes();
  std::uint64_t sum = 0;
  for (const BlockRun& run : changed)
    sum += std::min(bytes, (run.first + run.count) * block_bytes) - run.first * block_bytes;
  return sum;
}

std::uint64_t FileRecord::frame_bytes() const {
  std::uint64_t sum = bytes;
  for (const PieceRecord& piece : pieces) sum -= piece.placed.piece.bytes();
  return sum;
}

std::uint64_t RankRecord::bytes() const {
  std::uint64_t sum = 0;
  for (const FileRecord& file : files) sum += file.bytes;
  return sum;
}
std::uint64_t RankRecord::changed_bytes(std::uint64_t block_bytes) const {
  std::uint64_t sum = 0;
  for (const FileRecord& file : files) {
    sum += file.frame_bytes();
    for (const PieceRecord& piece : file.pieces) sum += piece.changed_bytes(block_bytes);
  }
  return sum;
}

std::uint64_t CheckpointManifest::bytes() const {
  std::uint64_t sum = 0;
  for (const RankRecord& rank : ranks) sum += rank.bytes();
  return sum;
}
std::uint64_t CheckpointManifest::stored_bytes() const {
  if (!parent) return bytes();
  std::uint64_t sum = 0;
  for (const RankRecord& rank : ranks) sum += rank.changed_bytes(sum_block_bytes);
  return sum;
}

std::string checkpoint_to_json(const CheckpointManifest& manifest) {
  // The text has two lines: the manifest, and the checksum of that line.
  const std::string text = json_text(to_json(manifest), -1);
  return fmt::format("{}\n{}\n", text, hex(XXH3_64bits(text.data(), text.size())));
}

Result<CheckpointManifest> checkpoint_from_json(std::string_view text, std::string_view origin) {
  const auto wrong = [&](std::string_view why) {
    return fail(ErrorKind::kCorrupt,
                fmt::format("{}: no checkpoint of ours: {}", quote_path(origin), why));
  };
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return wrong("it has no checksum");
  const std::string_view body = text.substr(0, line);
  if (text.substr(line + 1) != hex(XXH3_64bits(body.data(), body.size())) + "\n")
    return wrong("its checksum is wrong");
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return wrong("it is not a JSON object");
  try {
    std::uint32_t version = 0;
    read_count(json.at("feedrate_checkpoint"), version);
    if (version > kVersion) return wrong("it was written by a newer version");
    return manifest_from(json);
  } catch (const Json::exception& problem) {
    return wrong(problem.what());
  }
}

std::string step_folder(std::uint64_t step) { return fmt::format("step-{:010}", step); }

}  // namespace feedrate
