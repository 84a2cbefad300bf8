// Where results go: text to stdout, JSON or CSV to a file or stdout.
#pragma once

#include <string>
#include <string_view>

#include "feedrate/base/error.h"

namespace feedrate {

// The target of --json or --csv, the `flag` in errors. A bad path fails before the run; an older
// file stays until the new one is whole.
class ResultTarget {
 public:
  // "" for none, "-" for stdout.
  static Result<ResultTarget> open(const std::string& path, std::string_view flag);
  bool wanted() const { return !path_.empty(); }
  bool to_stdout() const { return path_ == "-"; }
  Result<> write(std::string_view text) const;
  // `result` here, then `text` to stdout, unless that is where `result` went.
  Result<> write_and_print(std::string_view result, std::string_view text) const;

 private:
  ResultTarget(std::string path, std::string_view flag) : path_(std::move(path)), flag_(flag) {}
  std::string written_path() const { return in_place_ ? path_ : path_ + ".part"; }

  std::string path_, flag_;
  bool in_place_ = false;  // a device or a pipe: written to, never replaced
};

// A small text file: the first kYamlBytesMax and one more. `what` is named in the error.
Result<std::string> read_text_file(const std::string& path, std::string_view what,
                                   std::string_view hint);

// Everything to stdout, without control characters; kEnvironment when it cannot be written (a full
// disk). A reader that is gone has what it wanted ("| head"): that is no error.
Result<> print(std::string_view text);

}  // namespace feedrate
