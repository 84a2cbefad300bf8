#include "feedrate/base/whole_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace feedrate {
namespace {

namespace fs = std::filesystem;

std::string text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(WholeFile, ReplacesALinkAndLeavesNothingElse) {
  std::string name = fs::temp_directory_path() / "whole-file-XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  std::ofstream(name + "/theirs") << "precious";
  fs::create_symlink(name + "/theirs", name + "/file");
  for (const std::string& bytes : {std::string(), std::string(100'000, 'x')}) {
    EXPECT_EQ(write_whole_file(name + "/file", bytes), 0);
    EXPECT_EQ(text(name + "/file"), bytes);
  }
  EXPECT_EQ(text(name + "/theirs"), "precious");
  fs::permissions(name + "/file", fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(write_whole_file(name + "/file", "x"), 0);
  struct stat status{};
  ASSERT_EQ(stat((name + "/file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(write_whole_file(name + "/missing/file", "x"), ENOENT);
  fs::create_directory(name + "/folder");
  EXPECT_EQ(write_whole_file(name + "/folder", "x"), EISDIR);
  EXPECT_EQ(std::distance(fs::directory_iterator(name), fs::directory_iterator()), 3);
  fs::remove_all(name);
}

TEST(WholeFile, ReadsRegularFilesOfABoundedSizeOnly) {
  std::string name = fs::temp_directory_path() / "whole-file-XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const std::string bytes(100'000, 'x');
  ASSERT_EQ(write_whole_file(name + "/file", bytes), 0);
  EXPECT_EQ(read_whole_file(name + "/file", bytes.size()), bytes);
  EXPECT_EQ(read_whole_file(name + "/file", bytes.size() - 1).error(), EFBIG);
  EXPECT_EQ(read_whole_file(name + "/missing", 10).error(), ENOENT);
  EXPECT_EQ(read_whole_file(name, 10).error(), EINVAL);
  EXPECT_EQ(read_whole_file("/dev/zero", 10).error(), EINVAL);
  ASSERT_EQ(mkfifo((name + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_whole_file(name + "/pipe", 10).error(), EINVAL);
  fs::remove_all(name);
}

}  // namespace
}  // namespace feedrate
