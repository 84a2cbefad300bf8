// A FUSE file system that shows a folder and misbehaves as it is told:
//   faultfs FOLDER MOUNT_POINT [short=BYTES] [hang_after=SECONDS] [hang_one] [for=SECONDS]
// short: a read gives so many bytes at most. hang_after: a read that begins so long after the start
// does not end (with hang_one, only the first of them), but for `for` seconds after which it does,
// since the kernel lets nobody go who waits for an answer. Ends when it is unmounted or killed.
// g++ -std=c++20 -O2 faultfs.cc -o faultfs $(pkg-config --cflags --libs fuse3)
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <fcntl.h>
#include <fuse.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

int root = -1;
std::size_t short_bytes = 0;
double hang_after = -1, hang_for = 60;
bool hang_one = false;
std::atomic<bool> hung = false;
Clock::time_point start;

const char* inside(const char* path) { return path[1] == 0 ? "." : path + 1; }
int outcome(int code) { return code < 0 ? -errno : 0; }

int get_attributes(const char* path, struct stat* status, fuse_file_info*) {
  return outcome(fstatat(root, inside(path), status, AT_SYMLINK_NOFOLLOW));
}

int read_directory(const char* path, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*,
                   fuse_readdir_flags) {
  const int fd = openat(root, inside(path), O_RDONLY | O_DIRECTORY);
  DIR* const directory = fd < 0 ? nullptr : fdopendir(fd);
  if (directory == nullptr) return -errno;
  while (const dirent* entry = readdir(directory))
    fill(buffer, entry->d_name, nullptr, 0, fuse_fill_dir_flags(0));
  closedir(directory);
  return 0;
}

int open_file(const char* path, fuse_file_info* info) {
  const int fd = openat(root, inside(path), O_RDONLY);
  if (fd < 0) return -errno;
  info->fh = static_cast<std::uint64_t>(fd);
  info->direct_io = (info->flags & O_DIRECT) != 0;
  return 0;
}

int read_file(const char*, char* buffer, std::size_t length, off_t offset, fuse_file_info* info) {
  if (hang_after >= 0 &&
      std::chrono::duration<double>(Clock::now() - start).count() >= hang_after &&
      (!hung.exchange(true) || !hang_one))
    std::this_thread::sleep_for(std::chrono::duration<double>(hang_for));
  if (short_bytes > 0) length = std::min(length, short_bytes);
  const ssize_t got = pread(static_cast<int>(info->fh), buffer, length, offset);
  return got < 0 ? -errno : static_cast<int>(got);
}

int release_file(const char*, fuse_file_info* info) {
  return outcome(close(static_cast<int>(info->fh)));
}

}  // namespace

int main(int count, char** words) {
  if (count < 3 || (root = open(words[1], O_RDONLY | O_DIRECTORY)) < 0) {
    std::fprintf(stderr, "usage: faultfs FOLDER MOUNT_POINT [short=N] [hang_after=S] [hang_one]\n");
    return 1;
  }
  std::vector<char*> fuse_words{words[0], words[2]};
  for (int at = 3; at < count; ++at) {
    const std::string word = words[at];
    if (word.rfind("short=", 0) == 0) short_bytes = std::strtoul(word.c_str() + 6, nullptr, 10);
    if (word.rfind("hang_after=", 0) == 0) hang_after = std::atof(word.c_str() + 11);
    if (word.rfind("for=", 0) == 0) hang_for = std::atof(word.c_str() + 4);
    if (word == "hang_one") hang_one = true;
  }
  start = Clock::now();
  fuse_operations operations{};
  operations.getattr = get_attributes;
  operations.readdir = read_directory;
  operations.open = open_file;
  operations.read = read_file;
  operations.release = release_file;
  return fuse_main(static_cast<int>(fuse_words.size()), fuse_words.data(), &operations, nullptr);
}
