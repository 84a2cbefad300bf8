#include "feedrate/host/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "feedrate/host/host_testing.h"
#include "feedrate/host/mounts.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kFileBytes = 3 * (1U << 20U) + 100;

bool has_cachestat(const std::string& path) {
  return file_residency(path, ResidencyMethod::kCachestat).has_value();
}

void read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes(1U << 20U);
  while (file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
  }
}

class PageCache : public testing::Test {
 protected:
  void SetUp() override {
    file_ = tree_.write("file", std::string(kFileBytes, 'x'));
    const auto mount = find_mount(file_);
    if (!mount) GTEST_SKIP() << "needs to see the mount of the temporary folder, as in no chroot";
    if (is_memory_file_system(mount->file_system))
      GTEST_SKIP() << "the temporary folder is not on storage";
  }
  FakeTree tree_;
  std::string file_;
};

TEST_F(PageCache, AWrittenFileIsResidentAndDirtyUntilItIsDropped) {
  const auto written = file_residency(file_);
  ASSERT_TRUE(written) << written.error().message();
  EXPECT_EQ(written->file_bytes, kFileBytes);
  EXPECT_EQ(written->resident_bytes, kFileBytes);
  const auto dropped = drop_file(file_);
  ASSERT_TRUE(dropped) << dropped.error().message();
  EXPECT_EQ(dropped->file_bytes, kFileBytes);
  EXPECT_EQ(dropped->before->resident_bytes, kFileBytes);
  EXPECT_EQ(dropped->after->resident_bytes, 0U);
  EXPECT_EQ(dropped->kept_reason, "");
  EXPECT_EQ(file_residency(file_)->resident_bytes, 0U);
}

TEST_F(PageCache, BothMethodsAgree) {
  if (!has_cachestat(file_)) GTEST_SKIP() << "this kernel has no cachestat";
  ASSERT_TRUE(drop_file(file_));
  for (const bool warm : {false, true}) {
    if (warm) read_all(file_);
    const auto counted = file_residency(file_, ResidencyMethod::kCachestat);
    const auto mapped = file_residency(file_, ResidencyMethod::kMincore);
    ASSERT_TRUE(counted && mapped);
    EXPECT_EQ(counted->resident_bytes, warm ? kFileBytes : 0U);
    EXPECT_EQ(mapped->resident_bytes, warm ? kFileBytes : 0U);
    EXPECT_EQ(counted->dirty_bytes, 0U);
    EXPECT_EQ(mapped->dirty_bytes, std::nullopt);
    EXPECT_EQ(to_string(counted->method), "cachestat");
    EXPECT_EQ(to_string(mapped->method), "mincore");
  }
}

TEST_F(PageCache, WhatAProcessHasMappedStaysAndItsNameIsSaid) {
  const int fd = open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  void* mapping = mmap(nullptr, kFileBytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  ASSERT_NE(mapping, MAP_FAILED);
  close(fd);
  const auto dropped = drop_file(file_);
  ASSERT_TRUE(dropped);
  EXPECT_GT(dropped->after->resident_bytes, 0U);
  EXPECT_EQ(dropped->kept_reason, "process " + std::to_string(getpid()) + " (" +
                                      read_host_word("/proc/self/comm") + ") has it mapped");
  EXPECT_EQ(dropped->remedy, "end that process");
  munmap(mapping, kFileBytes);
  EXPECT_EQ(drop_file(file_)->after->resident_bytes, 0U);
}

TEST_F(PageCache, AnotherProcessThatCannotBeSeenIsSupposed) {
  const int fd = open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  void* mapping = mmap(nullptr, kFileBytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  ASSERT_NE(mapping, MAP_FAILED);
  close(fd);
  const auto dropped = drop_file(file_, tree_.roots());  // a /proc without processes
  munmap(mapping, kFileBytes);
  ASSERT_TRUE(dropped);
  EXPECT_EQ(dropped->kept_reason,
            "its pages are in use: locked, or mapped by a process that cannot be looked at from "
            "here");
}

TEST_F(PageCache, ManyFilesAreSampledEvenly) {
  std::vector<std::uint64_t> asked;
  const FileList files{10, [&](std::uint64_t number) {
                         asked.push_back(number);
                         return number == 9 ? tree_.path("none") : file_;
                       }};
  EXPECT_EQ(files_residency(files, 3).sample_share(), 0.3);
  EXPECT_EQ(asked, (std::vector<std::uint64_t>{1, 4, 7}));
  const ResidencySummary all = files_residency(files);
  EXPECT_EQ(all.files_looked_at, 10U);
  EXPECT_EQ(all.sample_share(), 1);
  EXPECT_EQ(all.file_bytes, 9 * kFileBytes);
  EXPECT_EQ(all.resident_share(), 1);
  EXPECT_EQ(all.files_unknown, 1U);
  EXPECT_EQ(all.unknown_reason, "open \"" + tree_.path("none") + "\": No such file or directory");
  const ResidencySummary none = files_residency({0, {}});
  EXPECT_EQ(none.sample_share(), 1);
  EXPECT_EQ(none.resident_share(), 0);
  EXPECT_EQ(none.method, std::nullopt);
}

TEST_F(PageCache, ManyFilesAreDroppedAndCounted) {
  const std::string other = tree_.write("other", std::string(5000, 'y'));
  const std::vector<std::string> paths{file_, other, tree_.path("none"), tree_.path()};
  const FileList files{paths.size(), [&](std::uint64_t number) { return paths[number]; }};
  const DropSummary dropped = drop_files(files);
  EXPECT_EQ(dropped.files, 4U);
  EXPECT_EQ(dropped.file_bytes, kFileBytes + 5000);
  EXPECT_EQ(dropped.bytes_before, kFileBytes + 5000);
  EXPECT_EQ(dropped.bytes_after, 0U);
  EXPECT_EQ(dropped.files_kept, 0U);
  EXPECT_EQ(dropped.files_failed, 2U);
  EXPECT_EQ(dropped.first_failure->message(),
            "open \"" + tree_.path("none") + "\": No such file or directory");
  EXPECT_FALSE(dropped.stopped);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(drop_files(files, stop.get_token()).stopped);
}

TEST_F(PageCache, AnEmptyFileHasNothingToDrop) {
  const std::string empty = tree_.write("empty", "");
  EXPECT_EQ(file_residency(empty)->resident_bytes, 0U);
  EXPECT_EQ(file_residency(empty, ResidencyMethod::kMincore)->resident_bytes, 0U);
  EXPECT_EQ(drop_file(empty)->after->resident_bytes, 0U);
}

TEST(PageCacheErrors, WhatIsNoFileIsNamed) {
  const FakeTree tree;
  EXPECT_EQ(file_residency(tree.path()).error().render(),
            "error: \"" + tree.path() +
                "\" is not a regular file\nhint:  give the files of a data set\n");
  EXPECT_EQ(drop_file(tree.path("none")).error().kind(), ErrorKind::kNotFound);
}

TEST(PageCacheErrors, ATmpfsKeepsItsFilesInMemory) {
  const auto mount = find_mount("/dev/shm");
  if (!mount || mount->file_system != "tmpfs") GTEST_SKIP() << "/dev/shm is no tmpfs here";
  const std::string path = "/dev/shm/feedrate_page_cache_test_" + std::to_string(getpid());
  std::ofstream(path) << std::string(10000, 'x');
  const auto dropped = drop_file(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(dropped);
  EXPECT_EQ(dropped->after->resident_bytes, 10000U);
  EXPECT_EQ(dropped->kept_reason, "tmpfs keeps its files in memory");
}

// The kernel answers only to owners and writers. Needs root, to become somebody else.
TEST(PageCacheErrors, OthersFilesAreNotCountedButDropped) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  const FakeTree tree;
  const std::string path = tree.write("file", std::string(10000, 'x'));
  ASSERT_EQ(chmod(tree.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  ASSERT_EQ(seteuid(65534), 0);
  const auto mapped = file_residency(path, ResidencyMethod::kMincore);
  const auto counted = file_residency(path);
  const auto dropped = drop_file(path);
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_FALSE(mapped);
  EXPECT_EQ(mapped.error().render(),
            "error: the page cache of \"" + path +
                "\" cannot be looked at: the kernel tells only those who own the file or may "
                "write to it\nhint:  run it as the owner of the files\n");
  ASSERT_TRUE(dropped);
  if (!counted) {  // Linux before this rule counts with cachestat all the same
    EXPECT_EQ(counted.error().message(), mapped.error().message());
    EXPECT_FALSE(dropped->after);
    EXPECT_EQ(dropped->unknown_reason, mapped.error().message());
  }
  const auto left = file_residency(path);
  ASSERT_TRUE(left);
  const bool on_tmpfs = find_mount(path)->file_system == "tmpfs";
  EXPECT_EQ(left->resident_bytes, on_tmpfs ? 10000U : 0U);
}

}  // namespace
}  // namespace feedrate
