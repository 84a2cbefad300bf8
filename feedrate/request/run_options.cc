#include "feedrate/request/run_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "feedrate/base/text.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/run_checks.h"
#include "feedrate/request/system_options.h"
#include "feedrate/request/text_file.h"
#include "feedrate/storage/directories.h"
#include "feedrate/workload/dlio.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kCountMax = std::uint64_t{1} << 40U;

constexpr std::string_view kDlioPrefix = "dlio:";
constexpr std::string_view kWorkloadHint =
    "give a name of 'feedrate workloads' or the path of a YAML file";

Result<Workload> read_workload_file(const std::string& path) {
  FEEDRATE_TRY(const std::string text, read_text_file(path, "workload file", kWorkloadHint));
  auto workload = parse_workload(text, path);
  if (!workload && text.find("num_files_train") != std::string::npos)
    return fail(workload.error().with_hint(
        fmt::format("this looks like a file of DLIO: write {}{}", kDlioPrefix, path)));
  return workload;
}

Result<Workload> read_dlio_file(const std::string& path, WorkloadOptions& options,
                                std::vector<std::string>& ignored) {
  FEEDRATE_TRY(const std::string text, read_text_file(path, "workload file", kWorkloadHint));
  FEEDRATE_TRY(DlioWorkload read, parse_dlio_workload(text, path, options.overrides));
  ignored.insert(ignored.end(), read.ignored.begin(), read.ignored.end());
  options.asked.insert(read.asked.begin(), read.asked.end());
  return std::move(read.workload);
}

// Returns the type whose step time is used when none is named: an H100, or the first type that has
// one in this set.
std::string default_accelerator(const Workload& workload, const std::string& set) {
  if (workload.timing("h100", set)) return "h100";
  for (const AcceleratorTiming& timing : workload.accelerators)
    if (set.empty() || timing.set == set) return timing.accelerator;
  return workload.accelerators.front().accelerator;
}

// Sets `target` from the text if the option was given.
template <class T>
Result<> count_option(const std::string& text, std::string_view flag, std::uint64_t minimum,
                      std::uint64_t maximum, T& target) {
  if (text.empty()) return {};
  FEEDRATE_TRY(const std::uint64_t value, parse_count(text, flag, minimum, maximum));
  target = static_cast<T>(value);
  return {};
}

// Many times a longer one would leave the range of the clock.
Result<> check_no_longer_than_a_day(Duration time, const std::string& text, std::string_view flag) {
  if (time <= std::chrono::hours(24)) return {};
  return fail(ErrorKind::kUsage,
              fmt::format("{}: {} is too long, at most 24h is possible", flag, text),
              "write it like 2ms");
}

Result<> resolve_slow_ranks(const std::vector<std::string>& texts, TrainingPlan& plan) {
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const bool whole = equals != std::string::npos && equals + 1 < text.size();
    if (!whole)
      return fail(ErrorKind::kUsage, fmt::format("--slow-rank: '{}' is not RANK=FACTOR", text),
                  "write it like 3=1.5");
    FEEDRATE_TRY(const std::uint64_t rank,
                 parse_count(text.substr(0, equals), "--slow-rank", 0, (1U << 30U)));
    const std::string factor_text = text.substr(equals + 1);
    char* end = nullptr;
    const double factor = std::strtod(factor_text.c_str(), &end);
    if (*end != 0 || !(factor >= 1 && factor <= 1000))
      return fail(
          ErrorKind::kUsage,
          fmt::format("--slow-rank: the factor '{}' is not a number of 1 to 1000", factor_text),
          "write it like 3=1.5");
    plan.slow_ranks[static_cast<std::uint32_t>(rank)] = factor;
  }
  return {};
}

// Resolves model parallelism: the accelerators of a replica, and its batch.
Result<> resolve_replica(const RunOptions& options, const Workload& workload, TrainingPlan& plan) {
  constexpr std::uint64_t kReplicaMax = 1'000'000;
  FEEDRATE_CHECK(count_option(options.tensor_parallel, "--tensor-parallel", 1, kReplicaMax,
                              plan.tensor_parallel));
  FEEDRATE_CHECK(count_option(options.pipeline_parallel, "--pipeline-parallel", 1, kReplicaMax,
                              plan.pipeline_parallel));
  if (std::uint64_t{plan.tensor_parallel} * plan.pipeline_parallel > kReplicaMax)
    return fail(ErrorKind::kUsage,
                fmt::format("--pipeline-parallel: {} x --tensor-parallel {} is more than the {} "
                            "accelerators that there can be",
                            plan.pipeline_parallel, plan.tensor_parallel, kReplicaMax),
                "use smaller ones");
  // The catalogue's step times of such a model are those of one accelerator of a model-parallel
  // job, so the batch of a replica is larger.
  const Result<ModelShape> model = find_model(model_of_workload(workload.name));
  if (model && model->shared_timings) plan.timing.batch_samples *= plan.replica_accelerators();
  const std::uint32_t batch = plan.timing.batch_samples;
  FEEDRATE_CHECK(
      count_option(options.micro_batches, "--micro-batches", 1, batch, plan.micro_batches));
  if (batch % plan.micro_batches != 0)
    return fail(ErrorKind::kUsage,
                fmt::format("--micro-batches: the batch of {} cannot be divided by {}",
                            format_counted(batch, "sample"), plan.micro_batches),
                "use a divisor of the batch, or another --batch");
  // Frameworks' loaders read ahead by their own batches, which are micro-batches, so only the
  // native client's window is scaled.
  if (plan.client == ClientKind::kNative)
    plan.prefetch_batches = workload.prefetch_batches * plan.micro_batches;
  return {};
}

// Resolves how many samples are read at once, and how far ahead.
Result<> resolve_readers(const RunOptions& options, const Workload& workload, TrainingPlan& plan) {
  // The workload's habits of a framework apply to the faithful client only, but what the user asked
  // for applies to both.
  const std::set<std::string>& asked = options.workload.asked;
  if (workload.transfer_bytes > 0 &&
      (plan.client == ClientKind::kFaithful || asked.contains("transfer_bytes")))
    plan.transfer_bytes = workload.transfer_bytes;
  if (asked.contains("readers")) plan.readers = workload.readers;
  const bool none = plan.client == ClientKind::kFaithful || options.readers == "0";
  FEEDRATE_CHECK(count_option(options.readers, "--readers", none ? 0 : 1, 4096, plan.readers));
  if (plan.reads_in_process() && plan.client == ClientKind::kNative)
    return fail(ErrorKind::kUsage,
                "--readers: 0 is for --client=faithful, whose training process then reads by "
                "itself; the native client needs at least 1",
                "use --readers=1 or more, or add --client=faithful");
  if (plan.reads_in_process() && !options.prefetch.empty())
    return fail(ErrorKind::kUsage,
                "--prefetch: with --readers=0 the training process reads by itself, so nothing is "
                "read ahead",
                "leave it out, or use --readers=1 or more");
  if (asked.contains("prefetch_batches"))
    plan.prefetch_batches = workload.prefetch_batches;
  else if (plan.client == ClientKind::kNative)
    widen_window(plan);
  return count_option(options.prefetch, "--prefetch", 1, 1024, plan.prefetch_batches);
}

Result<> resolve_plan(const RunOptions& options, const Workload& workload, TrainingPlan& plan) {
  FEEDRATE_CHECK(resolve_slow_ranks(options.slow_ranks, plan));
  FEEDRATE_CHECK(resolve_readers(options, workload, plan));
  FEEDRATE_CHECK(count_option(options.shuffle_buffer, "--shuffle-buffer", 0, kCountMax,
                              plan.shuffle_buffer_samples));
  if (!options.transfer.empty()) {
    FEEDRATE_TRY(plan.transfer_bytes, parse_transfer(options.transfer));
  }
  if (!options.buffer_memory.empty()) {
    FEEDRATE_TRY(plan.buffer_bytes, parse_bytes(options.buffer_memory, "--buffer-memory"));
    if (plan.buffer_bytes < (1U << 20U) || plan.buffer_bytes > (std::uint64_t{1} << 30U))
      return fail(ErrorKind::kUsage,
                  fmt::format("--buffer-memory: {} is out of range", options.buffer_memory),
                  "use 1MiB to 1GiB");
  }
  if (!options.order.empty()) {
    FEEDRATE_TRY(plan.order, parse_access_order(options.order, "--order"));
  }
  FEEDRATE_CHECK(check_order_effects(options.workload, workload, plan.order));
  const bool random = plan.order == AccessOrder::kRandomSamples;
  if (random && !options.shuffle_buffer.empty() && plan.shuffle_buffer_samples > 0)
    return fail(ErrorKind::kUsage,
                fmt::format("--shuffle-buffer: {} samples would not be held back: only the "
                            "sequential order does that, and this run reads in random order",
                            options.shuffle_buffer),
                "leave it out, or add --order=sequential");
  // A shuffle buffer that only the workload has is dropped silently, because random order makes it
  // pointless.
  if (random) plan.shuffle_buffer_samples = 0;
  FEEDRATE_TRY(plan.on_error, parse_on_error(options.on_error, "--on-error"));
  FEEDRATE_TRY(plan.seed, parse_count(options.seed, "--seed", 0, ~std::uint64_t{0}));
  plan.hold = options.hold;
  FEEDRATE_TRY(plan.level,
               parse_byte_level(options.decode.empty() ? "raw" : options.decode, "--decode"));
  if (options.verify && !options.decode.empty() && plan.level != ByteLevel::kVerify)
    return fail(
        ErrorKind::kUsage,
        fmt::format("--verify: --decode={} does something else with the bytes", options.decode),
        "give one of the two");
  if (options.verify) plan.level = ByteLevel::kVerify;
  if (!options.decode_time.empty()) {
    FEEDRATE_TRY(plan.decode_time, parse_duration(options.decode_time, "--decode-time"));
    FEEDRATE_CHECK(
        check_no_longer_than_a_day(plan.decode_time, options.decode_time, "--decode-time"));
    // A time for decoding means that samples are decoded.
    plan.level = ByteLevel::kDecode;
  }
  if (plan.level == ByteLevel::kDecode && plan.decode_time.count() == 0 &&
      plan.client == ClientKind::kFaithful && plan.order == AccessOrder::kSequential &&
      plan.dataset->format().decoder() != nullptr)
    return fail(ErrorKind::kUsage,
                "--decode: the faithful client streams these files, and only whole samples can be "
                "decoded",
                "add --order=random, or use --client=native");
  if (plan.level == ByteLevel::kVerify && !plan.dataset->plan() &&
      !plan.dataset->format().has_checksums())
    return fail(
        ErrorKind::kUsage,
        fmt::format("{}: nothing is known about the content of these '{}' files",
                    options.verify ? "--verify" : "--decode=verify", plan.dataset->format().name()),
        "leave it out, or read a data set that 'feedrate datagen' wrote");
  return {};
}

// Through the page cache it is the copy that costs. It is fastest into buffers that stay in the
// core's own cache (measured: 4.9 GB/s with 1 MiB of buffers, 3.4 GB/s with 256 MiB). Reads that
// are not cached need more in flight than that allows.
void use_page_cache_sizes(bool cached, TrainingPlan& plan) {
  plan.transfer_bytes = std::min<std::uint64_t>(plan.transfer_bytes, std::uint64_t{256} << 10U);
  plan.buffer_bytes = std::uint64_t{cached ? 1U : 16U} << 20U;
}

}  // namespace

void WorkloadOptions::declare(OptionTable& table, const OptionRow& name) {
  table.add("", {{name, workload}, {rows::kSet, sets}});
}

Result<Workload> WorkloadOptions::resolve(const std::vector<std::string>& words,
                                          std::vector<std::string>& ignored) {
  overrides = words;
  const bool is_dlio = workload.starts_with(kDlioPrefix);
  if (!is_dlio && !overrides.empty())
    return fail(ErrorKind::kUsage,
                fmt::format("{}: only a DLIO file is changed like that", overrides.front()),
                "use --set KEY=VALUE, or name a workload file of DLIO as dlio:FILE");
  const bool is_file = workload.find('/') != std::string::npos || workload.ends_with(".yaml");
  FEEDRATE_TRY(Workload resolved,
               is_dlio   ? read_dlio_file(workload.substr(kDlioPrefix.size()), *this, ignored)
               : is_file ? read_workload_file(workload)
                         : find_workload(workload));
  for (const std::string& set : sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos)
      return fail(ErrorKind::kUsage, fmt::format("--set: '{}' has no '='", set),
                  "write --set key=value");
    FEEDRATE_CHECK(override_workload(resolved, set.substr(0, equals), set.substr(equals + 1)));
    asked.insert(set.substr(0, equals));
  }
  FEEDRATE_CHECK(check_overridden(resolved));
  return resolved;
}

// A data set in one file cannot become smaller by having fewer files, so it gets fewer samples in
// that file.
static Workload with_smaller_file(Workload workload, std::uint64_t bytes) {
  DatasetShape& shape = workload.dataset;
  const double samples = std::floor(static_cast<double>(bytes) / shape.sample_bytes_mean);
  if (bytes > 0 && shape.files == 1 && samples >= 1 &&
      samples < static_cast<double>(shape.samples_per_file))
    shape.samples_per_file = static_cast<std::uint64_t>(samples);
  return workload;
}

Result<std::uint64_t> parse_dataset_size(const std::string& text, const Workload& workload) {
  std::uint64_t bytes = 0;
  if (text.ends_with('%')) {
    FEEDRATE_TRY(const double share, parse_fraction(text, "--size", 0, 1));
    bytes = static_cast<std::uint64_t>(share * workload.dataset.sample_bytes_mean *
                                       static_cast<double>(workload.dataset.samples()));
  } else {
    FEEDRATE_TRY(bytes, parse_bytes(text, "--size"));
  }
  if (bytes == 0) return fail(ErrorKind::kUsage, "--size: 0 is too small", "write it like 20GiB");
  return bytes;
}

Result<std::uint64_t> parse_transfer(const std::string& text) {
  FEEDRATE_TRY(const std::uint64_t bytes, parse_bytes(text, "--transfer"));
  if (bytes < 512 || bytes > (std::uint64_t{1} << 30U))
    return fail(ErrorKind::kUsage, fmt::format("--transfer: {} is out of range", text),
                "use 512 to 1GiB");
  return bytes;
}

void DatasetOptions::declare(OptionTable& table, std::string_view usual_size) {
  using enum OptionType;
  table.add("Data set",
            {{rows::kDatasetSize.usually(usual_size), size},
             {{"--subfolders", kCount, "the workload's", "0 to 1000000",
               "directories that the files are spread over; 0: all in one"},
              subfolders},
             {{"--compressibility", kFraction, "0", "0 to 1", "share of each block that is zero"},
              compressibility},
             {rows::kJobs, jobs}});
}

Result<DatasetPlan> DatasetOptions::resolve(const Workload& workload,
                                            std::uint64_t default_bytes) const {
  std::uint64_t bytes = default_bytes;
  if (!size.empty()) {
    FEEDRATE_TRY(bytes, parse_dataset_size(size, workload));
  }
  Workload placed = with_smaller_file(workload, bytes);
  if (!subfolders.empty()) {
    FEEDRATE_CHECK(count_option(subfolders, "--subfolders", 0, 1'000'000, placed.dataset.folders));
    placed.dataset.layout =
        placed.dataset.folders == 0 ? DirectoryLayout::kFlat : DirectoryLayout::kSubfolders;
  }
  FEEDRATE_TRY(const double zeros, parse_fraction(compressibility, "--compressibility", 0, 1));
  FEEDRATE_TRY(const std::uint64_t content_seed, parse_count(seed, "--seed", 0, ~std::uint64_t{0}));
  FEEDRATE_CHECK(parse_count(jobs, "--jobs", 0, 1024));
  return plan_for(placed, bytes, content_seed, zeros);
}

Result<AcceleratorTiming> resolve_timing(const RunOptions& options, const Workload& workload) {
  FEEDRATE_CHECK(check_timing_effect(options));
  const std::string name = options.accelerator.empty()
                               ? default_accelerator(workload, options.timing)
                               : options.accelerator;
  FEEDRATE_TRY(AcceleratorTiming timing, workload.timing(name, options.timing));
  FEEDRATE_CHECK(count_option(options.batch, "--batch", 1, 1U << 24U, timing.batch_samples));
  if (!options.compute_time.empty()) {
    FEEDRATE_TRY(timing.compute, parse_duration(options.compute_time, "--step-time"));
    FEEDRATE_CHECK(check_no_longer_than_a_day(timing.compute, options.compute_time, "--step-time"));
    if (timing.compute < std::chrono::microseconds(1))
      return fail(
          ErrorKind::kUsage,
          fmt::format("--step-time: {} is too short, at least 1us is needed", options.compute_time),
          "write it like 224ms");
  }
  if (!options.batch.empty() || !options.compute_time.empty()) {
    timing.source +=
        (timing.source.empty() ? "" : ", ") + std::string("changed by --batch or --step-time");
    timing.set = kUserTiming;
  }
  return timing;
}

bool RunOptions::given(const std::string& option) const { return table_->given(option); }

Result<ClientKind> resolve_client(const RunOptions& options) {
  return parse_client(options.client, "--client");
}

Result<> RunOptions::parse_place() {
  FEEDRATE_TRY(spec, parse_storage(storage));
  return {};
}

static Result<CacheUse> parse_cache_use(const std::string& text) {
  for (const CacheUse use : {CacheUse::kDrop, CacheUse::kKeep, CacheUse::kMeasure})
    if (text == to_string(use)) return use;
  const std::array<std::string, 3> known{"drop", "keep", "measure"};
  return fail(ErrorKind::kUsage,
              fmt::format("--cache: unknown action '{}'{}", text, did_you_mean(text, known)),
              "use drop, keep or measure");
}

Result<TrainingSetup> make_setup(const RunOptions& options, const Workload& workload,
                                 std::shared_ptr<const Dataset> dataset, ClientKind client) {
  FEEDRATE_TRY(const AcceleratorTiming timing, resolve_timing(options, workload));
  TrainingSetup setup = default_training_setup(workload, timing, dataset, client);
  FEEDRATE_CHECK(resolve_replica(options, workload, setup.plan));
  setup.place.spec = options.spec;
  FEEDRATE_TRY(setup.world.clock, parse_clock(options.clock, "--clock"));
  FEEDRATE_TRY(setup.world.io_engine, parse_io_engine(options.io_engine, "--io-engine"));
  FEEDRATE_TRY(IoMode wanted, parse_io_mode(options.io, "--io"));
  if (!options.decode.empty()) FEEDRATE_CHECK(parse_byte_level(options.decode, "--decode"));
  FEEDRATE_CHECK(parse_on_error(options.on_error, "--on-error"));
  if (wanted == IoMode::kAuto && workload.direct_io) wanted = IoMode::kDirect;
  const bool no_files = !setup.place.spec.facts.carries_data;
  FEEDRATE_CHECK(setup.world.check(setup.place.spec));
  if ((options.verify || (!options.decode.empty() && options.decode != "raw")) && no_files)
    return fail(ErrorKind::kUsage,
                fmt::format("{}: storage '{}' moves no bytes that could be {}",
                            options.verify ? "--verify" : "--decode", options.storage,
                            options.verify ? "checked" : "looked at"),
                fmt::format("leave {} out, or read a data set on disk",
                            options.verify ? "--verify" : "it"));
  if (!options.decode_time.empty() && !no_files)
    return fail(ErrorKind::kUsage,
                fmt::format("--decode-time: storage '{}' reads real samples, whose decoding takes "
                            "the time that it takes",
                            options.storage),
                "use --decode=decode, or describe the storage with --storage=model:FILE.yaml");
  FEEDRATE_TRY(setup.cache, parse_cache_use(options.cache));
  FEEDRATE_CHECK(check_effects(options, setup.world.clock, no_files));
  setup.world.threads = setup.world.clock == ClockKind::kVirtual ? 1 : available_cores();
  FEEDRATE_CHECK(count_option(options.threads, "--threads", 1, 1024, setup.world.threads));
  setup.place.directory = dataset->full_path(0);
  if (!no_files) {
    // Frameworks read through the page cache.
    const bool faithful_auto = client == ClientKind::kFaithful && wanted == IoMode::kAuto;
    // A data set that is yet to be made will be on the file system of the part of its path that
    // exists.
    const std::string probe =
        dataset->plan() ? existing_directory(dataset->directory()) : dataset->full_path(0);
    FEEDRATE_TRY(setup.place.io,
                 resolve_io_mode(faithful_auto ? IoMode::kBuffered : wanted, probe));
    FEEDRATE_CHECK(check_cache_effect(options, setup.place.io));
  }
  if (!no_files && setup.place.io == IoMode::kBuffered) {
    if (client == ClientKind::kNative)
      use_page_cache_sizes(setup.cache == CacheUse::kMeasure, setup.plan);
    if (wanted == IoMode::kAuto && client == ClientKind::kNative)
      setup.warnings.push_back("direct I/O does not work here; reads go through the page cache");
  }
  FEEDRATE_CHECK(resolve_plan(options, workload, setup.plan));
  if (options.workload.workload.starts_with(kDlioPrefix) &&
      setup.plan.readers != workload.readers && options.readers.empty())
    setup.warnings.push_back(fmt::format(
        "the DLIO file has {} a loader, for --client=faithful; the native client has {}, and as "
        "many as the file with --readers={}",
        format_counted(workload.readers, "reader"), setup.plan.readers, workload.readers));
  if (setup.plan.level == ByteLevel::kDecode && !no_files && dataset->format().decoder() == nullptr)
    setup.warnings.push_back(fmt::format(
        "--decode: the stored bytes of these '{}' files are taken for the tensors, nothing is "
        "decoded",
        dataset->format().name()));
  return setup;
}

}  // namespace feedrate
