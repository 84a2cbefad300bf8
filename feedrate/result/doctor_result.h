// What `doctor` has to say: findings about this host and a directory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/result/report.h"

namespace feedrate {

enum class FindingVerdict : std::uint8_t {
  kOk,
  kWarn,     // figures may come out lower, or need a second look
  kBad,      // figures will be wrong, or runs will fail
  kUnknown,  // cannot be told here
};
std::string_view to_string(FindingVerdict verdict);  // "ok", "warn", "bad", "unknown"

struct Finding {
  std::string check;  // "io_uring": unique, stable
  FindingVerdict verdict = FindingVerdict::kOk;
  std::string found;        // the value, in words
  std::string why, remedy;  // of warn and bad
};

struct DoctorReport : Envelope {
  std::string looked_at;  // it, or the nearest directory above it that exists
  std::string subject;    // "a data set of ours: resnet50, 14 files, 1.9 GiB"
  std::vector<Finding> findings;
  std::uint64_t count(FindingVerdict verdict) const;
};

std::string verdict_of(const DoctorReport& report);

}  // namespace feedrate
