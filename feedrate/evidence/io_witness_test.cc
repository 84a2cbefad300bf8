#include "feedrate/evidence/io_witness.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "feedrate/engine/engine_testing.h"
#include "feedrate/host/host_testing.h"
#include "feedrate/host/network_mount.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kGigabyte = 1'000'000'000;

// A data set in real files. What they lie on, and its counters, are made up.
class Witness : public testing::Test {
 protected:
  Witness() {
    const auto plan = plan_for(test_workload("file", 4, 1, 10'000), 0, 1, 0);
    dataset_ = Dataset::from_plan(*plan, tree_.path("m")).value();
    const std::string root = tree_.path() + "/";
    for (std::uint64_t file = 0; file < dataset_->files(); ++file)
      tree_.write(dataset_->full_path(file).substr(root.size()), std::string(10'000, 'x'));
  }
  void mounted(const std::string& file_system) {
    tree_.write("proc/self/mountinfo", fmt::format("9999998 1 0:29 / {} rw - cgroup2 cgroup2 rw\n"
                                                   "9999999 1 0:50 / {} rw,noatime - {}\n",
                                                   tree_.path("cg"), tree_.path("m"), file_system));
  }
  // On the device that the temporary folder really is on; false where that is none.
  bool on_disk() {
    struct stat status{};
    EXPECT_EQ(stat(tree_.path("m").c_str(), &status), 0);
    if (major(status.st_dev) == 0) return false;
    mounted("ext4 /dev/x rw");
    tree_.write("sys/devices/pci/block/sda/queue/iostats", "1\n");
    tree_.write("sys/devices/pci/block/sda/dev", "8:0\n");
    tree_.link(fmt::format("sys/dev/block/{}:{}", major(status.st_dev), minor(status.st_dev)),
               "sys/devices/pci/block/sda");
    tree_.write("proc/self/cgroup", "0::/job\n");
    return true;
  }
  void counted(std::uint64_t device, std::uint64_t group, std::uint64_t process) {
    tree_.write("sys/devices/pci/block/sda/stat",
                fmt::format("10 1 {} 20 2 200 6 3 700 8 0 0 0 0 1 2\n", device / 512));
    tree_.write("cg/job/io.stat", fmt::format("8:0 rbytes={} wbytes=0 rios=1 wios=0\n", group));
    tree_.write("proc/self/io", fmt::format("read_bytes: {}\n", process));
  }
  // Runs what a test changes between the first and the last look, and returns what was seen of
  // direct reads of a gigabyte.
  template <class Meanwhile>
  RunResult watch(const Meanwhile& meanwhile) {
    const TrainingProgress progress;
    IoWitness witness(*dataset_, progress, 1, {.direct = true, .roots = tree_.roots()});
    meanwhile();
    RunResult run;
    run.bytes_moved = kGigabyte;
    run.place.io = "direct";
    witness.finish(run);
    judge_io(true, run);
    return run;
  }

  FakeTree tree_;
  std::shared_ptr<const Dataset> dataset_;
};

RunResult run_of(std::optional<std::uint64_t> wire_bytes) {
  RunResult run;
  run.bytes_moved = kGigabyte;
  run.io.origin = "storage";
  run.io.wire = "ext4 on vda";
  run.io.wire_read_bytes = wire_bytes;
  return run;
}

TEST_F(Witness, CountsTheDeviceTheGroupAndTheProcess) {
  if (!on_disk()) GTEST_SKIP() << "the temporary folder has no block device";
  counted(512'000, 700, 800);
  const RunResult run =
      watch([this] { counted(512'000 + kGigabyte, 700 + kGigabyte / 2, 800 + kGigabyte / 4); });
  EXPECT_EQ(run.io.origin, "storage");
  EXPECT_EQ(run.io.wire_read_bytes, kGigabyte);
  EXPECT_EQ(run.io.cgroup_read_bytes, kGigabyte / 2);
  EXPECT_EQ(run.io.process_read_bytes, kGigabyte / 4);
  EXPECT_EQ(run.io.basis, "device counter");
  EXPECT_EQ(run.io.storage_share, 0.25);
  EXPECT_EQ(run.io.wire_bytes_per_second_max, 0);
  EXPECT_FALSE(run.valid);
}

TEST_F(Witness, WhatAGroupDoesNotTellIsNotCounted) {
  if (!on_disk()) GTEST_SKIP() << "the temporary folder has no block device";
  counted(0, 0, 0);
  const RunResult untold =
      watch([this] { tree_.write("sys/devices/pci/block/sda/dev", "what\n"); });
  EXPECT_FALSE(untold.io.cgroup_read_bytes);
  // A counter that went back belongs to another group, into which this process was moved.
  tree_.write("sys/devices/pci/block/sda/dev", "8:0\n");
  counted(0, kGigabyte, 0);
  EXPECT_FALSE(watch([this] { counted(kGigabyte, 0, kGigabyte); }).io.cgroup_read_bytes);
}

TEST_F(Witness, CountersThatCannotBeReadAreNamed) {
  if (!on_disk()) GTEST_SKIP() << "the temporary folder has no block device";
  counted(0, 0, 0);
  const RunResult run =
      watch([this] { tree_.write("sys/devices/pci/block/sda/queue/iostats", "0\n"); });
  EXPECT_FALSE(run.io.wire_read_bytes);
  EXPECT_EQ(run.io.wire_unknown,
            "device reads are not countable here: the counters of sda are switched off "
            "(queue/iostats is 0)");
}

// The address is one of those that no host has.
TEST_F(Witness, OfNfsTheServersBytesCount) {
  mounted("nfs4 srv:/a rw,vers=4.2,addr=192.0.2.1");
  const auto served = [this](std::uint64_t bytes) {
    tree_.write("proc/self/mountstats",
                fmt::format("device srv:/a mounted on {} with fstype nfs4 statvers=1.1\n"
                            "\topts:\trw,vers=4.2\n\tbytes:\t1 0 2 0 {} 0 2 0\n",
                            tree_.path("m"), bytes));
  };
  const std::string interface = interface_towards("192.0.2.1");
  tree_.write("sys/class/net/" + interface + "/speed", "25000\n");
  served(500);
  const RunResult run = watch([&served] { served(500 + kGigabyte); });
  EXPECT_EQ(run.io.origin, "network");
  EXPECT_EQ(run.io.wire, "NFS 4.2 from srv:/a");
  EXPECT_EQ(run.io.wire_read_bytes, kGigabyte);
  EXPECT_EQ(run.io.basis, "network counter");
  EXPECT_EQ(run.io.wire_bytes_per_second_max, interface.empty() ? 0 : 25e9 / 8);
  EXPECT_FALSE(run.io.process_read_bytes) << "no device of this host moved anything";
  EXPECT_TRUE(run.valid);
}

TEST_F(Witness, OfOtherNetworksTheInterfaceIsCounted) {
  mounted("ceph 192.0.2.1:6789:/ rw,name=a");
  const std::string interface = interface_towards("192.0.2.1");
  const std::string card = interface.empty() ? "eth0" : interface;
  const auto received = [&](std::uint64_t bytes) {
    tree_.write("sys/class/net/" + card + "/statistics/rx_bytes", std::to_string(bytes));
    tree_.write("sys/class/net/" + card + "/statistics/tx_bytes", "1");
  };
  received(77);
  const RunResult run = watch([&received] { received(77 + kGigabyte); });
  EXPECT_EQ(run.io.origin, "network");
  EXPECT_EQ(run.io.wire, "ceph, interface " + (interface.empty() ? "any" : interface));
  EXPECT_EQ(run.io.wire_read_bytes, kGigabyte);
  EXPECT_TRUE(run.valid);
  const RunResult gone =
      watch([this] { std::filesystem::remove_all(tree_.path("sys/class/net")); });
  EXPECT_FALSE(gone.io.wire_read_bytes);
  EXPECT_NE(gone.io.wire_unknown, "");
  EXPECT_EQ(gone.warnings, std::vector<std::string>{"where the bytes came from is unknown: " +
                                                    gone.io.wire + " counted nothing of 954 MiB"});
}

// What a server on this host sends may be in this host's memory.
TEST_F(Witness, AServerOnThisHostTellsNothing) {
  mounted("ceph 127.0.0.1:6789:/ rw,name=a");
  const RunResult run = watch([] {});
  EXPECT_EQ(run.io.origin, "unknown");
  EXPECT_TRUE(run.valid);
  EXPECT_EQ(run.warnings,
            std::vector<std::string>{
                "where the bytes came from is unknown: the server of ceph is this host"});
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

// Where reads go through the page cache, only what it held before can be told from holes.
TEST(IoOrigin, OfBufferedReadsOfSuchFilesResidencyDecides) {
  for (const auto& [resident, valid] : {std::pair{0.0, true}, {0.25, false}}) {
    RunResult run = run_of(kGigabyte / 2);
    run.io.shrunk = "the files have holes or are compressed";
    run.io.epochs = {{0, kGigabyte, kGigabyte, resident, 1.0}};
    judge_origin(false, run.bytes_moved, run.io);
    judge_io(true, run);
    EXPECT_EQ(run.io.page_cache_share, resident);
    EXPECT_EQ(run.valid, valid);
  }
  // An epoch that returned nothing tells nothing.
  RunResult run = run_of(kGigabyte / 2);
  run.io.shrunk = "the files have holes or are compressed";
  run.io.epochs = {{0, 0, 0, 0.5, 1.0}};
  judge_origin(false, run.bytes_moved, run.io);
  EXPECT_EQ(run.io.page_cache_share, std::nullopt);
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
