#include "feedrate/base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "feedrate/base/shown_text.h"
#include "feedrate/base/text.h"

namespace feedrate {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return "usage";
    case ErrorKind::kEnvironment:
      return "environment";
    case ErrorKind::kNotFound:
      return "not-found";
    case ErrorKind::kPermission:
      return "permission";
    case ErrorKind::kNoSpace:
      return "no-space";
    case ErrorKind::kIo:
      return "io";
    case ErrorKind::kShortRead:
      return "short-read";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kInvalidRun:
      return "invalid-run";
  }
  return "unknown";
}

Error::Error(ErrorKind kind, std::string message, std::string hint)
    : detail_(std::make_shared<const Detail>(
          Detail{kind, 0, 0, std::move(message), std::move(hint), {}})) {}

ErrorKind Error::kind_of(int os_error) {
  switch (os_error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::kPermission;
    case ENOSPC:
    case EDQUOT:
      return ErrorKind::kNoSpace;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorKind::kEnvironment;
    case ENOSYS:
    case EOPNOTSUPP:
      return ErrorKind::kUnsupported;
    case ECANCELED:
      return ErrorKind::kCancelled;
    default:
      return ErrorKind::kIo;
  }
}

Error Error::storage(ErrorKind kind, std::string_view operation, std::string path,
                     std::uint64_t offset, int os_error, std::string detail) {
  std::string message = std::string(operation) + " " + quote_path(path);
  if (offset != 0) message += " at offset " + std::to_string(offset);
  if (!detail.empty()) message += ": " + detail;
  if (os_error != 0) message += std::string(": ") + std::strerror(os_error);
  std::string hint;
  if (os_error == EMFILE)
    hint = "raise the limit of open files with 'ulimit -n 65536', or use fewer --readers";
  else if (os_error == ENFILE)
    hint = "raise the host's limit of open files with 'sysctl -w fs.file-max=1000000'";
  return Error(std::make_shared<const Detail>(
      Detail{kind, os_error, offset, std::move(message), std::move(hint), std::move(path)}));
}

Error Error::with_context(std::string_view context) const {
  Detail copy = *detail_;
  copy.message = std::string(context) + ": " + copy.message;
  return Error(std::make_shared<const Detail>(std::move(copy)));
}

Error Error::with_hint(std::string hint) const {
  Detail copy = *detail_;
  copy.hint = std::move(hint);
  return Error(std::make_shared<const Detail>(std::move(copy)));
}

int Error::exit_code() const {
  switch (kind()) {
    case ErrorKind::kUsage:
      return 2;
    case ErrorKind::kInvalidRun:
      return 4;
    case ErrorKind::kCancelled:
      return 130;
    default:
      return 3;
  }
}

std::string Error::render() const {
  // A message repeats what was given, and that may hold escape sequences or new lines.
  std::string text = "error: " + shown_text(message()) + "\n";
  if (!hint().empty()) text += "hint:  " + shown_text(hint()) + "\n";
  return text;
}

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "feedrate: internal error: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace feedrate
