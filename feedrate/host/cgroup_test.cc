#include "feedrate/host/cgroup.h"

#include "feedrate/host/host_testing.h"

namespace feedrate {
namespace {

TEST(CgroupText, CpuMax) {
  EXPECT_EQ(parse_cpu_max("200000 100000\n"), 2.0);
  EXPECT_EQ(parse_cpu_max("50000 100000"), 0.5);
  for (const auto* text : {"max 100000", "", "100000", "1 0", "x y"})
    EXPECT_FALSE(parse_cpu_max(text)) << text;
}

TEST(CgroupText, IoMax) {
  const auto limits = parse_io_max(
      "8:0 rbps=1048576 wbps=max riops=max wiops=100\n8:16 rbps=max wbps=max riops=max wiops=max\n"
      "nonsense\n");
  ASSERT_EQ(limits.size(), 1U);
  EXPECT_EQ(limits[0].major, 8U);
  EXPECT_EQ(limits[0].minor, 0U);
  EXPECT_EQ(limits[0].read_bytes_per_second, 1048576U);
  EXPECT_EQ(limits[0].write_bytes_per_second, std::nullopt);
  EXPECT_EQ(limits[0].read_ops_per_second, std::nullopt);
  EXPECT_EQ(limits[0].write_ops_per_second, 100U);
}

TEST(CgroupText, IoStat) {
  const auto devices =
      parse_io_stat("8:0 rbytes=100 wbytes=20 rios=3 wios=4 dbytes=0 dios=0\n\n8\n");
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_EQ(devices[0].read_bytes, 100U);
  EXPECT_EQ(devices[0].write_bytes, 20U);
  EXPECT_EQ(devices[0].read_ops, 3U);
  EXPECT_EQ(devices[0].write_ops, 4U);
}

TEST(Cgroup, TheSmallestLimitOnTheWayUpIsInForce) {
  const FakeTree tree;
  tree.write("proc/self/cgroup", "0::/job/step\n");
  tree.write("proc/self/mountinfo",
             "31 1 0:29 / " + tree.path("cg") + " rw - cgroup2 cgroup2 rw\n");
  tree.write("cg/job/cpu.max", "150000 100000\n");
  tree.write("cg/job/memory.max", "1000000\n");
  tree.write("cg/job/step/cpu.max", "max 100000\n");
  tree.write("cg/job/step/memory.max", "max\n");
  tree.write("cg/job/step/memory.high", "900000\n");
  tree.write("cg/job/step/io.max", "254:0 rbps=1000 wbps=max riops=max wiops=max\n");
  tree.write("cg/job/step/io.stat", "254:0 rbytes=77 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n");
  const CgroupLimits limits = read_cgroup_limits(tree.roots());
  EXPECT_TRUE(limits.found);
  EXPECT_EQ(limits.cpus->value, 1.5);
  EXPECT_EQ(limits.cpus->set_in, tree.path("cg/job/cpu.max"));
  EXPECT_EQ(limits.memory_bytes->value, 1000000U);
  EXPECT_EQ(limits.memory_high_bytes->value, 900000U);
  ASSERT_EQ(limits.io.size(), 1U);
  EXPECT_EQ(limits.io[0].read_bytes_per_second, 1000U);
  EXPECT_EQ(limits.io[0].set_in, tree.path("cg/job/step/io.max"));
  EXPECT_EQ(read_cgroup_io(254, 0, tree.roots())->read_bytes, 77U);
  EXPECT_EQ(read_cgroup_io(254, 1, tree.roots())->read_bytes, 0U);
}

TEST(Cgroup, InAContainerTheMountShowsAPartOfTheTree) {
  const FakeTree tree;
  tree.write("proc/self/cgroup", "0::/docker/1234/inner\n");
  tree.write("proc/self/mountinfo",
             "31 1 0:29 /docker/1234 " + tree.path("cg") + " rw - cgroup2 cgroup2 rw\n");
  tree.write("cg/cpu.max", "100000 100000\n");
  tree.write("cg/inner/cpu.max", "50000 100000\n");
  EXPECT_EQ(read_cgroup_limits(tree.roots()).cpus->value, 0.5);
  tree.write("proc/self/cgroup", "0::/../elsewhere\n");  // outside of what is mounted
  EXPECT_EQ(read_cgroup_limits(tree.roots()).cpus->value, 1.0);
}

TEST(Cgroup, VersionOneHasAFolderForEachController) {
  const FakeTree tree;
  tree.write("proc/self/cgroup", "4:memory:/job\n3:cpu,cpuacct:/job\n2:blkio:/job\n0::/\n");
  tree.write("proc/self/mountinfo",
             "31 1 0:29 / " + tree.path("memory") + " rw - cgroup cgroup rw,memory\n" +
                 "32 1 0:30 / " + tree.path("cpu") + " rw - cgroup cgroup rw,cpu,cpuacct\n" +
                 "33 1 0:31 / " + tree.path("blkio") + " rw - cgroup cgroup rw,blkio\n");
  tree.write("memory/job/memory.limit_in_bytes", "5000000\n");
  tree.write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  tree.write("cpu/job/cpu.cfs_quota_us", "250000\n");
  tree.write("cpu/job/cpu.cfs_period_us", "100000\n");
  tree.write("cpu/cpu.cfs_quota_us", "-1\n");
  tree.write("cpu/cpu.cfs_period_us", "100000\n");
  tree.write("blkio/job/blkio.throttle.read_bps_device", "254:0 3000\n");
  tree.write("blkio/blkio.throttle.read_bps_device", "254:0 2000\n");
  tree.write("blkio/job/blkio.throttle.write_iops_device", "254:0 7\n");
  tree.write("blkio/job/blkio.throttle.io_service_bytes",
             "254:0 Read 123\n254:0 Write 45\nTotal 168\n");
  const CgroupLimits limits = read_cgroup_limits(tree.roots());
  EXPECT_TRUE(limits.found);
  EXPECT_EQ(limits.memory_bytes->value, 5000000U);
  EXPECT_EQ(limits.memory_bytes->set_in, tree.path("memory/job/memory.limit_in_bytes"));
  EXPECT_EQ(limits.cpus->value, 2.5);
  ASSERT_EQ(limits.io.size(), 1U);
  EXPECT_EQ(limits.io[0].read_bytes_per_second, 2000U);
  EXPECT_EQ(limits.io[0].write_ops_per_second, 7U);
  EXPECT_EQ(read_cgroup_io(254, 0, tree.roots())->read_bytes, 123U);
  EXPECT_EQ(read_cgroup_io(254, 0, tree.roots())->write_bytes, 45U);
  EXPECT_FALSE(read_cgroup_io(8, 0, tree.roots())) << "only devices with a limit are counted";
}

TEST(Cgroup, AHostWithoutGroupsHasNoLimits) {
  const FakeTree tree;
  EXPECT_FALSE(read_cgroup_limits(tree.roots()).found);
  EXPECT_FALSE(read_cgroup_io(8, 0, tree.roots()));
}

TEST(Cgroup, ThisHostAnswers) {
  const CgroupLimits limits = read_cgroup_limits();
  EXPECT_TRUE(!limits.cpus || limits.cpus->value > 0);
  EXPECT_TRUE(!limits.memory_bytes || limits.memory_bytes->value > 0);
}

}  // namespace
}  // namespace feedrate
