// What is done with the bytes of samples once they are there: held, checked, or decoded by the
// format's real library on worker threads. One per loader, on its reactor's thread.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "feedrate/engine/loader_context.h"
#include "feedrate/engine/stall_trace.h"

namespace feedrate {

// Where the bytes of a piece of work go, beside being counted.
struct Sink {
  StallTrace& trace;
  Verifier* verifier = nullptr;
  std::vector<std::byte>* gathered = nullptr;  // all of them, in order, to be decoded
  bool is_sample = true;                       // not metadata, labels or the like
  bool in_order() const { return verifier != nullptr || gathered != nullptr; }
};

class Processing {
 public:
  explicit Processing(LoaderContext& context) : context_(context) {}

  // Bytes of the file at `offset` have come.
  Result<> take(const std::string& path, std::span<const std::byte> bytes, std::uint64_t offset,
                const Sink& sink);
  // Makes tensors of the gathered bytes of samples with these lengths.
  Task<Result<>> decode(const std::string& path, const std::vector<std::byte>& gathered,
                        const std::vector<std::uint64_t>& lengths);
  // Where no bytes move there is nothing to decode: it takes the time that the plan says.
  Task<Result<>> emulate_decoding(std::uint64_t samples);
  bool decodes() const;
  bool emulates_decoding() const;
  // Whether it takes time of its own, so that a batch is complete only after it.
  bool takes_time() const;
  // A batch of `samples` leaves memory, and `left` samples stay there.
  void release(std::uint64_t samples, std::uint64_t left);

 private:
  LoaderContext& context_;
  std::deque<std::vector<std::byte>> held_;  // what the window's samples brought in (--hold)
};

}  // namespace feedrate
