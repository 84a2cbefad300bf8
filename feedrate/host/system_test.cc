#include "feedrate/host/system.h"

#include "feedrate/host/host_testing.h"

namespace feedrate {
namespace {

TEST(CpuTimes, TheFirstLineCountsAllProcessors) {
  const auto times = parse_cpu_times("cpu  10 20 30 400 50 6 7 80 9 9\ncpu0 1 2 3 4 5 6 7 8 9 9\n");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->busy, 73U);
  EXPECT_EQ(times->idle, 450U);
  EXPECT_EQ(times->steal, 80U);
  EXPECT_EQ(times->total(), 603U);
  const CpuTimes between = CpuTimes{100, 500, 70} - *times;
  EXPECT_EQ(between.busy, 27U);
  EXPECT_EQ(between.idle, 50U);
  EXPECT_EQ(between.steal, 0U) << "a counter that went backwards";
  for (const auto* text : {"", "cpu 1 2", "cpu0 1 2 3 4 5 6 7 8 9", "cpu a b c d e f g h i"})
    EXPECT_FALSE(parse_cpu_times(text)) << text;
}

TEST(Meminfo, SizesAndHugePages) {
  const auto facts = parse_meminfo(
      "MemTotal:       1000 kB\nMemAvailable:    600 kB\nDirty:   10 kB\nWriteback: 5 kB\n"
      "WritebackTmp: 99 kB\nHugePages_Total:       4\nHugePages_Free:        3\n"
      "Hugepagesize:       2048 kB\n");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->total_bytes, 1024000U);
  EXPECT_EQ(facts->available_bytes, 614400U);
  EXPECT_EQ(facts->dirty_bytes, 15U * 1024);
  EXPECT_EQ(facts->huge_pages, 4U);
  EXPECT_EQ(facts->huge_pages_free, 3U);
  EXPECT_EQ(facts->huge_page_bytes, 2U << 20U);
  EXPECT_FALSE(parse_meminfo(""));
  EXPECT_FALSE(parse_meminfo("MemTotal: lots kB\n"));
}

TEST(HostText, SettingsPressureAndLists) {
  EXPECT_EQ(selected_setting("always [madvise] never"), "madvise");
  EXPECT_EQ(selected_setting("[none] mq-deadline"), "none");
  for (const auto* text : {"", "none", "]x["}) EXPECT_EQ(selected_setting(text), "") << text;
  EXPECT_EQ(parse_full_pressure("some avg10=7.00 avg60=1\nfull avg10=1.50 avg60=0.2 total=5\n"),
            0.015);
  EXPECT_FALSE(parse_full_pressure("some avg10=7.00\nfull avg10=x\n"));
  EXPECT_EQ(parse_number_list("0-3,8\n"), (std::vector<unsigned>{0, 1, 2, 3, 8}));
  EXPECT_EQ(parse_number_list("7"), std::vector<unsigned>{7});
  for (const auto* text : {"", "x", "0-99999999999", "3-1"})
    EXPECT_TRUE(parse_number_list(text).empty()) << text;
}

TEST(HostSystem, GovernorsAndNodesOfATree) {
  const FakeTree tree;
  EXPECT_TRUE(read_governors(tree.roots()).governors.empty());
  EXPECT_TRUE(read_numa_nodes(tree.roots()).empty());
  const std::string cpu = "sys/devices/system/cpu/";
  for (const auto* name : {"cpu0", "cpu1", "cpu10"}) {
    tree.write(cpu + name + "/cpufreq/scaling_governor",
               std::string_view(name) == "cpu10" ? "performance\n" : "powersave\n");
    tree.write(cpu + name + "/cpufreq/scaling_driver", "intel_pstate\n");
  }
  tree.write(cpu + "cpufreq/none", "");
  const GovernorFacts facts = read_governors(tree.roots());
  EXPECT_EQ(facts.governors, (std::vector<std::string>{"powersave", "performance"}));
  EXPECT_EQ(facts.driver, "intel_pstate");
  tree.write("sys/devices/system/node/node1/cpulist", "4-5\n");
  tree.write("sys/devices/system/node/node0/cpulist", "0-3\n");
  const auto nodes = read_numa_nodes(tree.roots());
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[1].number, 1U);
  EXPECT_EQ(nodes[1].processors, (std::vector<unsigned>{4, 5}));
}

TEST(HostSystem, ADeviceHasTheNodeOfWhatItHangsOn) {
  const FakeTree tree;
  tree.write("sys/devices/pci0/numa_node", "1\n");
  tree.write("sys/devices/pci0/nvme0/nvme0n1/stat", "");
  const std::string folder = tree.path("sys/devices/pci0/nvme0/nvme0n1");
  EXPECT_EQ(device_numa_node(folder, tree.roots()), 1U);
  tree.write("sys/devices/pci0/numa_node", "-1\n");
  EXPECT_EQ(device_numa_node(folder, tree.roots()), std::nullopt);
}

TEST(HostSystem, ThisHostAnswers) {
  EXPECT_TRUE(parse_cpu_times(read_host_file("/proc/stat").value_or("")));
  EXPECT_TRUE(parse_meminfo(read_host_file("/proc/meminfo").value_or("")));
}

}  // namespace
}  // namespace feedrate
