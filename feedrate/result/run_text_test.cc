// Tests every sentence that a run of `train` can print.
#include <gtest/gtest.h>

#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

TEST(RunText, AllThatARunCanSay) {
  EXPECT_EQ(
      to_text(full_run()),
      "48 x h100 fed: AU 92.0 % (threshold 90.0 %), 820 MB/s (interrupted: partial result)\n"
      "resnet50: a title\n"
      "  data set         14 tfrecord files, 17,514 samples, 1.9 GiB in \"/data\"\n"
      "  accelerators     48 h100 in 6 replicas (tensor 4 x pipeline 2): batch 400 in 10 "
      "micro-batches, 224.00 ms a step (12.5 % of it the pipeline's bubble), 200 MB/s each (a "
      "source)\n"
      "  step time        measured timing; storage-benchmark training reads 4.0 x less; user "
      "training reads 3.9 x more\n"
      "  client           faithful, 4 readers, window of 3 batches, direct I/O in transfers of 256 "
      "KiB, real clock\n"
      "  utilisation      AU 92.0 % over 8 of 10 steps in 2.5 s (MLPerf's AU 95.0 %); first batch "
      "after 500.00 ms\n"
      "  throughput       820 MB/s (782 MiB/s) consumed, 6,400 samples/s; 360 reads/s, 3 MiB of "
      "them read ahead\n"
      "  samples          6,400/s with the first step, 6,450/s without it\n"
      "  bytes            2.0 GiB moved, 5.0 % more than asked (alignment)\n"
      "  open             p50 71.00 ms, p99 73.00 ms, max 75.0 ms (70 of them)\n"
      "  read             p50 901.00 ms, p99 903.00 ms, max 905.0 ms (900 of them)\n"
      "  in flight        16.9 of 32 reads on average\n"
      "  served from      storage 75.0 %, this host's page cache 20.0 %, this host's memory 5.0 % "
      "(by device counter; ext4 on vda1 moved 6.8 KiB for 2.0 GiB and 4 KiB before the run; a "
      "reason)\n"
      "  stalled          40.0 % of accelerator time: first-byte 32.0 %, startup 5.0 %, open 3.0 "
      "%; 14.0 % of it waiting for a slower rank\n"
      "                   file \"/data/slow\": 25.0 % of it, first-byte\n"
      "  held back        100.00 ms stopped, 110.00 ms by its CPU quota, 130.00 ms by the "
      "hypervisor: this host did not let the client run\n"
      "  checkpoints      3 of 112 MiB (llama3-8b, 8 ranks, every 500 steps), asynchronous; no "
      "step for 200.00 ms for one, 25.0 % of the time; restorable after 4.0 s\n"
      "  limited by       the storage: because\n"
      "  decoded          15,000 samples, 3.00 ms of CPU each (40.0 MB/s a core), 8.9 GiB of "
      "tensors\n"
      "  this host        busiest of 21 reactor threads 8.0 % busy, 0.200 CPU-s per GB, peak "
      "memory 75.3 MiB\n"
      "  error: 2 x io: read \"x\" at offset 3: Input/output error\n"
      "  warning: a warning\n"
      "  warning: another\n");
}

// A run does not mention what it does not have: a simulated one has no host, an empty one no bytes.
TEST(RunText, NothingIsSaidOfWhatThereIsNot) {
  RunResult run;
  run.verb = "train";
  run.job.workload = "w";
  run.job.title = "t";
  EXPECT_EQ(to_text(run),
            "0 x  fed: AU 0.0 % (threshold 0.0 %), 0.0 kB/s\n"
            "w: t\n"
            "  data set         0  files, 0 samples, 0 B in \"\"\n"
            "  accelerators     0 : batch 0, 0 ns a step, 0.0 kB/s each ()\n"
            "  step time         timing\n"
            "  client           \n"
            "  utilisation      AU 0.0 % over 0 of 0 steps in 0.0 s (MLPerf's AU 0.0 %); first "
            "batch after 0 ns\n"
            "  throughput       0.0 kB/s (0 MiB/s) consumed, 0 samples/s; 0 reads/s, 0 B of them "
            "read ahead\n"
            "  bytes            0 B moved\n"
            "  open             p50 0.00 ms, p99 0.00 ms, max 0.0 ms (0 of them)\n"
            "  read             p50 0.00 ms, p99 0.00 ms, max 0.0 ms (0 of them)\n"
            "  in flight        0.0 of 0 reads on average\n");
}

TEST(RunText, FedIsAtTheThresholdAndAbove) {
  RunResult run = full_run();
  run.interrupted = false;
  run.sustained_utilisation = 0.9;
  EXPECT_TRUE(run.fed());
  EXPECT_EQ(verdict_of(run), "48 x h100 fed: AU 90.0 % (threshold 90.0 %), 820 MB/s");
  run.sustained_utilisation = 0.8999;
  EXPECT_FALSE(run.fed());
  EXPECT_EQ(verdict_of(run), "48 x h100 not fed: AU 90.0 % (threshold 90.0 %), 820 MB/s");
  run.sustained_utilisation = 1;
  run.valid = false;
  EXPECT_FALSE(run.fed()) << "an INVALID run feeds nobody";
}

TEST(RunText, OneAndManyHaveTheirOwnWords) {
  RunResult run = full_run();
  run.effective["readers"] = "1";
  run.window_batches = 1;
  run.in_flight_limit = 1;
  run.reactors = 1;
  run.job.replicas = 1;
  EXPECT_TRUE(has_line(run,
                       "  client           faithful, 1 reader, window of 1 batch, direct I/O in "
                       "transfers of 256 KiB, real clock"));
  EXPECT_TRUE(has_line(run, "  in flight        16.9 of 1 read on average"));
  EXPECT_NE(to_text(run).find("  accelerators     48 h100 in 1 replica (tensor 4 x pipeline 2): "),
            std::string::npos);
  EXPECT_NE(to_text(run).find("busiest of 1 reactor thread 8.0 % busy"), std::string::npos);
  run.job.tensor_parallel = run.job.pipeline_parallel = 1;
  run.job.micro_batches = 1;
  run.job.pipeline_bubble = 0;
  EXPECT_TRUE(has_line(run,
                       "  accelerators     48 h100: batch 400, 224.00 ms a step, 200 MB/s each (a "
                       "source)"));
}

TEST(RunText, SettingsThatAreNotToldAreLeftOut) {
  RunResult run = full_run();
  run.place.io = "none";
  EXPECT_TRUE(has_line(
      run,
      "  client           faithful, 4 readers, window of 3 batches, no I/O in transfers of "
      "256 KiB, real clock"))
      << to_text(run);
  run.effective.clear();
  run.window_batches = 0;
  EXPECT_TRUE(has_line(run, "  client           no I/O, real clock")) << to_text(run);
}

TEST(RunText, StepTimesOfOtherSetsAreComparedInWords) {
  const auto words = [](double ratio) {
    RunResult run = full_run();
    run.job.other_timings = {{"other", ratio}};
    const std::string text = to_text(run);
    const std::size_t at = text.find("training reads ") + 15;
    return text.substr(at, text.find('\n', at) - at);
  };
  EXPECT_EQ(words(1), "the same");
  EXPECT_EQ(words(1.004), "the same");
  EXPECT_EQ(words(0.996), "the same");
  EXPECT_EQ(words(1.25), "1.2 x more");
  EXPECT_EQ(words(0.5), "2.0 x less");
  EXPECT_EQ(words(12), "12 x more");
  EXPECT_EQ(words(0.01), "100 x less");
}

TEST(RunText, TheFirstStepIsToldOfWithTheFrameworksClientOnly) {
  RunResult run = full_run();
  run.samples_per_second_after_first = 0;  // With one step nothing is left without it.
  EXPECT_EQ(to_text(run).find("with the first step"), std::string::npos);
  run = full_run();
  run.effective["client"] = "native";
  EXPECT_EQ(to_text(run).find("with the first step"), std::string::npos);
}

TEST(RunText, MoreThanAskedIsAlignment) {
  RunResult run = full_run();
  run.bytes_moved = run.bytes_asked;
  EXPECT_TRUE(has_line(run, "  bytes            1.9 GiB moved"));
  run.bytes_moved = run.bytes_asked / 2;  // The run was interrupted.
  EXPECT_TRUE(has_line(run, "  bytes            954 MiB moved"));
}

std::string served_from(const IoLedger& io) {
  RunResult run = full_run();
  run.io = io;
  run.bytes_moved = 4096;
  const std::string text = to_text(run), label = "\n  served from      ";
  const std::size_t at = text.find(label);
  if (at == std::string::npos) return "";
  return text.substr(at + label.size(), text.find('\n', at + 1) - at - label.size());
}

TEST(RunText, WhereTheBytesCameFrom) {
  EXPECT_EQ(served_from({}), "");
  IoLedger io;
  io.origin = "storage";
  io.storage_share = 1;
  io.page_cache_share = 0;
  io.basis = "device counter";
  io.wire = "ext4 on vda1";
  io.wire_read_bytes = 8192;
  EXPECT_EQ(served_from(io),
            "storage 100.0 %, this host's page cache 0.0 % (by device counter; ext4 on vda1 moved "
            "8 KiB for 4 KiB)");
  io.origin = "memory";
  io.origin_reason = "tmpfs keeps its files in memory";
  io.storage_share = 0;
  io.memory_share = 1;
  io.basis = "file system";
  io.wire_read_bytes.reset();
  EXPECT_EQ(served_from(io),
            "storage 0.0 %, this host's page cache 0.0 %, this host's memory 100.0 % (by file "
            "system; tmpfs keeps its files in memory)");
}

TEST(RunText, WhereNobodyCanTell) {
  IoLedger io;
  io.origin = "storage";
  io.wire_unknown = "no counter";
  EXPECT_EQ(served_from(io), "unknown (device: no counter)");
  io.page_cache_share = 0.25;
  io.basis = "residency";
  EXPECT_EQ(served_from(io),
            "unknown, this host's page cache 25.0 % (by residency; device: no counter)");
  io.origin = "unknown";
  io.origin_reason = "fuse.x gets its files from a program";
  EXPECT_EQ(served_from(io),
            "unknown, this host's page cache 25.0 % (by residency; fuse.x gets its files from a "
            "program)")
      << "that nobody counts is no news where nobody could";
}

TEST(RunText, AVerdictThatMayBeAboutMemorySaysSo) {
  const std::string mark = " (where the bytes came from is unknown)";
  RunResult run = full_run();
  run.interrupted = false;
  EXPECT_FALSE(verdict_of(run).ends_with(mark));
  run.io.storage_share.reset();
  EXPECT_FALSE(verdict_of(run).ends_with(mark)) << "memory is known";
  run.io.memory_share.reset();
  EXPECT_TRUE(verdict_of(run).ends_with(mark));
  run.interrupted = true;
  EXPECT_TRUE(verdict_of(run).ends_with(mark + " (interrupted: partial result)"));
  run.io.origin.clear();
  EXPECT_EQ(verdict_of(run).find(mark), std::string::npos) << "nothing was read";
}

TEST(RunText, StallsBelowHalfATenthOfAPercentAreLeftOut) {
  RunResult run = full_run();
  run.stalls = {};
  run.stalls.wall_ns = 100000;
  run.stalls.compute_ns = 99900;
  run.stalls.causes = {{"queue", 49, 0}, {"open", 51, 0}};
  EXPECT_TRUE(has_line(run, "  stalled          0.1 % of accelerator time: open 0.1 %"))
      << to_text(run);
  run.stalls.causes = {{"queue", 0, 50}, {"open", 50, 0}};
  EXPECT_TRUE(has_line(run,
                       "  stalled          0.1 % of accelerator time: open 0.1 %, queue 0.1 %; 0.1 "
                       "% of it waiting for a slower rank"))
      << to_text(run);
  run.stalls.causes.clear();
  run.stalls.compute_ns = run.stalls.wall_ns;
  EXPECT_TRUE(has_line(run, "  stalled          0.0 % of accelerator time"));
}

TEST(RunText, EachWayToBeHeldBackStandsByItself) {
  RunResult run = full_run();
  run.host_time = {0, 2, 0, 0, 0};
  EXPECT_TRUE(
      has_line(run,
               "  held back        2.0 s by its CPU quota: this host did not let the client "
               "run"));
  run.host_time = {0, 0, 3, 0, 0};
  EXPECT_TRUE(has_line(run,
                       "  held back        3.0 s by the hypervisor: this host did not let the "
                       "client run"));
  run.host_time = {0, 0, 0, 4, 5};  // Sums over processors count even where nobody waited for them.
  EXPECT_EQ(to_text(run).find("held back"), std::string::npos);
}

TEST(RunText, ARunThatEndedBeforeItsFirstCheckpointSaysSo) {
  RunResult run = full_run();
  run.checkpoints->count = 0;
  EXPECT_TRUE(has_line(run,
                       "  checkpoints      none: the run ended before the first (every 500 "
                       "steps)"));
  run.checkpoints.reset();
  EXPECT_EQ(to_text(run).find("  checkpoints "), std::string::npos);
}

TEST(RunText, WhatTheBytesWentThrough) {
  RunResult run = full_run();
  run.processing = {"verify", 1, 1 << 20, 0, 0.5};
  EXPECT_TRUE(
      has_line(run, "  verified         1 sample, 500.00 ms of CPU each (2.1 MB/s a core)"));
  run.processing = {"raw", 0, 0, 0, 0};
  EXPECT_EQ(to_text(run).find("  verified "), std::string::npos);
  EXPECT_EQ(to_text(run).find("  decoded "), std::string::npos);
}

TEST(RunText, APathCannotWriteToATerminal) {
  RunResult run = full_run();
  run.dataset.directory = "a\x1b[2J\"";
  run.stalls.places[0].name = "b\n";
  EXPECT_NE(to_text(run).find("in \"a\\x1b[2J\\x22\"\n"), std::string::npos) << to_text(run);
  EXPECT_NE(to_text(run).find("file \"b\\x0a\": "), std::string::npos) << to_text(run);
}

TEST(RunText, WholeFilesAreCalledSo) {
  EXPECT_EQ(describe_dataset("file", 1, 1, 17), "1 whole file, 1 sample, 17 B");
  EXPECT_EQ(describe_dataset("npz", 2, 1234, 1536), "2 npz files, 1,234 samples, 1.5 KiB");
}

}  // namespace
}  // namespace feedrate
