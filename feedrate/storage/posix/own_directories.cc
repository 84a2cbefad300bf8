#include "feedrate/storage/posix/own_directories.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <optional>
#include <string_view>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
// The kernel keeps the lock of a killed process until its reads and writes in flight have ended, so
// a lock is asked for again for a second before its holder is believed to live.
constexpr int kLockTries = 20;
constexpr timespec kLockWait{0, 50'000'000};
// Somebody who makes a name again and again is not outwitted for ever.
constexpr int kCreateTries = 8;

Error failed(std::string_view operation, const std::string& path, int code) {
  return Error::storage(Error::kind_of(code), operation, path, 0, code);
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// Opens a directory's entry and follows no link.
Result<Descriptor> step_into(const Descriptor& from, const std::string& name,
                             const std::string& path) {
  if (name == "..")
    return fail(
        ErrorKind::kPermission,
        fmt::format("{}: '..' leads out of the directory that is written in", quote_path(path)),
        "take it out of the manifest or name it comes from");
  Descriptor next(openat(from.number(), name.c_str(), kDirectory | O_NOFOLLOW));
  if (next.is_open()) return next;
  const int code = errno;
  struct stat status{};
  if ((code == ELOOP || code == ENOTDIR) &&
      fstatat(from.number(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISLNK(status.st_mode))
    return fail(ErrorKind::kPermission,
                fmt::format("{}: {} is a symbolic link, and none is followed where feedrate "
                            "writes",
                            quote_path(path), quote_path(name)),
                "move what it leads to back to its place, or use another directory");
  return fail(failed("open directory", path, code));
}

std::vector<std::string> names_in(std::string_view path) {
  std::vector<std::string> names;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    if (!name.empty() && name != ".") names.emplace_back(name);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return names;
}

std::string this_host() {
  std::array<char, 65> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// Returns what the lock's file says of its holder. Anybody may have written it, so only numbers and
// a host's letters are taken.
std::string holder_of(int file) {
  std::array<char, 128> text{};
  const ssize_t got = pread(file, text.data(), text.size() - 1, 0);
  const std::string_view all(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  const std::size_t blank = all.find(' ');
  const std::size_t end = all.find('\n');
  if (blank == std::string_view::npos || end == std::string_view::npos || end < blank)
    return "another process";
  const std::string_view process = all.substr(0, blank),
                         host = all.substr(blank + 1, end - blank - 1);
  const auto good = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.'; };
  const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (process.empty() || !std::ranges::all_of(process, digit) || host.empty() ||
      !std::ranges::all_of(host, good))
    return "another process";
  // The note of one that has ended says nothing about who holds the lock now.
  pid_t number = 0;
  const auto [rest, code] =
      std::from_chars(process.data(), process.data() + process.size(), number);
  const bool ended = host == this_host() && kill(number, 0) != 0 && errno == ESRCH;
  if (code != std::errc{} || rest != process.data() + process.size() || number <= 0 || ended)
    return "another process";
  return fmt::format("process {} on {}", process, host);
}

void note_holder(int file) {
  const std::string text = fmt::format("{} {}\n", getpid(), this_host());
  // The note is for people; the lock holds without it.
  if (ftruncate(file, 0) != 0 || pwrite(file, text.data(), text.size(), 0) < 0) return;
}

enum class LockOutcome : std::uint8_t { kHeld, kBusy, kNone, kGone, kFailed };

// kNone means that this file system has no locks, kGone that the file's name was removed meanwhile,
// kFailed that errno says why it is not known whether others are kept out.
LockOutcome try_lock(int directory, int file) {
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (fcntl(file, F_OFD_SETLK, &whole) != 0) {
    if (errno == EAGAIN || errno == EACCES || errno == EINTR) return LockOutcome::kBusy;
    const bool none = errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL;
    return none ? LockOutcome::kNone : LockOutcome::kFailed;
  }
  struct stat locked{}, named{};
  const bool same = fstat(file, &locked) == 0 &&
                    fstatat(directory, kLockName.data(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                    locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
  return same ? LockOutcome::kHeld : LockOutcome::kGone;
}

// Opens the lock's file, or makes it. Whoever may write in the directory may lock it, and nobody
// else, since a lock for reading keeps writers out as well.
Descriptor open_lock(const Descriptor& directory) {
  constexpr int kFlags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  Descriptor made(openat(directory.number(), kLockName.data(), kFlags | O_CREAT | O_EXCL, 0600));
  if (!made.is_open()) {
    if (errno != EEXIST) return made;
    return Descriptor(openat(directory.number(), kLockName.data(), kFlags));
  }
  struct stat above{};
  if (fstat(directory.number(), &above) == 0) {
    // Only root can give a file away; for others it stays theirs, and that is no error.
    const bool given = fchown(made.number(), above.st_uid, above.st_gid) == 0 ||
                       fchown(made.number(), static_cast<uid_t>(-1), above.st_gid) == 0;
    const mode_t shared = (above.st_mode & S_IWGRP) != 0 && given ? 0060 : 0;
    const mode_t open_to_all = (above.st_mode & S_IWOTH) != 0 ? 0006 : 0;
    const int set = fchmod(made.number(), 0600 | shared | open_to_all);
    if (set != 0) return made;  // It then is its maker's alone.
  }
  return made;
}

// Returns the locked file, not open where this file system has no locks.
Result<Descriptor> lock_directory(const Descriptor& directory, const std::string& path) {
  const std::string name = fmt::format("{}/{}", path, kLockName);
  for (int tries = 0; true; ++tries) {
    Descriptor file = open_lock(directory);
    const int code = file.is_open() ? 0 : errno;
    struct stat status{};
    const bool good = file.is_open() && fstat(file.number(), &status) == 0;
    if (!file.is_open() && code != ELOOP && code != EISDIR && code != ENOENT)
      return fail(failed("lock", name, code));
    if (code != ENOENT && (!good || !S_ISREG(status.st_mode)))
      return fail(ErrorKind::kPermission,
                  fmt::format("{}: it is no file of ours", quote_path(name)),
                  "remove it, or use another directory");
    const LockOutcome outcome =
        good ? try_lock(directory.number(), file.number()) : LockOutcome::kGone;
    if (outcome == LockOutcome::kFailed) return fail(failed("lock", name, errno));
    if (outcome == LockOutcome::kHeld) {
      // A file with a second name might be anybody's, or be that of a copy by links.
      if (status.st_nlink == 1) note_holder(file.number());
      return file;
    }
    if (outcome == LockOutcome::kNone) return Descriptor(-1);
    if (tries == kLockTries)
      return fail(ErrorKind::kEnvironment,
                  fmt::format("{} is being written in by {}", quote_path(path),
                              good ? holder_of(file.number()) : "another process"),
                  "wait until it has ended, or use another directory");
    nanosleep(&kLockWait, nullptr);
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

class OwnDirectories::Claim final : public ClaimedDirectory {
 public:
  Claim(std::shared_ptr<OwnDirectories> owner, std::string path, Descriptor directory,
        Descriptor lock)
      : owner_(std::move(owner)),
        path_(std::move(path)),
        directory_(std::move(directory)),
        lock_(std::move(lock)) {
    const std::lock_guard guard(owner_->mutex_);
    owner_->claims_.push_back(this);
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() override {
    const std::lock_guard guard(owner_->mutex_);
    std::erase(owner_->claims_, this);
  }
  const std::string& path() const { return path_; }
  bool holds(const std::string& path) const {
    return path.starts_with(path_) &&
           (path.size() == path_.size() || path[path_.size()] == '/' || path_ == "/");
  }
  int directory() const { return directory_.number(); }

 private:
  std::shared_ptr<OwnDirectories> owner_;
  std::string path_;
  Descriptor directory_, lock_;
};

Result<DirectoryClaim> OwnDirectories::claim(const std::string& directory) {
  std::string path = without_slashes(directory);
  Descriptor opened(open(path.c_str(), kDirectory));
  if (!opened.is_open()) return fail(failed("open directory", path, errno));
  FEEDRATE_TRY(Descriptor locked, lock_directory(opened, path));
  return std::make_unique<Claim>(shared_from_this(), std::move(path), std::move(opened),
                                 std::move(locked));
}

bool OwnDirectories::is_claimed(const std::string& path) {
  const std::lock_guard guard(mutex_);
  return std::ranges::any_of(claims_, [&path](const Claim* claim) { return claim->holds(path); });
}

Result<Descriptor> OwnDirectories::open_directory(const std::string& path, bool make) {
  std::optional<Descriptor> from;
  std::string_view rest;
  {
    const std::lock_guard guard(mutex_);
    const Claim* best = nullptr;
    for (const Claim* claim : claims_) {
      const bool longer = best == nullptr || claim->path().size() > best->path().size();
      if (longer && claim->holds(path)) best = claim;
    }
    if (best != nullptr) {
      from.emplace(fcntl(best->directory(), F_DUPFD_CLOEXEC, 0));
      rest = std::string_view(path).substr(best->path().size());
    }
  }
  if (!from) from.emplace(open(path.c_str(), kDirectory));
  if (!from->is_open()) return fail(failed("open directory", path, errno));
  for (const std::string& name : names_in(rest)) {
    if (make && mkdirat(from->number(), name.c_str(), 0755) != 0 && errno != EEXIST)
      return fail(failed("make directory", path, errno));
    FEEDRATE_TRY(Descriptor next, step_into(*from, name, path));
    from.emplace(std::move(next));
  }
  return std::move(*from);
}

Result<OwnDirectories::Place> OwnDirectories::place_of(const std::string& path) {
  const std::string whole = without_slashes(path);
  const std::size_t slash = whole.rfind('/');
  const std::string above = slash == std::string::npos ? "." : whole.substr(0, slash);
  FEEDRATE_TRY(Descriptor directory, open_directory(above.empty() ? "/" : above));
  std::string name = whole.substr(slash == std::string::npos ? 0 : slash + 1);
  if (name == "..") return fail(step_into(directory, name, path).error());
  return Place{std::move(directory), std::move(name)};
}

Result<int> OwnDirectories::create(const std::string& path, int flags) {
  FEEDRATE_TRY(const Place place, place_of(path));
  for (int tries = 0; true; ++tries) {
    const int file = openat(place.directory.number(), place.name.c_str(),
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | flags, 0644);
    if (file >= 0) return file;
    if (errno != EEXIST || tries == kCreateTries) return fail(failed("open", path, errno));
    struct stat status{};
    if (fstatat(place.directory.number(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      continue;  // It has gone meanwhile.
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
      return fail(failed("open", path, S_ISDIR(status.st_mode) ? EISDIR : EEXIST));
    if (unlinkat(place.directory.number(), place.name.c_str(), 0) != 0 && errno != ENOENT)
      return fail(failed("open", path, errno));
  }
}

Result<int> OwnDirectories::open_to_write(const std::string& path, int flags) {
  FEEDRATE_TRY(const Place place, place_of(path));
  const int file = openat(place.directory.number(), place.name.c_str(),
                          O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags);
  if (file < 0) return fail(failed("open", path, errno));
  return file;
}

Result<> OwnDirectories::rename(const std::string& from, const std::string& to) {
  FEEDRATE_TRY(const Place source, place_of(from));
  FEEDRATE_TRY(const Place target, place_of(to));
  if (renameat(source.directory.number(), source.name.c_str(), target.directory.number(),
               target.name.c_str()) != 0)
    return fail(failed("rename to " + quote_path(to) + " from", from, errno));
  return {};
}

Result<> OwnDirectories::remove(const std::string& path) {
  FEEDRATE_TRY(const Place place, place_of(path));
  const int directory = place.directory.number();
  // For a directory unlink() fails with EISDIR on Linux, and with EPERM by POSIX.
  if (unlinkat(directory, place.name.c_str(), 0) == 0) return {};
  const int why = errno;
  if (why != EISDIR && why != EPERM) return fail(failed("remove", path, why));
  if (unlinkat(directory, place.name.c_str(), AT_REMOVEDIR) == 0) return {};
  return fail(failed("remove", path, why == EISDIR ? errno : why));
}

Result<> OwnDirectories::make_directories(const std::string& path) {
  if (is_claimed(path)) {
    FEEDRATE_TRY(const Descriptor made, open_directory(path, true));
    return {};
  }
  const std::string whole = without_slashes(path);
  for (std::size_t slash = whole.find('/', 1); true; slash = whole.find('/', slash + 1)) {
    const std::string part = whole.substr(0, slash);
    const bool made = mkdir(part.c_str(), 0755) == 0;
    if (!made && errno != EEXIST) return fail(failed("make directory", part, errno));
    if (made) {
      const std::size_t above = part.rfind('/');
      const std::string parent = above == std::string::npos ? "." : part.substr(0, above + 1);
      FEEDRATE_CHECK(sync_directory(parent));
    }
    if (slash == std::string::npos) break;
  }
  struct stat status{};
  if (stat(whole.c_str(), &status) != 0) return fail(failed("stat", whole, errno));
  if (!S_ISDIR(status.st_mode)) return fail(failed("make directory", whole, ENOTDIR));
  return {};
}

Result<> OwnDirectories::sync_directory(const std::string& path) {
  FEEDRATE_TRY(const Descriptor directory, open_directory(path));
  // EINVAL means that this file system needs no sync of directories.
  if (fsync(directory.number()) != 0 && errno != EINVAL)
    return fail(failed("fsync directory", path, errno));
  return {};
}

}  // namespace feedrate
