#include "feedrate/cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <thread>

#include "feedrate/base/shown_text.h"
#include "feedrate/base/text.h"
#include "feedrate/base/whole_file.h"
#include "feedrate/base/yaml_reader.h"
#include "feedrate/options/wrap.h"

namespace feedrate {
namespace {

// How often to look for a reader, and for Ctrl-C.
constexpr auto kLook = std::chrono::milliseconds(50);

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::unexpected<Error> cannot_write(const std::string& path, std::string_view flag, int code) {
  return fail(Error::storage(ErrorKind::kEnvironment, "write", path, 0, code)
                  .with_context(flag)
                  .with_hint("give a path in a directory that can be written, or - for stdout"));
}

Result<> write_stdout(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if ((written && std::fflush(stdout) == 0) || errno == EPIPE) return {};
  return fail(ErrorKind::kEnvironment, "the result could not be written to standard output",
              "is the disk full?");
}

}  // namespace

Result<ResultTarget> ResultTarget::open(const std::string& path, std::string_view flag,
                                        std::stop_token stop) {
  ResultTarget target(path, flag, std::move(stop));
  if (!target.wanted() || target.to_stdout()) return target;
  struct stat status{};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) return cannot_write(path, flag, EISDIR);
  struct stat itself{};
  if (lstat(path.c_str(), &itself) == 0 && S_ISLNK(itself.st_mode) &&
      (!exists || S_ISREG(status.st_mode)))
    return fail(ErrorKind::kUsage,
                fmt::format("{}: {} is a symbolic link, which is neither replaced nor followed",
                            flag, quote_path(path)),
                "give the path of the file itself, or - for standard output");
  target.in_place_ = exists && !S_ISREG(status.st_mode);
  target.is_pipe_ = exists && S_ISFIFO(status.st_mode);
  target.device_ = status.st_dev;
  target.inode_ = status.st_ino;
  if (exists && S_ISBLK(status.st_mode))
    return fail(
        ErrorKind::kUsage,
        fmt::format("{}: {} is a disk, and its content is not overwritten", flag, quote_path(path)),
        "give the path of a file, or - for standard output");
  // A pipe is not opened yet, because its reader would see it end when this is closed again.
  if (target.in_place_) {
    if (access(path.c_str(), W_OK) != 0) return cannot_write(path, flag, errno);
    return target;
  }
  const std::string part = target.part_path();
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(part.c_str(), "wx"));
  if (!file) return cannot_write(path, flag, errno);
  std::remove(part.c_str());
  return target;
}

std::string ResultTarget::part_path() const { return fmt::format("{}.{}.part", path_, getpid()); }

Result<> ResultTarget::write_and_print(std::string_view result, std::string_view text) const {
  // The file is written first, so that it exists even when nothing can be printed; and where it
  // cannot be written the text is all that is left of the work.
  const Result<> written = write(result);
  if (to_stdout()) return written;
  const Result<> printed = print_result(text);
  return written ? printed : written;
}

Result<> ResultTarget::write(std::string_view text) const {
  if (!wanted()) return {};
  // JSON has no control characters; CSV keeps them for programs, and a terminal must not get them.
  if (to_stdout()) return isatty(STDOUT_FILENO) == 1 ? print(text) : write_stdout(text);
  if (in_place_) return write_in_place(text);
  const int code = write_whole_file(path_, text);
  if (code != 0) return cannot_write(path_, flag_, code);
  return {};
}

std::unexpected<Error> ResultTarget::nobody_reads() const {
  return fail(ErrorKind::kCancelled,
              fmt::format("{}: interrupted while nobody read {}", flag_, quote_path(path_)),
              "start its reader first, or give the path of a file");
}

// Opening a pipe waits for its reader, and a wait in the kernel would not notice Ctrl-C, so this
// asks again and again instead.
Result<int> ResultTarget::open_in_place() const {
  while (true) {
    const int file = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status{};
    // Nothing but what was there at the start is written into, whatever has its name now.
    const bool same = file >= 0 && fstat(file, &status) == 0 && status.st_dev == device_ &&
                      status.st_ino == inode_;
    if (same) return file;
    if (file >= 0) {
      close(file);
      return fail(ErrorKind::kEnvironment,
                  fmt::format("{}: {} was replaced during the run, and nothing is written into "
                              "what is there now",
                              flag_, quote_path(path_)),
                  "give a path in a directory where nobody else can write");
    }
    if (errno != ENXIO || !is_pipe_) return cannot_write(path_, flag_, errno);
    if (stop_.stop_requested()) return nobody_reads();
    std::this_thread::sleep_for(kLook);
  }
}

Result<> ResultTarget::write_in_place(std::string_view text) const {
  FEEDRATE_TRY(const int file, open_in_place());
  const std::unique_ptr<const int, void (*)(const int*)> closer(&file,
                                                                [](const int* f) { close(*f); });
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      if (stop_.stop_requested()) return nobody_reads();
      pollfd room{file, POLLOUT, 0};
      poll(&room, 1, static_cast<int>(kLook.count()));
    } else if (errno == EPIPE) {  // The reader has what it wanted.
      return {};
    } else if (errno != EINTR) {
      return cannot_write(path_, flag_, errno);
    }
  }
  return {};
}

Result<> print_result(std::string_view text) {
  const std::string shown = shown_text(text, "\n\t");
  return write_stdout(isatty(STDOUT_FILENO) == 1 ? wrap_lines(shown, terminal_width()) : shown);
}

Result<> print(std::string_view text) { return write_stdout(shown_text(text, "\n\t")); }

}  // namespace feedrate
