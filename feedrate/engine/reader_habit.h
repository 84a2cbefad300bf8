// A habit of readers decides which piece of work comes next and when it may begin. Private to
// engine/.
//
//   native        any reader takes any next piece, ahead across epochs
//   whole batches a reader assembles one batch after the other, those of its turn (PyTorch)
//   streams       a reader streams one file after the other (tf.data's interleave)
#pragma once

#include <cstdint>
#include <memory>

#include "feedrate/engine/stall_trace.h"
#include "feedrate/runtime/task.h"

namespace feedrate {

class Loader;
struct TrainingPlan;

class ReaderHabit {
 public:
  virtual ~ReaderHabit() = default;
  // Runs one reader until there is nothing left to read or the loader is closed.
  virtual Task<> read(StallTrace& trace, std::uint32_t reader) = 0;
};

// Makes the habit of the plan's client and order.
std::unique_ptr<ReaderHabit> make_reader_habit(const TrainingPlan& plan, Loader& loader);

}  // namespace feedrate
