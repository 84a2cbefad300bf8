// Writes results: text to stdout, JSON or CSV to a file or to stdout.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "feedrate/base/error.h"

namespace feedrate {

// The target of --json or --csv; errors call it `flag`. A bad path fails before the run, and an
// older file stays until the new one is whole.
class ResultTarget {
 public:
  // The path is "" for none and "-" for stdout. A pipe without a reader is waited for, until
  // `stop`.
  static Result<ResultTarget> open(const std::string& path, std::string_view flag,
                                   std::stop_token stop);
  bool wanted() const { return !path_.empty(); }
  bool to_stdout() const { return path_ == "-"; }
  Result<> write(std::string_view text) const;
  // Writes `result` to the target, then prints `text` to stdout, unless that is where `result`
  // went.
  Result<> write_and_print(std::string_view result, std::string_view text) const;

 private:
  ResultTarget(std::string path, std::string_view flag, std::stop_token stop)
      : path_(std::move(path)), flag_(flag), stop_(std::move(stop)) {}
  Result<int> open_in_place() const;
  Result<> write_in_place(std::string_view text) const;
  std::unexpected<Error> nobody_reads() const;
  // A name of this process's own, which no file of the user's has.
  std::string part_path() const;

  std::string path_, flag_;
  std::stop_token stop_;
  // A device or a pipe, which is written to and never replaced by a new file.
  bool in_place_ = false;
  bool is_pipe_ = false;
  std::uint64_t device_ = 0, inode_ = 0;  // Of that device or pipe.
};

// Prints everything to stdout, without control characters. Fails with kEnvironment when it cannot
// be written, as on a full disk. A reader that is gone has what it wanted ("| head"), so that is no
// error.
Result<> print(std::string_view text);
// Prints a result in the same way. On a terminal its lines are wrapped at the terminal's width.
Result<> print_result(std::string_view text);

}  // namespace feedrate
