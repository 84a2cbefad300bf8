// Where an experiment runs, and on what clock: reactors, and the storages that its jobs share.
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
  IoMode io = IoMode::kBuffered;  // resolved
  std::string directory;  // or a file in it, whose file system decides what direct I/O needs
  double rate_max = 0;    // bytes/s that all jobs together may move; 0: no limit

  // Whether files of this host are read, or nothing is moved.
  bool carries_data() const { return spec.facts.carries_data; }
};

struct WorldSpec {
  ClockKind clock = ClockKind::kReal;
  IoEngine io_engine = IoEngine::kAuto;
  unsigned threads = 1;  // the virtual clock has one

  // kUsage where the storage cannot run on this clock; `word` is how its user named it.
  Result<> check(const StorageSpec& storage) const;
};

// Reactors run once, and so does a world: each experiment has its own.
class World {
 public:
  static Result<World> make(const WorldSpec& spec);

  ReactorGroup& group() { return *group_; }
  bool is_virtual() const { return group_->is_virtual(); }
  // The storage of a place. Jobs that name the same place share its limits, and what the first of
  // them draws by its seed.
  StorageFactory storage(const StoragePlace& place, std::uint64_t seed);

 private:
  explicit World(std::unique_ptr<ReactorGroup> group) : group_(std::move(group)) {}

  std::unique_ptr<ReactorGroup> group_;
  std::map<std::string, StorageFactory> storages_;
};

}  // namespace feedrate
