// Where the bytes of checkpoints and models go or come from, and how: options that several verbs
// share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "feedrate/cli/option_table.h"
#include "feedrate/result/report.h"
#include "feedrate/runtime/reactor_group.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

struct SystemOptions {
  std::string storage = "posix", io = "auto", io_engine = "auto", clock = "real", threads, block,
              at_once, json;

  void declare(OptionTable& table);
};

struct System {
  ClockKind clock = ClockKind::kReal;
  IoEngine engine = IoEngine::kAuto;
  IoMode io = IoMode::kBuffered, wanted_io = IoMode::kAuto;
  unsigned threads = 1;
  std::uint64_t block = std::uint64_t{4} << 20U, at_once = 4;
  StorageSpec spec;
  StorageFactory storage;
  bool carries_data = true;  // else nothing is read or kept: null storage, or a model before it
  std::vector<std::string> warnings;
};

// `ranks` are those that read or write: no more threads than that are of use. `seed` is of what a
// described storage draws.
Result<System> resolve_system(const SystemOptions& options, const std::string& directory,
                              std::uint64_t ranks, std::uint64_t seed = 1);

// Place and settings that were used, as the report tells them.
void describe_system(const SystemOptions& options, const System& system,
                     const std::string& directory, Envelope& report);

// What the reactors that were made say of it.
void describe_group(const ReactorGroup& group, Envelope& report);

// kUsage where the storage keeps nothing that could be restored or compacted.
Result<> check_kept(const System& system, std::string_view storage, std::string_view verb);

// Options that say how bytes are moved, where there are none or no threads: kUsage for each one
// that would have no effect.
struct UnusedSystem {
  std::string storage;
  ClockKind clock = ClockKind::kReal;
  bool carries_data = true;
  std::string io, io_engine, threads;
};
Result<> check_unused(const UnusedSystem& given);

// The directory, or the nearest above it that is there: it is on the same file system.
std::string existing_directory(const std::string& directory);

}  // namespace feedrate
