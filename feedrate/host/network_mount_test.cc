#include "feedrate/host/network_mount.h"

#include "feedrate/host/host_testing.h"

namespace feedrate {
namespace {

// The text is as Linux 6.1 writes it.
constexpr std::string_view kMountstats =
    "device /dev/vda1 mounted on / with fstype ext4\n"
    "device srv:/export mounted on /mnt/with\\040space with fstype nfs4 statvers=1.1\n"
    "\topts:\trw,vers=4.2,rsize=1048576,wsize=524288,namlen=255,hard,proto=tcp,nconnect=4,"
    "timeo=600,retrans=2,sec=sys,clientaddr=10.0.0.2,local_lock=none\n"
    "\tage:\t1234\n"
    "\tcaps:\tcaps=0xffbfffff,wtmult=512,dtsize=1048576,bsize=0,namlen=255\n"
    "\tevents:\t0 1 2 3\n"
    "\tbytes:\t1000 0 5000 0 6000 700 2 0\n"
    "\tRPC iostats version: 1.1  p/v: 100003/4 (nfs)\n"
    "\txprt:\ttcp 0 1 3 0 5 31 31 0 62 8 12 24 9\n"
    "\txprt:\ttcp 0 1 3 0 5 31 31 0 62 8 17 24 9\n"
    "\tper-op statistics\n"
    "\t        NULL: 1 1 0 44 24 0 0 0 0\n"
    "\t        READ: 10 12 1 2000 6100 30 200 240 0\n"
    "\t        OPEN: 3 3 0 900 1200 0 6 7 0\n"
    "\n"
    "device srv:/other mounted on /mnt/v3 with fstype nfs statvers=1.1\n"
    "\topts:\tro,vers=3,rsize=65536,wsize=65536,proto=udp\n"
    "\tbytes:\t1 0 0 0 2 0 0 0\n"
    "\txprt:\tudp 0 1 31 31 0 62 8 5 24 9\n"
    "\tper-op statistics\n"
    "\t        READ: 1 1 0 200 610 3 20 24\n";

TEST(Mountstats, SettingsBytesAndOperationsOfAMount) {
  const auto mount = parse_mountstats(kMountstats, "/mnt/with space");
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->server, "srv:/export");
  EXPECT_EQ(mount->version, "4.2");
  EXPECT_EQ(mount->read_transfer_bytes, 1048576U);
  EXPECT_EQ(mount->write_transfer_bytes, 524288U);
  EXPECT_EQ(mount->connections_asked, 4U);
  EXPECT_EQ(mount->connections, 2U);
  EXPECT_EQ(mount->slots_used, 17U);
  EXPECT_EQ(mount->read_bytes, 1000U);
  EXPECT_EQ(mount->direct_read_bytes, 5000U);
  EXPECT_EQ(mount->server_read_bytes, 6000U);
  EXPECT_EQ(mount->server_write_bytes, 700U);
  ASSERT_EQ(mount->operations.size(), 3U);
  const NfsOperation& read = mount->operations.at("READ");
  EXPECT_EQ(read.calls, 10U);
  EXPECT_EQ(read.transmissions, 12U);
  EXPECT_EQ(read.timeouts, 1U);
  EXPECT_EQ(read.sent_bytes, 2000U);
  EXPECT_EQ(read.received_bytes, 6100U);
  EXPECT_EQ(read.queue_ms, 30U);
  EXPECT_EQ(read.round_trip_ms, 200U);
  EXPECT_EQ(read.execute_ms, 240U);
}

TEST(Mountstats, AnOlderVersionOverUdpWithoutNconnect) {
  const auto mount = parse_mountstats(kMountstats, "/mnt/v3");
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->version, "3");
  EXPECT_EQ(mount->connections_asked, 1U);
  EXPECT_EQ(mount->slots_used, 5U);
  EXPECT_EQ(mount->server_read_bytes, 2U);
  EXPECT_EQ(mount->operations.at("READ").execute_ms, 24U);
}

TEST(Mountstats, OtherMountsAreNone) {
  EXPECT_FALSE(parse_mountstats(kMountstats, "/"));
  EXPECT_FALSE(parse_mountstats(kMountstats, "/mnt"));
  EXPECT_FALSE(parse_mountstats("", "/mnt/v3"));
}

TEST(Mountstats, DamagedLinesGiveNothingWrong) {
  const auto mount = parse_mountstats(
      "device srv:/a mounted on /m with fstype nfs4\n\topts:\n\tbytes:\tx y\n\txprt:\n"
      "\tper-op statistics\n\tREAD: 1 2\n\tnonsense\n",
      "/m");
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->server_read_bytes, 0U);
  EXPECT_TRUE(mount->operations.empty());
}

TEST(Mountstats, WhatHappenedInBetween) {
  const auto before = parse_mountstats(kMountstats, "/mnt/with space");
  auto after = *before;
  after.server_read_bytes += 4096;
  after.operations["READ"].calls += 2;
  after.operations["READ"].round_trip_ms += 9;
  after.operations["GETATTR"].calls = 5;
  const NfsMount between = after - *before;
  EXPECT_EQ(between.server_read_bytes, 4096U);
  EXPECT_EQ(between.read_bytes, 0U);
  EXPECT_EQ(between.operations.at("READ").calls, 2U);
  EXPECT_EQ(between.operations.at("READ").round_trip_ms, 9U);
  EXPECT_EQ(between.operations.at("GETATTR").calls, 5U);
  EXPECT_EQ(between.version, "4.2");
}

TEST(NetworkMount, AnNfsMountIsFoundWithItsServer) {
  const FakeTree tree;
  tree.write("m/file", "x");
  tree.write("proc/self/mountinfo", "9999999 1 0:50 / " + tree.path("m") +
                                        " rw - nfs4 srv:/a rw,vers=4.2,addr=127.0.0.1\n");
  tree.write("proc/self/mountstats", "device srv:/a mounted on " + tree.path("m") +
                                         " with fstype nfs4 statvers=1.1\n\topts:\trw,vers=4.2\n");
  const NetworkMount mount = find_network_mount(tree.path("m/file"), tree.roots());
  EXPECT_TRUE(mount.is_network);
  EXPECT_EQ(mount.file_system, "nfs4");
  EXPECT_EQ(mount.address, "127.0.0.1");
  EXPECT_EQ(mount.interface, "lo");
  ASSERT_TRUE(mount.nfs);
  EXPECT_EQ(mount.nfs->server, "srv:/a");
}

TEST(NetworkMount, AnotherNetworkFileSystemHasTheAddressOfItsSource) {
  const FakeTree tree;
  tree.write("m/file", "x");
  tree.write("proc/self/mountinfo",
             "9999999 1 0:50 / " + tree.path("m") + " rw - ceph 127.0.0.1:6789:/ rw,name=a\n");
  const NetworkMount mount = find_network_mount(tree.path("m/file"), tree.roots());
  EXPECT_TRUE(mount.is_network);
  EXPECT_EQ(mount.address, "127.0.0.1");
  EXPECT_FALSE(mount.nfs);
}

TEST(NetworkMount, ThisHostsRootAgreesWithItsFileSystem) {
  const auto root = find_mount("/");
  if (!root) GTEST_SKIP() << "needs a root that is a mount point: in a chroot it is none";
  EXPECT_EQ(find_network_mount("/").is_network, is_network_file_system(root->file_system));
}

TEST(NetworkInterface, TheRouteNamesIt) {
  EXPECT_EQ(interface_towards("127.0.0.1"), "lo");
  EXPECT_EQ(interface_towards("srv.example"), "");
  EXPECT_EQ(interface_towards(""), "");
}

TEST(NetworkInterface, CountersOfOneOrOfAllHardware) {
  const FakeTree tree;
  const std::string net = "sys/class/net/";
  for (const auto* name : {"lo", "eth0", "eth1", "bond0"}) {
    tree.write(net + name + "/statistics/rx_bytes", "100\n");
    tree.write(net + name + "/statistics/tx_bytes", "10\n");
  }
  tree.write(net + "bonding_masters", "bond0\n");
  EXPECT_EQ(read_interface_counters("", tree.roots())->name, "bond0+eth0+eth1");
  tree.write(net + "eth0/device/vendor", "");
  tree.write(net + "eth1/device/vendor", "");
  const auto all = read_interface_counters("", tree.roots());
  ASSERT_TRUE(all);
  EXPECT_EQ(all->name, "eth0+eth1");
  EXPECT_EQ(all->received_bytes, 200U);
  EXPECT_EQ(all->sent_bytes, 20U);
  const InterfaceCounters between = *all - *read_interface_counters("eth0", tree.roots());
  EXPECT_EQ(between.received_bytes, 100U);
}

TEST(NetworkInterface, WhatIsNotThereIsNamed) {
  const FakeTree tree;
  EXPECT_EQ(read_interface_counters("eth9", tree.roots()).error().render(),
            "error: the counters of network interface \"eth9\" cannot be read (\"" +
                tree.path("sys/class/net/eth9/statistics") +
                "\")\nhint:  has the interface been removed?\n");
  EXPECT_EQ(read_interface_counters("", tree.roots()).error().render(),
            "error: network reads are not countable here: no interface but lo\nhint:  run it "
            "where the network interface can be seen\n");
}

TEST(NetworkMountOf, LustreCountsWhatItsTargetsSent) {
  const FakeTree tree;
  tree.write("m/file", "x");
  tree.write("proc/self/mountinfo",
             "9999990 1 0:99 / " + tree.path("m") + " rw - lustre 127.0.0.1@tcp:/lfs/folder rw\n");
  EXPECT_FALSE(find_network_mount(tree.path("m/file"), tree.roots()).lustre_read_bytes);
  tree.write("proc/fs/lustre/llite/lfs-ffff/stats",
             "snapshot_time 1 secs.usecs\nread_bytes 3 samples [bytes] 4096 1048576 9000000\n");
  EXPECT_EQ(find_network_mount(tree.path("m/file"), tree.roots()).lustre_read_bytes, 9'000'000U);
  tree.write("sys/kernel/debug/lustre/osc/lfs-OST0000-osc-ffff/stats",
             "read_bytes 3 samples [bytes] 4096 1048576 2101248 77\n");
  tree.write("sys/kernel/debug/lustre/osc/lfs-OST0001-osc-ffff/stats",
             "read_bytes 1 samples [bytes] 100 100 100\n");
  tree.write("sys/kernel/debug/lustre/osc/other-OST0000-osc-ffff/stats",
             "read_bytes 1 samples [bytes] 100 100 100\n");
  const NetworkMount mount = find_network_mount(tree.path("m/file"), tree.roots());
  EXPECT_EQ(mount.lustre_read_bytes, 2'101'348U);
  EXPECT_TRUE(mount.server_is_this_host);
}

TEST(NetworkSlots, AreSettingsOfTheHost) {
  const FakeTree tree;
  EXPECT_FALSE(nfs_slot_limits(tree.roots()).session_slots);
  tree.write("sys/module/nfs/parameters/max_session_slots", "64\n");
  tree.write("proc/sys/sunrpc/tcp_max_slot_table_entries", "65536\n");
  EXPECT_EQ(nfs_slot_limits(tree.roots()).session_slots, 64U);
  EXPECT_EQ(nfs_slot_limits(tree.roots()).tcp_slots, 65536U);
}

}  // namespace
}  // namespace feedrate
