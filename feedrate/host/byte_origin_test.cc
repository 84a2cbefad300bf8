#include "feedrate/host/byte_origin.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "feedrate/host/host_testing.h"

namespace feedrate {
namespace {

constexpr std::string_view kStat = "10 1 100 5 20 2 200 6 3 700 8 0 0 0 0 1 2\n";
using Texts = std::vector<std::string>;

// The paths are real ones; what is mounted there, and what it sits on, is made up.
class ByteOriginOf : public testing::Test {
 protected:
  ByteOriginOf() { tree_.write("m/file", "0123456789"); }
  // `number` is like "253:0". The folder of a device decides what it is taken for.
  void disk(const std::string& folder, const std::string& number) {
    tree_.write(folder + "/stat", kStat);
    tree_.write(folder + "/queue/iostats", "1\n");
    tree_.link("sys/dev/block/" + number, folder);
  }
  void slave(const std::string& above, const std::string& below) {
    tree_.link(above + "/slaves/" + std::filesystem::path(below).filename().string(), below);
  }
  void mounted(const std::string& where, const std::string& rest) {
    table_ +=
        fmt::format("{} 1 0:99 / {} rw - {}\n", 9'999'990 + lines_++, tree_.path(where), rest);
    tree_.write("proc/self/mountinfo", table_);
  }
  // The device that the temporary folder really is on, whatever it is called here.
  std::string number() const {
    struct stat status{};
    EXPECT_EQ(stat(tree_.path("m").c_str(), &status), 0);
    return fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev));
  }
  ByteOrigin of_disk(const std::string& folder) {
    disk(folder, number());
    mounted("m", "ext4 /dev/x rw");
    return find();
  }
  ByteOrigin find(const std::string& name = "m/file") {
    return find_byte_origin(tree_.path(name), tree_.roots());
  }
  bool skipped() const { return number().starts_with("0:"); }
  FakeTree tree_;
  std::string table_;
  int lines_ = 0;
};

TEST_F(ByteOriginOf, ADiskIsStorage) {
  if (skipped()) GTEST_SKIP() << "the temporary folder has no block device";
  const ByteOrigin origin = of_disk("sys/devices/pci/block/sda");
  EXPECT_EQ(origin.from(), BytesFrom::kDevice);
  ASSERT_EQ(origin.devices.size(), 1U);
  EXPECT_EQ(origin.devices.front().name, "sda");
  EXPECT_EQ(read_origin_counters(origin)->read_bytes, 100U * 512);
  tree_.write("sys/devices/pci/block/sda/queue/iostats", "0\n");
  EXPECT_EQ(read_origin_counters(origin).error().message(),
            "device reads are not countable here: the counters of sda are switched off "
            "(queue/iostats is 0)");
}

TEST_F(ByteOriginOf, DisksThatAreMemory) {
  if (skipped()) GTEST_SKIP() << "the temporary folder has no block device";
  const std::pair<std::string, std::string> disks[] = {
      {"virtual/block/zram0", "zram0 keeps its blocks in memory"},
      {"virtual/block/ram3", "ram3 keeps its blocks in memory"},
      {"platform/e820_pmem/ndbus0/block/pmem0", "pmem0 is memory that is used as a disk"},
      {"virtual/block/nullb0", "nullb0 makes its blocks up in memory"},
      {"virtual/block/dm-0", "dm-0 makes its blocks up: it has no device below it"},
      {"pseudo_0/adapter0/block/sdc", "sdc (scsi_debug) keeps its blocks in memory"}};
  tree_.write("sys/devices/pseudo_0/adapter0/block/sdc/device/model", "scsi_debug      \n");
  for (const auto& [folder, reason] : disks) {
    std::filesystem::remove(tree_.path("sys/dev/block/" + number()));
    const ByteOrigin origin = of_disk("sys/devices/" + folder);
    EXPECT_EQ(origin.from(), BytesFrom::kMemory) << folder;
    EXPECT_EQ(origin.memory, Texts{reason});
    EXPECT_FALSE(read_origin_counters(origin));
  }
}

TEST_F(ByteOriginOf, DisksThatNobodyCanLookInto) {
  if (skipped()) GTEST_SKIP() << "the temporary folder has no block device";
  const std::pair<std::string, std::string> disks[] = {
      {"virtual/block/nbd0", "nbd0 gets its blocks from a program"},
      {"virtual/block/ublkb0", "ublkb0 gets its blocks from a program"},
      {"tcm_loop_0/block/sdd", "sdd gets its blocks from a target in this host's kernel"},
      {"virtual/block/zd0", "zd0 is not hardware, and names no device below it"}};
  for (const auto& [folder, reason] : disks) {
    std::filesystem::remove(tree_.path("sys/dev/block/" + number()));
    const ByteOrigin origin = of_disk("sys/devices/" + folder);
    EXPECT_EQ(origin.from(), BytesFrom::kUnknown) << folder;
    EXPECT_EQ(origin.unknown, Texts{reason});
  }
}

TEST_F(ByteOriginOf, AMixtureIsForTheCountersOfItsDisks) {
  if (skipped()) GTEST_SKIP() << "the temporary folder has no block device";
  disk("sys/devices/virtual/block/ram0", "1:0");
  disk("sys/devices/pci/block/sdb", "8:16");
  tree_.write("sys/devices/pci/block/sdb/sdb1/partition", "1\n");
  tree_.write("sys/devices/pci/block/sdb/sdb1/stat", "1 1 2 5 20 2 200 6 3 700 8\n");
  slave("sys/devices/virtual/block/md0", "sys/devices/virtual/block/ram0");
  slave("sys/devices/virtual/block/md0", "sys/devices/pci/block/sdb/sdb1");
  const ByteOrigin origin = of_disk("sys/devices/virtual/block/md0");
  EXPECT_EQ(origin.from(), BytesFrom::kDevice);
  EXPECT_EQ(origin.memory, Texts{"ram0 keeps its blocks in memory"});
  EXPECT_EQ(read_origin_counters(origin)->read_bytes, 2U * 512);
}

TEST_F(ByteOriginOf, ALoopDeviceIsWhereItsFileIs) {
  if (skipped()) GTEST_SKIP() << "the temporary folder has no block device";
  tree_.write("sys/devices/virtual/block/loop0/loop/backing_file", tree_.path("t/image") + "\n");
  tree_.write("t/image", "x");
  mounted("t", "tmpfs none rw");
  const ByteOrigin origin = of_disk("sys/devices/virtual/block/loop0");
  EXPECT_EQ(origin.from(), BytesFrom::kMemory);
  EXPECT_EQ(origin.memory, Texts{"tmpfs keeps its files in memory"});
  std::filesystem::remove(tree_.path("t/image"));
  EXPECT_EQ(find().unknown,
            Texts{"the file of loop0 (\"" + tree_.path("t/image") + "\") cannot be looked at"});
}

TEST_F(ByteOriginOf, FileSystemsThatTellNothing) {
  const std::pair<std::string, std::string> kinds[] = {
      {"fuse.sshfs a rw", "fuse.sshfs gets its files from a program or another host"},
      {"fuseblk /dev/sda rw", "fuseblk gets its files from a program or another host"},
      {"virtiofs a rw", "virtiofs gets its files from a program or another host"},
      {"9p a rw,trans=virtio", "9p gets its files from a program or another host"}};
  for (const auto& [rest, reason] : kinds) {
    mounted("m", rest);
    EXPECT_EQ(find().from(), BytesFrom::kUnknown);
    EXPECT_EQ(find().unknown, Texts{reason});
  }
  mounted("m", "9p a rw,trans=tcp");
  EXPECT_EQ(find().from(), BytesFrom::kNetwork);
  EXPECT_EQ(find_byte_origin(tree_.path("none"), tree_.roots()).unknown,
            Texts{"\"" + tree_.path("none") + "\" cannot be looked at"});
}

TEST_F(ByteOriginOf, AnOverlayIsSearchedFromItsUpperLayerDown) {
  tree_.write("upper/file", "x");
  tree_.write("lower/file", "x");
  tree_.write("lower/old", "x");
  tree_.write("m/old", "x");
  tree_.write("m/nowhere", "x");
  mounted("upper", "nfs srv:/a rw");
  mounted("lower", "ramfs none rw");
  mounted("m", fmt::format("overlay overlay rw,lowerdir={}:{},upperdir={}", tree_.path("none"),
                           tree_.path("lower"), tree_.path("upper")));
  EXPECT_EQ(find("m/file").from(), BytesFrom::kNetwork);
  EXPECT_EQ(find("m/old").memory, Texts{"ramfs keeps its files in memory"});
  EXPECT_EQ(find("m/nowhere").unknown,
            Texts{"the layers of the overlay cannot be seen from here (a container)"});
  const ByteOrigin all =
      find_byte_origin(std::vector{tree_.path("m/file"), tree_.path("m/old")}, tree_.roots());
  EXPECT_EQ(all.from(), BytesFrom::kNetwork) << "not all of it is memory";
}

TEST_F(ByteOriginOf, AnOverlayWhoseMountIsOfAFolderOrInTheNewWords) {
  tree_.write("lower/folder/file", "x");
  mounted("lower", "tmpfs none rw");
  table_ += fmt::format("9999980 1 0:99 /folder {} rw - overlay overlay rw,lowerdir+={}\n",
                        tree_.path("m"), tree_.path("lower"));
  tree_.write("proc/self/mountinfo", table_);
  EXPECT_EQ(find().memory, Texts{"tmpfs keeps its files in memory"});
}

TEST_F(ByteOriginOf, FilesThatTakeLessThanTheyHaveAreSaid) {
  if (skipped()) GTEST_SKIP() << "the temporary folder has no block device";
  std::filesystem::resize_file(tree_.path("m/file"), 1U << 20U);
  EXPECT_EQ(of_disk("sys/devices/pci/block/sda").shrunk, "the files have holes or are compressed");
  mounted("m", "btrfs /dev/sda rw,compress=zstd:3");
  EXPECT_EQ(find().shrunk, "it is mounted with compress");
  mounted("m", "squashfs /dev/sda ro");
  EXPECT_EQ(find().shrunk, "squashfs compresses files");
}

TEST(ProcessBytes, TheLineOfTheKernel) {
  const FakeTree tree;
  tree.write("proc/self/io", "rchar: 5\nwchar: 1\nread_bytes: 4096\nwrite_bytes: 0\n");
  EXPECT_EQ(read_process_bytes(tree.roots()), 4096U);
  tree.write("proc/self/io", "rchar: 5\n");
  EXPECT_EQ(read_process_bytes(tree.roots()), std::nullopt);
}

}  // namespace
}  // namespace feedrate
