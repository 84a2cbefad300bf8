// The state that the loaders of one reactor share. Private to engine/.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "feedrate/engine/file_cache.h"
#include "feedrate/engine/reader_stats.h"
#include "feedrate/engine/training_plan.h"
#include "feedrate/engine/work_source.h"
#include "feedrate/runtime/buffers.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

struct LoaderContext {
  const TrainingPlan& plan;
  EpochOrders& orders;
  Storage& storage;
  BufferPool& buffers;
  FileCache& files;
  ReaderStats& stats;
  TrainingProgress& progress;
  // The most bytes that one read may ask for, since one buffer must hold them.
  std::uint64_t buffer_bytes;
  // Called when the run must stop, at most once for each reader.
  std::function<void(const Error&)> on_fatal;
  // The rate of one read, set before the first; 0 when it is unknown.
  double stream_bytes_per_second = 0;
  std::vector<std::unique_ptr<Decoder>> idle_decoders = {};

  bool faithful() const { return plan.client == ClientKind::kFaithful; }
};

}  // namespace feedrate
