// A FUSE file system that shows another directory, read-only, and serves its reads slowly by a law:
//   rate=B           a token bucket without depth: B bytes a second, all reads together
//   slots=S,latency=U   S reads at a time, each for U microseconds: S / U operations a second
// When a read is due follows from when the reads before it are due, not from when this program woke
// up, so that late wake-ups do not add up. What is read at the end of a file costs nothing.
//
// usage: slowfs MOUNTPOINT -f -o from=DIR,rate=B
#define FUSE_USE_VERSION 35
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { kSlotsMax = 1024, kReadsMax = 1024 };

static struct {
  char* from;
  unsigned long rate;
  unsigned slots;
  unsigned latency;
} options;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t free_ns[kSlotsMax];  // when each slot is free; a token bucket is one slot

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void wait_for_turn(size_t bytes) {
  const unsigned slots = options.rate ? 1 : options.slots;
  const int64_t service =
      options.rate ? (int64_t)((double)bytes * 1e9 / options.rate) : options.latency * 1000LL;
  pthread_mutex_lock(&lock);
  unsigned first = 0;
  for (unsigned slot = 1; slot < slots; ++slot) {
    if (free_ns[slot] < free_ns[first]) first = slot;
  }
  const int64_t now = now_ns();
  const int64_t due = (free_ns[first] > now ? free_ns[first] : now) + service;
  free_ns[first] = due;
  pthread_mutex_unlock(&lock);
  const struct timespec until = {due / 1000000000, due % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
  }
}

static const char* real_path(const char* path, char* buffer) {
  snprintf(buffer, PATH_MAX, "%s%s", options.from, path);
  return buffer;
}

static void* slow_init(struct fuse_conn_info* connection, struct fuse_config* config) {
  connection->max_background = kReadsMax;
  connection->congestion_threshold = kReadsMax;
  config->entry_timeout = config->attr_timeout = config->negative_timeout = 3600;
  config->nullpath_ok = 0;
  return NULL;
}

static int slow_getattr(const char* path, struct stat* found, struct fuse_file_info* file) {
  char name[PATH_MAX];
  (void)file;
  return lstat(real_path(path, name), found) == 0 ? 0 : -errno;
}

static int slow_readdir(const char* path, void* out, fuse_fill_dir_t fill, off_t offset,
                        struct fuse_file_info* file, enum fuse_readdir_flags flags) {
  char name[PATH_MAX];
  (void)offset, (void)file, (void)flags;
  DIR* folder = opendir(real_path(path, name));
  if (folder == NULL) return -errno;
  for (struct dirent* entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    fill(out, entry->d_name, NULL, 0, 0);
  }
  closedir(folder);
  return 0;
}

static int slow_open(const char* path, struct fuse_file_info* file) {
  char name[PATH_MAX];
  // The law is the speed; where the bytes come from behind it does not matter.
  const int fd = open(real_path(path, name), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  file->fh = (uint64_t)fd;
  return 0;
}

static int slow_read(const char* path, char* out, size_t bytes, off_t offset,
                     struct fuse_file_info* file) {
  (void)path;
  const ssize_t count = pread((int)file->fh, out, bytes, offset);
  if (count < 0) return -errno;
  if (count > 0) wait_for_turn((size_t)count);
  return (int)count;
}

static int slow_release(const char* path, struct fuse_file_info* file) {
  (void)path;
  close((int)file->fh);
  return 0;
}

static int slow_statfs(const char* path, struct statvfs* found) {
  char name[PATH_MAX];
  return statvfs(real_path(path, name), found) == 0 ? 0 : -errno;
}

static const struct fuse_operations operations = {
    .init = slow_init,
    .getattr = slow_getattr,
    .readdir = slow_readdir,
    .open = slow_open,
    .read = slow_read,
    .release = slow_release,
    .statfs = slow_statfs,
};

static const struct fuse_opt words[] = {{"from=%s", offsetof(__typeof__(options), from), 0},
                                        {"rate=%lu", offsetof(__typeof__(options), rate), 0},
                                        {"slots=%u", offsetof(__typeof__(options), slots), 0},
                                        {"latency=%u", offsetof(__typeof__(options), latency), 0},
                                        FUSE_OPT_END};

int main(int count, char** arguments) {
  struct fuse_args args = FUSE_ARGS_INIT(count, arguments);
  if (fuse_opt_parse(&args, &options, words, NULL) != 0) return 2;
  const int by_slots = options.slots > 0 && options.slots <= kSlotsMax && options.latency > 0;
  if (options.from == NULL || (options.rate > 0) == by_slots) {
    fprintf(stderr,
            "error: say from=DIR, and rate=BYTES or slots=1..%d with latency=MICROSECONDS\n",
            kSlotsMax);
    return 2;
  }
  // Each waiting read holds a thread.
  fuse_opt_add_arg(&args, "-omax_threads=1024,max_idle_threads=1024");
  const int status = fuse_main(args.argc, args.argv, &operations, NULL);
  fuse_opt_free_args(&args);
  return status;
}
