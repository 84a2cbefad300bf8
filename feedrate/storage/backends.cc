// The table of backends. No other code names them.
#include "feedrate/storage/backends.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>

#include "feedrate/base/random.h"
#include "feedrate/base/text.h"
#include "feedrate/base/yaml_reader.h"
#include "feedrate/storage/model/model.h"
#include "feedrate/storage/posix/own_directories.h"

namespace feedrate {
namespace {

Result<std::string> read_text_file(const std::string& path, std::string_view flag) {
  std::ifstream file(path, std::ios::binary);
  // One byte more than the parser takes, so that the parser names the limit.
  std::string text(kYamlBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad())
    return fail(ErrorKind::kUsage, fmt::format("{}: cannot read {}", flag, quote_path(path)),
                "give the path of a storage model in YAML, e.g. --storage model:nas.yaml");
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

struct Backend {
  std::string_view name;
  StorageFacts facts;
  StorageFactory (*make)(StorageFacts facts, IoMode mode, std::string_view directory);
};

StorageFactory posix_factory(StorageFacts facts, IoMode mode, std::string_view directory) {
  if (mode == IoMode::kDirect)
    facts.alignment_bytes =
        probe_direct_io(std::string(directory)).alignment_bytes.value_or(facts.alignment_bytes);
  else
    facts.alignment_bytes = 1;
  return [mode, facts, own = std::make_shared<OwnDirectories>()](Reactor& reactor) {
    return make_posix_storage(reactor, mode, facts, own);
  };
}

StorageFactory null_factory(StorageFacts facts, IoMode, std::string_view) {
  return [facts](Reactor& reactor) { return make_null_storage(reactor, facts); };
}

// A new backend is a folder below storage/ and a row here.
constexpr std::array kBackends{
    Backend{"posix",
            {.carries_data = true,
             .persists = true,
             .directories = true,
             .atomic_rename = true,
             .append = true,
             .takes_time = true,
             .alignment_bytes = 4096,
             .moved_by = "device"},
            posix_factory},
    Backend{"null", {.append = true, .simulable = true}, null_factory},
};

const Backend* find_backend(std::string_view name) {
  const auto* const found = std::ranges::find(kBackends, name, &Backend::name);
  return found == kBackends.end() ? nullptr : found;
}

}  // namespace

std::string_view to_string(IoMode mode) {
  switch (mode) {
    case IoMode::kDirect:
      return "direct";
    case IoMode::kBuffered:
      return "buffered";
    case IoMode::kAuto:
      return "auto";
  }
  return "unknown";
}

Result<IoMode> parse_io_mode(std::string_view text, std::string_view flag) {
  if (text == "direct") return IoMode::kDirect;
  if (text == "buffered") return IoMode::kBuffered;
  if (text == "auto") return IoMode::kAuto;
  const std::array<std::string, 3> known{"direct", "buffered", "auto"};
  return fail(ErrorKind::kUsage,
              fmt::format("{}: unknown mode '{}'{}", flag, text, did_you_mean(text, known)),
              "use direct, buffered or auto");
}

Result<StorageSpec> parse_storage(std::string_view word, std::string_view flag) {
  constexpr std::string_view kModel = "model:";
  StorageSpec spec;
  spec.word = spec.backend = word;
  if (word.starts_with(kModel)) {
    const std::string path(word.substr(kModel.size()));
    FEEDRATE_TRY(const std::string text, read_text_file(path, flag));
    FEEDRATE_TRY(StorageModel model, parse_storage_model(text, path));
    spec.backend = model.backing;
    spec.model = std::make_shared<const StorageModel>(std::move(model));
  }
  const Backend* const backend = find_backend(spec.backend);
  if (backend == nullptr) {
    std::vector<std::string> known = backend_names();
    known.emplace_back("model:FILE.yaml");
    return fail(
        ErrorKind::kUsage,
        fmt::format("{}: unknown storage '{}'{}", flag, spec.backend,
                    did_you_mean(spec.backend, known)),
        fmt::format("use {} or {}", join({known.begin(), known.end() - 1}, ", "), known.back()));
  }
  spec.facts = backend->facts;
  if (spec.model) spec.facts.takes_time = spec.facts.described = true;
  return spec;
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const Backend& row : kBackends) names.emplace_back(row.name);
  return names;
}
StorageSpec local_files() { return parse_storage("posix").value(); }
StorageSpec costs_nothing() { return parse_storage("null").value(); }

StorageFactory make_storage_factory(const StorageSpec& spec, IoMode mode,
                                    std::string_view directory, std::uint64_t seed) {
  const Backend& row = *find_backend(spec.backend);
  const StorageFactory backing = row.make(row.facts, mode, directory);
  if (!spec.model) return backing;
  auto limits = std::make_shared<ModelLimits>();
  // Each reactor draws from a stream of random numbers of its own, so that they do not depend on
  // how the reactors' operations interleave.
  auto streams = std::make_shared<std::atomic<std::uint64_t>>(0);
  return [=, model = spec.model](Reactor& reactor) {
    return make_model_storage(
        backing(reactor), *model, limits,
        combine_seeds(combine_seeds(seed, static_cast<std::uint64_t>(SeedPurpose::kLatency)),
                      streams->fetch_add(1)));
  };
}

StorageSpec limit_rate(const StorageSpec& spec, double bytes_per_second) {
  StorageModel model = spec.model ? *spec.model : StorageModel{};
  if (!spec.model) model.name = "rate limit";
  model.backing = spec.backend;
  double& limit = model.bytes_per_second;
  limit = limit > 0 ? std::min(limit, bytes_per_second) : bytes_per_second;
  StorageSpec limited = spec;
  limited.model = std::make_shared<const StorageModel>(std::move(model));
  return limited;
}

}  // namespace feedrate
