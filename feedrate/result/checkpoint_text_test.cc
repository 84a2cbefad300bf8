// Tests every sentence that `checkpoint`, `restore` and `compact` can print.
#include <gtest/gtest.h>

#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

const std::string kHead =
    "  parallelism      tensor 4 x pipeline 2 x data 3 = 24 ranks, ZeRO 1\n"
    "  emulated         5 of 24 ranks, the model scaled to 50.0 % of its parameters\n"
    "  read by          tensor 2\n";
const std::string kTail =
    "  failures         5 in 16m 40s, one every 15m 00s (2h 00m of an accelerator / accelerators); "
    "2 while a checkpoint was written, 1 while restarting\n"
    "  goodput          80.00 % of the time was training that lasts; closed form 81.00 %\n"
    "  the rest         checkpoints 5.00 %, training done again 10.00 %, restarts 4.00 %, reading "
    "1.00 %\n"
    "  interval         60.0 s of training between two; 75.0 s would be best, with 82.00 %\n"
    "  left out         step 5: damaged\n"
    "  error: 2 x io: read \"x\" at offset 3: Input/output error\n"
    "  warning: a warning\n"
    "  warning: another\n";

TEST(CheckpointText, AllThatACheckpointCanSay) {
  EXPECT_EQ(
      to_text(full_checkpoint()),
      "step 30 is whole: 1000 MiB in \"ck\" (interrupted: partial result)\n"
      "checkpoint llama3-8b: a model\n" +
          kHead +
          "  written          3 checkpoints, 1000 MiB each, 41 files, layout dcp\n"
          "  taken            asynchronous, snapshots in 1 GiB of host memory, first to "
          "\"/local\", from there to the shared level, at most 200 MB/s behind training\n"
          "  incremental      2 of 3 whole, the others 50.0 % of their bytes; 1.5 GiB written "
          "in all\n"
          "  needed           700 MiB of what was read\n"
          "  through          posix (direct), 9 at once a rank in blocks of 4 MiB, 6 "
          "threads\n"
          "  data             made and summed up at 3.00 GB/s a core when nothing is "
          "written\n"
          "  no step for      4.0 s (median of 3, 3.0 s to 5.0 s)\n"
          "  of which         up to 250.00 ms for the one before to be written\n"
          "  persisted        5.0 s (median of 3, 4.0 s to 6.0 s)\n"
          "  restorable       6.0 s (median of 3, 5.0 s to 7.0 s)\n"
          "  on shared        7.0 s (median of 3, 6.0 s to 8.0 s)\n"
          "  all ranks        175 MB/s (0.16 GiB/s)\n"
          "  slowest rank     3.0 s (rank 3; median 1.5 s), lowest rate 87.4 MB/s (0.08 "
          "GiB/s)\n"
          "  made visible     125.00 ms\n"
          "  writes           p50 52.00 ms, p99 54.00 ms, max 56.0 ms (51 of them)\n"
          "  syncs            p50 53.00 ms, p99 55.00 ms, max 57.0 ms (52 of them)\n" +
          kTail);
}

TEST(CheckpointText, AllThatARestoreCanSay) {
  EXPECT_EQ(to_text(full_restore()),
            "step 30 is restored: 1000 MiB from \"ck\" (interrupted: partial result)\n"
            "restore llama3-8b: a model\n" +
                kHead +
                "  read             3 checkpoints, 1000 MiB each, 41 files, layout dcp\n"
                "  incremental      put together from 8 steps\n"
                "  needed           700 MiB of what was read\n"
                "  through          posix (direct), 9 at once a rank in blocks of 4 MiB, 6 "
                "threads\n"
                "  restored in      3.0 s (median of 3, 2.0 s to 4.0 s)\n"
                "  all ranks        175 MB/s (0.16 GiB/s)\n"
                "  slowest rank     3.0 s (rank 3; median 1.5 s), lowest rate 87.4 MB/s (0.08 "
                "GiB/s)\n"
                "  reads            p50 54.00 ms, p99 56.00 ms, max 58.0 ms (53 of them)\n"
                "  checked          every byte, against what was written\n" +
                kTail);
}

TEST(CheckpointText, TheVerdictOfARunThatFailsIsItsGoodput) {
  CheckpointResult result = full_checkpoint();
  result.interrupted = false;
  EXPECT_TRUE(verdict_of(result).starts_with("goodput ")) << verdict_of(result);
  EXPECT_TRUE(verdict_of(result).ends_with(" was training that lasts"));
  result.goodput->closed_form = result.goodput->lasting_seconds = 0;
  EXPECT_EQ(verdict_of(result), "no progress: failures come faster than it can save and restart");
}

TEST(CheckpointText, TheVerdictSaysWhatIsThere) {
  CheckpointResult result = full_checkpoint();
  result.goodput.reset();
  result.kept_on.clear();
  EXPECT_EQ(verdict_of(result),
            "3 checkpoints of 1000 MiB each; nothing was kept (interrupted: partial result)");
  result.interrupted = false;
  EXPECT_EQ(verdict_of(result), "3 checkpoints of 1000 MiB each; nothing was kept");
  result.passes.resize(1);
  EXPECT_EQ(verdict_of(result), "1 checkpoint of 1000 MiB each; nothing was kept");
  result.passes.clear();
  EXPECT_EQ(verdict_of(result), "no checkpoint is whole");
  result.valid = false;
  result.invalid_reasons = {"a reason", "another"};
  EXPECT_EQ(verdict_of(result), "INVALID: a reason; another");
  result = full_restore();
  result.interrupted = false;
  result.verified = false;
  EXPECT_EQ(verdict_of(result), "step 30 is read, not checked: 1000 MiB from \"ck\"");
  result.passes.clear();
  EXPECT_EQ(verdict_of(result), "nothing was read");
}

// Without a checkpoint there are no figures; what went wrong is still told.
TEST(CheckpointText, WarningsAreToldWithoutACheckpoint) {
  CheckpointResult result = full_checkpoint();
  result.passes.clear();
  result.goodput.reset();
  EXPECT_EQ(to_text(result),
            "no checkpoint is whole\n"
            "checkpoint llama3-8b: a model\n"
            "  left out         step 5: damaged\n"
            "  error: 2 x io: read \"x\" at offset 3: Input/output error\n"
            "  warning: a warning\n"
            "  warning: another\n");
}

TEST(CheckpointText, OneSynchronousCheckpointOfAWholeJobIsShort) {
  CheckpointResult result;
  result.verb = "checkpoint";
  result.model = "m";
  result.title = "t";
  result.layout = "raw";
  result.kept_on = "\"ck\"";
  result.files = 1;
  result.place = {"/ck", "posix", "direct", "real"};
  result.block_bytes = 1 << 20;
  result.at_once = 4;
  CheckpointPass pass;
  pass.step = 1;
  pass.bytes = pass.stored_bytes = 100 << 20;
  pass.blocked_seconds = pass.seconds = 2;
  pass.ranks = {{0, 100 << 20, 2}};
  pass.summarise();
  result.passes = {pass};
  EXPECT_EQ(to_text(result),
            "step 1 is whole: 100 MiB in \"ck\"\n"
            "checkpoint m: t\n"
            "  parallelism      tensor 1 x pipeline 1 x data 1 = 1 rank, ZeRO 0\n"
            "  written          1 checkpoint, 100 MiB each, 1 file, layout raw\n"
            "  through          posix (direct), 4 at once a rank in blocks of 1 MiB, 1 thread\n"
            "  no step for      2.0 s\n"
            "  all ranks        52.4 MB/s (0.05 GiB/s)\n"
            "  slowest rank     2.0 s, lowest rate 52.4 MB/s (0.05 GiB/s)\n"
            "  made visible     0 ns\n"
            "  writes           p50 0.00 ms, p99 0.00 ms, max 0.0 ms (0 of them)\n"
            "  syncs            p50 0.00 ms, p99 0.00 ms, max 0.0 ms (0 of them)\n");
}

TEST(CheckpointText, ScaleOrSubsetAloneIsEmulatedToo) {
  CheckpointResult result = full_checkpoint();
  result.scale = 1;
  EXPECT_TRUE(has_line(result, "  emulated         5 of 24 ranks"));
  result.ranks_written = 24;
  EXPECT_EQ(to_text(result).find("emulated"), std::string::npos);
  result.scale = 0.5;
  EXPECT_TRUE(has_line(result,
                       "  emulated         24 of 24 ranks, the model scaled to 50.0 % of its "
                       "parameters"));
}

TEST(CheckpointText, HowItIsTaken) {
  CheckpointResult result = full_checkpoint();
  result.asynchronous = false;
  result.snapshot_memory_bytes = 0;
  result.write_limit_bytes_per_second = 0;
  EXPECT_TRUE(has_line(result,
                       "  taken            synchronous, first to \"/local\", from there to the "
                       "shared level"));
  result.local.clear();
  EXPECT_EQ(to_text(result).find("  taken "), std::string::npos);
  EXPECT_EQ(to_text(result).find("  persisted "), std::string::npos)
      << "it is when training goes on";
  result.asynchronous = true;
  EXPECT_TRUE(has_line(result, "  taken            asynchronous"));
  EXPECT_TRUE(has_line(result, "  persisted        5.0 s (median of 3, 4.0 s to 6.0 s)"));
  EXPECT_EQ(to_text(result).find("  on shared "), std::string::npos) << "there is one level";
}

TEST(CheckpointText, WaitingLessThanAMillisecondIsNone) {
  CheckpointResult result = full_checkpoint();
  for (CheckpointPass& pass : result.passes) pass.waited_seconds = 0.001;
  EXPECT_EQ(to_text(result).find("of which"), std::string::npos);
  result.passes[2].waited_seconds = 0.002;
  EXPECT_TRUE(
      has_line(result, "  of which         up to 2.00 ms for the one before to be written"));
}

TEST(CheckpointText, IncrementalOnesThatAreAllWholeSaySo) {
  CheckpointResult result = full_checkpoint();
  result.passes[1].parent.reset();
  EXPECT_TRUE(has_line(result, "  incremental      3 of 3 whole; 1.5 GiB written in all"));
  result.incremental = false;
  EXPECT_EQ(to_text(result).find("incremental"), std::string::npos);
  CheckpointResult restore = full_restore();
  restore.steps_read = 1;
  EXPECT_EQ(to_text(restore).find("incremental"), std::string::npos);
}

TEST(CheckpointText, WhatWasChecked) {
  CheckpointResult result = full_restore();
  result.read_by.clear();
  EXPECT_TRUE(
      has_line(result, "  checked          every byte, against the checksum of its tensor"));
  EXPECT_EQ(to_text(result).find("needed"), std::string::npos) << "it needs all of it";
  result.verified = false;
  EXPECT_TRUE(has_line(result, "  checked          nothing (--no-verify)"));
}

// On a virtual clock of null storage nothing takes time, and there is no rate.
TEST(CheckpointText, WithoutTimeThereAreNoRates) {
  CheckpointResult result = full_checkpoint();
  for (CheckpointPass& pass : result.passes) pass.seconds = 0;
  EXPECT_EQ(to_text(result).find("all ranks"), std::string::npos);
  EXPECT_EQ(to_text(result).find("made visible"), std::string::npos);
  result.verb = "restore";
  EXPECT_EQ(to_text(result).find("restored in"), std::string::npos);
  EXPECT_TRUE(has_line(result,
                       "  reads            p50 54.00 ms, p99 56.00 ms, max 58.0 ms (53 of "
                       "them)"));
  result.verb = "checkpoint";
  result.generation_bytes_per_second = 0;
  EXPECT_EQ(to_text(result).find("made and summed up"), std::string::npos);
}

TEST(CheckpointText, CheckpointsThatCostNothingHaveNoBestInterval) {
  CheckpointResult result = full_checkpoint();
  result.goodput->best_interval_seconds = 0;
  EXPECT_TRUE(has_line(result,
                       "  interval         60.0 s of training between two; checkpoints cost "
                       "nothing, so the shorter the better, up to 82.00 %"));
}

TEST(CheckpointText, FailuresFasterThanItCanRestart) {
  CheckpointResult result = full_checkpoint();
  result.goodput->lasting_seconds = 9;
  result.goodput->closed_form = 0.009;
  EXPECT_TRUE(has_line(result,
                       "  goodput          no progress: failures come faster than it can save and "
                       "restart"));
  EXPECT_EQ(to_text(result).find("would be best"), std::string::npos);
  result.goodput->closed_form = 0.01;  // By the formula there still is progress.
  EXPECT_TRUE(has_line(result,
                       "  goodput          0.90 % of the time was training that lasts; closed form "
                       "1.00 %"));
  result.goodput.reset();
  EXPECT_EQ(to_text(result).find("goodput"), std::string::npos);
}

TEST(CompactText, WhatWasMadeOfWhat) {
  EXPECT_EQ(to_text(full_compact()),
            "step 30 is whole now: 64 MiB from 3 steps\n"
            "compact \"/data\"\n"
            "  written          and checked in 500.00 ms (134 MB/s)\n"
            "  removed          steps 10, 20\n"
            "  error: 2 x io: read \"x\" at offset 3: Input/output error\n"
            "  warning: a warning\n"
            "  warning: another\n");
}

TEST(CompactText, WhatWasWholeIsLeftAlone) {
  CompactResult result = full_compact();
  result.steps_read = 1;
  result.removed = {10};
  result.errors.clear();
  result.warnings.clear();
  EXPECT_EQ(to_text(result),
            "step 30 was whole already; nothing was written\n"
            "compact \"/data\"\n"
            "  removed          step 10\n");
  result.removed.clear();
  EXPECT_EQ(to_text(result),
            "step 30 was whole already; nothing was written\n"
            "compact \"/data\"\n");
  result.valid = false;
  result.invalid_reasons = {"a reason"};
  EXPECT_EQ(verdict_of(result), "INVALID: a reason");
}

}  // namespace
}  // namespace feedrate
