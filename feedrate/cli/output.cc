#include "feedrate/cli/output.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>

#include "feedrate/base/shown_text.h"
#include "feedrate/base/text.h"
#include "feedrate/base/yaml_reader.h"

namespace feedrate {
namespace {

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

Result<ResultTarget> ResultTarget::open(const std::string& path, std::string_view flag) {
  ResultTarget target(path, flag);
  if (!target.wanted() || target.to_stdout()) return target;
  struct stat status{};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) return cannot_write(path, flag, EISDIR);
  target.in_place_ = exists && !S_ISREG(status.st_mode);
  if (target.in_place_) {  // not opened before its time: the reader of a pipe would see it end
    if (access(path.c_str(), W_OK) != 0) return cannot_write(path, flag, errno);
    return target;
  }
  const std::string part = target.written_path();
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(part.c_str(), "w"));
  if (!file) return cannot_write(path, flag, errno);
  std::remove(part.c_str());
  return target;
}

Result<> ResultTarget::write_and_print(std::string_view result, std::string_view text) const {
  // A file that was asked for is written although nobody can be told of the result.
  FEEDRATE_CHECK(write(result));
  return to_stdout() ? Result<>{} : print(text);
}

Result<> ResultTarget::write(std::string_view text) const {
  if (!wanted()) return {};
  if (to_stdout()) return write_stdout(text);  // JSON and CSV have escapes of their own
  const std::string part = written_path();
  std::FILE* file = std::fopen(part.c_str(), "w");
  if (file == nullptr) return cannot_write(path_, flag_, errno);
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = std::fclose(file) == 0;
  if (written && closed && (in_place_ || std::rename(part.c_str(), path_.c_str()) == 0)) return {};
  const int code = errno;
  if (in_place_ && code == EPIPE) return {};
  if (!in_place_) std::remove(part.c_str());
  return cannot_write(path_, flag_, code);
}

Result<std::string> read_text_file(const std::string& path, std::string_view what,
                                   std::string_view hint) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kYamlBytesMax + 1, '\0');  // one more than the parsers take: they name the limit
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad())
    return fail(ErrorKind::kUsage, fmt::format("cannot read the {} {}", what, quote_path(path)),
                std::string(hint));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Result<> print(std::string_view text) { return write_stdout(shown_text(text, "\n\t")); }

}  // namespace feedrate
