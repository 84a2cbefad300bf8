#include "feedrate/request/system_options.h"

#include <fmt/format.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/storage/directories.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kBlockMax = std::uint64_t{1} << 30U;
constexpr std::uint64_t kDataFreeBlock = std::uint64_t{64} << 20U;

Result<std::uint64_t> resolve_block(const std::string& text, ClockKind clock) {
  if (text.empty()) return clock == ClockKind::kVirtual ? kDataFreeBlock : std::uint64_t{4} << 20U;
  FEEDRATE_TRY(const std::uint64_t block, parse_bytes(text, "--block"));
  if (block < 4096 || block > kBlockMax || block % 4096 != 0)
    return fail(ErrorKind::kUsage, fmt::format("--block: {} is no size for blocks", text),
                "use a multiple of 4KiB, up to 1GiB");
  return block;
}

// A thread has at least the buffers of one stream: those in flight, and some that wait.
Result<> check_buffers(const TransferSetup& setup, std::uint64_t ranks) {
  constexpr std::uint64_t kBeside = 4;
  const std::uint64_t threads =
      std::min<std::uint64_t>(setup.world.threads, std::max<std::uint64_t>(1, ranks));
  const std::uint64_t needed = threads * (setup.at_once + kBeside) * setup.block_bytes;
  struct sysinfo info{};
  sysinfo(&info);
  const std::uint64_t memory = std::uint64_t{info.totalram} * info.mem_unit;
  if (needed <= memory / 2) return {};
  return fail(ErrorKind::kUsage,
              fmt::format("--block: {} of them on each of {} take {} of buffers, more than half of "
                          "this host's {}",
                          setup.at_once + kBeside, format_counted(threads, "thread"),
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

Result<TransferSetup> SystemOptions::resolve(const std::string& directory, std::uint64_t ranks,
                                             std::string_view hint) const {
  TransferSetup setup;
  WorldSpec& world = setup.world;
  StoragePlace& place = setup.place;
  FEEDRATE_TRY(world.clock, parse_clock(clock, "--clock"));
  FEEDRATE_TRY(world.io_engine, parse_io_engine(io_engine, "--io-engine"));
  FEEDRATE_TRY(setup.block_bytes, resolve_block(block, world.clock));
  if (!at_once.empty()) {
    FEEDRATE_TRY(setup.at_once, parse_count(at_once, "--at-once", 1, 1024));
  }
  FEEDRATE_TRY(place.spec, parse_storage(storage));
  FEEDRATE_CHECK(world.check(place.spec));
  FEEDRATE_TRY(const IoMode wanted, parse_io_mode(io, "--io"));
  const bool carries_data = place.carries_data();
  FEEDRATE_CHECK(check_unused({storage, world.clock, carries_data, io, io_engine, threads}));
  place.directory = existing_directory(directory);
  if (carries_data) {
    FEEDRATE_CHECK(check_directory(directory, hint));
    FEEDRATE_TRY(place.io, resolve_io_mode(wanted, place.directory));
  }
  std::uint64_t count =
      std::min<std::uint64_t>(available_cores(), std::max<std::uint64_t>(1, ranks));
  if (!threads.empty()) {
    FEEDRATE_TRY(count, parse_count(threads, "--threads", 1, 1024));
  }
  world.threads = world.clock == ClockKind::kVirtual ? 1 : static_cast<unsigned>(count);
  if (carries_data) FEEDRATE_CHECK(check_buffers(setup, ranks));
  return setup;
}

Result<> check_kept(const TransferSetup& setup, const std::string& directory,
                    std::string_view verb) {
  if (!setup.place.spec.facts.persists)
    return fail(ErrorKind::kUsage,
                fmt::format("--storage: there is nothing to {} on '{}', which keeps nothing", verb,
                            setup.place.spec.word),
                "leave out --storage and --clock, or use a model with backing: posix");
  return check_existing(directory, "name the directory that 'feedrate checkpoint' wrote to");
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

}  // namespace feedrate
