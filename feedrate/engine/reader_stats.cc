#include "feedrate/engine/reader_stats.h"

namespace feedrate {

void ReaderStats::merge(const ReaderStats& other) {
  open_ns.merge(other.open_ns);
  read_ns.merge(other.read_ns);
  samples_read += other.samples_read;
  bytes_asked += other.bytes_asked;
  bytes_moved += other.bytes_moved;
  busy += other.busy;
  samples.merge(other.samples);
  bytes.merge(other.bytes);
  compute.merge(other.compute);
  stalls.merge(other.stalls);
  processing_cpu += other.processing_cpu;
  samples_processed += other.samples_processed;
  bytes_processed += other.bytes_processed;
  bytes_decoded += other.bytes_decoded;
  for (const auto& [kind, count] : other.errors) {
    ErrorCount& mine = errors[kind];
    if (mine.count == 0)
      mine = count;
    else
      mine.count += count.count;
  }
}

}  // namespace feedrate
