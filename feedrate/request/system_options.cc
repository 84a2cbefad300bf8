#include "feedrate/request/system_options.h"

#include <fmt/format.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/experiment/world.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/directories.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kBlockMax = std::uint64_t{1} << 30U;
constexpr std::uint64_t kDataFreeBlock = std::uint64_t{64} << 20U;

Result<std::uint64_t> resolve_block(const SystemOptions& options, ClockKind clock) {
  if (options.block.empty())
    return clock == ClockKind::kVirtual ? kDataFreeBlock : std::uint64_t{4} << 20U;
  FEEDRATE_TRY(const std::uint64_t block, parse_bytes(options.block, "--block"));
  if (block < 4096 || block > kBlockMax || block % 4096 != 0)
    return fail(ErrorKind::kUsage, fmt::format("--block: {} is no size for blocks", options.block),
                "use a multiple of 4KiB, up to 1GiB");
  return block;
}

// A thread has at least the buffers of one stream: those in flight, and some that wait.
Result<> check_buffers(const System& system, std::uint64_t ranks) {
  constexpr std::uint64_t kBeside = 4;
  const std::uint64_t threads =
      std::min<std::uint64_t>(system.threads, std::max<std::uint64_t>(1, ranks));
  const std::uint64_t needed = threads * (system.at_once + kBeside) * system.block;
  struct sysinfo info{};
  sysinfo(&info);
  const std::uint64_t memory = std::uint64_t{info.totalram} * info.mem_unit;
  if (needed <= memory / 2) return {};
  return fail(ErrorKind::kUsage,
              fmt::format("--block: {} of them on each of {} take {} of buffers, more than half of "
                          "this host's {}",
                          system.at_once + kBeside, format_counted(threads, "thread"),
                          format_bytes(needed), format_bytes(memory)),
              "use a smaller --block or --at-once, or fewer --threads");
}

}  // namespace

void SystemOptions::declare(OptionTable& table) {
  using enum OptionType;
  table.add(
      "System",
      {{rows::kStorage, storage},
       {rows::kIo, io},
       {rows::kIoEngine, io_engine},
       {rows::kClock, clock},
       {rows::kThreads.usually("one a core, at most one a rank"), threads},
       {{"--block", kBytes, "4MiB, or 64MiB with --clock=virtual", "4KiB to 1GiB",
         "one read or write, a multiple of 4KiB"},
        block},
       {{"--at-once", kCount, "4", "1 to 1024", "reads or writes of a rank in flight"}, at_once}});
  table.add("", {{rows::kJson, json}});
}

Result<System> resolve_system(const SystemOptions& options, const std::string& directory,
                              std::uint64_t ranks, std::uint64_t seed) {
  System system;
  FEEDRATE_TRY(system.clock, parse_clock(options.clock, "--clock"));
  FEEDRATE_TRY(system.engine, parse_io_engine(options.io_engine, "--io-engine"));
  FEEDRATE_TRY(system.block, resolve_block(options, system.clock));
  if (!options.at_once.empty()) {
    FEEDRATE_TRY(system.at_once, parse_count(options.at_once, "--at-once", 1, 1024));
  }
  FEEDRATE_TRY(system.spec, parse_storage(options.storage));
  system.carries_data = system.spec.facts.carries_data;
  const WorldSpec world{.clock = system.clock};
  FEEDRATE_CHECK(world.check(system.spec));
  FEEDRATE_TRY(const IoMode wanted, parse_io_mode(options.io, "--io"));
  FEEDRATE_CHECK(check_unused({options.storage, system.clock, system.carries_data, options.io,
                               options.io_engine, options.threads}));
  system.io = system.wanted_io = wanted;
  if (!system.carries_data) {
    system.io = IoMode::kBuffered;
  } else {
    FEEDRATE_CHECK(check_directory(directory, "name a directory"));
    FEEDRATE_TRY(system.io, resolve_io_mode(wanted, existing_directory(directory)));
  }
  std::uint64_t threads =
      std::min<std::uint64_t>(available_cores(), std::max<std::uint64_t>(1, ranks));
  if (!options.threads.empty()) {
    FEEDRATE_TRY(threads, parse_count(options.threads, "--threads", 1, 1024));
  }
  system.threads = system.clock == ClockKind::kVirtual ? 1 : static_cast<unsigned>(threads);
  if (system.carries_data) FEEDRATE_CHECK(check_buffers(system, ranks));
  system.storage =
      make_storage_factory(system.spec, system.io, existing_directory(directory), seed);
  return system;
}

void describe_system(const SystemOptions& options, const System& system,
                     const std::string& directory, Envelope& report) {
  const std::string io = system.carries_data ? std::string(to_string(system.io)) : "none";
  const std::string clock(to_string(system.clock));
  report.place = {directory, options.storage, io, clock};
  report.effective["storage"] = options.storage;
  if (system.carries_data) report.effective["io"] = io;
  report.effective["clock"] = clock;
  report.effective["threads"] = std::to_string(system.threads);
  report.effective["block"] = format_bytes(system.block);
  report.effective["at-once"] = std::to_string(system.at_once);
  report.warnings.insert(report.warnings.end(), system.warnings.begin(), system.warnings.end());
}

void describe_group(const ReactorGroup& group, Envelope& report) {
  if (group.engine() != IoEngine::kAuto) report.effective["io-engine"] = to_string(group.engine());
  report.warnings.insert(report.warnings.end(), group.warnings().begin(), group.warnings().end());
}

Result<> check_kept(const System& system, std::string_view storage, std::string_view verb) {
  if (system.spec.facts.persists) return {};
  return fail(
      ErrorKind::kUsage,
      fmt::format("--storage: there is nothing to {} on '{}', which keeps nothing", verb, storage),
      "leave out --storage and --clock, or use a model with backing: posix");
}

Result<> check_unused(const UnusedSystem& given) {
  const bool is_virtual = given.clock == ClockKind::kVirtual;
  if (!given.carries_data && given.io != "auto")
    return fail(ErrorKind::kUsage,
                fmt::format("--io: storage '{}' moves no bytes, so {} has no effect", given.storage,
                            given.io),
                "leave it out, or use storage that keeps data");
  if (is_virtual && given.io_engine != "auto")
    return fail(ErrorKind::kUsage,
                fmt::format("--io-engine: on the virtual clock nothing is asked of the kernel, so "
                            "{} has no effect",
                            given.io_engine),
                "leave it out, or use --clock=real");
  if (is_virtual && !given.threads.empty()) {
    FEEDRATE_TRY(const std::uint64_t threads, parse_count(given.threads, "--threads", 1, 1024));
    if (threads > 1)
      return fail(ErrorKind::kUsage,
                  fmt::format("--threads: the virtual clock runs on one thread, got {}", threads),
                  "leave it out, or use --clock=real");
  }
  return {};
}

std::string existing_directory(const std::string& directory) {
  std::error_code error;
  // The path stays as the user wrote it.
  if (std::filesystem::is_directory(directory, error)) return directory;
  std::filesystem::path path = std::filesystem::absolute(directory);
  while (path.has_relative_path() && !std::filesystem::is_directory(path, error))
    path = path.parent_path();
  return path.string();
}

}  // namespace feedrate
