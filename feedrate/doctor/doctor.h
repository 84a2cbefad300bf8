// Finds what about this host or a directory spoils a measurement. Findings come from trying
// where that is possible (a ring is set up, a buffer registered, a block read), else from the
// kernel's own files. It blocks, and takes about a second, most of it spent watching the idle host.
// It writes nothing but an unnamed temporary file, which is gone when it is done.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/units.h"
#include "feedrate/host/proc_files.h"
#include "feedrate/result/doctor_result.h"

namespace feedrate {

struct DoctorOptions {
  // The time for which the I/O and CPU use of others is watched.
  Duration watch = std::chrono::milliseconds(500);
  HostRoots roots = {};
  // Ends it before the next check; the report then says that it was interrupted.
  std::stop_token stop = {};
};

// `directory` may be a data set, any folder or file, empty, or not there yet. Never fails: what is
// wrong with it is a finding.
DoctorReport examine(const std::string& directory, const DoctorOptions& options);

}  // namespace feedrate
