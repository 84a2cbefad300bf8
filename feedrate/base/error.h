// Errors as values. Library code neither prints nor exits: it returns Result<T>.
//
// Three kinds of trouble are kept apart:
//   our bug                    FEEDRATE_ASSERT, abort
//   the user's or host's doing Error, shown as "error: ..." and "hint: ..." with an exit code
//   an I/O error during a run  also an Error, but counted as data by the engine
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace feedrate {

enum class ErrorKind : std::uint8_t {
  kUsage,        // a flag or a configuration file is wrong: exit 2
  kEnvironment,  // the host lacks something: exit 3
  kNotFound,     // ENOENT, ENOTDIR
  kPermission,   // EACCES, EPERM, EROFS
  kNoSpace,      // ENOSPC, EDQUOT
  kIo,           // EIO and every other system error of a storage call
  kShortRead,    // the file ended before the bytes that were asked for
  kCorrupt,      // bytes are there but wrong (checksum, magic, content)
  kUnsupported,  // this build, file system or kernel cannot do it
  kCancelled,    // the run was interrupted: exit 130
  kInvalidRun,   // the run finished but its figures must not be used: exit 4
};

std::string_view to_string(ErrorKind kind);

// A value that is cheap to move (one pointer). It is never default constructed, so an Error always
// says something.
class [[nodiscard]] Error {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {});

  // Makes an error that names the storage object and the offset that failed; `os_error` is an errno
  // value or 0.
  static Error storage(ErrorKind kind, std::string_view operation, std::string path,
                       std::uint64_t offset, int os_error, std::string detail = {});
  // Returns the kind that an errno value belongs to.
  static ErrorKind kind_of(int os_error);

  ErrorKind kind() const { return detail_->kind; }
  const std::string& message() const { return detail_->message; }
  const std::string& hint() const { return detail_->hint; }
  const std::string& path() const { return detail_->path; }
  std::uint64_t offset() const { return detail_->offset; }
  int os_error() const { return detail_->os_error; }

  // Returns the same error with "context: " in front of the message.
  Error with_context(std::string_view context) const;
  Error with_hint(std::string hint) const;

  // Returns 2 for usage, 3 for the environment, 4 for an invalid run, 130 when cancelled.
  int exit_code() const;
  // Returns "error: MESSAGE\nhint:  HINT\n".
  std::string render() const;

 private:
  struct Detail {
    ErrorKind kind;
    int os_error = 0;
    std::uint64_t offset = 0;
    std::string message, hint, path;
  };
  explicit Error(std::shared_ptr<const Detail> detail) : detail_(std::move(detail)) {}
  std::shared_ptr<const Detail> detail_;
};

template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

inline std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string hint = {}) {
  return std::unexpected<Error>(Error(kind, std::move(message), std::move(hint)));
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace feedrate

#define FEEDRATE_ASSERT(condition)                                                  \
  do {                                                                              \
    if (!(condition)) ::feedrate::assertion_failed(#condition, __FILE__, __LINE__); \
  } while (0)

// Evaluates a Result. On error it returns the error from the enclosing (non-coroutine) function.
#define FEEDRATE_CONCAT_(a, b) a##b
#define FEEDRATE_CONCAT(a, b) FEEDRATE_CONCAT_(a, b)
#define FEEDRATE_TRY(declaration, expression)                                       \
  auto FEEDRATE_CONCAT(result_, __LINE__) = (expression);                           \
  if (!FEEDRATE_CONCAT(result_, __LINE__))                                          \
    return ::feedrate::fail(std::move(FEEDRATE_CONCAT(result_, __LINE__)).error()); \
  declaration = std::move(*FEEDRATE_CONCAT(result_, __LINE__))
#define FEEDRATE_CHECK(expression)                                \
  do {                                                            \
    if (auto feedrate_check = (expression); !feedrate_check)      \
      return ::feedrate::fail(std::move(feedrate_check).error()); \
  } while (0)
