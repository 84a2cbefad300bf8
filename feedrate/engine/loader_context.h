// What the loaders of one reactor share. Private to engine/.
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
  std::uint64_t buffer_bytes;  // of what is asked for, that one buffer holds
  // The run must stop; called at most once per reader.
  std::function<void(const Error&)> on_fatal;
  double stream_bytes_per_second = 0;  // of one read, set before the first; 0: unknown
  std::vector<std::unique_ptr<Decoder>> idle_decoders = {};

  bool faithful() const { return plan.client == ClientKind::kFaithful; }
};

}  // namespace feedrate
