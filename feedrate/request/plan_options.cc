#include "feedrate/request/plan_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/run_options.h"
#include "feedrate/workload/accelerator_type.h"

namespace feedrate {
namespace {

constexpr std::string_view kHardDisk = "hdd-7200";
constexpr std::uint64_t kDefaultAccelerators = 8;  // The accelerators of one host.

Result<> read(const std::string& text, std::string_view flag, Bytes& target) {
  if (text.empty()) return {};
  FEEDRATE_TRY(const std::uint64_t bytes, parse_bytes(text, flag));
  if (bytes == 0)
    return fail(ErrorKind::kUsage, fmt::format("{}: 0 is too small", flag), "write it like 512GiB");
  target = Bytes(static_cast<double>(bytes));
  return {};
}

// A number without a unit is in bytes, and no host has so few.
Result<> read_host_memory(const std::string& text, Bytes& target) {
  constexpr double kLeast = 1 << 20U;
  FEEDRATE_CHECK(read(text, "--host-memory", target));
  if (!text.empty() && target < Bytes(kLeast))
    return fail(ErrorKind::kUsage,
                fmt::format("--host-memory: {} is too small, at least 1MiB is needed", text),
                "write it with a unit, 512GiB");
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
  FEEDRATE_TRY(const std::uint64_t bytes, parse_dataset_size(size, workload));
  const double file = data.sample_bytes_mean * static_cast<double>(data.samples_per_file);
  if (data.files == 1)
    data.samples_per_file = static_cast<std::uint64_t>(
        std::max(1.0, static_cast<double>(bytes) / data.sample_bytes_mean));
  else
    data.files =
        static_cast<std::uint64_t>(std::max(1.0, std::round(static_cast<double>(bytes) / file)));
  return {};
}

Result<> read_transfer(const std::string& text, Bytes& target) {
  if (text.empty()) return {};
  FEEDRATE_TRY(const std::uint64_t bytes, parse_transfer(text));
  target = Bytes(static_cast<double>(bytes));
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

bool is_job(const std::string& name) {
  return is_file(name) || name.starts_with("dlio:") || contains(catalogue_names(), name) ||
         contains(model_names(), name) || contains(inference_names(), name);
}

// Returns whether the word is like "64" or "64xh100".
bool is_count_and_type(const std::string& word) {
  const std::size_t digits = word.find_first_not_of("0123456789");
  return !word.empty() && digits != 0 && (digits == std::string::npos || word[digits] == 'x');
}

// Explains a name that is no workload, model or inference workload.
std::unexpected<Error> unknown_job(const std::string& name) {
  if (is_count_and_type(name))
    return fail(ErrorKind::kUsage,
                fmt::format("'{}' is no workload or model, but a number of accelerators", name),
                fmt::format("it stands behind the job: resnet50={}", name));
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
  if (is_job(rest) && !is_job(word.name))
    return fail(ErrorKind::kUsage,
                fmt::format("'{}': '{}' is a job and '{}' is none: were the two swapped?", text,
                            rest, word.name),
                fmt::format("write it like {}={}", rest,
                            is_count_and_type(word.name) ? word.name : "64xh100"));
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
  if (!au.empty()) {
    FEEDRATE_TRY(const double utilisation, parse_fraction(au, "--au", 0.01, 1));
    job.utilisation = Count(utilisation);
  }
  FEEDRATE_CHECK(read_transfer(transfer, job.transfer));
  FEEDRATE_CHECK(
      read_setting(per_host, job.accelerators_per_host, std::uint64_t{1}, std::uint64_t{1024}));
  FEEDRATE_CHECK(read_host_memory(host_memory, job.host_memory));
  FEEDRATE_CHECK(read(read_bandwidth, "--read-bandwidth", job.available_read));
  if (accelerator_memory.empty() && !find_accelerator_type(job.timing.accelerator)) {
    // The memory of a type of the user's own is not known.
  } else {
    FEEDRATE_TRY(job.accelerator_memory, resolve_memory(job.timing.accelerator, job.memory_source));
  }
  FEEDRATE_CHECK(read_cost(cost, job.accelerator_cost));
  return {};
}

Result<TrainingJob> PlanOptions::resolve_training(const Word& word, PlanWords& words) const {
  WorkloadOptions named;
  named.workload = word.name;
  named.sets = sets;
  if (set_left_out)
    named.sets.erase(named.sets.begin() + static_cast<std::ptrdiff_t>(*set_left_out));
  FEEDRATE_TRY(Workload workload, named.resolve(words.overrides, words.ignored));
  FEEDRATE_CHECK(scale_dataset(size, workload));
  if (!epochs.empty()) {
    FEEDRATE_TRY(const std::uint64_t many, parse_count(epochs, "--epochs", 1, 1'000'000));
    workload.epochs = static_cast<std::uint32_t>(many);
  }
  RunOptions run;
  run.accelerator = word.type;
  run.timing = timing;
  run.batch = batch;
  run.compute_time = step_time;
  const auto step = feedrate::resolve_timing(run, workload);
  if (!step) return fail(step.error());
  TrainingJob job = training_job(workload, *step, 1);
  if (!sets.empty()) job.dataset_source = job.epochs_source = workload.source + ", and --set";
  if (!size.empty()) job.dataset_source = "--size";
  if (!epochs.empty()) job.epochs_source = "--epochs";
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

Result<PlannedJob> PlanOptions::resolve_job(const Word& word, PlanWords& words) const {
  PlannedJob planned;
  planned.name = word.name;
  // A name may be in several parts of the catalogue, such as a workload that is served, too;
  // training then comes first and the rest is added below.
  const bool trains = is_file(word.name) || word.name.starts_with("dlio:") ||
                      contains(catalogue_names(), word.name);
  const bool models = !trains && contains(model_names(), word.name);
  const bool serves = !trains && !models && contains(inference_names(), word.name);
  if (!trains && !models && !serves) return unknown_job(word.name);
  if (models && !model.empty())
    return fail(ErrorKind::kUsage, fmt::format("--model: '{}' is a model itself", word.name),
                "name a workload, or leave out --model");
  if (trains) {
    FEEDRATE_TRY(planned.training, resolve_training(word, words));
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
    CheckpointJob& saved = *planned.checkpoint;
    if (planned.training)
      saved.accelerator_memory = planned.training->accelerator_memory;
    else {
      FEEDRATE_TRY(saved.accelerator_memory, resolve_memory(word.type, saved.memory_source));
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

Result<PlanRequest> PlanOptions::resolve(PlanWords& words,
                                         std::optional<std::uint64_t> accelerators_now) const {
  PlanRequest request;
  FEEDRATE_TRY(request.port,
               read_described(port, "network file", find_network_port, parse_network_port));
  if (!port_usable.empty()) {
    FEEDRATE_CHECK(read_share(port_usable, "--port-usable", request.port.usable.value));
    request.port.usable.source = "--port-usable";
    request.port.note.clear();  // The note is about the share in the catalogue.
  }
  request.one_directory = one_directory;
  FEEDRATE_CHECK(read_setting(log_days, request.log_days, std::uint64_t{1}, std::uint64_t{36500}));
  FEEDRATE_CHECK(read_transfer(transfer, request.transfer));
  for (const std::string& name : storages.empty() ? storage_profile_names() : storages) {
    FEEDRATE_TRY(StorageProfile profile,
                 read_described(name, "storage file", find_storage_profile, parse_storage_profile));
    request.storages.push_back(std::move(profile));
  }
  // Hard disks are always planned as well, for comparison.
  if (!contains(storages, std::string(kHardDisk)) && !storages.empty()) {
    FEEDRATE_TRY(StorageProfile disks, find_storage_profile(kHardDisk));
    request.storages.push_back(std::move(disks));
  }
  for (const std::string& text : jobs) {
    FEEDRATE_TRY(const Word word, split(text, accelerators_now));
    FEEDRATE_TRY(PlannedJob job, resolve_job(word, words));
    request.jobs.push_back(std::move(job));
  }
  FEEDRATE_CHECK(check_used(request));
  return request;
}

Result<> PlanOptions::check_used(const PlanRequest& request) const {
  unsigned used = kForAny;
  for (const PlannedJob& job : request.jobs)
    used |= (job.training ? kForTraining : 0U) | (job.checkpoint ? kForModel : 0U) |
            (job.inference ? kForInference : 0U);
  const auto unused = [&](const std::string& name, unsigned parts) {
    return fail(ErrorKind::kUsage, fmt::format("{}: no job of this plan uses it", name),
                (parts & kForTraining) != 0 ? "it is for training: name a workload of 'feedrate "
                                              "workloads', or leave it out"
                : (parts & kForModel) != 0 ? "it is for models and their checkpoints: give --model "
                                             "or --parameters, or leave it out"
                                           : "it is for inference: name a workload that is served, "
                                             "such as resnet50, or leave it out");
  };
  for (const OptionEntry& entry : table_->entries()) {
    const auto parts = parts_.find(entry.key());
    if (!entry.given.empty() && parts != parts_.end() && parts->second != kForAny &&
        (used & parts->second) == 0)
      return unused(entry.shown_name(), parts->second);
  }
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
