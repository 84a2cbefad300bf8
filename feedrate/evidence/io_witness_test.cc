#include "feedrate/evidence/io_witness.h"

#include <gtest/gtest.h>

namespace feedrate {
namespace {

constexpr std::uint64_t kGigabyte = 1'000'000'000;

RunResult run_of(std::optional<std::uint64_t> wire_bytes) {
  RunResult run;
  run.bytes_moved = kGigabyte;
  run.io.origin = "storage";
  run.io.wire = "ext4 on vda";
  run.io.wire_read_bytes = wire_bytes;
  return run;
}

TEST(IoOrigin, DirectReadsThatTheDeviceMovedAreStorage) {
  RunResult run = run_of(kGigabyte);
  judge_origin(true, run.bytes_moved, run.io);
  judge_io(true, run);
  EXPECT_EQ(run.io.storage_share, 1.0);
  EXPECT_EQ(run.io.memory_share, 0.0);
  EXPECT_EQ(run.io.basis, "device counter");
  EXPECT_TRUE(run.valid);
  EXPECT_TRUE(run.warnings.empty());
}

TEST(IoOrigin, DirectReadsThatNobodyCountsAreBelieved) {
  RunResult run = run_of(std::nullopt);
  judge_origin(true, run.bytes_moved, run.io);
  judge_io(true, run);
  EXPECT_EQ(run.io.storage_share, 1.0);
  EXPECT_EQ(run.io.basis, "direct I/O");
  EXPECT_TRUE(run.valid);
}

// The device moved enough, but for others: the smaller counter is ours.
TEST(IoOrigin, WhatOthersHadMovedIsNotOurs) {
  RunResult run = run_of(3 * kGigabyte);
  run.io.process_read_bytes = kGigabyte / 4;
  judge_origin(true, run.bytes_moved, run.io);
  EXPECT_EQ(run.io.storage_share, 0.25);
  RunResult uncounted = run_of(std::nullopt);
  uncounted.io.process_read_bytes = kGigabyte;
  judge_origin(true, uncounted.bytes_moved, uncounted.io);
  EXPECT_EQ(uncounted.io.storage_share, 1.0);
  EXPECT_EQ(uncounted.io.basis, "process counter");
}

TEST(IoOrigin, DirectReadsThatTheDeviceDidNotMoveCameFromMemory) {
  RunResult run = run_of(kGigabyte / 2);
  run.io.process_read_bytes = kGigabyte;
  judge_origin(true, run.bytes_moved, run.io);
  EXPECT_EQ(run.io.memory_share, 0.5);
  RunResult wanted = run;
  judge_io(false, wanted);
  EXPECT_TRUE(wanted.valid);
  judge_io(true, run);
  EXPECT_FALSE(run.valid);
  ASSERT_EQ(run.invalid_reasons.size(), 1U);
  EXPECT_EQ(run.invalid_reasons.front(),
            "50.0 % of the bytes that direct reads returned came from this host's memory, not from "
            "storage: ext4 on vda moved only 477 MiB for this process; mount it without a cache "
            "below the file system ('losetup --direct-io=on' for a loop device), or --io=buffered "
            "--cache=measure when memory is what is to be measured");
}

// Holes and compression look the same as a cache, so they are reported, but not held against the
// run.
TEST(IoOrigin, FilesThatTakeFewerBytesOfTheDeviceAreAWarning) {
  RunResult run = run_of(kGigabyte / 2);
  run.io.shrunk = "the files have holes or are compressed";
  judge_origin(true, run.bytes_moved, run.io);
  judge_io(true, run);
  EXPECT_TRUE(run.valid);
  EXPECT_EQ(run.io.storage_share, 0.5);
  EXPECT_EQ(run.io.memory_share, std::nullopt);
  ASSERT_EQ(run.warnings.size(), 1U);
  EXPECT_EQ(run.warnings.front(),
            "ext4 on vda moved only 477 MiB of the 954 MiB that reads returned: the files have "
            "holes or are compressed");
}

TEST(IoOrigin, MemoryIsNoStorageUnlessItIsMeant) {
  for (const bool direct : {true, false}) {
    RunResult run = run_of(std::nullopt);
    run.io.origin = "memory";
    run.io.wire = "overlay -> tmpfs";
    run.io.origin_reason = "tmpfs keeps its files in memory";
    judge_origin(direct, run.bytes_moved, run.io);
    EXPECT_EQ(run.io.storage_share, 0.0);
    EXPECT_EQ(run.io.memory_share, 1.0);
    RunResult wanted = run;
    judge_io(false, wanted);
    EXPECT_TRUE(wanted.valid);
    judge_io(true, run);
    EXPECT_FALSE(run.valid);
    EXPECT_EQ(run.invalid_reasons,
              std::vector<std::string>{
                  "the bytes came from this host's memory, not from storage (overlay -> tmpfs: "
                  "tmpfs keeps its files in memory); use a directory on the storage that is meant, "
                  "or --io=buffered --cache=measure when memory is what is to be measured"});
  }
}

TEST(IoOrigin, WhatNobodyCanTellIsMarkedAndKept) {
  RunResult run = run_of(std::nullopt);
  run.io.origin = "unknown";
  run.io.origin_reason = "fuse.x gets its files from a program or another host";
  judge_origin(true, run.bytes_moved, run.io);
  judge_io(true, run);
  EXPECT_TRUE(run.valid);
  EXPECT_EQ(run.io.storage_share, std::nullopt);
  EXPECT_EQ(run.io.memory_share, std::nullopt);
  EXPECT_EQ(run.warnings,
            std::vector<std::string>{"where the bytes came from is unknown: fuse.x gets its files "
                                     "from a program or another host"});
  // The page cache above such a file system is memory all the same.
  RunResult warm = run_of(std::nullopt);
  warm.io.origin = "unknown";
  warm.io.resident_before = 0.5;
  warm.io.epochs.push_back({0, kGigabyte, kGigabyte, {}, {}});
  judge_origin(false, warm.bytes_moved, warm.io);
  judge_io(true, warm);
  EXPECT_EQ(warm.io.storage_share, std::nullopt);
  EXPECT_EQ(warm.io.page_cache_share, 0.5);
  EXPECT_FALSE(warm.valid);
}

TEST(IoOrigin, TheNetworkCountsWhereItSeesAll) {
  RunResult run = run_of(kGigabyte);
  run.io.origin = "network";
  run.io.wire = "NFS 4.2 from srv:/a";
  judge_origin(true, run.bytes_moved, run.io);
  judge_io(true, run);
  EXPECT_EQ(run.io.storage_share, 1.0);
  EXPECT_EQ(run.io.basis, "network counter");
  EXPECT_TRUE(run.warnings.empty());

  RunResult part = run_of(kGigabyte / 4);
  part.io.origin = "network";
  part.io.wire = "lustre, interface eth0";
  judge_origin(true, part.bytes_moved, part.io);
  judge_io(true, part);
  EXPECT_TRUE(part.valid);
  EXPECT_EQ(part.io.storage_share, std::nullopt);
  EXPECT_EQ(part.warnings,
            std::vector<std::string>{"where the bytes came from is unknown: lustre, interface eth0 "
                                     "counted 238 MiB of 954 MiB"});
}

TEST(IoOrigin, BufferedReadsAreHeldAgainstTheDevice) {
  for (const auto& [wire, valid] : {std::pair{0.96, true}, {0.94, false}, {0.0, false}}) {
    RunResult run = run_of(static_cast<std::uint64_t>(wire * kGigabyte));
    judge_origin(false, run.bytes_moved, run.io);
    judge_io(true, run);
    EXPECT_EQ(run.io.basis, "device counter");
    EXPECT_NEAR(run.io.page_cache_share.value_or(-1), 1 - wire, 1e-9);
    EXPECT_EQ(run.valid, valid) << wire;
    EXPECT_EQ(run.invalid_reasons.empty(), valid);
    RunResult wanted = run_of(static_cast<std::uint64_t>(wire * kGigabyte));
    judge_origin(false, wanted.bytes_moved, wanted.io);
    judge_io(false, wanted);  // the page cache is what is measured
    EXPECT_TRUE(wanted.valid);
  }
}

TEST(IoOrigin, WhatWasReadBeforeTheRunCounts) {
  RunResult run = run_of(kGigabyte);
  run.io.probe_bytes = kGigabyte;
  judge_origin(false, run.bytes_moved, run.io);
  EXPECT_NEAR(run.io.storage_share.value_or(-1), 0.5, 1e-9);
}

TEST(IoOrigin, MoreThanWeAskedForIsSomebodyElse) {
  RunResult run = run_of(2 * kGigabyte);
  judge_origin(false, run.bytes_moved, run.io);
  judge_io(true, run);
  EXPECT_TRUE(run.valid);
  EXPECT_EQ(run.io.storage_share, 1.0);
  ASSERT_EQ(run.warnings.size(), 1U);
  EXPECT_EQ(run.warnings.front(),
            "ext4 on vda moved 1.9 GiB, more than the 954 MiB of this run: others read from it, "
            "too, or the kernel read ahead what was not used");
}

TEST(IoOrigin, TheControlGroupTellsOthersFromReadingAhead) {
  const auto warning = [](std::optional<std::uint64_t> group, const std::string& io = "buffered") {
    RunResult run = run_of(2 * kGigabyte);
    run.io.cgroup_read_bytes = group;
    run.place.io = io;
    judge_origin(false, run.bytes_moved, run.io);
    judge_io(true, run);
    return run.warnings.empty() ? std::string() : run.warnings.front();
  };
  EXPECT_EQ(warning(kGigabyte),
            "ext4 on vda moved 1.9 GiB, more than the 954 MiB of this run: others, outside of this "
            "control group, read from it, too");
  EXPECT_EQ(
      warning(2 * kGigabyte),
      "ext4 on vda moved 1.9 GiB, more than the 954 MiB of this run: this control group had "
      "it read 1.9 GiB: the kernel read ahead what was not used, or others of the group read");
  // The kernel reads nothing ahead of direct reads.
  EXPECT_EQ(
      warning(std::nullopt, "direct"),
      "ext4 on vda moved 1.9 GiB, more than the 954 MiB of this run: others read from it, too");
  EXPECT_EQ(warning(2 * kGigabyte, "direct"),
            "ext4 on vda moved 1.9 GiB, more than the 954 MiB of this run: others of this control "
            "group, which had it read 1.9 GiB, read from it, too");
}

TEST(IoOrigin, WithoutCountersResidencyDecides) {
  RunResult run = run_of(std::nullopt);
  run.io.epochs = {{0, kGigabyte / 2, kGigabyte / 2, 0.0, 1.0},
                   {1, kGigabyte / 2, kGigabyte / 2, 1.0, 1.0}};
  judge_origin(false, run.bytes_moved, run.io);
  judge_io(true, run);
  EXPECT_EQ(run.io.basis, "residency");
  EXPECT_NEAR(run.io.page_cache_share.value_or(-1), 0.5, 1e-9);
  EXPECT_FALSE(run.valid);
  EXPECT_EQ(run.invalid_reasons.front(),
            "50.0 % of the bytes came from this host's page cache (by residency), not from "
            "storage; use --io=direct, a larger data set, or 'feedrate drop-caches' before; "
            "--cache=measure when the page cache is what is to be measured");
}

TEST(IoOrigin, WhereNobodyCanTellNothingIsClaimed) {
  RunResult run = run_of(std::nullopt);
  run.io.epochs = {{0, kGigabyte, kGigabyte, {}, {}}};
  judge_origin(false, run.bytes_moved, run.io);
  judge_io(true, run);
  EXPECT_FALSE(run.io.storage_share);
  EXPECT_EQ(run.io.basis, "");
  EXPECT_TRUE(run.valid);
  RunResult nothing;
  judge_origin(false, 0, nothing.io);
  EXPECT_FALSE(nothing.io.storage_share);
}

TEST(Limiter, TheNetworkIsNamedWhenItsSpeedIsReached) {
  RunResult run;
  run.seconds = 10;
  run.samples = 100;
  run.job.accelerators = 1;
  run.reactors = 1;
  run.job.au_threshold = 0.9;
  run.accelerator_utilisation = run.sustained_utilisation = 0.5;
  run.read_bytes_per_second = 2.9e9;
  run.io.wire = "NFS 4.2 from srv:/data";
  run.io.wire_bytes_per_second_max = 25e9 / 8;
  EXPECT_EQ(find_limiter(run).kind, "network");
  EXPECT_EQ(find_limiter(run).text,
            "the network: 2.90 GB/s of the 3.12 GB/s of NFS 4.2 from srv:/data");
  run.read_bytes_per_second = 2e9;
  EXPECT_EQ(find_limiter(run).kind, "storage");
  run.cpu_system_seconds = 9.9;
  EXPECT_EQ(find_limiter(run).kind, "client");
  run.cpu_system_seconds = 5;
  run.busiest_reactor_utilisation = 0.5;
  run.busiest_reactor_waiting = 0.45;
  EXPECT_EQ(find_limiter(run).text,
            "this host's CPU: 0.50 cores busy, the busiest of 1 reactor thread 50.0 % (100.0 % of "
            "it all in the kernel), and others had its core for 45.0 % of the time; 2.00 GB/s were "
            "moved");
  EXPECT_EQ(find_limiter(RunResult{}).kind, "");
}

TEST(Limiter, CopiesOutOfThePageCacheAreMemoryBandwidth) {
  RunResult run;
  run.seconds = 10;
  run.samples = 100;
  run.job.accelerators = run.job.replicas = run.reactors = 1;
  run.job.au_threshold = 0.9;
  run.cpu_system_seconds = 9;
  run.cpu_user_seconds = 1;
  run.busiest_reactor_utilisation = 1;
  EXPECT_TRUE(find_limiter(run).text.starts_with("this host's CPU: "));
  run.effective["io"] = "buffered";
  EXPECT_TRUE(find_limiter(run).text.starts_with(
      "this host's memory bandwidth (copies out of the page cache): 1.00 cores busy"))
      << find_limiter(run).text;
  run.cpu_user_seconds = 5;
  run.cpu_system_seconds = 5;  // half of it is our own work
  EXPECT_TRUE(find_limiter(run).text.starts_with("this host's CPU: "));
}

}  // namespace
}  // namespace feedrate
