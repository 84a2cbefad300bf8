// The result of `doctor`: findings about this host and a directory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/result/report.h"

namespace feedrate {

enum class FindingVerdict : std::uint8_t {
  kOk,
  kWarn,     // Figures may come out lower, or need a second look.
  kBad,      // Figures will be wrong, or runs will fail.
  kUnknown,  // This host does not let the check tell.
};
std::string_view to_string(FindingVerdict verdict);  // "ok", "warn", "bad", "unknown"

struct Finding {
  // Names the check, such as "io_uring": each name is used once and does not change.
  std::string check;
  FindingVerdict verdict = FindingVerdict::kOk;
  std::string found;        // The value that was found, in words.
  std::string why, remedy;  // Set for the verdicts warn and bad.
};

struct DoctorReport : Envelope {
  // The directory that was asked for, or the nearest one above it that exists.
  std::string looked_at;
  // Says what the directory holds: "a data set of ours: resnet50, 14 files, 1.9 GiB".
  std::string subject;
  std::vector<Finding> findings;
  std::uint64_t count(FindingVerdict verdict) const;
};

std::string verdict_of(const DoctorReport& report);

}  // namespace feedrate
