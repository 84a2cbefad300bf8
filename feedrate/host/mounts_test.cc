#include "feedrate/host/mounts.h"

#include "feedrate/host/host_testing.h"

namespace feedrate {
namespace {

constexpr std::string_view kTable =
    "27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,discard\n"
    "30 27 0:52 /export /mnt/with\\040space rw,noatime shared:4 master:2 - nfs4 srv:/a "
    "rw,vers=4.2,addr=10.0.0.5\n"
    "this line is not one\n"
    "31 27 0:x / /bad rw - ext4 none rw\n"
    "32 27 0:60 / /empty rw -  \n"
    "40 27 8:1 / /data rw - xfs /dev/sda1 rw\n"
    "41 27 8:2 / /data rw - xfs /dev/sda2 rw\n";

TEST(Mounts, TheTableIsReadAndBadLinesAreLeftOut) {
  const auto mounts = parse_mountinfo(kTable);
  ASSERT_EQ(mounts.size(), 4U);
  EXPECT_EQ(mounts[0].id, 27U);
  EXPECT_EQ(mounts[0].major, 254U);
  EXPECT_EQ(mounts[0].minor, 1U);
  EXPECT_EQ(mounts[0].file_system, "ext4");
  EXPECT_EQ(mounts[0].source, "/dev/vda1");
  EXPECT_EQ(mounts[0].options, "rw,relatime");
  EXPECT_EQ(mounts[1].mount_point, "/mnt/with space");
  EXPECT_EQ(mounts[1].root, "/export");
  EXPECT_EQ(mounts[1].super_options, "rw,vers=4.2,addr=10.0.0.5");
  EXPECT_TRUE(parse_mountinfo("").empty());
}

TEST(Mounts, OptionsAreFoundByName) {
  EXPECT_EQ(option_value("rw,vers=4.2,addr=10.0.0.5", "vers"), "4.2");
  EXPECT_EQ(option_value("rw,vers=4.2", "rw"), "");
  EXPECT_EQ(option_value("rw,vers=4.2", "ver"), std::nullopt);
  EXPECT_EQ(option_value("", "rw"), std::nullopt);
  EXPECT_EQ(option_value("lowerdir=/a:/b=c", "lowerdir"), "/a:/b=c");
}

TEST(Mounts, TheLongestMountPointAboveAPathIsItsMount) {
  const FakeTree tree;
  const std::string below = tree.path("proc");  // exists once the table is written
  tree.write("proc/self/mountinfo",
             "999990 1 8:1 / / rw - ext4 /dev/a rw\n"
             "999991 1 8:2 / " +
                 tree.path() +
                 " rw - xfs /dev/b rw\n"
                 "999992 1 8:3 / " +
                 tree.path() +
                 " rw - btrfs /dev/c rw\n"
                 "999993 1 8:4 / " +
                 tree.path("pro") + " rw - ext2 /dev/d rw\n");
  EXPECT_EQ(find_mount(below, tree.roots())->source, "/dev/c");
  EXPECT_EQ(find_mount("/", tree.roots())->source, "/dev/a");
  EXPECT_EQ(find_mount(tree.path("none"), tree.roots()), std::nullopt);
  EXPECT_EQ(find_mount("/", {tree.path("nowhere"), ""}), std::nullopt);
}

TEST(Mounts, ThisHostsRootIsOnAMount) {
  if (!read_host_file("/proc/self/mountinfo")) GTEST_SKIP() << "needs /proc";
  const auto root = find_mount("/");
  if (!root) GTEST_SKIP() << "needs a root that is a mount point: in a chroot it is none";
  EXPECT_EQ(root->mount_point, "/");
  EXPECT_FALSE(root->file_system.empty());
}

TEST(Mounts, KindsOfFileSystems) {
  EXPECT_TRUE(is_memory_file_system("tmpfs"));
  EXPECT_FALSE(is_memory_file_system("ext4"));
  for (const auto* name : {"nfs", "nfs4", "fuse.sshfs", "lustre", "9p"})
    EXPECT_TRUE(is_network_file_system(name)) << name;
  for (const auto* name : {"ext4", "fuseblk", "overlay"})
    EXPECT_FALSE(is_network_file_system(name)) << name;
}

TEST(HostFiles, LinesWordsAndNumbers) {
  EXPECT_EQ(lines_of("a\nb\n"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(lines_of("a\n\nb"), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_TRUE(lines_of("").empty());
  EXPECT_EQ(words_of(" a \t bc\n"), (std::vector<std::string_view>{"a", "bc"}));
  EXPECT_TRUE(words_of("  ").empty());
  EXPECT_EQ(parse_host_number("17"), 17U);
  for (const auto* text : {"", "-1", "1x", "max", "99999999999999999999999"})
    EXPECT_EQ(parse_host_number(text), std::nullopt) << text;
}

TEST(HostFiles, WhatCannotBeReadIsNothing) {
  const FakeTree tree;
  EXPECT_EQ(read_host_file(tree.path("none")), std::nullopt);
  EXPECT_EQ(read_host_word(tree.path("none")), "");
  EXPECT_EQ(read_host_number(tree.path("none")), std::nullopt);
  EXPECT_EQ(read_host_file(tree.write("empty", "")), "");
  EXPECT_EQ(read_host_number(tree.write("number", "42\n")), 42U);
}

}  // namespace
}  // namespace feedrate
