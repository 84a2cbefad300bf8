#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "feedrate/base/text.h"
#include "feedrate/doctor/checks.h"
#include "feedrate/runtime/buffers.h"

namespace feedrate {
namespace {

constexpr std::size_t kTriedBlockBytes = std::size_t{1} << 20U;
constexpr std::size_t kTriedBlocks = 16;
constexpr std::uint64_t kRunBufferBytes = std::uint64_t{256} << 20U;  // of a reactor, at most
constexpr unsigned kLockMemoryCapability = 14;                        // CAP_IPC_LOCK
constexpr double kResidentShareMax = 0.01;
constexpr std::uint64_t kDirtyBytesMax = std::uint64_t{256} << 20U;
constexpr std::uint64_t kAvailableBytesMin = std::uint64_t{1} << 30U;
constexpr double kPressureMax = 0.01;

// Returns whether the kernel lets us lock any amount of memory: "CapEff: 000001ffffffffff".
bool may_lock_all(const HostRoots& roots) {
  const std::string text = read_host_word(roots.proc + "/self/status");
  const std::size_t at = text.find("CapEff:");
  if (at == std::string::npos) return false;
  const std::uint64_t capabilities = std::strtoull(text.c_str() + at + 7, nullptr, 16);
  return (capabilities >> kLockMemoryCapability & 1U) != 0;
}

std::string locked_limit_text(rlim_t limit) {
  return limit == RLIM_INFINITY ? "unlimited" : format_bytes(limit);
}

// Returns how much memory a run may use, by the host or by the control group.
std::uint64_t memory_limit(const Examined& host) {
  std::uint64_t limit = host.memory->total_bytes;
  if (host.cgroup.memory_bytes) limit = std::min(limit, host.cgroup.memory_bytes->value);
  return limit;
}

}  // namespace

Checked check_locked_memory(const Examined& host) {
  constexpr std::string_view kCheck = "locked memory";
  constexpr std::string_view kWhy =
      "buffers that are not registered with io_uring cost about 10 % more CPU time a read";
  const std::string remedy =
      "'ulimit -l unlimited', or LimitMEMLOCK=infinity of the service, or 'docker run --ulimit "
      "memlock=-1'";
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  if (!host.ring) return unknown(kCheck, "only io_uring has buffers registered");
  const BufferPool pool(host.ring->group().reactor(0), {kTriedBlockBytes, kTriedBlocks, true});
  const std::string tried = format_bytes(kTriedBlockBytes * kTriedBlocks);
  const std::string limited =
      fmt::format("RLIMIT_MEMLOCK is {}", locked_limit_text(limit.rlim_cur));
  if (!pool.registered())
    return warn(kCheck, fmt::format("{} could not be registered ({})", tried, limited),
                std::string(kWhy), remedy);
  if (may_lock_all(host.roots))
    return ok(kCheck, fmt::format("{} were registered; no limit binds us (CAP_IPC_LOCK)", tried));
  if (limit.rlim_cur < kRunBufferBytes * host.cores_allowed)
    return warn(kCheck,
                fmt::format("{} were registered, but a run may want {} for each of {} threads ({})",
                            tried, format_bytes(kRunBufferBytes), host.cores_allowed, limited),
                std::string(kWhy), remedy);
  return ok(kCheck, fmt::format("{} were registered; {}", tried, limited));
}

Checked check_huge_pages(const Examined& host) {
  constexpr std::string_view kCheck = "huge pages";
  const std::string folder = host.roots.sys + "/kernel/mm/transparent_hugepage";
  const std::string setting = selected_setting(read_host_word(folder + "/enabled"));
  const std::uint64_t reserved = host.memory ? host.memory->huge_pages : 0;
  const std::string found = fmt::format("transparent_hugepage {}, {} reserved",
                                        setting.empty() ? "unknown" : setting, reserved);
  const std::unique_ptr<Reactor> reactor = make_virtual_reactor();
  const BufferPool pool(*reactor, {kTriedBlockBytes, kTriedBlocks, true});
  if (pool.shortfall().empty())
    return ok(kCheck, fmt::format("{}; {} of buffers are on them", found,
                                  format_bytes(kTriedBlockBytes * kTriedBlocks)));
  const bool off = setting == "never" || setting.empty();
  return warn(kCheck, found + "; buffers did not get any",
              "with buffers on pages of 4 KiB, direct reads of 112 KiB and more may run at half "
              "speed: each is cut into many segments",
              off ? "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"
                  : "memory is fragmented: echo 1 > /proc/sys/vm/compact_memory");
}

Checked check_memory(const Examined& host) {
  constexpr std::string_view kCheck = "memory";
  if (!host.memory) return unknown(kCheck, "/proc/meminfo cannot be read");
  const std::uint64_t limit = memory_limit(host);
  const std::uint64_t available = std::min(host.memory->available_bytes, limit);
  const std::uint64_t data = host.subject.bytes;
  std::string found =
      fmt::format("{} available of {}", format_bytes(available), format_bytes(limit));
  const auto pressure =
      parse_full_pressure(read_host_file(host.roots.proc + "/pressure/memory").value_or(""));
  if (pressure && *pressure > kPressureMax)
    return warn(kCheck,
                fmt::format("{}, short for {} of the time", found, format_percent(*pressure)),
                "the host is short of memory: reads wait for pages to be freed",
                "end what uses the memory");
  if (available < kAvailableBytesMin)
    return warn(kCheck, found, "I/O buffers and the page cache compete for what is left",
                "end what uses the memory, or give --buffer-memory");
  if (data == 0) return ok(kCheck, found);
  found +=
      fmt::format("; the data ({}) {}", format_bytes(data), data < limit ? "fits" : "does not fit");
  if (data < limit && !host.direct_works)
    return warn(kCheck, found,
                "from the second epoch on, buffered reads come from memory, not from storage",
                fmt::format("use a data set of {} or more", format_bytes(2 * limit)));
  if (data < limit) found += ": only direct reads measure storage";
  return ok(kCheck, found);
}

Checked check_dirty_pages(const Examined& host) {
  constexpr std::string_view kCheck = "dirty pages";
  if (!host.memory) return unknown(kCheck, "/proc/meminfo cannot be read");
  const std::string found =
      fmt::format("{} waiting to be written", format_bytes(host.memory->dirty_bytes));
  if (host.memory->dirty_bytes > kDirtyBytesMax)
    return warn(kCheck, found, "the kernel will write them during a run, in between its reads",
                "run 'sync' first");
  return ok(kCheck, found);
}

Checked check_page_cache(const Examined& host) {
  constexpr std::string_view kCheck = "page cache";
  if (!host.subject.has_files()) return std::nullopt;
  const ResidencySummary cached = files_residency(host.subject.files());
  if (!cached.method) return unknown(kCheck, cached.unknown_reason);
  std::string found = fmt::format("{} of {} resident ({}", format_bytes(cached.resident_bytes),
                                  format_bytes(cached.file_bytes), to_string(*cached.method));
  if (cached.sample_share() < 1)
    found += fmt::format(", {} of {} files", cached.files_looked_at, cached.files);
  found += ")";
  // Files that are only in memory are for the file system check to report.
  if (host.mount && is_memory_file_system(host.mount->file_system)) return ok(kCheck, found);
  if (cached.resident_share() > kResidentShareMax)
    return warn(kCheck, found, "buffered reads of these come from memory, not from storage",
                host.subject.dataset
                    ? fmt::format("feedrate drop-caches {}", host.subject.asked)
                    : fmt::format("feedrate drop-caches --data {}", host.subject.asked));
  return ok(kCheck, found);
}

}  // namespace feedrate
