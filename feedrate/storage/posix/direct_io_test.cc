#include <fcntl.h>
#include <unistd.h>

#include "feedrate/base/text.h"
#include "feedrate/runtime/reactor_test_support.h"
#include "feedrate/storage/storage.h"

namespace feedrate {
namespace {

// Asks the file system itself whether a file can be opened for direct I/O.
bool direct_open_works(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
  if (fd >= 0) close(fd);
  return fd >= 0;
}
bool is_power_of_two(std::uint32_t value) { return value != 0 && (value & (value - 1)) == 0; }

TEST(DirectIo, AFileAFullAndAnEmptyDirectoryAgree) {
  const TemporaryDirectory directory;
  const DirectIoFacts empty = probe_direct_io(directory.path());
  EXPECT_TRUE(std::filesystem::is_empty(directory.path())) << "the probe left something behind";
  const std::string file = directory.write("file", "hello");
  const DirectIoFacts full = probe_direct_io(directory.path());
  const DirectIoFacts one = probe_direct_io(file);
  EXPECT_EQ(one.works, direct_open_works(file));
  EXPECT_EQ(full.works, one.works);
  EXPECT_EQ(empty.works, one.works);
  EXPECT_EQ(full.alignment_bytes, one.alignment_bytes);
  EXPECT_EQ(empty.alignment_bytes, one.alignment_bytes);
  EXPECT_TRUE(is_power_of_two(one.alignment_bytes.value_or(4096)));
  EXPECT_EQ(one.reason.empty(), one.works);
}

TEST(DirectIo, FindsFilesFurtherDownAndSurvivesEmptyOnes) {
  const TemporaryDirectory directory;
  std::filesystem::create_directories(directory.path("a/b"));
  const std::string file = directory.write("a/b/empty", "");
  EXPECT_EQ(probe_direct_io(directory.path()).works, direct_open_works(file));
}

TEST(DirectIo, TmpfsAnswersForItself) {
  if (!std::filesystem::is_directory("/dev/shm")) GTEST_SKIP() << "there is no /dev/shm";
  const std::string file = "/dev/shm/feedrate_direct_io_test_" + std::to_string(getpid());
  std::ofstream(file) << "hello";
  const DirectIoFacts facts = probe_direct_io(file);
  EXPECT_EQ(facts.works, direct_open_works(file));
  EXPECT_EQ(facts.reason.empty(), facts.works);
  std::filesystem::remove(file);
}

TEST(DirectIo, AMissingDirectoryIsNamed) {
  const DirectIoFacts facts = probe_direct_io("/no/such");
  EXPECT_FALSE(facts.works);
  EXPECT_EQ(facts.reason, "open with O_DIRECT: No such file or directory");
  EXPECT_EQ(resolve_io_mode(IoMode::kDirect, "/no/such").error().render(),
            "error: --io: direct I/O does not work in \"/no/such\" (open with O_DIRECT: No such "
            "file or directory)\nhint:  use --io=buffered to go through the page cache\n");
}

TEST(DirectIo, AutoTakesWhatWorks) {
  const TemporaryDirectory directory;
  const bool works = probe_direct_io(directory.path()).works;
  EXPECT_EQ(*resolve_io_mode(IoMode::kAuto, directory.path()),
            works ? IoMode::kDirect : IoMode::kBuffered);
  EXPECT_EQ(*resolve_io_mode(IoMode::kBuffered, directory.path()), IoMode::kBuffered);
  EXPECT_EQ(*resolve_io_mode(IoMode::kAuto, "/no/such"), IoMode::kBuffered);
}

}  // namespace
}  // namespace feedrate
