#include "feedrate/engine/stream_rate.h"

#include <algorithm>

namespace feedrate {
namespace {

constexpr int kReads = 6;  // of each size; the fastest counts
constexpr std::uint64_t kSmallBytes = 4096;
constexpr std::uint64_t kLargeBytes = std::uint64_t{1} << 20U;
constexpr std::uint64_t kLargeBytesMin = std::uint64_t{64} << 10U;
// Less than this is noise, not transfer.
constexpr double kSlowdownMin = 1.1;

}  // namespace

Task<StreamRate> measure_stream_rate(Storage& storage, BufferPool& buffers,
                                     const Dataset& dataset) {
  StreamRate rate;
  Reactor& reactor = storage.reactor();
  const std::uint64_t file_bytes = dataset.file_bytes(0);
  if (!storage.carries_data() || reactor.is_virtual()) co_return rate;
  Buffer buffer = co_await buffers.acquire();
  const std::uint64_t room = buffer.bytes().size() - storage.slack_bytes();
  const std::uint64_t large =
      std::min({kLargeBytes, file_bytes / 4, room}) / kSmallBytes * kSmallBytes;
  if (large < kLargeBytesMin) co_return rate;
  const std::string path = dataset.full_path(0);
  Result<FileHandle> file = co_await storage.open(path, OpenMode::kRead);
  if (!file) co_return rate;
  Duration fastest[2] = {Duration::max(), Duration::max()};
  const std::uint64_t stride = (file_bytes - large) / (2 * kReads) / kSmallBytes * kSmallBytes;
  bool usable = true;
  for (int read = 0; usable && read < 2 * kReads; ++read) {
    const std::uint64_t length = read % 2 == 0 ? kSmallBytes : large;
    const std::uint64_t offset = stride * static_cast<std::uint64_t>(read);
    const Instant begin = reactor.refresh_now();
    const Result<ReadOutcome> outcome = co_await storage.read(**file, offset, length, buffer);
    const Instant end = reactor.refresh_now();
    if (outcome) rate.bytes_read += outcome->moved_bytes;
    usable = outcome && outcome->first_byte_at == Instant{};
    fastest[read % 2] = std::min(fastest[read % 2], end - begin);
  }
  [[maybe_unused]] const Result<> closed = co_await storage.close(std::move(*file));
  if (usable) rate.first_byte = fastest[0];
  if (!usable || to_seconds(fastest[1]) < kSlowdownMin * to_seconds(fastest[0])) co_return rate;
  rate.bytes_per_second =
      static_cast<double>(large - kSmallBytes) / to_seconds(fastest[1] - fastest[0]);
  co_return rate;
}

}  // namespace feedrate
