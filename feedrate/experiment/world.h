// The world in which an experiment runs: its clock, its reactors, and the storages that its jobs
// share.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "feedrate/runtime/reactor_group.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

// A storage, and how it is read and written.
struct StoragePlace {
  StorageSpec spec;
  IoMode io = IoMode::kBuffered;  // Never kAuto.
  // The directory, or a file in it: its file system decides what direct I/O needs.
  std::string directory;
  double rate_max = 0;  // The bytes/s that all jobs together may move; 0 means no limit.

  // Returns whether files of this host are read; otherwise nothing is moved.
  bool carries_data() const { return spec.facts.carries_data; }
  // Returns "direct" or "buffered", or "none" where the storage moves no bytes.
  std::string io_word() const { return carries_data() ? std::string(to_string(io)) : "none"; }
  // Returns the storage, for one world or for several that follow each other. `seed` is for what a
  // described storage draws.
  StorageFactory make_storage(std::uint64_t seed) const;
};

struct WorldSpec {
  ClockKind clock = ClockKind::kReal;
  IoEngine io_engine = IoEngine::kAuto;
  unsigned threads = 1;  // The virtual clock has one.

  // Fails with kUsage where the storage cannot run on this clock.
  Result<> check(const StorageSpec& storage) const;
  Result<std::unique_ptr<ReactorGroup>> make_group() const;
};

// Reactors run once, and so does a world: each experiment has its own.
class World {
 public:
  static Result<World> make(const WorldSpec& spec);

  ReactorGroup& group() { return *group_; }
  bool is_virtual() const { return group_->is_virtual(); }
  // Returns the storage of a place. Jobs that name the same place share its limits, and the random
  // draws that follow from the seed of the first.
  StorageFactory storage(const StoragePlace& place, std::uint64_t seed);

 private:
  explicit World(std::unique_ptr<ReactorGroup> group) : group_(std::move(group)) {}

  std::unique_ptr<ReactorGroup> group_;
  std::map<std::string, StorageFactory> storages_;
};

}  // namespace feedrate
