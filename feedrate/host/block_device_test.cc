#include "feedrate/host/block_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "feedrate/base/text.h"
#include "feedrate/host/host_testing.h"
#include "feedrate/host/mounts.h"

namespace feedrate {
namespace {

constexpr std::string_view kStat = "10 1 100 5 20 2 200 6 3 700 8 0 0 0 0 1 2\n";

// Makes a disk, or a partition of one, as /sys shows them.
void add_disk(const FakeTree& tree, const std::string& name, const std::string& number,
              std::string_view stat = kStat) {
  tree.write("sys/devices/" + name + "/stat", stat);
  tree.write("sys/devices/" + name + "/queue/iostats", "1\n");
  tree.link("sys/dev/block/" + number, "sys/devices/" + name);
}

void add_partition(const FakeTree& tree, const std::string& disk, const std::string& name,
                   const std::string& number, std::string_view stat = kStat) {
  tree.write("sys/devices/" + disk + "/" + name + "/stat", stat);
  tree.write("sys/devices/" + disk + "/" + name + "/partition", "1\n");
  tree.link("sys/dev/block/" + number, "sys/devices/" + disk + "/" + name);
}

std::vector<std::string> names(const std::vector<BlockNode>& nodes) {
  std::vector<std::string> result;
  result.reserve(nodes.size());
  for (const BlockNode& node : nodes) result.push_back(node.name);
  return result;
}

using Names = std::vector<std::string>;

TEST(BlockStat, TheFieldsOfTheKernel) {
  const auto counters = parse_block_stat(kStat);
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->read_ops, 10U);
  EXPECT_EQ(counters->read_bytes, 100U * 512);
  EXPECT_EQ(counters->write_ops, 20U);
  EXPECT_EQ(counters->write_bytes, 200U * 512);
  EXPECT_EQ(counters->in_flight, 3U);
  EXPECT_EQ(counters->busy_ms, 700U);
  EXPECT_TRUE(parse_block_stat("1 2 3 4 5 6 7 8 9 10 11")) << "as before Linux 4.18";
  for (const auto* text : {"", "1 2 3", "a b c d e f g h i j k", "1 2 3 4 5 6 7 8 9 -1 11"})
    EXPECT_FALSE(parse_block_stat(text)) << text;
}

TEST(BlockStat, ADifferenceNeverWraps) {
  BlockCounters before{"vda", 100, 10, 50, 5, 1, 7};
  const BlockCounters after{"vda", 300, 12, 40, 6, 2, 9};
  const BlockCounters between = after - before;
  EXPECT_EQ(between.name, "vda");
  EXPECT_EQ(between.read_bytes, 200U);
  EXPECT_EQ(between.read_ops, 2U);
  EXPECT_EQ(between.write_bytes, 0U) << "a counter that went backwards";
  EXPECT_EQ(between.write_ops, 1U);
  EXPECT_EQ(between.in_flight, 2U);
  EXPECT_EQ(between.busy_ms, 2U);
}

TEST(BlockDevice, APartitionCountsItselfAndNamesItsDisk) {
  const FakeTree tree;
  add_disk(tree, "vda", "254:0", "99 1 999 5 20 2 200 6 3 700 8\n");
  add_partition(tree, "vda", "vda1", "254:1");
  const BlockDevice device = find_block_device(254, 1, "ext4", tree.roots());
  EXPECT_TRUE(device.countable);
  EXPECT_EQ(device.layers, "ext4 on vda1 (of vda)");
  EXPECT_EQ(names(device.devices), Names{"vda1"});
  EXPECT_EQ(names(device.disks), Names{"vda"});
  EXPECT_EQ(device.devices[0].queue, device.disks[0].queue);
  EXPECT_EQ(read_block_counters(device)->read_ops, 10U);
}

TEST(BlockDevice, DeviceMapperAndMdAreWalkedDown) {
  const FakeTree tree;
  add_disk(tree, "nvme0n1", "259:0");
  add_partition(tree, "nvme0n1", "nvme0n1p2", "259:2");
  add_disk(tree, "nvme1n1", "259:3");
  add_disk(tree, "md0", "9:0");
  tree.write("sys/devices/md0/md/level", "raid0\n");
  tree.link("sys/devices/md0/slaves/nvme0n1p2", "sys/devices/nvme0n1/nvme0n1p2");
  tree.link("sys/devices/md0/slaves/nvme1n1", "sys/devices/nvme1n1");
  add_disk(tree, "dm-0", "252:0", "7 0 70 0 0 0 0 0 0 0 0\n");
  tree.write("sys/devices/dm-0/dm/name", "vg-data\n");
  tree.link("sys/devices/dm-0/slaves/md0", "sys/devices/md0");
  const BlockDevice device = find_block_device(252, 0, "xfs", tree.roots());
  EXPECT_EQ(device.layers,
            "xfs on dm-0 (vg-data) -> md0 (raid0) -> nvme0n1p2 (of nvme0n1), nvme1n1");
  EXPECT_EQ(names(device.devices), Names{"dm-0"});
  EXPECT_EQ(names(device.disks), (Names{"nvme0n1", "nvme1n1"}));
  EXPECT_EQ(read_block_counters(device)->read_ops, 7U);
}

TEST(BlockDevice, ALoopDeviceLeadsToTheDiskOfItsFile) {
  const FakeTree tree;
  const std::string image = tree.write("image", "x");
  struct stat status{};
  ASSERT_EQ(stat(image.c_str(), &status), 0);
  if (major(status.st_dev) == 0) GTEST_SKIP() << "the temporary folder has no block device";
  add_disk(tree, "sda", fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev)));
  add_disk(tree, "loop0", "7:0");
  tree.write("sys/devices/loop0/loop/backing_file", image + "\n");
  tree.write("proc/self/mountinfo", "9999999 1 8:1 / / rw - ext4 /dev/sda rw\n");
  const BlockDevice device = find_block_device(7, 0, "xfs", tree.roots());
  EXPECT_EQ(device.layers, "xfs on loop0 -> ext4 on sda");
  EXPECT_EQ(names(device.devices), Names{"loop0"});
  EXPECT_EQ(names(device.disks), Names{"sda"});
  std::filesystem::remove(image);
  EXPECT_EQ(find_block_device(7, 0, "xfs", tree.roots()).layers,
            "xfs on loop0 -> \"" + image + "\", which cannot be looked at");
}

TEST(BlockDevice, ADeviceThatIsItsOwnSlaveEnds) {
  const FakeTree tree;
  add_disk(tree, "dm-0", "252:0");
  tree.link("sys/devices/dm-0/slaves/dm-0", "sys/devices/dm-0");
  EXPECT_TRUE(find_block_device(252, 0, "xfs", tree.roots()).countable);
}

TEST(BlockDevice, CountersThatAreSwitchedOffAreSaidSo) {
  const FakeTree tree;
  add_disk(tree, "vda", "254:0");
  tree.write("sys/devices/vda/queue/iostats", "0\n");
  const BlockDevice device = find_block_device(254, 0, "ext4", tree.roots());
  EXPECT_FALSE(device.countable);
  EXPECT_EQ(device.layers, "ext4 on vda");
  EXPECT_EQ(read_block_counters(device).error().render(),
            "error: device reads are not countable here: the counters of vda are switched off "
            "(queue/iostats is 0)\nhint:  measure on a local file system to have them\n");
}

TEST(BlockDevice, ADeviceThatGoesAwayIsAnError) {
  const FakeTree tree;
  add_disk(tree, "vda", "254:0");
  const BlockDevice device = find_block_device(254, 0, "ext4", tree.roots());
  std::filesystem::remove(tree.path("sys/devices/vda/stat"));
  const Error gone = read_block_counters(device).error();
  EXPECT_EQ(gone.kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(gone.message().ends_with(" of block device vda cannot be read")) << gone.message();
  EXPECT_EQ(gone.hint(), "has the device been removed?");
}

// The paths are real ones; what is mounted there is made up.
class BlockDeviceByPath : public testing::Test {
 protected:
  void mounted(const std::string& where, const std::string& rest) {
    table_ += fmt::format("{} 1 0:99 / {} rw - {}\n", 9'999'990 + lines_++, where, rest);
    tree_.write("proc/self/mountinfo", table_);
  }
  BlockDevice find(const std::string& path) { return find_block_device(path, tree_.roots()); }
  FakeTree tree_;
  std::string table_;
  int lines_ = 0;
};

TEST_F(BlockDeviceByPath, MemoryAndNetworkHaveNoDevice) {
  tree_.write("m/file", "x");
  mounted(tree_.path("m"), "tmpfs none rw");
  EXPECT_EQ(find(tree_.path("m/file")).reason, "tmpfs keeps its files in memory: no device");
  EXPECT_FALSE(find(tree_.path("m/file")).countable);
  mounted(tree_.path("m"), "nfs4 srv:/a rw");
  EXPECT_EQ(find(tree_.path("m/file")).reason, "nfs4 has no block device on this host");
  EXPECT_EQ(find(tree_.path("none")).reason, "\"" + tree_.path("none") + "\" cannot be looked at");
}

TEST_F(BlockDeviceByPath, AFileOfAnOverlayIsWhereItsLayerIs) {
  tree_.write("upper/changed", "x");
  tree_.write("lower/old", "x");
  tree_.write("m/changed", "x");
  tree_.write("m/old", "x");
  tree_.write("m/nowhere", "x");
  mounted(tree_.path("upper"), "tmpfs none rw");
  mounted(tree_.path("lower"), "nfs srv:/a rw");
  mounted(tree_.path("m"),
          fmt::format("overlay overlay rw,lowerdir={}:{},upperdir={}", tree_.path("none"),
                      tree_.path("lower"), tree_.path("upper")));
  EXPECT_EQ(find(tree_.path("m/changed")).layers, "overlay -> tmpfs");
  EXPECT_EQ(find(tree_.path("m/old")).layers, "overlay -> nfs");
  EXPECT_EQ(find(tree_.path("m/nowhere")).reason,
            "the layers of the overlay cannot be seen from here (a container); mount the data "
            "into it as a volume");
}

TEST_F(BlockDeviceByPath, AFileSystemOfSeveralDevicesCountsAllOfThem) {
  tree_.write("m/file", "x");
  add_disk(tree_, "sda", "8:0");
  add_disk(tree_, "sdb", "8:16");
  tree_.link("sys/fs/btrfs/1234/devices/sda", "sys/devices/sda");
  tree_.link("sys/fs/btrfs/1234/devices/sdb", "sys/devices/sdb");
  tree_.write("sys/fs/btrfs/features/none", "");
  tree_.write("dev/sdb", "");
  mounted(tree_.path("m"), "btrfs " + tree_.path("dev/sdb") + " rw");
  const BlockDevice device = find(tree_.path("m/file"));
  EXPECT_EQ(device.layers, "btrfs on sda, sdb");
  EXPECT_TRUE(device.countable);
  EXPECT_EQ(read_block_counters(device)->name, "sda+sdb");
  EXPECT_EQ(read_block_counters(device)->read_ops, 20U);
}

TEST_F(BlockDeviceByPath, ASourceThatIsNoDeviceIsNamed) {
  tree_.write("m/file", "x");
  mounted(tree_.path("m"), "zfs tank/data rw");
  const BlockDevice device = find(tree_.path("m/file"));
  EXPECT_EQ(device.reason, "zfs names no block device of this host (\"tank/data\")");
  EXPECT_EQ(read_block_counters(device).error().kind(), ErrorKind::kUnsupported);
}

TEST(BlockDeviceHere, DirectReadsOfAFileAreCounted) {
  const FakeTree tree;
  const std::string path = tree.write("file", std::string(1U << 20U, 'x'));
  const BlockDevice device = find_block_device(path);
  if (!device.countable) GTEST_SKIP() << device.reason;
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
  if (fd < 0) GTEST_SKIP() << "no direct I/O in the temporary folder";
  fsync(fd);
  const std::unique_ptr<void, decltype(&std::free)> block(std::aligned_alloc(4096, 1U << 20U),
                                                          &std::free);
  const auto before = read_block_counters(device);
  const ssize_t count = pread(fd, block.get(), 1U << 20U, 0);
  const auto after = read_block_counters(device);
  close(fd);
  ASSERT_EQ(count, ssize_t{1} << 20U);
  ASSERT_TRUE(before && after);
  EXPECT_GE((*after - *before).read_bytes, 1U << 20U);
  EXPECT_GE((*after - *before).read_ops, 1U);
}

// Returns the standard output of a command, which is one line.
std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, decltype(&pclose)> pipe(popen(command.c_str(), "r"), &pclose);
  char line[256] = "";
  if (!pipe || std::fgets(line, sizeof line, pipe.get()) == nullptr) return {};
  const std::string text = line;
  return text.substr(0, text.find('\n'));
}

TEST(BlockDeviceHere, ALoopDevice) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to make a loop device";
  const FakeTree tree;
  const std::string image = tree.write("image", std::string(1U << 20U, 'x'));
  const std::string loop = output_of("losetup -f --show " + image + " 2>/dev/null");
  if (loop.empty()) GTEST_SKIP() << "losetup cannot make a loop device here";
  struct stat status{};
  ASSERT_EQ(stat(loop.c_str(), &status), 0);
  const BlockDevice device =
      find_block_device(major(status.st_rdev), minor(status.st_rdev), "raw", {});
  const auto before = read_block_counters(device);
  const std::string read =
      output_of("dd if=" + loop + " of=/dev/null bs=64k iflag=direct 2>/dev/null && echo read");
  const auto after = read_block_counters(device);
  output_of("losetup -d " + loop);
  const BlockDevice below = find_block_device(image);
  if (!below.countable) GTEST_SKIP() << "needs a disk below the image: " << below.reason;
  ASSERT_EQ(read, "read");
  ASSERT_TRUE(before && after);
  // In a chroot the mount of the image may not be visible: then only its disk is known.
  const std::string layers =
      find_mount(image) ? below.layers : "a file on " + join(names(below.disks), ", ");
  EXPECT_EQ(device.layers, "raw on " + loop.substr(5) + " -> " + layers);
  EXPECT_EQ(names(device.disks), names(below.disks));
  EXPECT_GE((*after - *before).read_bytes, 1U << 20U);
}

}  // namespace
}  // namespace feedrate
