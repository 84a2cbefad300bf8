// The table of backends: the only place that names them.
#include "feedrate/storage/backends.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <fstream>

#include "feedrate/base/random.h"
#include "feedrate/base/text.h"
#include "feedrate/base/yaml_reader.h"
#include "feedrate/storage/model/model.h"

namespace feedrate {
namespace {

Result<std::string> read_text_file(const std::string& path, std::string_view flag) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kYamlBytesMax + 1, '\0');  // one more than the parser takes: it names the limit
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad())
    return fail(ErrorKind::kUsage, fmt::format("{}: cannot read {}", flag, quote_path(path)),
                "give the path of a storage model in YAML, e.g. --storage model:nas.yaml");
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Result<StorageFactory> backing_factory(std::string_view name, IoMode mode,
                                       std::string_view directory) {
  if (name == "null")
    return StorageFactory([](Reactor& reactor) { return make_null_storage(reactor); });
  if (name == "posix") {
    const DirectIoFacts facts =
        mode == IoMode::kDirect ? probe_direct_io(std::string(directory)) : DirectIoFacts{};
    return StorageFactory([mode, alignment = facts.alignment_bytes](Reactor& reactor) {
      return make_posix_storage(reactor, mode, alignment);
    });
  }
  const std::array<std::string, 3> known{"posix", "null", "model:FILE.yaml"};
  return fail(ErrorKind::kUsage,
              fmt::format("--storage: unknown storage '{}'{}", name, did_you_mean(name, known)),
              "use posix, null or model:FILE.yaml");
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

Result<StorageFactory> make_storage_factory(std::string_view specification, IoMode mode,
                                            std::string_view directory, std::uint64_t seed) {
  constexpr std::string_view kModel = "model:";
  if (!specification.starts_with(kModel)) return backing_factory(specification, mode, directory);
  const std::string path(specification.substr(kModel.size()));
  FEEDRATE_TRY(const std::string text, read_text_file(path, "--storage"));
  FEEDRATE_TRY(const StorageModel model, parse_storage_model(text, path));
  FEEDRATE_TRY(const StorageFactory backing, backing_factory(model.backing, mode, directory));
  auto limits = std::make_shared<ModelLimits>();
  auto streams = std::make_shared<std::atomic<std::uint64_t>>(0);
  return StorageFactory([=](Reactor& reactor) {
    return make_model_storage(
        backing(reactor), model, limits,
        combine_seeds(combine_seeds(seed, static_cast<std::uint64_t>(SeedPurpose::kLatency)),
                      streams->fetch_add(1)));
  });
}

StorageFactory limit_rate(StorageFactory storage, double bytes_per_second) {
  StorageModel model;
  model.name = "rate limit";
  model.bytes_per_second = bytes_per_second;
  auto limits = std::make_shared<ModelLimits>();
  return [storage = std::move(storage), model, limits](Reactor& reactor) {
    return make_model_storage(storage(reactor), model, limits, 0);
  };
}

}  // namespace feedrate
