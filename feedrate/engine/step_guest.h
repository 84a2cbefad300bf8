// Work that stops the whole group between two steps, such as writing a checkpoint. The training
// engine knows no more of it than this.
#pragma once

#include <cstdint>
#include <memory>

#include "feedrate/base/units.h"
#include "feedrate/runtime/reactor.h"
#include "feedrate/stats/stall_ledger.h"

namespace feedrate {

class StepGuest {
 public:
  virtual ~StepGuest() = default;

  // The guest's part on one reactor. The parts of all reactors are called together, in the same
  // order.
  class Part {
   public:
    virtual ~Part() = default;
    // Called before the run's clock starts.
    virtual Task<> prepare() = 0;
    // Returns whether preparing worked; if not, nothing is trained.
    virtual bool works() const = 0;
    // Called when the group has stopped after a step. The group goes on when all parts have
    // returned. Returns false when the guest failed and the run must end.
    virtual Task<bool> at_step() = 0;
    // Called when training is over: returns when nothing of the guest goes on in the background.
    virtual Task<> finish() = 0;
  };
  // Makes the guest's part, on the thread of a reactor that trains, before the run. `reactor`
  // outlives the part.
  virtual std::unique_ptr<Part> join(unsigned index, Reactor& reactor) = 0;
  // Returns whether the group stops for the guest after this number of steps, having `trained`
  // since the start or since it stopped last. It is called under the step barrier's lock.
  virtual bool due(std::uint64_t steps, Duration trained) const = 0;
  // Returns the cause to which the ledger counts the time for which the group stood.
  virtual StallCause cause() const = 0;
};

}  // namespace feedrate
