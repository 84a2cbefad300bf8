#include "feedrate/format/hdf5/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/units.h"

namespace feedrate::hdf5 {
namespace {

std::uint64_t divided_up(std::uint64_t number, std::uint64_t by) { return (number + by - 1) / by; }

Result<bool> on_or_off(const std::string& name, const std::string& value) {
  if (value == "on" || value == "true") return true;
  if (value == "off" || value == "false") return false;
  return fail(ErrorKind::kUsage, fmt::format("{}: expected on or off, got '{}'", name, value),
              "see dataset.format_options");
}

}  // namespace

Result<Options> parse_options(const FormatOptions& options) {
  Options result;
  for (const auto& [key, value] : options) {
    if (key == "chunk_bytes") {
      FEEDRATE_TRY(result.chunk_bytes, parse_bytes(value, key));
      if (result.chunk_bytes < kElementBytes || result.chunk_bytes > kChunkBytesMax)
        return fail(ErrorKind::kUsage,
                    fmt::format("chunk_bytes: from 4 B to 64 MiB, got {}", value),
                    "h5py makes chunks of 16 KiB to 1 MiB");
    } else if (key == "gzip") {
      FEEDRATE_TRY(result.gzip, on_or_off(key, value));
    } else if (key == "shuffle") {
      FEEDRATE_TRY(result.shuffle, on_or_off(key, value));
    } else if (key == "dataset") {
      result.dataset = value;
    } else {
      return fail(ErrorKind::kUsage, fmt::format("format 'hdf5' has no option '{}'", key),
                  "it has chunk_bytes, gzip, shuffle and dataset");
    }
  }
  if (result.gzip && result.chunk_bytes == 0)
    return fail(ErrorKind::kUsage, "gzip: only chunks can be compressed",
                "add the option chunk_bytes");
  if (result.shuffle && !result.gzip)
    return fail(ErrorKind::kUsage, "shuffle: serves compression alone", "add the option gzip: on");
  return result;
}

Row::Row(std::uint64_t payload_bytes, const Options& options) {
  elements = std::max<std::uint64_t>(1, divided_up(payload_bytes, kElementBytes));
  if (options.chunk_bytes == 0) {
    chunk_elements = elements;
    chunks = 1;
  } else {
    // All chunks have one size, so it is chosen to leave little of the last one to padding.
    const std::uint64_t most = options.chunk_bytes / kElementBytes;
    chunk_elements = divided_up(elements, divided_up(elements, most));
    chunks = divided_up(elements, chunk_elements);
  }
  stored_chunk_bytes = chunk_elements * kElementBytes;
  if (options.gzip)
    stored_chunk_bytes += 2 + kBlockHeadBytes * divided_up(stored_chunk_bytes, kBlockBytes) + 4;
}

}  // namespace feedrate::hdf5
