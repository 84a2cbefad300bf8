#include "feedrate/checkpoint/goodput.h"

#include <algorithm>

#include "feedrate/base/random.h"

namespace feedrate {

Result<Stretch> ModelledGoodput::train(Duration limit) {
  Stretch stretch;
  stretch.elapsed = limit;
  Duration at{}, written{};  // When the checkpoint before is written.
  const auto pass = [&at, limit](Duration time, Duration& sum) {
    const Duration passed = std::min(time, limit - at);
    sum += passed;
    at += passed;
    return at < limit;
  };
  while (true) {
    if (!pass(interval_, stretch.training)) return stretch;
    if (!pass(std::max(Duration{}, written - at), stretch.blocked)) return stretch;
    ++stretch.begun;
    written = at + restorable_;
    if (written <= limit) ++stretch.saved;
    if (!pass(blocked_, stretch.blocked)) return stretch;
  }
}

Result<Duration> ModelledGoodput::restore(Duration limit) { return std::min(restore_, limit); }

namespace {

class Course {
 public:
  Course(const GoodputJob& job, GoodputHost& host)
      : job_(job), host_(host), random_(job.seed, SeedPurpose::kFailures, 0) {}

  Result<GoodputSummary> run() {
    while (true) {
      const Duration left = job_.total - all_.elapsed, failure = next_failure();
      const bool fails = failure < left;
      FEEDRATE_TRY(const Stretch stretch, host_.train(std::min(failure, left)));
      add(stretch, fails);
      if (!fails) return all_;
      FEEDRATE_CHECK(restart());
      if (all_.elapsed >= job_.total) return all_;
    }
  }

 private:
  Duration next_failure() {
    constexpr double kNever = 4e9;  // In seconds; it is beyond any run, and Duration can hold it.
    return from_seconds(std::min(kNever, to_seconds(job_.mtbf) * random_.exponential()));
  }

  void add(const Stretch& stretch, bool fails) {
    const Duration saved = job_.interval * static_cast<std::int64_t>(stretch.saved);
    const Duration lasts = fails ? std::min(saved, stretch.training) : stretch.training;
    all_.elapsed += stretch.elapsed;
    all_.lasting += lasts;
    all_.lost += stretch.training - lasts;
    all_.blocked += stretch.blocked;
    all_.checkpoints += stretch.saved;
    if (!fails) return;
    ++all_.failures;
    if (stretch.begun > stretch.saved) ++all_.while_writing;
  }

  // Passes the time until the checkpoint is read; the job may fail again and again meanwhile.
  Result<> restart() {
    while (all_.elapsed < job_.total) {
      const Duration failure = next_failure();
      const Duration waited = std::min(job_.restart, failure);
      all_.restarting += waited;
      all_.elapsed += waited;
      if (failure > job_.restart) {
        FEEDRATE_TRY(const Duration read, host_.restore(failure - job_.restart));
        all_.restoring += read;
        all_.elapsed += read;
        if (read < failure - job_.restart) return {};
      }
      ++all_.failures;
      ++all_.while_restarting;
    }
    return {};
  }

  const GoodputJob& job_;
  GoodputHost& host_;
  RandomStream random_;
  GoodputSummary all_;
};

}  // namespace

Result<GoodputSummary> run_with_failures(const GoodputJob& job, GoodputHost& host) {
  return Course(job, host).run();
}

}  // namespace feedrate
