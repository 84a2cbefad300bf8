#include "feedrate/cli/search_progress.h"

#include <cstdio>
#include <memory>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"

namespace feedrate {
namespace {

class SearchProgress {
 public:
  explicit SearchProgress(std::string client) : client_(std::move(client)) {}

  void begins(const TrialRequest& request, Duration time) const {
    if (request.free_steps)
      std::fprintf(stderr, "%s client, what the storage moves (up to %s)...\n", client_.c_str(),
                   format_duration(time).c_str());
    else
      std::fprintf(stderr, "%s client, %s (up to %s)...\n", client_.c_str(),
                   format_counted(request.accelerators, "accelerator").c_str(),
                   format_duration(time).c_str());
  }
  void ends(const TrialResult& trial) const {
    if (trial.free_steps)
      std::fprintf(stderr, "  %s with %s in flight\n", format_rate(trial.bytes_per_second).c_str(),
                   format_counted(trial.reads_in_flight, "read").c_str());
    else if (trial.utilisation)
      std::fprintf(stderr, "  AU %s%s\n", trial.upper_bound ? "at most " : "",
                   format_percent(*trial.utilisation).c_str());
    else
      std::fprintf(stderr, "  too short for a step\n");
  }
  void known(const FindResult& result) {
    const std::string now = range_text(result);
    if (now == last_) return;
    last_ = now;
    std::fprintf(stderr, "so far: %s\n", now.c_str());
  }

 private:
  std::string client_, last_;
};

}  // namespace

FindObserver search_progress(bool quiet, ClientKind client) {
  if (quiet) return {};
  const auto told = std::make_shared<SearchProgress>(std::string(to_string(client)));
  return {[told](const TrialRequest& request, Duration time) { told->begins(request, time); },
          [told](const TrialResult& trial) { told->ends(trial); },
          [told](const FindResult& result) { told->known(result); }};
}

}  // namespace feedrate
