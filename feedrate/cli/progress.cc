#include "feedrate/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>

namespace feedrate {
namespace {

constexpr auto kTerminalInterval = std::chrono::milliseconds(250);
constexpr auto kLogInterval = std::chrono::seconds(10);

// Returns whether stderr is a terminal that takes escape sequences, and its user wants them.
bool takes_escapes() {
  const auto setting = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  return isatty(STDERR_FILENO) == 1 && setting("NO_COLOR").empty() && !setting("TERM").empty() &&
         setting("TERM") != "dumb";
}

// Cuts a line to the terminal's width, because one that wraps is not rewritten in place: its first
// row would stay each time. It is cut one column short, because some terminals wrap as soon as the
// last column is written. The width is asked for each time, because windows change.
void cut_to_width(std::string& line) {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return;
  const std::size_t columns = size.ws_col - 1U;
  std::size_t column = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(line[at]) & 0xC0U) != 0x80U;
    if (begins && column++ == columns) return line.resize(at);
  }
}

}  // namespace

ProgressLine::ProgressLine(bool quiet, std::function<std::string()> text) : text_(std::move(text)) {
  if (quiet) return;
  thread_ = std::jthread([this](const std::stop_token& quit) {
    const bool terminal = takes_escapes();
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    const auto interval = terminal ? std::chrono::milliseconds(kTerminalInterval)
                                   : std::chrono::milliseconds(kLogInterval);
    while (!wake.wait_for(lock, quit, interval, [] { return false; }) && !quit.stop_requested()) {
      std::string line = text_();
      if (terminal) cut_to_width(line);
      if (!line.empty()) std::fprintf(stderr, terminal ? "\r\x1b[K%s" : "%s\n", line.c_str());
    }
    if (terminal) std::fputs("\r\x1b[K", stderr);
  });
}

ProgressLine::~ProgressLine() = default;

}  // namespace feedrate
