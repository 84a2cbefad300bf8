#include "feedrate/engine/checkpoint_guest.h"

namespace feedrate {
namespace {

class WriterPart final : public StepGuest::Part {
 public:
  explicit WriterPart(std::unique_ptr<CheckpointWriter> writer) : writer_(std::move(writer)) {}
  Task<> prepare() override { return writer_->start(); }
  bool works() const override { return writer_->works(); }
  Task<bool> at_step() override { return writer_->checkpoint(); }
  Task<> finish() override { return writer_->finish(); }

 private:
  std::unique_ptr<CheckpointWriter> writer_;
};

}  // namespace

CheckpointGuest::CheckpointGuest(const TrainingCheckpoints& checkpoints, unsigned reactors)
    : checkpoints_(checkpoints), writing_(checkpoints.job, reactors, progress_) {}

std::unique_ptr<StepGuest::Part> CheckpointGuest::join(unsigned index, Reactor& reactor) {
  return std::make_unique<WriterPart>(std::make_unique<CheckpointWriter>(
      writing_, index, reactor, checkpoints_.storage(reactor),
      checkpoints_.local ? checkpoints_.local(reactor) : nullptr));
}

bool CheckpointGuest::due(std::uint64_t steps, Duration trained) const {
  if (checkpoints_.every_steps > 0) return steps % checkpoints_.every_steps == 0;
  return trained >= checkpoints_.every;
}

}  // namespace feedrate
