#include "feedrate/cli/plan_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/cli/output.h"
#include "feedrate/cli/run_options.h"
#include "feedrate/workload/accelerator_type.h"

namespace feedrate {
namespace {

constexpr std::string_view kHardDisk = "hdd-7200";
constexpr Bytes kDefaultTransfer{4194304};         // of the native client
constexpr std::uint64_t kDefaultAccelerators = 8;  // one host

Result<> read(const std::string& text, std::string_view flag, Bytes& target) {
  if (text.empty()) return {};
  FEEDRATE_TRY(const std::uint64_t bytes, parse_bytes(text, flag));
  if (bytes == 0)
    return fail(ErrorKind::kUsage, fmt::format("{}: 0 is too small", flag), "write it like 512GiB");
  target = Bytes(static_cast<double>(bytes));
  return {};
}

Result<> read(const std::string& text, std::string_view flag, Seconds& target) {
  if (text.empty()) return {};
  FEEDRATE_TRY(const Duration time, parse_duration(text, flag));
  if (time < std::chrono::milliseconds(1))
    return fail(ErrorKind::kUsage,
                fmt::format("{}: {} is too short, at least 1ms is needed", flag, text),
                "write it like 60s");
  target = Seconds(to_seconds(time));
  return {};
}

Result<> read(const std::string& text, std::string_view flag, BytesPerSecond& target) {
  if (text.empty()) return {};
  FEEDRATE_TRY(target, parse_rate(text, flag));
  return {};
}

Result<> read(const std::string& text, std::string_view flag, std::uint64_t minimum,
              std::uint64_t maximum, Count& target) {
  if (text.empty()) return {};
  FEEDRATE_TRY(const std::uint64_t value, parse_count(text, flag, minimum, maximum));
  target = count_of(value);
  return {};
}

template <class Q, class... Limits>
Result<> read_setting(const std::string& text, Setting<Q>& target, Limits... limits) {
  target.given = !text.empty();
  return read(text, target.option, limits..., target.value);
}

Result<> read_share(const std::string& text, std::string_view flag, Count& target) {
  if (text.empty()) return {};
  FEEDRATE_TRY(const double share, parse_fraction(text, flag, 0.001, 1));
  target = Count(share);
  return {};
}

Result<> read_setting_share(const std::string& text, Setting<Count>& target) {
  target.given = !text.empty();
  return read_share(text, target.option, target.value);
}

Result<> scale_dataset(const std::string& size, Workload& workload) {
  if (size.empty()) return {};
  DatasetShape& data = workload.dataset;
  FEEDRATE_TRY(const std::uint64_t bytes, parse_bytes(size, "--size"));
  const double file = data.sample_bytes_mean * static_cast<double>(data.samples_per_file);
  if (data.files == 1)
    data.samples_per_file = static_cast<std::uint64_t>(
        std::max(1.0, static_cast<double>(bytes) / data.sample_bytes_mean));
  else
    data.files =
        static_cast<std::uint64_t>(std::max(1.0, std::round(static_cast<double>(bytes) / file)));
  if (bytes == 0) return fail(ErrorKind::kUsage, "--size: 0 is too small", "write it like 20GiB");
  return {};
}

Result<> read_cost(const std::string& text, MoneyPerSecond& target) {
  if (text.empty()) return {};
  FEEDRATE_TRY(const double hour, parse_number(text, "--accelerator-cost", 1e-6, 1e6, "2.5"));
  target = Money(hour) / hours(1);
  return {};
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// The name is none of a workload, model or inference shape.
std::unexpected<Error> unknown_job(const std::string& name) {
  std::vector<std::string> names = catalogue_names();
  for (const std::string& model : model_names())
    if (!contains(names, model)) names.push_back(model);
  for (const std::string& inference : inference_names())
    if (!contains(names, inference)) names.push_back(inference);
  return fail(
      ErrorKind::kUsage,
      fmt::format("unknown workload or model '{}'{}", name, did_you_mean(name, names)),
      fmt::format("workloads are listed by 'feedrate workloads', models are {}; the path of "
                  "a workload's YAML file works too",
                  fmt::join(model_names(), ", ")));
}

}  // namespace

void PlanOptions::declare(CLI::App& app) {
  app.add_option("jobs", jobs,
                 "workloads or models that share the storage: NAME, NAME=64 or NAME=64xh100, where "
                 "NAME is of 'feedrate workloads', of catalog/models, a YAML file or dlio:FILE")
      ->required()
      ->expected(1, 64);
  const std::string group = "Job";
  const auto add = adder(app, group);
  app.add_option("--set", sets, "change a key of the workload, e.g. dataset.files=5000")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->group(group);
  add(kAny, "-n,--accelerators", accelerators,
      "how many; default: 8, or those of the published job");
  add(kAny, "--type,--accelerator", type, "of accelerator: v100, a100, h100, b200");
  add(kTraining, "--timing", timing, "set of step times: storage-benchmark, measured");
  add(kTraining, "--batch", batch, "samples a step and reader, instead of the published number");
  add(kTraining, "--step-time", step_time, "compute time of a step, instead of the published one");
  add(kTraining, "--au", au,
      "accelerator utilisation to be reached; default: the workload's threshold");
  add(kTraining, "--epochs", epochs, "instead of the published number");
  add(kTraining, "--size,--dataset-size", size, "of the data set, instead of the published one");
  add(kAny, "--transfer", transfer,
      "largest single read, and write of a checkpoint; default: the workload's, else 4MiB");
  add(kTraining, "--accelerators-per-host", per_host, "accelerators of one host; default 8");
  add(kTraining, "--host-memory", host_memory, "of one host: does the data set fit?");
  add(kTraining | kModel, "--accelerator-memory", accelerator_memory,
      "of one; default: of the type");
  add(kTraining | kModel, "--accelerator-cost", cost, "of one for an hour, in any currency");
  add(kTraining | kModel, "--read-bandwidth", read_bandwidth,
      "what the storage gives: what AU comes out?");
  add(kModel, "--write-bandwidth", write_bandwidth, "what the storage gives checkpoints");
  declare_model(app);
  declare_storage(app);
}

PlanOptions::Adder PlanOptions::adder(CLI::App& app, const std::string& group) {
  return
      [this, &app, group](unsigned parts, const char* name, std::string& value, const char* help) {
        entries_.push_back({app.add_option(name, value, help)->group(group), &value, parts});
      };
}

void PlanOptions::declare_model(CLI::App& app) {
  Adder add = adder(app, "Model and its parallelism");
  add(kModel, "--model", model, "of catalog/models or a YAML file; default: the workload's");
  add(kModel, "--parameters", parameters, "of a model that is in no catalogue: 70B, 340M");
  add(kModel, "--bytes-per-parameter", bytes_per_parameter,
      "of a checkpoint; default: its published size, else 14: 2 of weights, 12 of Adam in mixed "
      "precision");
  add(kModel, "--weight-bytes", weight_bytes, "of one, in checkpoints and served; default 2");
  add(kTraining | kModel, "--tensor-parallel", tensor, "accelerators that share a layer");
  add(kTraining | kModel, "--pipeline-parallel", pipeline, "stages of layers");
  add(kTraining | kModel, "--data-parallel", data,
      "replicas; default: accelerators / (tensor x pipeline)");
  add(kModel, "--zero", zero,
      "what is sharded over replicas: 0, 1 optimizer, 2 gradients, 3 weights");
  add = adder(app, "Checkpoints");
  add(kModel, "--stall-budget", stall_budget,
      "training may stand still this long for a checkpoint; default 60s");
  add(kModel, "--mtbf", mtbf, "time between failures of one accelerator; default 50000h");
  add(kModel, "--restart-time", restart_time,
      "from a failure to the first read of the checkpoint; default 5m");
  add(kModel, "--snapshot-bandwidth", snapshot,
      "accelerator to host memory, for asynchronous ones; default 26.4GiB/s");
  add(kModel, "--changed", changed, "share that an incremental checkpoint writes; default 10%");
  add(kModel, "--keep", keep, "checkpoints that are kept; default 3");
  add = adder(app, "Inference");
  add(kModel, "--replicas", replicas,
      "of the trained model that load it at once; default: as many as train");
  add(kModel | kInference, "--load-time", load_time, "within this time; default 60s");
  add(kInference, "--log-record", log_record, "bytes logged for each sample served; default 1KiB");
  add(kInference, "--log-append", log_append, "bytes of one write of the log; default 1MiB");
  add(kInference, "--log-days", log_days, "days that the log is kept; default 30");
}

void PlanOptions::declare_storage(CLI::App& app) {
  const std::string group = "Storage";
  const auto add = adder(app, group);
  app.add_option("--storage", storages,
                 "what it is counted in, of catalog/storage or a YAML file; may stand several "
                 "times; default: all of the catalogue")
      ->allow_extra_args(false)
      ->group(group);
  add(kAny, "--port", port,
      "network port: eth-100, eth-200, eth-400 (default), ib-hdr200, ib-ndr400, or a file");
  add(kAny, "--port-usable", port_usable, "share of its line rate that storage traffic reaches");
  app.add_flag("--one-directory", one_directory, "all files lie in one directory")->group(group);
}

Result<PlanOptions::Word> PlanOptions::split(const std::string& text,
                                             std::optional<std::uint64_t> now) const {
  Word word{text, now ? std::to_string(*now) : accelerators, type};
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return word;
  if (now)
    return fail(ErrorKind::kUsage,
                fmt::format("'{}': --sweep says how many accelerators each job has", text),
                fmt::format("write {}, or leave out --sweep", text.substr(0, equals)));
  word.name = text.substr(0, equals);
  const std::string rest = text.substr(equals + 1);
  const std::size_t cross = rest.find('x');
  word.accelerators = rest.substr(0, cross);
  if (cross != std::string::npos) word.type = rest.substr(cross + 1);
  if (word.name.empty() || word.accelerators.empty() ||
      (cross != std::string::npos && word.type.empty()))
    return fail(ErrorKind::kUsage, fmt::format("'{}' is no job", text),
                "write it like resnet50, resnet50=64 or resnet50=64xh100");
  FEEDRATE_CHECK(
      parse_count(word.accelerators, fmt::format("'{}', accelerators", text), 1, kAcceleratorsMax));
  return word;
}

Result<Bytes> PlanOptions::resolve_memory(const std::string& accelerator,
                                          std::string& source) const {
  Bytes memory;
  if (!accelerator_memory.empty()) {
    source = "--accelerator-memory";
    FEEDRATE_CHECK(read(accelerator_memory, source, memory));
    return memory;
  }
  if (accelerator.empty()) return memory;
  const Result<AcceleratorType> known = find_accelerator_type(accelerator);
  if (!known)
    return fail(ErrorKind::kUsage, known.error().message(),
                fmt::format("use one of {}, or --accelerator-memory instead of --type",
                            fmt::join(accelerator_type_names(), ", ")));
  source = known->source;
  return known->memory;
}

Result<> PlanOptions::resolve_demand(TrainingJob& job) const {
  job.utilisation = Count(job.workload.au_threshold);
  FEEDRATE_CHECK(read_share(au, "--au", job.utilisation));
  job.transfer = job.workload.transfer_bytes > 0
                     ? Bytes(static_cast<double>(job.workload.transfer_bytes))
                     : kDefaultTransfer;
  FEEDRATE_CHECK(read(transfer, "--transfer", job.transfer));
  FEEDRATE_CHECK(
      read_setting(per_host, job.accelerators_per_host, std::uint64_t{1}, std::uint64_t{1024}));
  FEEDRATE_CHECK(read(host_memory, "--host-memory", job.host_memory));
  FEEDRATE_CHECK(read(read_bandwidth, "--read-bandwidth", job.available_read));
  if (accelerator_memory.empty() && !find_accelerator_type(job.timing.accelerator)) {
    // A type of the user's own: its memory is not known.
  } else {
    FEEDRATE_TRY(job.accelerator_memory, resolve_memory(job.timing.accelerator, job.memory_source));
  }
  FEEDRATE_CHECK(read_cost(cost, job.accelerator_cost));
  return {};
}

Result<TrainingJob> PlanOptions::resolve_training(const Word& word,
                                                  const CommandContext& context) const {
  WorkloadOptions named;
  named.workload = word.name;
  named.sets = sets;
  if (set_left_out)
    named.sets.erase(named.sets.begin() + static_cast<std::ptrdiff_t>(*set_left_out));
  TrainingJob job;
  FEEDRATE_TRY(job.workload, named.resolve(context));
  FEEDRATE_CHECK(scale_dataset(size, job.workload));
  if (!sets.empty()) job.dataset_source = job.epochs_source = job.workload.source + ", and --set";
  if (!size.empty()) job.dataset_source = "--size";
  if (!epochs.empty()) {
    FEEDRATE_TRY(const std::uint64_t many, parse_count(epochs, "--epochs", 1, 1'000'000));
    job.workload.epochs = static_cast<std::uint32_t>(many);
    job.epochs_source = "--epochs";
  }
  RunOptions run;
  run.accelerator = word.type;
  run.timing = timing;
  run.batch = batch;
  run.compute_time = step_time;
  auto step = feedrate::resolve_timing(run, job.workload);
  if (!step) return fail(step.error());
  job.timing = std::move(*step);
  FEEDRATE_CHECK(resolve_demand(job));
  return job;
}

Result<CheckpointJob> PlanOptions::resolve_checkpoint(const ModelShape& shape,
                                                      const Parallelism& parallel) const {
  CheckpointJob job;
  job.model = shape;
  job.parallelism = parallel;
  FEEDRATE_TRY(job.precision, resolve_precision(shape, job.precision_source));
  FEEDRATE_CHECK(read_setting(stall_budget, job.stall_budget));
  FEEDRATE_CHECK(read(write_bandwidth, "--write-bandwidth", job.available_write));
  FEEDRATE_CHECK(read(read_bandwidth, "--read-bandwidth", job.available_read));
  FEEDRATE_CHECK(read_setting(mtbf, job.failure_time));
  FEEDRATE_CHECK(read_setting(restart_time, job.restart));
  FEEDRATE_CHECK(read_setting(snapshot, job.snapshot));
  FEEDRATE_CHECK(read_setting_share(changed, job.changed));
  FEEDRATE_CHECK(read_setting(keep, job.kept, std::uint64_t{1}, std::uint64_t{1'000'000}));
  const bool spread = shape.row_wise_parameters() > Count(0);
  job.loads.value = spread ? Count(1) : count_of(parallel.data);
  job.loads.published = spread ? "all that train hold one" : "as many as train";
  FEEDRATE_CHECK(read_setting(replicas, job.loads, std::uint64_t{1}, kAcceleratorsMax));
  FEEDRATE_CHECK(read_setting(load_time, job.load_budget));
  FEEDRATE_CHECK(read_cost(cost, job.accelerator_cost));
  return job;
}

Result<> PlanOptions::resolve_inference(const std::string& name, const std::string& accelerator,
                                        PlannedJob& planned) const {
  FEEDRATE_TRY(InferenceShape shape, find_inference(name));
  const Result<InferenceRate> rate = shape.rate(accelerator);
  if (!rate && (planned.training || planned.checkpoint)) {
    planned.remarks.push_back("inference: " + rate.error().message());
    return {};
  }
  if (!rate) return fail(rate.error());
  InferenceJob job;
  job.shape = std::move(shape);
  job.rate = *rate;
  if (planned.checkpoint && planned.training) {
    const CheckpointJob& trained = *planned.checkpoint;
    job.shape.model = trained.model.parameters() * trained.precision.weights;
    job.shape.model_source = "the final model of this job; " + trained.precision_source;
  }
  FEEDRATE_CHECK(read_setting(log_record, job.log_record));
  FEEDRATE_CHECK(read_setting(log_append, job.log_append));
  FEEDRATE_CHECK(read_setting(load_time, job.load_budget));
  if (planned.training) {
    job.accelerators = planned.training->accelerators;
    const auto trained = planned.training->workload.timing(accelerator, kMeasuredTiming);
    if (trained) {
      job.training = PerSecond(trained->samples_per_second());
      job.training_source = trained->source;
    }
  }
  planned.inference = std::move(job);
  return {};
}

Result<PlannedJob> PlanOptions::resolve_job(const Word& word, const CommandContext& context) const {
  PlannedJob planned;
  planned.name = word.name;
  const bool trains = is_file(word.name) || word.name.starts_with("dlio:") ||
                      contains(catalogue_names(), word.name);
  const bool models = !trains && contains(model_names(), word.name);
  const bool serves = !trains && !models && contains(inference_names(), word.name);
  if (!trains && !models && !serves) return unknown_job(word.name);
  if (models && !model.empty())
    return fail(ErrorKind::kUsage, fmt::format("--model: '{}' is a model itself", word.name),
                "name a workload, or leave out --model");
  if (trains) {
    FEEDRATE_TRY(planned.training, resolve_training(word, context));
    planned.title = planned.training->workload.title;
  }
  std::optional<ModelShape> shape;
  if (!serves) {
    FEEDRATE_TRY(shape, resolve_model(models ? word.name : model_of_workload(word.name),
                                      planned.training ? &planned.training->workload : nullptr));
  }
  FEEDRATE_TRY(
      const Parallelism parallel,
      resolve_parallelism(shape ? &*shape : nullptr, word.accelerators, "--accelerators",
                          shape && shape->parallelism.ranks() > 1 ? shape->parallelism.ranks()
                                                                  : kDefaultAccelerators));
  if (trains) {
    planned.training->accelerators = count_of(parallel.ranks());
    planned.training->parallelism = parallel;
    planned.training->shared_timing = shape && shape->shared_timings;
  }
  if (shape) {
    FEEDRATE_TRY(planned.checkpoint, resolve_checkpoint(*shape, parallel));
    std::string source;
    if (planned.training)
      planned.checkpoint->accelerator_memory = planned.training->accelerator_memory;
    else {
      FEEDRATE_TRY(planned.checkpoint->accelerator_memory, resolve_memory(word.type, source));
    }
    if (planned.title.empty()) planned.title = shape->title;
  } else if (trains) {
    planned.remarks.push_back(
        "checkpoints: no source gives the parameters of this workload's model; give --model or "
        "--parameters");
  }
  const std::string inference =
      contains(inference_names(), word.name) ? word.name : inference_of_workload(word.name);
  const std::string accelerator = planned.training    ? planned.training->timing.accelerator
                                  : word.type.empty() ? "h100"
                                                      : word.type;
  if (!inference.empty()) FEEDRATE_CHECK(resolve_inference(inference, accelerator, planned));
  if (planned.inference && !planned.training)
    planned.inference->accelerators = count_of(parallel.ranks());
  if (serves) planned.title = planned.inference->shape.title;
  return planned;
}

Result<PlanRequest> PlanOptions::resolve(const CommandContext& context,
                                         std::optional<std::uint64_t> accelerators_now) const {
  PlanRequest request;
  for (const Entry& entry : entries_)
    if (entry.option->count() > 0 && entry.value->empty())
      return fail(ErrorKind::kUsage,
                  fmt::format("{}: the value is empty", entry.option->get_name()),
                  "give it a value, or leave it out");
  FEEDRATE_TRY(request.port,
               read_described(port, "network file", find_network_port, parse_network_port));
  if (!port_usable.empty()) {
    FEEDRATE_CHECK(read_share(port_usable, "--port-usable", request.port.usable.value));
    request.port.usable.source = "--port-usable";
    request.port.note.clear();  // it is about the catalogue's share
  }
  request.one_directory = one_directory;
  FEEDRATE_CHECK(read_setting(log_days, request.log_days, std::uint64_t{1}, std::uint64_t{36500}));
  FEEDRATE_CHECK(read(transfer, "--transfer", request.transfer));
  for (const std::string& name : storages.empty() ? storage_profile_names() : storages) {
    FEEDRATE_TRY(StorageProfile profile,
                 read_described(name, "storage file", find_storage_profile, parse_storage_profile));
    request.storages.push_back(std::move(profile));
  }
  // What hard disks would take is always told.
  if (!contains(storages, std::string(kHardDisk)) && !storages.empty()) {
    FEEDRATE_TRY(StorageProfile disks, find_storage_profile(kHardDisk));
    request.storages.push_back(std::move(disks));
  }
  for (const std::string& text : jobs) {
    FEEDRATE_TRY(const Word word, split(text, accelerators_now));
    FEEDRATE_TRY(PlannedJob job, resolve_job(word, context));
    request.jobs.push_back(std::move(job));
  }
  FEEDRATE_CHECK(check_used(request));
  return request;
}

Result<> PlanOptions::check_used(const PlanRequest& request) const {
  unsigned used = kAny;
  for (const PlannedJob& job : request.jobs)
    used |= (job.training ? kTraining : 0U) | (job.checkpoint ? kModel : 0U) |
            (job.inference ? kInference : 0U);
  const auto unused = [&](const std::string& name, unsigned parts) {
    return fail(ErrorKind::kUsage, fmt::format("{}: no job of this plan uses it", name),
                (parts & kTraining) != 0 ? "it is for training: name a workload of 'feedrate "
                                           "workloads', or leave it out"
                : (parts & kModel) != 0  ? "it is for models and their checkpoints: give --model "
                                           "or --parameters, or leave it out"
                                         : "it is for inference: name a workload that is served, "
                                           "such as resnet50, or leave it out");
  };
  for (const Entry& entry : entries_)
    if (!entry.value->empty() && (used & entry.parts) == 0 && entry.parts != kAny)
      return unused(entry.option->get_name(), entry.parts);
  if (!sets.empty() && (used & kTraining) == 0) return unused("--set", kTraining);
  const auto all_say = [&](char mark) {
    return std::ranges::all_of(jobs, [&](const std::string& job) {
      const std::size_t equals = job.find('=');
      return equals != std::string::npos && (mark == '=' || job.find(mark, equals) != job.npos);
    });
  };
  for (const auto& [given, flag, mark] :
       {std::tuple{!accelerators.empty(), "--accelerators", '='}, {!type.empty(), "--type", 'x'}})
    if (given && all_say(mark))
      return fail(ErrorKind::kUsage,
                  fmt::format("{}: every job says its own, such as '{}'", flag, jobs.front()),
                  "leave out one of the two");
  return {};
}

}  // namespace feedrate
