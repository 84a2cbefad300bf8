// Training with failures and real checkpoints on real storage; and the time that a described
// storage takes to restore one checkpoint, from which a run of months is computed.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "feedrate/checkpoint/goodput.h"
#include "feedrate/checkpoint/restore.h"
#include "feedrate/checkpoint/write.h"

namespace feedrate {

struct GoodputSetting {
  // Makes a new group for each stretch and each restart, because a group runs once.
  std::function<Result<std::unique_ptr<ReactorGroup>>()> make_group;
  StorageFactory storage, local;
};

// A host that does everything: training is time that passes, a failure stops the writer in the
// middle of what it does, and restoring reads and checks what is there. It fails with kCorrupt when
// it finds less than there must be. `job` writes checkpoints `between` apart; `setting` and both
// jobs must outlive it.
class RealGoodput final : public GoodputHost {
 public:
  RealGoodput(const GoodputSetting& setting, const CheckpointWriteJob& job,
              const CheckpointRestoreJob& restore_job, std::stop_token stop)
      : setting_(setting), job_(job), restore_job_(restore_job), stop_(std::move(stop)) {}
  Result<Stretch> train(Duration limit) override;
  Result<Duration> restore(Duration limit) override;

 private:
  const GoodputSetting& setting_;
  const CheckpointWriteJob& job_;
  const CheckpointRestoreJob& restore_job_;
  std::stop_token stop_;
  std::uint64_t newest_ = 0;  // The step that a restart must find; 0 before the first.
};

// Returns how long all ranks take to read the files of `job`, on storage that carries no data.
Result<Duration> measure_restore(const GoodputSetting& setting, const CheckpointWriteJob& job,
                                 const std::stop_token& stop);

}  // namespace feedrate
