#include "feedrate/doctor/checks.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "feedrate/engine/engine_testing.h"
#include "feedrate/host/host_testing.h"

// How full the file system is, where a test says so; otherwise the kernel is asked.
static std::optional<struct statvfs> file_system_to_tell;

// Stands before the function of the C library, because a file system that is almost full cannot be
// made without root.
extern "C" int statvfs(const char* path, struct statvfs* status) noexcept {
  static const auto real =
      reinterpret_cast<int (*)(const char*, struct statvfs*)>(dlsym(RTLD_NEXT, "statvfs"));
  if (!file_system_to_tell) return real(path, status);
  *status = *file_system_to_tell;
  return 0;
}

namespace feedrate {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

// A file system that tells this of itself, for as long as this lives.
class FullFileSystem {
 public:
  FullFileSystem(std::uint64_t total, std::uint64_t free, std::uint64_t inodes,
                 std::uint64_t free_inodes) {
    struct statvfs status{};
    status.f_frsize = 4096;
    status.f_blocks = total / 4096;
    status.f_bavail = free / 4096;
    status.f_files = inodes;
    status.f_favail = free_inodes;
    file_system_to_tell = status;
  }
  FullFileSystem(const FullFileSystem&) = delete;
  ~FullFileSystem() { file_system_to_tell.reset(); }
};

// A host of which only what a test says is known; its /proc and /sys are empty.
class DoctorCheck : public testing::Test {
 protected:
  DoctorCheck() {
    host_.roots = tree_.roots();
    host_.subject.asked = host_.subject.looked_at = tree_.path();
    host_.subject.exists = host_.subject.writable = true;
    mounted("ext4", "rw,relatime", "rw");
  }
  void mounted(const std::string& file_system, const std::string& options,
               const std::string& super_options) {
    host_.mount = Mount{1, 254, 0, "/", "/m", file_system, "/dev/vda", options, super_options};
    host_.network.is_network = is_network_file_system(file_system);
  }
  void on_disk(const std::string& name) {
    host_.device.countable = true;
    host_.device.layers = "ext4 on " + name;
    host_.device.devices = {
        {name, tree_.path("sys/" + name), tree_.path("sys/" + name + "/queue")}};
    host_.device.disks = host_.device.devices;
  }
  // Returns "warn: FOUND | WHY | REMEDY", or "" for no finding.
  std::string text(const Checked& finding) const {
    if (!finding) return "";
    std::string line = fmt::format("{}: {}", to_string(finding->verdict), finding->found);
    if (!finding->why.empty()) line += fmt::format(" | {} | {}", finding->why, finding->remedy);
    return line;
  }

  FakeTree tree_;
  Examined host_;
};

TEST_F(DoctorCheck, FileSystem) {
  EXPECT_EQ(text(check_file_system(host_)), "ok: ext4, rw,relatime");
  mounted("ext4", "rw,noatime", "rw");
  EXPECT_EQ(text(check_file_system(host_)), "ok: ext4, rw,noatime");
  mounted("ext4", "rw", "rw");
  EXPECT_EQ(text(check_file_system(host_)),
            "warn: ext4, rw, strictatime | mounted with strictatime: each read of a file also "
            "writes its access time | mount -o remount,noatime \"/m\"");
  mounted("ext4", "ro", "ro");
  EXPECT_EQ(text(check_file_system(host_)), "ok: ext4, ro");
  mounted("xfs", "rw,relatime", "rw,sync");
  EXPECT_EQ(text(check_file_system(host_)),
            "warn: xfs, rw,relatime | mounted with sync: each write waits for the device, so "
            "datagen is slow | mount -o remount,async \"/m\"");
  mounted("ext4", "rw,relatime", "rw,data=journal");
  EXPECT_EQ(text(check_file_system(host_)),
            "warn: ext4, rw,relatime, data=journal | with data=journal direct I/O silently goes "
            "through the page cache, and writes happen twice | mount it with data=ordered");
  mounted("tmpfs", "rw,relatime", "rw");
  host_.origin.memory = {"tmpfs keeps its files in memory"};
  EXPECT_EQ(text(check_file_system(host_)),
            "bad: tmpfs, rw,relatime; tmpfs keeps its files in memory | its files are in this "
            "host's memory: no storage is "
            "measured | give a directory on the storage that is meant");
  mounted("ext4", "rw,relatime", "rw");
  host_.origin.memory = {"zram0 keeps its blocks in memory"};
  EXPECT_EQ(text(check_file_system(host_)),
            "bad: ext4, rw,relatime; zram0 keeps its blocks in memory | its files are in this "
            "host's memory: no storage is measured | give a directory on the storage that is "
            "meant");
  host_.origin.memory.clear();
  mounted("overlay", "rw,relatime", "rw");
  EXPECT_EQ(text(check_file_system(host_)),
            "warn: overlay, rw,relatime | a container's own layer: every open searches all layers, "
            "and others share it | mount the storage into the container as a volume, and measure "
            "there");
  mounted("fuse.sshfs", "rw", "rw");
  EXPECT_EQ(text(check_file_system(host_)),
            "warn: fuse.sshfs, rw | every call goes through a program in user space, which takes "
            "CPU time of its own | watch that program's CPU use during a run ('top')");
  mounted("fuse", "rw", "rw");
  EXPECT_EQ(check_file_system(host_)->verdict, FindingVerdict::kWarn);
  mounted("nfs4", "rw", "rw");
  EXPECT_EQ(text(check_file_system(host_)), "ok: nfs4, rw") << "the server keeps access times";
  host_.mount.reset();
  EXPECT_EQ(text(check_file_system(host_)),
            "unknown: not countable here: /proc/self/mountinfo names no mount above it");
}

TEST_F(DoctorCheck, FreeSpaceForADataSetThatIsToBeMade) {
  const auto of = [this](std::uint64_t free, std::uint64_t free_inodes) {
    const FullFileSystem told(100 * kGiB, free, 1000, free_inodes);
    return text(check_free_space(host_));
  };
  EXPECT_EQ(of(50 * kGiB, 1000), "ok: 50 GiB of 100 GiB (50.0 %)");
  const std::string too_small =
      " | a data set of 4 GiB, what 'find' makes when not told otherwise, does not fit | give "
      "--size, or free some space";
  EXPECT_EQ(of(3 * kGiB, 1000), "warn: 3 GiB of 100 GiB (3.0 %)" + too_small);
  EXPECT_EQ(of(50 * kGiB, 10), "ok: 50 GiB of 100 GiB (50.0 %)") << "a hundredth is enough";
  EXPECT_EQ(of(50 * kGiB, 9),
            "warn: 50 GiB of 100 GiB (50.0 %), 9 inodes | almost no new file can be made | remove "
            "files, or use another file system");
  const std::string scattered =
      "warn: 4 GiB of 100 GiB (4.0 %) | a file system this full scatters new files in small "
      "pieces, which read slower | free some space before a data set is made";
  EXPECT_EQ(of(4 * kGiB, 1000), scattered);
  EXPECT_EQ(of(5 * kGiB, 1000), "ok: 5 GiB of 100 GiB (5.0 %)");
  // What is there already, or cannot be read, is not made.
  host_.subject.trouble = "it cannot be listed";
  EXPECT_TRUE(of(3 * kGiB, 1000).ends_with("free some space before a data set is made"));
  host_.subject.trouble.clear();
  host_.subject.own_files = {tree_.write("file", "x")};
  EXPECT_TRUE(of(3 * kGiB, 1000).ends_with("free some space before a data set is made"));
  // Some file systems make inodes as they need them, and tell of none.
  const FullFileSystem told(100 * kGiB, 50 * kGiB, 0, 0);
  EXPECT_EQ(text(check_free_space(host_)), "ok: 50 GiB of 100 GiB (50.0 %)");
}

TEST_F(DoctorCheck, FreeSpaceThatNobodyTells) {
  const std::string untold = "unknown: not countable here: the file system does not tell its size";
  host_.subject.looked_at = tree_.path("none");
  EXPECT_EQ(text(check_free_space(host_)), untold);
  host_.subject.looked_at = tree_.path();
  const FullFileSystem empty(0, 0, 0, 0);
  EXPECT_EQ(text(check_free_space(host_)), untold);
}

TEST_F(DoctorCheck, StoredSize) {
  EXPECT_EQ(text(check_stored_size(host_)), "");
  const std::string holes = tree_.write("holes", "x");
  std::filesystem::resize_file(holes, 1U << 20U);
  host_.subject.own_files = {holes};
  const auto finding = check_stored_size(host_);
  EXPECT_EQ(finding->verdict, FindingVerdict::kWarn);
  EXPECT_TRUE(finding->found.ends_with(" of storage for 1 MiB in 1 file")) << finding->found;
  EXPECT_EQ(finding->why,
            "the files are compressed or have holes: storage moves fewer bytes than are counted, "
            "and their unpacking takes CPU time");
  EXPECT_EQ(finding->remedy,
            "copy them without holes ('cp --sparse=never'), or see 'lsattr' and the volume's "
            "properties");
  mounted("btrfs", "rw", "rw,compress=zstd:3");
  EXPECT_TRUE(check_stored_size(host_)->found.ends_with("mounted with compress=zstd:3"));
  EXPECT_EQ(check_stored_size(host_)->remedy,
            "'btrfs property set DIR compression none' before the data is written, or remount "
            "without it");
  host_.subject.own_files = {tree_.path("none")};
  EXPECT_EQ(text(check_stored_size(host_)),
            "unknown: not countable here: no file could be looked at");
  host_.subject.own_files = {tree_.write("whole", std::string(1U << 20U, 'x'))};
  EXPECT_EQ(check_stored_size(host_)->verdict, FindingVerdict::kOk);
}

TEST_F(DoctorCheck, NetworkMount) {
  EXPECT_EQ(text(check_network_mount(host_)), "") << "of a local disk there is nothing to say";
  mounted("ceph", "rw", "rw");
  host_.network.file_system = "ceph";
  EXPECT_EQ(text(check_network_mount(host_)),
            "unknown: not countable here: the kernel has no figures of ceph");
  tree_.write("sys/module/nfs/parameters/max_session_slots", "64");
  tree_.write("proc/sys/sunrpc/tcp_max_slot_table_entries", "65536");
  NfsMount nfs;
  nfs.version = "4.2";
  nfs.options = "rw,vers=4.2,proto=tcp";
  nfs.read_transfer_bytes = nfs.write_transfer_bytes = 1U << 20U;
  nfs.connections_asked = nfs.connections = 8;
  nfs.slots_used = 33;
  host_.network.nfs = nfs;
  EXPECT_EQ(text(check_network_mount(host_)),
            "ok: nfs 4.2, nconnect 8 (8 in use), rsize 1 MiB, wsize 1 MiB, 64 slots (most used "
            "33)");
  host_.network.nfs->version = "3";
  host_.network.nfs->connections_asked = host_.network.nfs->connections = 1;
  EXPECT_EQ(text(check_network_mount(host_)),
            "warn: nfs 3, nconnect 1 (1 in use), rsize 1 MiB, wsize 1 MiB, 65536 slots (most used "
            "33) | few TCP connections carry all reads: one of them is often limited to a core or "
            "a path of the network | mount it with nconnect=8 (Linux 5.3), and see that no other "
            "mount of the same server came first");
  host_.network.nfs->read_transfer_bytes = 64U << 10U;
  EXPECT_EQ(check_network_mount(host_)->why, "reads are cut into pieces of rsize, a call each");
  EXPECT_EQ(check_network_mount(host_)->remedy,
            "mount it with rsize=1048576, if the server allows it");
  host_.network.nfs->read_transfer_bytes = 0;  // The kernel does not tell.
  EXPECT_TRUE(check_network_mount(host_)->why.starts_with("few TCP connections"));
  host_.network.nfs->options = "rw,actimeo=0";
  EXPECT_EQ(check_network_mount(host_)->remedy, "leave noac and actimeo=0 out");
  host_.network.nfs->options = "rw,noac";
  EXPECT_EQ(check_network_mount(host_)->why,
            "without attribute caching each open and stat asks the server");
  EXPECT_EQ(check_network_mount(host_)->remedy, "leave noac and actimeo=0 out");
  host_.network.nfs->options = "rw,softerr";
  EXPECT_EQ(check_network_mount(host_)->remedy, "mount it with hard");
  host_.network.nfs->options = "rw,soft";
  EXPECT_EQ(check_network_mount(host_)->why, "a soft mount turns a slow server into failed reads");
  EXPECT_EQ(check_network_mount(host_)->remedy, "mount it with hard");
  host_.network.nfs->options = "rw,proto=udp";
  EXPECT_EQ(check_network_mount(host_)->verdict, FindingVerdict::kBad);
  EXPECT_EQ(check_network_mount(host_)->why,
            "NFS over UDP loses and corrupts data at today's speeds");
  EXPECT_EQ(check_network_mount(host_)->remedy, "mount it with proto=tcp");
}

TEST_F(DoctorCheck, DirectoriesThatAreClosedForWriting) {
  host_.subject.asked = "data";
  host_.subject.writable = false;
  const std::string found = check_directory(host_)->found;
  EXPECT_TRUE(found.ends_with(", and closed to us for writing")) << found;
  EXPECT_EQ(check_directory(host_)->why,
            "there is nothing to read, and a data set cannot be made there");
  EXPECT_EQ(check_directory(host_)->remedy,
            "give a directory with data, or one that may be written to");
  host_.subject.exists = false;
  EXPECT_TRUE(check_directory(host_)->found.ends_with(", which is closed to us for writing"));
  EXPECT_EQ(check_directory(host_)->remedy, "give a directory that may be written to");
}

TEST_F(DoctorCheck, DirectIoLeavesNothingBehind) {
  const auto finding = check_direct_io(host_);
  ASSERT_TRUE(finding);
  EXPECT_TRUE(std::filesystem::is_empty(tree_.path()));
  host_.subject.looked_at = tree_.path("none");
  EXPECT_EQ(text(check_direct_io(host_)),
            "unknown: not countable here: a temporary file: open with O_DIRECT: No such file or "
            "directory");
}

// The files of /sys refuse direct I/O on every kernel.
TEST_F(DoctorCheck, DirectIoThatIsRefused) {
  const std::string file = "/sys/kernel/mm/transparent_hugepage/enabled";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
  host_.subject.own_files = {file};
  EXPECT_EQ(text(check_direct_io(host_)),
            "warn: does not work (open with O_DIRECT: Invalid argument) | reads go through the "
            "page cache: they take more CPU time, and what is read twice comes from memory, not "
            "from storage | use a data set of twice this host's memory, and 'feedrate "
            "drop-caches' before each run");
}

TEST_F(DoctorCheck, IoUringSaysWhatRefusesIt) {
  const std::string why =
      "reads are made by a pool of threads instead: fewer in flight, about twice the CPU time";
  host_.ring_error =
      Error(ErrorKind::kEnvironment, "io_uring is not available: Operation not permitted", "HINT");
  EXPECT_EQ(text(check_io_uring(host_)),
            "warn: io_uring is not available: Operation not permitted | " + why + " | HINT");
  tree_.write("proc/self/status", "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n");
  EXPECT_EQ(text(check_io_uring(host_)),
            "warn: io_uring is not available: Operation not permitted (a seccomp filter is in "
            "force) | " +
                why +
                " | allow io_uring_setup, io_uring_enter and io_uring_register in the container's "
                "profile, or 'docker run --security-opt seccomp=unconfined'");
  host_.ring_error = Error(ErrorKind::kEnvironment,
                           "io_uring is not available: disabled by sysctl "
                           "(kernel.io_uring_disabled=2)",
                           "'sysctl -w kernel.io_uring_disabled=0'");
  EXPECT_EQ(text(check_io_uring(host_)),
            "warn: io_uring is not available: disabled by sysctl (kernel.io_uring_disabled=2) | " +
                why + " | 'sysctl -w kernel.io_uring_disabled=0'");
  EXPECT_EQ(text(check_locked_memory(host_)),
            "unknown: not countable here: only io_uring has buffers registered");
}

// In a process of its own, because a limit that was lowered cannot be raised again.
TEST_F(DoctorCheck, ARingThatMayKeepFewFilesOpen) {
  if (const auto ring = World::make({.io_engine = IoEngine::kUring}); !ring)
    GTEST_SKIP() << ring.error().message();
  const auto examine_with_few = [this] {
    const rlimit few{64, 64};
    setrlimit(RLIMIT_NOFILE, &few);
    auto ring = World::make({.io_engine = IoEngine::kUring});
    if (!ring) std::exit(1);
    host_.ring = std::make_shared<World>(std::move(*ring));
    std::fputs(text(check_io_uring(host_)).c_str(), stderr);
    std::exit(0);
  };
  EXPECT_EXIT(examine_with_few(), testing::ExitedWithCode(0),
              "warn: works, but the ring keeps 32 files open instead of [0-9]+ .RLIMIT_NOFILE is "
              "64. . fewer files are read with one call each . raise it with 'ulimit -n 65536'");
}

TEST_F(DoctorCheck, LockedMemoryThatNoLimitBinds) {
  auto ring = World::make({.io_engine = IoEngine::kUring});
  if (!ring) GTEST_SKIP() << ring.error().message();
  host_.ring = std::make_shared<World>(std::move(*ring));
  EXPECT_EQ(check_io_uring(host_)->verdict, FindingVerdict::kOk);
  tree_.write("proc/self/status", "CapEff:\t000001ffffffffff\n");
  const auto finding = check_locked_memory(host_);
  if (finding->verdict == FindingVerdict::kWarn) GTEST_SKIP() << finding->found;
  EXPECT_EQ(text(finding), "ok: 16 MiB were registered; no limit binds us (CAP_IPC_LOCK)");
  tree_.write("proc/self/status", "CapEff:\t0000000000000000\n");
  host_.cores_allowed = 0;  // so that any limit is enough
  EXPECT_TRUE(text(check_locked_memory(host_)).starts_with("ok: 16 MiB were registered; RLIMIT_ME"))
      << text(check_locked_memory(host_));
  host_.cores_allowed = 1U << 30U;  // as many threads as no limit but none is enough for
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  EXPECT_EQ(check_locked_memory(host_)->verdict,
            limit.rlim_cur == RLIM_INFINITY ? FindingVerdict::kOk : FindingVerdict::kWarn);
}

TEST_F(DoctorCheck, OpenFiles) {
  const std::string remedy =
      " | 'ulimit -n 65536', or LimitNOFILE= of the service, or 'docker run --ulimit nofile=65536'";
  host_.open_files_now = 1024;
  host_.open_files_max = RLIM_INFINITY;
  EXPECT_EQ(text(check_open_files(host_)), "ok: 1024 now, up to unlimited (RLIMIT_NOFILE)");
  host_.open_files_max = 1024;
  EXPECT_EQ(text(check_open_files(host_)),
            "warn: 1024 now, up to 1024 (RLIMIT_NOFILE) | runs with hundreds of readers may fail "
            "with 'Too many open files'" +
                remedy);
  host_.open_files_max = 100;
  EXPECT_EQ(text(check_open_files(host_)),
            "bad: 1024 now, up to 100 (RLIMIT_NOFILE) | runs with a few dozen readers will fail "
            "with 'Too many open files'" +
                remedy);
}

TEST_F(DoctorCheck, DeviceAndOtherIo) {
  host_.device.reason = "nfs4 has no block device on this host";
  EXPECT_EQ(text(check_device(host_)),
            "unknown: not countable here: nfs4 has no block device on this host");
  EXPECT_EQ(text(check_other_io(host_)),
            "unknown: not countable here: nfs4 has no block device on this host");
  on_disk("vda");
  EXPECT_EQ(text(check_device(host_)), "ok: ext4 on vda; its reads are counted");
  const std::string words =
      " | others use the same device: what they take is missing in our figures | find out who "
      "('iotop', 'pidstat -d 1'), and wait or end it";
  host_.watched.seconds = 0.5;
  host_.watched.device = BlockCounters{"vda", 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(text(check_other_io(host_)), "ok: none on vda in 0.5 s");
  host_.watched.device = BlockCounters{"vda", 4000, 1, 0, 0, 0, 5};
  EXPECT_EQ(text(check_other_io(host_)),
            "ok: 8.0 kB/s in 2 operations a second on vda, busy for 1.0 %, while we did nothing");
  host_.watched.device = BlockCounters{"vda", 5'000'000, 10, 0, 0, 0, 20};
  EXPECT_EQ(text(check_other_io(host_)),
            "warn: 10.0 MB/s in 20 operations a second on vda, busy for 4.0 %, while we did "
            "nothing" +
                words);
  host_.watched.device = BlockCounters{"vda", 0, 0, 5000, 1, 0, 400};
  EXPECT_EQ(check_other_io(host_)->verdict, FindingVerdict::kWarn) << "one slow write is not much";
  host_.watched.device = BlockCounters{"vda", 0, 0, 50'000'000, 10, 0, 400};
  EXPECT_EQ(text(check_other_io(host_)),
            "bad: 100 MB/s in 20 operations a second on vda, busy for 80.0 %, while we did "
            "nothing" +
                words);
  host_.watched.device = BlockCounters{"vda", 5000, 1000, 0, 0, 0, 400};
  EXPECT_EQ(check_other_io(host_)->verdict, FindingVerdict::kBad);
  host_.watched.network = InterfaceCounters{"eth0", 10'000'000, 0};
  EXPECT_EQ(text(check_other_io(host_)),
            "warn: 20.0 MB/s received on eth0 while we did nothing | others use the same network: "
            "what they take is missing in our figures | find out who ('ss -tip', 'nethogs'), and "
            "wait or end it");
  host_.watched.network = InterfaceCounters{"eth0", 1000, 0};
  EXPECT_EQ(text(check_other_io(host_)), "ok: 2.0 kB/s received on eth0 while we did nothing");
}

TEST_F(DoctorCheck, Scheduler) {
  EXPECT_EQ(text(check_scheduler(host_)), "unknown: not countable here: there is no block device");
  on_disk("vda");
  EXPECT_EQ(text(check_scheduler(host_)), "unknown: not countable here: vda does not tell");
  tree_.write("sys/vda/queue/scheduler", "none [mq-deadline] bfq\n");
  tree_.write("sys/vda/queue/rotational", "1\n");
  EXPECT_EQ(text(check_scheduler(host_)),
            "ok: mq-deadline on vda, which says that it is rotational (virtual disks often do)");
  on_disk("sda");
  tree_.write("sys/sda/queue/scheduler", "none [bfq]\n");
  tree_.write("sys/sda/queue/rotational", "0\n");
  EXPECT_EQ(text(check_scheduler(host_)),
            "warn: bfq on sda, which says that it is not rotational | bfq trades throughput for "
            "fairness, and idles between processes' reads | echo none > "
            "/sys/block/sda/queue/scheduler");
}

TEST_F(DoctorCheck, ReadAhead) {
  EXPECT_EQ(text(check_read_ahead(host_)),
            "unknown: not countable here: the file system has no read-ahead setting");
  on_disk("vda");
  tree_.write("sys/vda/queue/read_ahead_kb", "128\n");
  EXPECT_EQ(text(check_read_ahead(host_)), "ok: 128 KiB");
  const std::string file = tree_.write("sys/class/bdi/254:0/read_ahead_kb", "8192\n");
  EXPECT_EQ(text(check_read_ahead(host_)),
            "warn: 8 MiB | one touch of a memory-mapped file (LMDB, token files) reads up to this "
            "much; direct reads do not care | echo 128 > " +
                file);
  tree_.write("sys/class/bdi/254:0/read_ahead_kb", "0\n");
  EXPECT_EQ(text(check_read_ahead(host_)),
            "warn: 0 B | buffered reads front to back wait for many small reads; direct reads do "
            "not care | echo 128 > " +
                file);
}

TEST_F(DoctorCheck, Numa) {
  EXPECT_EQ(text(check_numa(host_)), "unknown: not countable here: the kernel reports no nodes");
  tree_.write("sys/devices/system/node/node0/cpulist", "0-4095\n");
  EXPECT_EQ(text(check_numa(host_)), "ok: 1 node");
  tree_.write("sys/devices/system/node/node1/cpulist", "5000-5001\n");
  on_disk("nvme0n1");
  EXPECT_EQ(text(check_numa(host_)), "ok: 2 nodes, the device is on a node that it does not tell");
  tree_.write("sys/nvme0n1/numa_node", "0\n");
  EXPECT_EQ(text(check_numa(host_)), "ok: 2 nodes, the device is on node 0");
  tree_.write("sys/nvme0n1/numa_node", "1\n");
  EXPECT_EQ(
      text(check_numa(host_)),
      "warn: 2 nodes, the device is on node 1, and no core of this process is | every byte crosses "
      "the link between the nodes | start it with 'numactl --cpunodebind=1 --membind=1'");
}

TEST_F(DoctorCheck, Memory) {
  EXPECT_EQ(text(check_memory(host_)), "unknown: not countable here: /proc/meminfo cannot be read");
  host_.memory = MemoryFacts{24 * kGiB, 20 * kGiB, 0, 0, 0, 0};
  EXPECT_EQ(text(check_memory(host_)), "ok: 20 GiB available of 24 GiB");
  host_.subject.bytes = 2 * kGiB;
  host_.direct_works = true;
  EXPECT_EQ(text(check_memory(host_)),
            "ok: 20 GiB available of 24 GiB; the data (2 GiB) fits: only direct reads measure "
            "storage");
  host_.direct_works = false;
  EXPECT_EQ(text(check_memory(host_)),
            "warn: 20 GiB available of 24 GiB; the data (2 GiB) fits | from the second epoch on, "
            "buffered reads come from memory, not from storage | use a data set of 48 GiB or more");
  host_.cgroup.memory_bytes = CgroupLimit<std::uint64_t>{kGiB, "memory.max"};
  EXPECT_EQ(text(check_memory(host_)),
            "ok: 1 GiB available of 1 GiB; the data (2 GiB) does not fit");
  host_.memory->available_bytes = kGiB / 2;
  EXPECT_EQ(text(check_memory(host_)),
            "warn: 512 MiB available of 1 GiB | I/O buffers and the page cache compete for what is "
            "left | end what uses the memory, or give --buffer-memory");
  tree_.write("proc/pressure/memory", "full avg10=12.50 avg60=0 avg300=0 total=1\n");
  EXPECT_EQ(text(check_memory(host_)),
            "warn: 512 MiB available of 1 GiB, short for 12.5 % of the time | the host is short of "
            "memory: reads wait for pages to be freed | end what uses the memory");
}

TEST_F(DoctorCheck, DirtyPages) {
  EXPECT_EQ(text(check_dirty_pages(host_)),
            "unknown: not countable here: /proc/meminfo cannot be read");
  host_.memory = MemoryFacts{24 * kGiB, 20 * kGiB, 4096, 0, 0, 0};
  EXPECT_EQ(text(check_dirty_pages(host_)), "ok: 4 KiB waiting to be written");
  host_.memory->dirty_bytes = kGiB;
  EXPECT_EQ(text(check_dirty_pages(host_)),
            "warn: 1 GiB waiting to be written | the kernel will write them during a run, in "
            "between its reads | run 'sync' first");
}

TEST_F(DoctorCheck, PageCache) {
  EXPECT_EQ(text(check_page_cache(host_)), "");
  host_.subject.own_files = {tree_.write("file", std::string(8192, 'x'))};
  host_.subject.asked = "data";
  const auto real = find_mount(tree_.path());
  mounted("tmpfs", "rw", "rw");
  EXPECT_EQ(check_page_cache(host_)->verdict, FindingVerdict::kOk) << "that is where its files are";
  if (!real || is_memory_file_system(real->file_system))
    GTEST_SKIP() << "the temporary folder is not on storage";
  mounted("ext4", "rw", "rw");
  const auto finding = check_page_cache(host_);
  EXPECT_EQ(finding->verdict, FindingVerdict::kWarn);
  EXPECT_TRUE(finding->found.starts_with("8 KiB of 8 KiB resident (")) << finding->found;
  EXPECT_EQ(finding->why, "buffered reads of these come from memory, not from storage");
  EXPECT_EQ(finding->remedy, "feedrate drop-caches --data data");
  host_.mount.reset();
  EXPECT_EQ(check_page_cache(host_)->verdict, FindingVerdict::kWarn) << "of a mount nobody knows";
  // What drops a data set of ours is another command.
  const auto plan = plan_for(test_workload("file", 1, 1, 8192), 0, 1, 0);
  const auto dataset = Dataset::from_plan(*plan, tree_.path()).value();
  tree_.write(dataset->full_path(0).substr(tree_.path().size() + 1), std::string(8192, 'x'));
  host_.subject.dataset = dataset;
  EXPECT_EQ(check_page_cache(host_)->remedy, "feedrate drop-caches data");
  host_.subject.dataset.reset();
  // A file that is one hole was never read or written, so that nothing of it is in the cache.
  std::filesystem::resize_file(tree_.write("cold", ""), 8192);
  host_.subject.own_files = {tree_.path("cold")};
  EXPECT_TRUE(text(check_page_cache(host_)).starts_with("ok: 0 B of 8 KiB resident ("))
      << text(check_page_cache(host_));
  host_.subject.own_files = {tree_.path("none")};
  EXPECT_EQ(text(check_page_cache(host_)), "unknown: not countable here: open \"" +
                                               tree_.path("none") +
                                               "\": No such file or directory");
}

TEST_F(DoctorCheck, HugePagesAreTried) {
  tree_.write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  const auto finding = check_huge_pages(host_);
  EXPECT_TRUE(finding->found.starts_with("transparent_hugepage madvise, 0 reserved"))
      << finding->found;
}

// A process may be kept from huge pages, as on hosts that have none left.
TEST_F(DoctorCheck, BuffersWithoutHugePages) {
  ASSERT_EQ(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
  const std::string setting = "sys/kernel/mm/transparent_hugepage/enabled";
  tree_.write(setting, "always madvise [never]\n");
  const auto off = check_huge_pages(host_);
  tree_.write(setting, "always [madvise] never\n");
  const auto fragmented = check_huge_pages(host_);
  ASSERT_EQ(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), 0);
  EXPECT_EQ(text(off),
            "warn: transparent_hugepage never, 0 reserved; buffers did not get any | with buffers "
            "on pages of 4 KiB, direct reads of 112 KiB and more may run at half speed: each is "
            "cut into many segments | echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
  EXPECT_EQ(fragmented->remedy, "memory is fragmented: echo 1 > /proc/sys/vm/compact_memory");
}

TEST_F(DoctorCheck, LoadAndSteal) {
  EXPECT_EQ(text(check_cpu_load(host_)), "unknown: not countable here: /proc/stat cannot be read");
  EXPECT_EQ(text(check_steal(host_)), "unknown: not countable here: /proc/stat cannot be read");
  const std::string load =
      " | others use the processors: feedrate may be slower than the storage | find out who "
      "('top'), and wait or end it";
  const std::string steal =
      " | the hypervisor gives this guest's processors to others: figures vary from run to run | "
      "use a guest with processors of its own, or repeat runs and look at the spread";
  host_.watched.cpu = CpuTimes{5, 95, 0};
  EXPECT_EQ(text(check_cpu_load(host_)), "ok: 5.0 % busy while we did nothing");
  EXPECT_EQ(text(check_steal(host_)), "ok: 0.0 % of the time");
  host_.watched.cpu = CpuTimes{50, 45, 5};
  EXPECT_EQ(text(check_cpu_load(host_)), "warn: 50.0 % busy while we did nothing" + load);
  EXPECT_EQ(text(check_steal(host_)), "warn: 5.0 % of the time" + steal);
  host_.watched.cpu = CpuTimes{90, 10, 0};
  EXPECT_EQ(text(check_cpu_load(host_)), "bad: 90.0 % busy while we did nothing" + load);
  host_.watched.cpu = CpuTimes{0, 50, 50};
  EXPECT_EQ(text(check_steal(host_)), "bad: 50.0 % of the time" + steal);
}

TEST_F(DoctorCheck, GovernorsThatRunSlow) {
  EXPECT_EQ(text(check_governor(host_)),
            "unknown: not countable here: no frequency control (a virtual machine?)");
  const std::string folder = "sys/devices/system/cpu/cpu0/cpufreq/";
  tree_.write(folder + "scaling_governor", "powersave\n");
  tree_.write(folder + "scaling_driver", "intel_pstate\n");
  EXPECT_EQ(text(check_governor(host_)), "ok: powersave (intel_pstate)");
  tree_.write(folder + "scaling_driver", "acpi-cpufreq\n");
  EXPECT_EQ(text(check_governor(host_)),
            "warn: powersave (acpi-cpufreq) | the processors run slow when they are rarely busy, "
            "as here | cpupower frequency-set -g performance");
}

TEST_F(DoctorCheck, ControlGroup) {
  host_.cores_allowed = 4;
  EXPECT_EQ(text(check_control_group(host_)),
            "unknown: not countable here: no control groups are mounted");
  host_.cgroup.found = true;
  EXPECT_EQ(text(check_control_group(host_)), "ok: no limit on CPU time or I/O");
  host_.cgroup.memory_bytes = CgroupLimit<std::uint64_t>{4 * kGiB, "G/memory.max"};
  EXPECT_EQ(text(check_control_group(host_)), "ok: no limit on CPU time or I/O, 4 GiB of memory");
  host_.cgroup.memory_bytes->value = kGiB;
  EXPECT_EQ(text(check_control_group(host_)),
            "warn: 1 GiB of memory | I/O buffers and the page cache of buffered reads count in it "
            "| raise G/memory.max, or give --buffer-memory");
  host_.cgroup.memory_bytes->value = 4 * kGiB;
  host_.cgroup.cpus = CgroupLimit<double>{4, "G/cpu.max"};
  EXPECT_EQ(text(check_control_group(host_)), "ok: no limit on CPU time or I/O, 4 GiB of memory")
      << "it is as much as there are cores";
  host_.cgroup.cpus = CgroupLimit<double>{1.5, "G/cpu.max"};
  EXPECT_EQ(text(check_control_group(host_)),
            "warn: 1.5 cores' worth of time | feedrate is stopped for the rest of each period when "
            "it has used this up | raise G/cpu.max");
  on_disk("vda");
  tree_.write("sys/vda/dev", "254:0\n");
  host_.cgroup.io = {{8, 0, 1, 1, 1, 1, "elsewhere"},
                     {254, 0, 10'000'000, {}, 500, {}, "G/io.max"}};
  EXPECT_EQ(text(check_control_group(host_)),
            "bad: reads 10.0 MB/s, 500 reads a second | the limit of the control group is "
            "measured, not the storage | lift it in G/io.max");
}

TEST_F(DoctorCheck, CoresAndClockOfThisHost) {
  host_.cores_allowed = 100'000;
  EXPECT_EQ(check_cores(host_)->verdict, FindingVerdict::kOk);
  host_.cores_allowed = 0;
  EXPECT_EQ(check_cores(host_)->why,
            "feedrate may use only these: its threads may limit fast storage");
  EXPECT_EQ(check_cores(host_)->remedy,
            "widen the affinity ('taskset -p $$', the job's --cpus-per-task, the container's "
            "cpuset)");
  tree_.write("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
  EXPECT_TRUE(check_clock(host_)->found.starts_with("tsc, "));
}

}  // namespace
}  // namespace feedrate
