// Time in which this host did not let the client run: what it does to the stall ledger, and to the
// verdict.
#pragma once

#include <span>
#include <vector>

#include "feedrate/engine/train.h"
#include "feedrate/host/proc_files.h"
#include "feedrate/runtime/late_watch.h"
#include "feedrate/stats/stall_ledger.h"

namespace feedrate {

// By the kernel's files; what it does not count stays 0.
HostCounters read_host_counters(const HostRoots& roots = {});

// The pieces of a stall over [begin, start), with those parts named kHost in which this host did
// not run. Together they are as long as before.
std::vector<StallPiece> blame_host(std::vector<StallPiece> pieces, Instant begin, Instant start,
                                   std::span<const HostPause> pauses);

HostTime summarise_host_time(const TrainingOutcome& outcome);

// Adds why the run does not count, if so: stopped or held back by a quota for more than a twentieth
// of it; or processors stolen, where the utilisation with and without the steps that this hit
// differs by more than their confidence intervals.
void judge_host_time(const TrainingPlan& plan, const TrainingOutcome& outcome, RunResult& result);

}  // namespace feedrate
