// The options that several verbs share to say where the bytes of checkpoints and models are written
// or read, and how.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "feedrate/experiment/transfer.h"
#include "feedrate/options/option_table.h"

namespace feedrate {

struct SystemOptions {
  std::string storage = "posix", io = "auto", io_engine = "auto", clock = "real", threads, block,
              at_once, json;

  void declare(OptionTable& table);
  // `ranks` is the number of ranks that read or write: more threads than that would be of no use.
  // `hint` says what to name where the directory is none.
  Result<TransferSetup> resolve(const std::string& directory, std::uint64_t ranks,
                                std::string_view hint = "name a directory") const;
};

// Fails with kUsage where the storage keeps nothing that could be restored or compacted, or there
// is no such directory.
Result<> check_kept(const TransferSetup& setup, const std::string& directory,
                    std::string_view verb);

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
