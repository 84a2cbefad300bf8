// The options that several verbs share to say where the bytes of checkpoints and models are written
// or read, and how.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "feedrate/options/option_table.h"
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
  // False for null storage, or a model in front of it: nothing is read or kept then.
  bool carries_data = true;
  std::vector<std::string> warnings;
};

// `ranks` is the number of ranks that read or write: more threads than that would be of no use.
// `seed` is for what a described storage draws.
Result<System> resolve_system(const SystemOptions& options, const std::string& directory,
                              std::uint64_t ranks, std::uint64_t seed = 1);

// Puts the place and the settings that were used into the report.
void describe_system(const SystemOptions& options, const System& system,
                     const std::string& directory, Envelope& report);

// Adds to the report what the reactors that were made say of the system.
void describe_group(const ReactorGroup& group, Envelope& report);

// Fails with kUsage where the storage keeps nothing that could be restored or compacted.
Result<> check_kept(const System& system, std::string_view storage, std::string_view verb);

// The options that say how bytes are moved. Each one that would have no effect, because no bytes
// are moved or there are no threads, is kUsage.
struct UnusedSystem {
  std::string storage;
  ClockKind clock = ClockKind::kReal;
  bool carries_data = true;
  std::string io, io_engine, threads;
};
Result<> check_unused(const UnusedSystem& given);

}  // namespace feedrate
