// Tests that nothing outside a claimed directory is written, moved or removed, and that a directory
// has one writer.
#include "feedrate/storage/posix/own_directories.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

class OwnDirectoriesTest : public testing::Test {
 protected:
  OwnDirectoriesTest() {
    fs::create_directories(ours_);
    fs::create_directories(theirs_ + "/inner");
    std::ofstream(theirs_ + "/file") << "precious";
  }
  std::string text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write_new(const std::string& path) {
    const Result<int> file = own_->create(path, 0);
    ASSERT_TRUE(file) << file.error().message();
    EXPECT_EQ(write(*file, "new", 3), 3);
    close(*file);
  }
  void expect_untouched() {
    EXPECT_EQ(text(theirs_ + "/file"), "precious");
    EXPECT_EQ(std::distance(fs::directory_iterator(theirs_), fs::directory_iterator()), 2);
    EXPECT_TRUE(fs::is_empty(theirs_ + "/inner"));
  }

  TemporaryDirectory directory_;
  std::string ours_ = directory_.path() + "/ours", theirs_ = directory_.path() + "/theirs";
  std::shared_ptr<OwnDirectories> own_ = std::make_shared<OwnDirectories>();
};

TEST_F(OwnDirectoriesTest, ALinkIsReplacedAndItsTargetStays) {
  for (const bool claimed : {false, true}) {
    DirectoryClaim claim;
    if (claimed) claim = own_->claim(ours_).value();
    for (const std::string& target : {theirs_ + "/file", theirs_ + "/missing"}) {
      fs::create_symlink(target, ours_ + "/name");
      write_new(ours_ + "/name");
      EXPECT_EQ(text(ours_ + "/name"), "new");
      EXPECT_TRUE(own_->remove(ours_ + "/name"));
    }
    fs::create_hard_link(theirs_ + "/file", ours_ + "/name");
    write_new(ours_ + "/name");
    EXPECT_TRUE(own_->remove(ours_ + "/name"));
    fs::create_symlink(theirs_ + "/file", ours_ + "/name");
    EXPECT_FALSE(own_->open_to_write(ours_ + "/name", 0));
    EXPECT_TRUE(own_->rename(ours_ + "/name", ours_ + "/other"));  // The link itself moves.
    EXPECT_TRUE(own_->remove(ours_ + "/other"));
    expect_untouched();
  }
}

TEST_F(OwnDirectoriesTest, NoLinkIsFollowedBelowAClaimedDirectory) {
  const DirectoryClaim claim = own_->claim(ours_).value();
  fs::create_directory_symlink(theirs_, ours_ + "/step");
  for (const std::string below : {"/step/file", "/step/inner", "/step/new/file"}) {
    const std::string path = ours_ + below;
    const Result<int> created = own_->create(path, 0);
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().kind(), ErrorKind::kPermission);
    EXPECT_NE(created.error().message().find(
                  "\"step\" is a symbolic link, and none is followed where feedrate writes"),
              std::string::npos)
        << created.error().message();
    EXPECT_EQ(created.error().hint(),
              "move what it leads to back to its place, or use another directory");
    EXPECT_FALSE(own_->open_to_write(path, 0));
    EXPECT_FALSE(own_->remove(path));
    EXPECT_FALSE(own_->rename(path, ours_ + "/x"));
    EXPECT_FALSE(own_->make_directories(path));
    EXPECT_FALSE(own_->sync_directory(path));
  }
  const Result<int> out = own_->create(ours_ + "/../theirs/file", 0);
  ASSERT_FALSE(out);
  EXPECT_NE(out.error().message().find("'..' leads out of the directory that is written in"),
            std::string::npos);
  EXPECT_EQ(out.error().hint(), "take it out of the manifest or name it comes from");
  EXPECT_FALSE(own_->remove(ours_ + "/x/.."));
  expect_untouched();
}

TEST_F(OwnDirectoriesTest, TheDirectoryIsTheOneThatWasClaimed) {
  DirectoryClaim claim = own_->claim(ours_ + "/").value();
  fs::rename(ours_, ours_ + "-moved");
  fs::create_directory_symlink(theirs_, ours_);
  ASSERT_TRUE(own_->make_directories(ours_ + "/a/b"));
  write_new(ours_ + "/a/b/file");
  EXPECT_TRUE(own_->sync_directory(ours_ + "/a"));
  EXPECT_TRUE(own_->sync_directory(ours_));
  EXPECT_EQ(text(ours_ + "-moved/a/b/file"), "new");
  expect_untouched();
}

TEST_F(OwnDirectoriesTest, ADirectoryHasOneWriter) {
  DirectoryClaim claim = own_->claim(ours_).value();
  const auto other = std::make_shared<OwnDirectories>();
  fs::create_directory_symlink(ours_, directory_.path() + "/link");
  for (const std::string& path : {ours_, directory_.path() + "/link"}) {
    const Result<DirectoryClaim> second = other->claim(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), ErrorKind::kEnvironment);
    EXPECT_NE(second.error().message().find(
                  fmt::format("is being written in by process {} on ", getpid())),
              std::string::npos)
        << second.error().message();
    EXPECT_EQ(second.error().hint(), "wait until it has ended, or use another directory");
  }
  std::ofstream(ours_ + "/.feedrate-lock") << "1 \033[31mevil\n";
  const Result<DirectoryClaim> third = other->claim(ours_);
  ASSERT_FALSE(third);
  EXPECT_NE(third.error().message().find("by another process"), std::string::npos);
  claim.reset();
  EXPECT_TRUE(other->claim(ours_));
}

TEST_F(OwnDirectoriesTest, WhoMayWriteInADirectoryMayLockItAndNobodyElse) {
  struct Setting {
    mode_t directory, lock;
  };
  for (const auto& [directory, lock] : {Setting{0755, 0600}, {0775, 0660}, {0777, 0666}}) {
    ASSERT_EQ(chmod(ours_.c_str(), directory), 0);
    ASSERT_TRUE(own_->claim(ours_));
    struct stat status{}, above{};
    ASSERT_EQ(stat((ours_ + "/.feedrate-lock").c_str(), &status), 0);
    ASSERT_EQ(stat(ours_.c_str(), &above), 0);
    EXPECT_EQ(status.st_mode & 0777, lock);
    EXPECT_EQ(status.st_uid, above.st_uid);
    fs::remove(ours_ + "/.feedrate-lock");
  }
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  ASSERT_EQ(chown(ours_.c_str(), 65534, 65534), 0);
  ASSERT_TRUE(own_->claim(ours_));
  struct stat status{};
  ASSERT_EQ(stat((ours_ + "/.feedrate-lock").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 65534U);  // Its owner is not locked out by one run of root.
}

TEST_F(OwnDirectoriesTest, AProcessThatHasEndedIsNotBlamed) {
  const DirectoryClaim claim = own_->claim(ours_).value();
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  std::array<char, 65> host{};
  ASSERT_EQ(gethostname(host.data(), host.size() - 1), 0);
  std::ofstream(ours_ + "/.feedrate-lock") << child << " " << host.data() << "\n";
  const Result<DirectoryClaim> second = std::make_shared<OwnDirectories>()->claim(ours_);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find("by another process"), std::string::npos);
}

TEST_F(OwnDirectoriesTest, TheLockIsNoTrap) {
  fs::create_symlink(theirs_ + "/file", ours_ + "/.feedrate-lock");
  const Result<DirectoryClaim> link = own_->claim(ours_);
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().hint(), "remove it, or use another directory");
  fs::remove(ours_ + "/.feedrate-lock");
  ASSERT_EQ(mkfifo((ours_ + "/.feedrate-lock").c_str(), 0600), 0);
  const Result<DirectoryClaim> fifo = own_->claim(ours_);
  ASSERT_FALSE(fifo);
  EXPECT_NE(fifo.error().message().find("it is no file of ours"), std::string::npos);
  fs::remove(ours_ + "/.feedrate-lock");
  // The file of a lock may have a second name in a copy by links, and nothing is written into it.
  fs::create_hard_link(theirs_ + "/file", ours_ + "/.feedrate-lock");
  EXPECT_TRUE(own_->claim(ours_));
  expect_untouched();
}

TEST_F(OwnDirectoriesTest, AnythingButAFileIsNotReplaced) {
  ASSERT_EQ(mkfifo((ours_ + "/name").c_str(), 0600), 0);
  EXPECT_FALSE(own_->create(ours_ + "/name", 0));
  fs::create_directory(ours_ + "/folder");
  EXPECT_FALSE(own_->create(ours_ + "/folder", 0));
  EXPECT_TRUE(fs::exists(ours_ + "/name"));
}

}  // namespace
}  // namespace feedrate
