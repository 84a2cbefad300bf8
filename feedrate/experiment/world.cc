#include "feedrate/experiment/world.h"

#include <fmt/format.h>

#include <filesystem>

namespace feedrate {
namespace {

// Returns the word of a storage with the one spelling that the path behind its colon has: "m.yaml",
// "./m.yaml" and a link to it are one storage.
std::string one_spelling(const std::string& word) {
  const std::size_t colon = word.find(':');
  if (colon == std::string::npos) return word;
  std::error_code error;
  const std::filesystem::path path =
      std::filesystem::weakly_canonical(word.substr(colon + 1), error);
  return error ? word : word.substr(0, colon + 1) + path.string();
}

}  // namespace

Result<> WorldSpec::check(const StorageSpec& storage) const {
  if (clock == ClockKind::kReal || storage.facts.simulable) return {};
  return fail(ErrorKind::kUsage,
              fmt::format("--clock: storage '{}' cannot run on the virtual clock", storage.word),
              "use --storage=null or --storage=model:FILE.yaml with backing: \"null\"");
}

Result<std::unique_ptr<ReactorGroup>> WorldSpec::make_group() const {
  return ReactorGroup::make(clock, io_engine, threads);
}

StorageFactory StoragePlace::make_storage(std::uint64_t seed) const {
  return make_storage_factory(rate_max > 0 ? limit_rate(spec, rate_max) : spec, io, directory,
                              seed);
}

Result<World> World::make(const WorldSpec& spec) {
  FEEDRATE_TRY(auto group, spec.make_group());
  return World(std::move(group));
}

StorageFactory World::storage(const StoragePlace& place, std::uint64_t seed) {
  // A described storage is the same one whatever directory its jobs name, because its model is its
  // place.
  const std::string where = place.spec.facts.described ? "" : place.directory;
  const std::string key = fmt::format("{}\n{}\n{}\n{}", one_spelling(place.spec.word),
                                      to_string(place.io), place.rate_max, where);
  const auto known = storages_.find(key);
  if (known != storages_.end()) return known->second;
  StorageFactory made = place.make_storage(seed);
  storages_.emplace(key, made);
  return made;
}

}  // namespace feedrate
