// Prints a line about long work on stderr: it is rewritten in place on a terminal, and added now
// and then to a log.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace feedrate {

class ProgressLine {
 public:
  // `text` is called from another thread until this is destroyed; "" prints nothing.
  ProgressLine(bool quiet, std::function<std::string()> text);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;

 private:
  std::function<std::string()> text_;
  std::jthread thread_;
};

}  // namespace feedrate
