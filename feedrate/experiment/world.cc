#include "feedrate/experiment/world.h"

#include <fmt/format.h>

namespace feedrate {

Result<> WorldSpec::check(const StorageSpec& storage) const {
  if (clock == ClockKind::kReal || storage.facts.simulable) return {};
  return fail(ErrorKind::kUsage,
              fmt::format("--clock: storage '{}' cannot run on the virtual clock", storage.word),
              "use --storage=null or --storage=model:FILE.yaml with backing: \"null\"");
}

Result<World> World::make(const WorldSpec& spec) {
  FEEDRATE_TRY(auto group, ReactorGroup::make(spec.clock, spec.io_engine, spec.threads));
  return World(std::move(group));
}

StorageFactory World::storage(const StoragePlace& place, std::uint64_t seed) {
  // A described storage is the same one whatever directory its jobs name, because its model is its
  // place.
  const std::string where = place.spec.facts.described ? "" : place.directory;
  const std::string key =
      fmt::format("{}\n{}\n{}\n{}", place.spec.word, to_string(place.io), place.rate_max, where);
  const auto known = storages_.find(key);
  if (known != storages_.end()) return known->second;
  const StorageSpec spec = place.rate_max > 0 ? limit_rate(place.spec, place.rate_max) : place.spec;
  StorageFactory made = make_storage_factory(spec, place.io, place.directory, seed);
  storages_.emplace(key, made);
  return made;
}

}  // namespace feedrate
