// The counts of the loaders of one reactor: plain values, merged after the run.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/units.h"
#include "feedrate/result/run_result.h"
#include "feedrate/stats/histogram.h"
#include "feedrate/stats/stall_ledger.h"
#include "feedrate/stats/time_series.h"

namespace feedrate {

struct ReaderStats {
  explicit ReaderStats(Instant origin)
      : samples(origin, std::chrono::seconds(1)),
        bytes(origin, std::chrono::seconds(1)),
        compute(origin, std::chrono::seconds(1)),
        stalls(origin) {}

  Histogram open_ns, read_ns;
  std::uint64_t samples_read = 0, bytes_asked = 0, bytes_moved = 0;
  Duration busy{};  // summed time of opens and reads in flight
  // CPU time of checking or decoding, and how much came of it.
  Duration processing_cpu{};
  std::uint64_t samples_processed = 0, bytes_processed = 0, bytes_decoded = 0;
  // Bytes that the samples of an epoch take in the files, and bytes that reads returned for them.
  // Where there are very many epochs, the last entry is the sum of the rest.
  struct EpochBytes {
    std::uint64_t located = 0, returned = 0;
  };
  static constexpr std::size_t kEpochsMax = 4096;
  std::vector<EpochBytes> epochs;
  EpochBytes& epoch(std::uint64_t number) {
    const std::size_t index = number < kEpochsMax ? number : kEpochsMax - 1;
    if (index >= epochs.size()) epochs.resize(index + 1);
    return epochs[index];
  }
  TimeSeries samples, bytes, compute;
  StallLedger stalls;  // of the accelerators of this reactor
  std::map<ErrorKind, ErrorCount> errors;

  void add_open(Duration latency) {
    open_ns.record(static_cast<std::uint64_t>(latency.count()));
    busy += latency;
  }
  void add_read(Instant begin, Instant end, std::uint64_t asked, std::uint64_t moved) {
    read_ns.record(static_cast<std::uint64_t>((end - begin).count()));
    busy += end - begin;
    bytes_asked += asked;
    bytes_moved += moved;
    bytes.add(end, static_cast<double>(moved));
  }
  void add_error(const Error& error) {
    ErrorCount& count = errors[error.kind()];
    if (count.count++ == 0) {
      count.kind = to_string(error.kind());
      count.first_message = error.message();
    }
  }
  void merge(const ReaderStats& other);
};

}  // namespace feedrate
