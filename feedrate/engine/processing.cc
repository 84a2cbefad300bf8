#include "feedrate/engine/processing.h"

#include <utility>

#include "feedrate/base/text.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {
namespace {

struct Decoded {
  Duration cpu{};
  std::uint64_t samples = 0, bytes = 0;
  std::optional<Error> error;
};

Decoded decode_samples(Decoder& decoder, std::span<const std::byte> gathered,
                       const std::vector<std::uint64_t>& lengths) {
  Decoded result;
  const Duration before = thread_cpu_time();
  for (const std::uint64_t length : lengths) {
    const auto bytes = decoder.decode(gathered.first(length));
    gathered = gathered.subspan(length);
    if (!bytes) {
      result.error = bytes.error();
      break;
    }
    ++result.samples;
    result.bytes += *bytes;
  }
  result.cpu = thread_cpu_time() - before;
  return result;
}

}  // namespace

Result<> Processing::take(const std::string& path, std::span<const std::byte> bytes,
                          std::uint64_t offset, const Sink& sink) {
  Reactor& reactor = context_.storage.reactor();
  if (context_.plan.hold) {
    held_.emplace_back(bytes.begin(), bytes.end());
    sink.trace.add(StallCause::kCopy, reactor.refresh_now());
  }
  if (!context_.storage.carries_data()) return {};
  if (sink.gathered != nullptr)
    sink.gathered->insert(sink.gathered->end(), bytes.begin(), bytes.end());
  if (sink.verifier == nullptr) return {};
  const Duration before = thread_cpu_time();
  const Result<> checked = sink.verifier->consume(offset, bytes);
  context_.stats.processing_cpu += thread_cpu_time() - before;
  context_.stats.bytes_processed += bytes.size();
  sink.trace.add(StallCause::kDecode, reactor.refresh_now());
  if (!checked) return fail(checked.error().with_context(quote_path(path)));
  return {};
}

Task<Result<>> Processing::decode(const std::string& path, const std::vector<std::byte>& gathered,
                                  const std::vector<std::uint64_t>& lengths) {
  auto& idle = context_.idle_decoders;
  std::unique_ptr<Decoder> decoder;
  if (idle.empty()) {
    decoder = context_.plan.dataset->format().decoder();
  } else {
    decoder = std::move(idle.back());
    idle.pop_back();
  }
  if (decoder == nullptr) co_return Result<>{};  // The stored bytes are the tensors.
  const std::span<const std::byte> bytes(gathered);
  auto job = context_.storage.reactor().offload(
      [&decoder, bytes, &lengths] { return decode_samples(*decoder, bytes, lengths); });
  const Decoded result = co_await job;
  idle.push_back(std::move(decoder));
  ReaderStats& stats = context_.stats;
  stats.processing_cpu += result.cpu;
  stats.samples_processed += result.samples;
  stats.bytes_processed += gathered.size();
  stats.bytes_decoded += result.bytes;
  if (result.error) co_return fail(result.error->with_context(quote_path(path)));
  co_return Result<>{};
}

Task<Result<>> Processing::emulate_decoding(std::uint64_t samples) {
  Reactor& reactor = context_.storage.reactor();
  const Instant done =
      reactor.now() + context_.plan.decode_time * static_cast<Duration::rep>(samples);
  const bool waited = co_await reactor.sleep_until(done);
  if (!waited) co_return fail(ErrorKind::kCancelled, "the run was interrupted");
  co_return Result<>{};
}

bool Processing::decodes() const {
  return context_.plan.level == ByteLevel::kDecode && context_.storage.carries_data();
}

bool Processing::emulates_decoding() const {
  return context_.plan.decode_time.count() > 0 && !context_.storage.carries_data();
}

bool Processing::takes_time() const {
  return context_.plan.level != ByteLevel::kRaw || context_.plan.hold;
}

void Processing::release(std::uint64_t samples, std::uint64_t left) {
  if (!context_.plan.hold) return;
  // A sample may have come in several pieces, so a share of the pieces goes with the batch, the
  // oldest first.
  const std::uint64_t gone = held_.size() * samples / (left + samples);
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(gone));
}

}  // namespace feedrate
