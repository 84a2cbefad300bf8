// What about this host or a directory will spoil a measurement. Each finding is found by trying
// where that is possible (a ring is set up, a buffer registered, a block read), else from the
// kernel's own files. Blocking; takes about a second, most of it spent watching the idle host;
// writes nothing but an unnamed temporary file, which is gone when it is done.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/units.h"
#include "feedrate/host/proc_files.h"

namespace feedrate {

enum class Verdict : std::uint8_t {
  kOk,
  kWarn,     // figures may come out lower, or need a second look
  kBad,      // figures will be wrong, or runs will fail
  kUnknown,  // cannot be told here
};
std::string_view to_string(Verdict verdict);  // "ok", "warn", "bad", "unknown"

struct Finding {
  std::string check;  // "io_uring": unique, stable
  Verdict verdict = Verdict::kOk;
  std::string found;        // the value, in words
  std::string why, remedy;  // of warn and bad
};

struct DoctorReport {
  std::string asked;      // the directory as given
  std::string looked_at;  // it, or the nearest directory above it that exists
  std::string subject;    // "a data set of ours: resnet50, 14 files, 1.9 GiB"
  std::vector<Finding> findings;
  std::uint64_t count(Verdict verdict) const;
};

struct DoctorOptions {
  Duration watch = std::chrono::milliseconds(500);  // how long others' I/O and CPU use is watched
  HostRoots roots = {};
};

// `directory` may be a data set, any folder or file, empty, or not there yet. Never fails: what is
// wrong with it is a finding.
DoctorReport examine(const std::string& directory, const DoctorOptions& options);

// One line a finding, why and remedy below those that need them.
std::string render_text(const DoctorReport& report);
std::string to_json(const DoctorReport& report);  // docs/doctor.md has the schema

}  // namespace feedrate
