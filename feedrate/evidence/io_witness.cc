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
constexpr double kOthersMax = 1.05;                 // more than what we moved: others read, too

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
    cgroup_begin_ = read_cgroup();
    if (!options_.direct)
      thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  }

  void finish(RunResult& result) {
    const std::optional<std::uint64_t> end = read_wire();
    const std::optional<std::uint64_t> cgroup_end = read_cgroup();
    if (thread_.joinable()) {
      thread_.request_stop();
      thread_.join();
    }
    IoLedger& io = result.io;
    io.wire = wire_;
    io.wire_bytes_per_second_max = link_speed();
    io.wire_unknown = wire_unknown_;
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
    network_ = find_network_mount(path_, options_.roots);
    if (network_.is_network) {
      wire_ = network_.nfs
                  ? fmt::format("NFS {} from {}", network_.nfs->version, network_.nfs->server)
                  : fmt::format("{}, interface {}", network_.file_system,
                                network_.interface.empty() ? "any" : network_.interface);
      return;
    }
    device_ = find_block_device(path_, options_.roots);
    if (device_.countable)
      wire_ = device_.layers;
    else
      wire_unknown_ = device_.reason;
  }

  std::optional<std::uint64_t> read_wire() {
    if (network_.is_network) {
      const NetworkMount now = find_network_mount(path_, options_.roots);
      if (now.nfs) return now.nfs->server_read_bytes;
      const auto counters = read_interface_counters(network_.interface, options_.roots);
      if (counters) return counters->received_bytes;
      wire_unknown_ = counters.error().message();
      return std::nullopt;
    }
    if (!device_.countable) return std::nullopt;
    const auto counters = read_block_counters(device_);
    if (counters) return counters->read_bytes;
    wire_unknown_ = counters.error().message();
    return std::nullopt;
  }

  // Control groups count whole disks.
  std::optional<std::uint64_t> read_cgroup() const {
    if (network_.is_network || !device_.countable || device_.devices.empty()) return std::nullopt;
    std::uint64_t bytes = 0;
    for (const BlockNode& node : device_.devices) {
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

  // Of the interface that leads to the server, which the kernel gives in Mbit/s.
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

  // Looks at the page cache whenever an epoch has ended. Has what was read dropped from it, again
  // and again, so that the next epoch comes from storage, too; a fifth of the time at most.
  void watch(const std::stop_token& stop) {
    epochs_before_.push_back(before_);
    auto next_drop = Clock::now() + kDropInterval;
    while (!stop.stop_requested()) {
      const std::uint64_t ended =
          progress_.steps.load(std::memory_order_relaxed) / steps_per_epoch_;
      if (ended > epochs_after_.size() && ended < kEpochsWatched) {
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
  BlockDevice device_;
  std::string wire_, wire_unknown_, method_;
  std::optional<std::uint64_t> begin_, cgroup_begin_;
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

void judge_origin(bool direct, std::uint64_t moved, IoLedger& io) {
  if (moved == 0) return;
  if (direct) {
    io.storage_share = 1;
    io.page_cache_share = 0;
    io.basis = "direct I/O";
    return;
  }
  if (io.wire_read_bytes) {
    const double asked = static_cast<double>(moved + io.probe_bytes);
    io.storage_share = std::min(1.0, static_cast<double>(*io.wire_read_bytes) / asked);
    io.page_cache_share = 1 - *io.storage_share;
    io.basis = "device counter";
    return;
  }
  // What lay in the page cache when an epoch began was not read from storage in it.
  double cached = 0, returned = 0;
  for (const EpochIo& epoch : io.epochs) {
    const std::optional<double> before =
        epoch.resident_before ? epoch.resident_before : io.resident_before;
    if (!before) return;
    cached += *before * static_cast<double>(epoch.returned_bytes);
    returned += static_cast<double>(epoch.returned_bytes);
  }
  if (returned == 0) return;
  io.page_cache_share = std::clamp(cached / returned, 0.0, 1.0);
  io.storage_share = 1 - *io.page_cache_share;
  io.basis = "residency";
}

// Who read what this run did not ask for, where the control group's own counter tells.
static std::string who_else(const IoLedger& io, double asked) {
  if (!io.cgroup_read_bytes)
    return "others read from it, too, or the kernel read ahead what was not used";
  if (static_cast<double>(*io.cgroup_read_bytes) > kOthersMax * asked)
    return fmt::format(
        "this control group had it read {}: the kernel read ahead what was not used, "
        "or others of the group read",
        format_bytes(*io.cgroup_read_bytes));
  return "others, outside of this control group, read from it, too";
}

void judge_io(bool storage_wanted, RunResult& result) {
  const IoLedger& io = result.io;
  const double asked = static_cast<double>(result.bytes_moved + io.probe_bytes);
  if (io.basis == "direct I/O" && io.wire_read_bytes && asked > 0) {
    const double share = static_cast<double>(*io.wire_read_bytes) / asked;
    if (share < 1 - kPageCacheShareMax)
      result.warnings.push_back(fmt::format(
          "{} moved only {} of the {} that direct reads returned: files with holes, compression, "
          "or a cache below the file system",
          io.wire, format_bytes(*io.wire_read_bytes), format_bytes(result.bytes_moved)));
    return;
  }
  if (io.basis == "device counter" && static_cast<double>(*io.wire_read_bytes) > kOthersMax * asked)
    result.warnings.push_back(fmt::format("{} moved {}, more than the {} of this run: {}", io.wire,
                                          format_bytes(*io.wire_read_bytes),
                                          format_bytes(result.bytes_moved), who_else(io, asked)));
  if (!storage_wanted || !io.page_cache_share || *io.page_cache_share <= kPageCacheShareMax) return;
  result.invalid_reasons.push_back(fmt::format(
      "{} of the bytes came from this host's page cache (by {}), not from storage; use "
      "--io=direct, a larger data set, or 'feedrate drop-caches' before; --cache=measure when the "
      "page cache is what is to be measured",
      format_percent(*io.page_cache_share), io.basis));
  result.valid = false;
}

}  // namespace feedrate
