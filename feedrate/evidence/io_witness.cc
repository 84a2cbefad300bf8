#include "feedrate/evidence/io_witness.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/dataset/residency.h"
#include "feedrate/host/block_device.h"
#include "feedrate/host/byte_origin.h"
#include "feedrate/host/cgroup.h"
#include "feedrate/host/network_mount.h"

namespace feedrate {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kDropInterval = std::chrono::milliseconds(250);
constexpr auto kPollInterval = std::chrono::milliseconds(20);
constexpr std::size_t kEpochsWatched = 64;          // further ones are not looked at
constexpr std::uint64_t kFilesLookedAtDirect = 50;  // where it only serves to inform
constexpr std::uint64_t kFilesLookedAt = 500;       // of each epoch
// Files that are followed down to the devices that store them.
constexpr std::uint64_t kFilesWalkedDown = 32;
// Less than this of others' reads is not mentioned: a program that starts meanwhile is read from
// the same disk.
constexpr double kOthersWorthAWord = 256e6;  // bytes
constexpr double kOthersMax = 1.05;          // times what we moved; beyond it others read as well

// Returns the paths of some files, from all over the data set.
std::vector<std::string> sampled_paths(const Dataset& dataset) {
  std::vector<std::string> paths;
  const std::uint64_t files = dataset.files();
  const std::uint64_t step = std::max<std::uint64_t>(1, files / kFilesWalkedDown);
  for (std::uint64_t file = 0; file < files; file += step) paths.push_back(dataset.full_path(file));
  return paths;
}

}  // namespace

class IoWitness::State {
 public:
  State(const Dataset& dataset, const TrainingProgress& progress, std::uint64_t steps_per_epoch,
        const WitnessOptions& options)
      : dataset_(dataset),
        progress_(progress),
        steps_per_epoch_(steps_per_epoch),
        options_(options),
        path_(dataset.full_path(0)) {
    find_wire();
    before_ = residency();
    begin_ = read_wire();
    process_begin_ = read_process_bytes(options_.roots);
    cgroup_begin_ = read_cgroup();
    if (!options_.direct)
      thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  }

  void finish(RunResult& result) {
    // The counters are read at once, so that nothing after the run is in them.
    const std::optional<std::uint64_t> end = read_wire();
    const std::optional<std::uint64_t> cgroup_end = read_cgroup();
    const std::optional<std::uint64_t> process_end = read_process_bytes(options_.roots);
    if (thread_.joinable()) {
      thread_.request_stop();
      thread_.join();
    }
    IoLedger& io = result.io;
    io.wire = wire_;
    io.wire_bytes_per_second_max = link_speed();
    io.wire_unknown = wire_unknown_;
    describe_origin(io);
    if (process_begin_ && process_end && origin_.from() == BytesFrom::kDevice)
      io.process_read_bytes = *process_end - *process_begin_;
    if (begin_ && end) io.wire_read_bytes = *end >= *begin_ ? *end - *begin_ : 0;
    if (cgroup_begin_ && cgroup_end && *cgroup_end >= *cgroup_begin_)
      io.cgroup_read_bytes = *cgroup_end - *cgroup_begin_;
    io.resident_before = before_;
    io.resident_after = residency();
    io.residency_method = method_;
    for (std::size_t i = 0; i < io.epochs.size(); ++i) {
      if (i < epochs_before_.size()) io.epochs[i].resident_before = epochs_before_[i];
      if (i < epochs_after_.size()) io.epochs[i].resident_after = epochs_after_[i];
    }
    judge_origin(options_.direct, result.bytes_moved, io);
  }

 private:
  void find_wire() {
    origin_ = find_byte_origin(sampled_paths(dataset_), options_.roots);
    if (origin_.network) network_ = find_network_mount(path_, options_.roots);
    // What a server on this host sends may come from its memory, which no interface shows.
    if (network_.server_is_this_host)
      origin_.unknown.push_back(fmt::format("the server of {} is this host", network_.file_system));
    if (origin_.from() == BytesFrom::kNetwork) {
      wire_ = network_.nfs
                  ? fmt::format("NFS {} from {}", network_.nfs->version, network_.nfs->server)
                  : fmt::format("{}, interface {}", network_.file_system,
                                network_.interface.empty() ? "any" : network_.interface);
      return;
    }
    const BlockDevice device = find_block_device(path_, options_.roots);
    wire_ = device.layers;
    if (origin_.from() != BytesFrom::kDevice) wire_unknown_ = device.reason;
  }

  void describe_origin(IoLedger& io) const {
    io.origin = to_string(origin_.from());
    io.shrunk = origin_.shrunk;
    if (origin_.from() == BytesFrom::kUnknown) io.origin_reason = join(origin_.unknown, ", ");
    if (origin_.from() == BytesFrom::kMemory) io.origin_reason = join(origin_.memory, ", ");
  }

  std::optional<std::uint64_t> read_wire() {
    if (origin_.from() == BytesFrom::kNetwork) return read_network();
    if (origin_.from() != BytesFrom::kDevice) return std::nullopt;
    const auto counters = read_origin_counters(origin_);
    if (counters) return counters->read_bytes;
    wire_unknown_ = counters.error().message();
    return std::nullopt;
  }

  std::optional<std::uint64_t> read_network() {
    const NetworkMount now = find_network_mount(path_, options_.roots);
    if (now.nfs) return now.nfs->server_read_bytes;
    if (now.lustre_read_bytes) return now.lustre_read_bytes;
    const auto counters = read_interface_counters(network_.interface, options_.roots);
    if (counters) return counters->received_bytes;
    wire_unknown_ = counters.error().message();
    return std::nullopt;
  }

  // Control groups count whole disks, so the numbers are those of the disks that the devices lie
  // on.
  std::optional<std::uint64_t> read_cgroup() const {
    if (origin_.from() != BytesFrom::kDevice) return std::nullopt;
    std::uint64_t bytes = 0;
    for (const BlockNode& node : origin_.devices) {
      const auto number = read_host_file(node.queue + "/../dev");
      unsigned major = 0, minor = 0;
      if (!number || std::sscanf(number->c_str(), "%u:%u", &major, &minor) != 2)
        return std::nullopt;
      const auto moved = read_cgroup_io(major, minor, options_.roots);
      if (!moved) return std::nullopt;
      bytes += moved->read_bytes;
    }
    return bytes;
  }

  // Returns the speed of the interface that leads to the server, which the kernel gives in Mbit/s.
  double link_speed() const {
    if (!network_.is_network || network_.interface.empty()) return 0;
    const auto megabits =
        read_host_number(options_.roots.sys + "/class/net/" + network_.interface + "/speed");
    return megabits ? static_cast<double>(*megabits) * 1e6 / 8 : 0;
  }

  std::optional<double> residency() {
    const ResidencySummary summary =
        dataset_residency(dataset_, options_.direct ? kFilesLookedAtDirect : kFilesLookedAt);
    if (!summary.method || summary.file_bytes == 0) {
      method_ = summary.unknown_reason.empty() ? "not known" : summary.unknown_reason;
      return std::nullopt;
    }
    method_ = to_string(*summary.method);
    return summary.resident_share();
  }

  // Looks at the page cache whenever an epoch has ended. It also drops what was read from the
  // cache, again and again, so that the next epoch comes from storage as well; that takes a fifth
  // of the time at most.
  void watch(const std::stop_token& stop) {
    epochs_before_.push_back(before_);
    auto next_drop = Clock::now() + kDropInterval;
    while (!stop.stop_requested()) {
      const std::uint64_t ended =
          progress_.steps.load(std::memory_order_relaxed) / steps_per_epoch_;
      if (ended > epochs_after_.size() && ended < kEpochsWatched) {
        // Several epochs may end between two looks; all but the last of them go without figures.
        epochs_after_.resize(ended - 1);
        epochs_before_.resize(ended);
        epochs_after_.push_back(residency());
        epochs_before_.push_back(epochs_after_.back());
      }
      if (options_.drop_behind && Clock::now() >= next_drop) {
        const auto begin = Clock::now();
        drop_page_cache(dataset_, stop);
        next_drop = begin + std::max<Clock::duration>(kDropInterval, 5 * (Clock::now() - begin));
      }
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, kPollInterval, [] { return false; });
    }
  }

  const Dataset& dataset_;
  const TrainingProgress& progress_;
  const std::uint64_t steps_per_epoch_;
  const WitnessOptions options_;
  const std::string path_;
  NetworkMount network_;
  ByteOrigin origin_;
  std::string wire_, wire_unknown_, method_;
  std::optional<std::uint64_t> begin_, cgroup_begin_, process_begin_;
  std::optional<double> before_;
  std::vector<std::optional<double>> epochs_before_, epochs_after_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

IoWitness::IoWitness(const Dataset& dataset, const TrainingProgress& progress,
                     std::uint64_t steps_per_epoch, WitnessOptions options)
    : state_(std::make_unique<State>(dataset, progress, steps_per_epoch, options)) {}

IoWitness::~IoWitness() = default;

void IoWitness::finish(RunResult& result) { state_->finish(result); }

namespace {

// Returns the share of the reads that cannot have come from storage, since it lay in the page cache
// when its epoch began.
std::optional<double> share_that_was_cached(const IoLedger& io) {
  double cached = 0, returned = 0;
  for (const EpochIo& epoch : io.epochs) {
    const std::optional<double> before =
        epoch.resident_before ? epoch.resident_before : io.resident_before;
    if (!before) return std::nullopt;
    cached += *before * static_cast<double>(epoch.returned_bytes);
    returned += static_cast<double>(epoch.returned_bytes);
  }
  if (returned == 0) return std::nullopt;
  return std::clamp(cached / returned, 0.0, 1.0);
}

// Returns the share of the reads that was counted, or none where nobody counted. What others read
// is not ours, so the smaller of the lowest device's counter and this process's own is taken.
std::optional<double> counted_share(std::uint64_t moved, const IoLedger& io) {
  std::optional<std::uint64_t> bytes = io.wire_read_bytes;
  if (io.process_read_bytes) bytes = std::min(bytes.value_or(UINT64_MAX), *io.process_read_bytes);
  if (!bytes) return std::nullopt;
  return std::min(1.0, static_cast<double>(*bytes) / static_cast<double>(moved + io.probe_bytes));
}

void judge_uncounted(bool direct, IoLedger& io) {
  io.page_cache_share = direct ? 0 : share_that_was_cached(io);
  if (!direct && io.page_cache_share) io.basis = "residency";
}

void judge_device(bool direct, std::uint64_t moved, IoLedger& io) {
  io.storage_share = counted_share(moved, io);
  if (!io.storage_share) {
    judge_uncounted(direct, io);
    if (!io.page_cache_share) return;
    io.storage_share = 1 - *io.page_cache_share;
    if (direct) io.basis = "direct I/O";
    return;
  }
  io.basis = io.wire_read_bytes ? "device counter" : "process counter";
  const double missing = 1 - *io.storage_share;
  if (missing > kPageCacheShareMax && !io.shrunk.empty()) {
    // There may be holes, compression or a cache, which the counter cannot tell apart.
    io.page_cache_share = direct ? 0 : share_that_was_cached(io);
  } else {
    io.page_cache_share = direct ? 0 : missing;
    io.memory_share = direct ? missing : 0;
  }
}

}  // namespace

void judge_origin(bool direct, std::uint64_t moved, IoLedger& io) {
  if (moved == 0) return;
  if (io.origin == "memory") {
    io.storage_share = io.page_cache_share = 0;
    io.memory_share = 1;
    io.basis = "file system";
  } else if (io.origin == "unknown") {
    judge_uncounted(direct, io);
  } else if (io.origin == "network") {
    const std::optional<double> share = counted_share(moved, io);
    const bool whole = share && *share >= 1 - kPageCacheShareMax;
    // An interface does not count everything that comes (RDMA), so what is missing is not known to
    // be memory.
    if (!whole) return judge_uncounted(direct, io);
    io.storage_share = share;
    io.page_cache_share = 1 - *share;
    io.basis = "network counter";
  } else {
    judge_device(direct, moved, io);
  }
}

// Says who read what this run did not ask for, where the control group's own counter tells.
// For direct reads the kernel reads nothing ahead.
static std::string who_else(const IoLedger& io, bool direct, double asked) {
  if (!io.cgroup_read_bytes)
    return direct ? "others read from it, too"
                  : "others read from it, too, or the kernel read ahead what was not used";
  const bool ours = static_cast<double>(*io.cgroup_read_bytes) > kOthersMax * asked;
  if (ours && direct)
    return fmt::format("others of this control group, which had it read {}, read from it, too",
                       format_bytes(*io.cgroup_read_bytes));
  if (ours)
    return fmt::format(
        "this control group had it read {}: the kernel read ahead what was not used, "
        "or others of the group read",
        format_bytes(*io.cgroup_read_bytes));
  return "others, outside of this control group, read from it, too";
}

static void warn_of_counters(const IoLedger& io, bool direct, std::uint64_t moved,
                             std::vector<std::string>& warnings) {
  const auto asked = static_cast<double>(moved + io.probe_bytes);
  if (io.origin == "unknown")
    warnings.push_back(fmt::format("where the bytes came from is unknown: {}", io.origin_reason));
  else if (io.origin == "network" && !io.storage_share)
    warnings.push_back(fmt::format(
        "where the bytes came from is unknown: {} counted {} of {}", io.wire,
        io.wire_read_bytes ? format_bytes(*io.wire_read_bytes) : "nothing", format_bytes(moved)));
  if (io.basis != "device counter") return;
  const bool less = *io.storage_share < 1 - kPageCacheShareMax;
  if (less && !io.shrunk.empty())
    warnings.push_back(fmt::format("{} moved only {} of the {} that reads returned: {}", io.wire,
                                   format_bytes(*io.wire_read_bytes), format_bytes(moved),
                                   io.shrunk));
  if (!less && static_cast<double>(*io.wire_read_bytes) >
                   std::max(kOthersMax * asked, asked + kOthersWorthAWord))
    warnings.push_back(fmt::format("{} moved {}, more than the {} of this run: {}", io.wire,
                                   format_bytes(*io.wire_read_bytes), format_bytes(moved),
                                   who_else(io, direct, asked)));
}

void judge_io(bool storage_wanted, RunResult& result) {
  const IoLedger& io = result.io;
  warn_of_counters(io, result.place.io == "direct", result.bytes_moved, result.warnings);
  if (!storage_wanted) return;
  if (io.origin == "memory")
    result.invalid_reasons.push_back(fmt::format(
        "the bytes came from this host's memory, not from storage ({}: {}); use a directory on the "
        "storage that is meant, or --io=buffered --cache=measure when memory is what is to be "
        "measured",
        io.wire, io.origin_reason));
  else if (io.memory_share.value_or(0) > kPageCacheShareMax)
    result.invalid_reasons.push_back(fmt::format(
        "{} of the bytes that direct reads returned came from this host's memory, not from "
        "storage: {} moved only {} for this process; mount it without a cache below the file "
        "system ('losetup --direct-io=on' for a loop device), or --io=buffered --cache=measure "
        "when memory is what is to be measured",
        format_percent(*io.memory_share), io.wire,
        format_bytes(std::min(io.wire_read_bytes.value_or(UINT64_MAX),
                              io.process_read_bytes.value_or(UINT64_MAX)))));
  if (io.page_cache_share.value_or(0) > kPageCacheShareMax)
    result.invalid_reasons.push_back(fmt::format(
        "{} of the bytes came from this host's page cache (by {}), not from storage; use "
        "--io=direct, a larger data set, or 'feedrate drop-caches' before; --cache=measure when "
        "the page cache is what is to be measured",
        format_percent(*io.page_cache_share), io.basis));
  result.valid = result.invalid_reasons.empty();
}

bool judge_place(bool storage_wanted, const Dataset& dataset, RunResult& result) {
  const HostRoots roots;
  const ByteOrigin origin = find_byte_origin(sampled_paths(dataset), roots);
  if (origin.from() != BytesFrom::kMemory) return false;
  IoLedger& io = result.io;
  io.origin = to_string(origin.from());
  io.origin_reason = join(origin.memory, ", ");
  io.wire = find_block_device(dataset.full_path(0), roots).layers;
  judge_origin(false, result.bytes_moved, io);
  judge_io(storage_wanted, result);
  return true;
}

}  // namespace feedrate
