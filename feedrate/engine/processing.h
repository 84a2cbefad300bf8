// Processes the bytes of samples once they have been read: they are held, checked, or decoded by
// the format's real library on worker threads. There is one per loader, on its reactor's thread.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "feedrate/engine/loader_context.h"
#include "feedrate/engine/stall_trace.h"

namespace feedrate {

// Says what happens to the bytes of a piece of work, beside being counted.
struct Sink {
  StallTrace& trace;
  Verifier* verifier = nullptr;
  std::vector<std::byte>* gathered = nullptr;  // Collects all of them in order, to be decoded.
  bool is_sample = true;                       // False for metadata, labels and the like.
  bool in_order() const { return verifier != nullptr || gathered != nullptr; }
};

class Processing {
 public:
  explicit Processing(LoaderContext& context) : context_(context) {}

  // Takes bytes of the file, read at `offset`.
  Result<> take(const std::string& path, std::span<const std::byte> bytes, std::uint64_t offset,
                const Sink& sink);
  // Decodes the gathered bytes into tensors; `lengths` are those of the samples in them.
  Task<Result<>> decode(const std::string& path, const std::vector<std::byte>& gathered,
                        const std::vector<std::uint64_t>& lengths);
  // Takes the time that the plan gives for decoding; used where no bytes move, so that nothing can
  // be decoded.
  Task<Result<>> emulate_decoding(std::uint64_t samples);
  bool decodes() const;
  bool emulates_decoding() const;
  // Returns whether processing takes time of its own, so that a batch is complete only after it.
  bool takes_time() const;
  // Notes that a batch of `samples` leaves memory, and that `left` samples stay there.
  void release(std::uint64_t samples, std::uint64_t left);

 private:
  LoaderContext& context_;
  // The bytes of the samples that are read ahead (--hold).
  std::deque<std::vector<std::byte>> held_;
};

}  // namespace feedrate
