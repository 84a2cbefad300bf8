#include "feedrate/storage/posix/own_directories.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
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
                "remove the link, or use another directory");
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
  return fmt::format("process {} on {}", process, host);
}

void note_holder(int file) {
  std::array<char, 65> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) return;
  const std::string text = fmt::format("{} {}\n", getpid(), host.data());
  // The note is for people; the lock holds without it.
  if (ftruncate(file, 0) != 0 || pwrite(file, text.data(), text.size(), 0) < 0) return;
}

enum class LockOutcome : std::uint8_t { kHeld, kBusy, kNone, kGone };

// kNone means that this file system has no locks, kGone that the file's name was removed meanwhile.
LockOutcome try_lock(int directory, int file) {
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (fcntl(file, F_OFD_SETLK, &whole) != 0)
    return errno == EAGAIN || errno == EACCES ? LockOutcome::kBusy : LockOutcome::kNone;
  struct stat locked{}, named{};
  const bool same = fstat(file, &locked) == 0 &&
                    fstatat(directory, kLockName.data(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                    locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
  return same ? LockOutcome::kHeld : LockOutcome::kGone;
}

// Returns the locked file, not open where this file system has no locks.
Result<Descriptor> lock_directory(const Descriptor& directory, const std::string& path) {
  const std::string name = fmt::format("{}/{}", path, kLockName);
  for (int tries = 0; true; ++tries) {
    Descriptor file(openat(directory.number(), kLockName.data(),
                           O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
    if (!file.is_open()) {
      const int code = errno;
      const Error error = failed("lock", name, code);
      if (code != ELOOP && code != EISDIR) return fail(error);
      return fail(error.with_hint("remove it, or use another directory"));
    }
    struct stat status{};
    // A file with a second name might be anybody's, and note_holder() writes into it.
    if (fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink > 1)
      return fail(ErrorKind::kPermission,
                  fmt::format("{}: it is no file of ours", quote_path(name)),
                  "remove it, or use another directory");
    const LockOutcome outcome = try_lock(directory.number(), file.number());
    if (outcome == LockOutcome::kHeld) {
      note_holder(file.number());
      return file;
    }
    if (outcome == LockOutcome::kNone) return Descriptor(-1);
    if (tries == kLockTries)
      return fail(
          ErrorKind::kEnvironment,
          fmt::format("{} is being written in by {}", quote_path(path), holder_of(file.number())),
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

Result<OwnDirectories::Place> OwnDirectories::place_of(const std::string& path, bool make) {
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
      if (!from->is_open()) return fail(failed("open directory", path, errno));
      rest = std::string_view(path).substr(best->path().size());
    }
  }
  if (!from) {
    const std::string whole = without_slashes(path);
    const std::size_t slash = whole.rfind('/');
    const std::string parent = slash == std::string::npos ? "." : whole.substr(0, slash);
    from.emplace(open(parent.empty() ? "/" : parent.c_str(), kDirectory));
    if (!from->is_open()) return fail(failed("open directory", parent, errno));
    return Place{std::move(*from), whole.substr(slash == std::string::npos ? 0 : slash + 1)};
  }
  std::vector<std::string> names = names_in(rest);
  if (names.empty()) return Place{std::move(*from), ""};
  std::string last = std::move(names.back());
  names.pop_back();
  if (last == "..") return fail(step_into(*from, last, path).error());
  for (const std::string& name : names) {
    if (make && mkdirat(from->number(), name.c_str(), 0755) != 0 && errno != EEXIST)
      return fail(failed("make directory", path, errno));
    FEEDRATE_TRY(Descriptor next, step_into(*from, name, path));
    from.emplace(std::move(next));
  }
  return Place{std::move(*from), std::move(last)};
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
  // The way to a name in it makes all of `path`.
  if (is_claimed(path)) {
    FEEDRATE_TRY(const Place inside, place_of(path + "/x", true));
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
  FEEDRATE_TRY(const Place inside, place_of(path + "/x"));
  // EINVAL means that this file system needs no sync of directories.
  if (fsync(inside.directory.number()) != 0 && errno != EINVAL)
    return fail(failed("fsync directory", path, errno));
  return {};
}

}  // namespace feedrate
