#include "feedrate/plan/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

namespace feedrate {
namespace {

// The rules of mlcommons/storage, Submission_guidelines.md 7: at least 500 steps, and five times
// the memory of the clients, so that none of them can hold the data set.
constexpr double kBenchmarkSteps = 500;
constexpr double kBenchmarkMemories = 5;

// The index of feedrate/format/megatron: length, offset and document of each sequence, and head and
// end of a file.
constexpr Bytes kMegatronIndex{4 + 8 + 8};
constexpr Bytes kMegatronIndexHead{34 + 8};

Count sharing(const TrainingJob& job) {
  return count_of(job.parallelism.tensor * job.parallelism.pipeline);
}

// Returns the samples that one reader takes in a step.
Count reader_batch(const TrainingJob& job) {
  const Count batch = count_of(job.timing.batch_samples);
  return job.shared_timing ? batch * sharing(job) : batch;
}

Seconds step_time(const TrainingJob& job) { return Seconds(to_seconds(job.timing.compute)); }

Bytes stored_bytes(const DatasetShape& data) {
  return count_of(data.samples()) * Bytes(data.sample_bytes_mean);
}

// The reads of some columns out of many: one for each column and row group, which takes a format
// that tells both.
struct ColumnReads {
  Count columns, rows;  // of a row group
};
std::optional<ColumnReads> column_reads(const DatasetShape& data) {
  const auto option = [&](const char* key) {
    const auto found = data.format_options.find(key);
    return found == data.format_options.end() ? 0.0 : std::strtod(found->second.c_str(), nullptr);
  };
  const double columns = option("columns_read"), rows = option("row_group_rows");
  if (data.format != "parquet" || columns < 1 || rows < 1) return std::nullopt;
  return ColumnReads{Count(columns), Count(rows)};
}

constexpr Bytes kLmdbPage{4096};

struct Operations {
  PerSecond rate;
  std::string formula;
};

Operations read_operations(const TrainingJob& job, const TrainingDemand& demand) {
  const DatasetShape& data = job.workload.dataset;
  if (const auto columns = column_reads(data)) {
    const Bytes chunk = columns->rows * demand.sample / columns->columns;
    const Count reads = columns->columns * whole(chunk / job.transfer);
    return {demand.samples / columns->rows * reads,
            fmt::format("samples/s / rows of a group x columns read x transfers = {} / {} x {} x "
                        "ceil({} / {})",
                        show(demand.samples), show(columns->rows), show(columns->columns),
                        show(chunk), show(job.transfer))};
  }
  // liblmdb maps the file, so each page of a value is a fault of its own.
  if (data.format == "lmdb") {
    const Count pages = whole(demand.sample / kLmdbPage);
    return {demand.samples * pages,
            fmt::format("samples/s x pages of 4 KiB, faulted in one by one = {} x ceil({} / 4 KiB)",
                        show(demand.samples), show(demand.sample))};
  }
  if (job.workload.order == AccessOrder::kSequential) {
    const Bytes file = count_of(data.samples_per_file) * demand.sample;
    return {demand.mean / std::min(job.transfer, file),
            fmt::format("bytes/s / min(transfer, file) = {} / {}", show(demand.mean),
                        show(std::min(job.transfer, file)))};
  }
  return {demand.samples * whole(demand.sample / job.transfer) + demand.label_opens,
          fmt::format("samples/s x transfers a sample{} = {} x ceil({} / {}){}",
                      demand.label_opens > PerSecond(0) ? " + label files" : "",
                      show(demand.samples), show(demand.sample), show(job.transfer),
                      demand.label_opens > PerSecond(0) ? " + " + show(demand.label_opens) : "")};
}

// A rate that was measured with few accelerators does not hold with many, so that is noted.
void add_scale_note(const TrainingJob& job, Section& section) {
  const auto other = with_other_timing(job);
  const AcceleratorTiming& measured =
      other && other->timing.measured_with > 0 ? other->timing : job.timing;
  if (measured.measured_with == 0 || job.accelerators <= count_of(measured.measured_with)) return;
  section.remarks.push_back(fmt::format(
      "the measured rate is of a run with {} accelerators and scaled in proportion to {} here; "
      "where larger runs were published, each accelerator trains slower in them, so at measured "
      "timing this is the most that may be asked for",
      measured.measured_with, show(job.accelerators)));
}

// Adds what the samples/s that are published for the framework's loader consist of.
void add_first_step(const TrainingJob& job, const TrainingDemand& demand, Section& section) {
  // An epoch of a single step is nothing but its first one.
  if (demand.steps < Count(2)) return;
  const Count group = demand.readers * demand.reader_batch;
  section.add("fill", "first step: all workers fill a batch (PyTorch)", demand.fill,
              fmt::format("readers x workers x batch x sample / {} = {} x {} x {} x {} / {}",
                          job.available_read > BytesPerSecond(0) ? "min(available, full)" : "mean",
                          show(demand.readers), job.workload.readers, show(demand.reader_batch),
                          show(demand.sample), show(demand.reached)),
              fmt::format("{} workers: {}", job.workload.readers, job.workload.source));
  const std::string run =
      fmt::format("max(fill + steps x step, read / rate + step) = max({} + {} x {}, {} + {}) = {}",
                  show(demand.fill), show(demand.steps), show(step_time(job)),
                  show(demand.steps * group * demand.sample / demand.reached), show(step_time(job)),
                  show(demand.run));
  section.add("samples_with_first", "samples of an epoch, first step counted (v1.0 results)",
              demand.with_first,
              fmt::format("steps x readers x batch / run = {} x {} / {}; run = {}",
                          show(demand.steps), show(group), show(demand.run), run),
              "MLPerf Storage v1.0 counts the first step in samples/s, v2.0 and later do not");
  section.add("samples_after_first", "samples of an epoch, first step left out", demand.after_first,
              fmt::format("(steps - 1) x readers x batch / (run - fill - step) = ({} - 1) x {} / "
                          "({} - {} - {})",
                          show(demand.steps), show(group), show(demand.run), show(demand.fill),
                          show(step_time(job))));
}

void add_rates(const TrainingJob& job, const TrainingDemand& demand, Section& section) {
  const std::string timing = fmt::format("{} timing: {}", job.timing.set, job.timing.source);
  const std::string step = show(step_time(job));
  const std::string data = job.workload.source;
  section.add(
      "readers", "model replicas that read", demand.readers,
      fmt::format("accelerators / (tensor x pipeline) = {} / ({} x {})", show(job.accelerators),
                  job.parallelism.tensor, job.parallelism.pipeline));
  section.add("per_accelerator", "read bandwidth, one accelerator that never waits",
              demand.per_accelerator,
              fmt::format("batch x sample / step = {} x {} / {}",
                          show(demand.reader_batch / sharing(job)), show(demand.sample), step),
              job.timing.source == data ? timing : timing + "; " + data);
  section.add("read_bandwidth", "read bandwidth, mean", demand.mean,
              fmt::format("readers x batch x sample / step x AU = {} x {} x {} / {} x {}",
                          show(demand.readers), show(demand.reader_batch), show(demand.sample),
                          step, show(Measure::fraction(job.utilisation))),
              timing);
  section.add("read_bandwidth_full", "read bandwidth at AU 100 %", demand.full,
              fmt::format("{} / {}", show(demand.mean), show(Measure::fraction(job.utilisation))));
  section.add("read_bandwidth_peak", "read bandwidth, peak: prefetch windows refilled in one step",
              demand.peak,
              fmt::format("(prefetch + 1) x full = ({} + 1) x {}", job.workload.prefetch_batches,
                          show(demand.full)),
              fmt::format("prefetch of {} batches: {}", job.workload.prefetch_batches, data));
  // Both sets of step times are shown, since they can differ by a factor of four.
  if (const auto other = with_other_timing(job)) {
    const bool real = other->timing.set == kMeasuredTiming;
    const double ratio = other->timing.samples_per_second() / job.timing.samples_per_second();
    section.add(
        timing_key(other->timing.set) + "_bandwidth",
        real ? "read bandwidth, mean, at the rate of real training"
             : "read bandwidth, mean, at the storage benchmark's step times",
        demand.mean * Count(ratio),
        fmt::format("mean x {} / {} rate = {} x {:.3g}; --timing {} plans it", other->timing.set,
                    job.timing.set, show(demand.mean), ratio, other->timing.set),
        other->timing.source);
  }
  section.add("window", "prefetch windows, all together", demand.windows,
              fmt::format("readers x prefetch x batch x sample = {} x {} x {}",
                          show(demand.readers), job.workload.prefetch_batches, show(demand.batch)));
  section.add(
      "samples_per_second", "samples", demand.samples,
      fmt::format("readers x batch / step x AU = {} x {} / {} x {}", show(demand.readers),
                  show(demand.reader_batch), step, show(Measure::fraction(job.utilisation))),
      timing);
  add_first_step(job, demand, section);
  section.add("batch_bytes", "one batch, needed every step", demand.batch,
              fmt::format("batch x sample = {} x {}; half the step time or twice the batch asks "
                          "for twice the bandwidth",
                          show(demand.reader_batch), show(demand.sample)));
}

bool has_inner_index(std::string_view format) {
  return format == "parquet" || format == "hdf5" || format == "lmdb";
}

void add_operations(const TrainingJob& job, const TrainingDemand& demand, Section& section) {
  const DatasetShape& data = job.workload.dataset;
  section.add(
      "opens", "files opened", demand.opens,
      fmt::format(
          "samples/s / samples a file = {} / {}{}", show(demand.samples),
          show(count_of(data.samples_per_file)),
          demand.label_opens > PerSecond(0) ? " + label files " + show(demand.label_opens) : ""));
  section.add("operations", "read operations", demand.operations,
              read_operations(job, demand).formula);
  section.add(
      "per_host", "read bandwidth of one host", demand.per_host,
      fmt::format("mean / readers x readers of the fullest host = {} / {} x {} ({} hosts of {} "
                  "accelerators)",
                  show(demand.mean), show(demand.readers),
                  show(demand.per_host / (demand.mean / demand.readers)), show(demand.hosts),
                  show(job.accelerators_per_host.value)),
      job.accelerators_per_host.source());
  // What is read at the start is read once, so these are amounts, and not part of the rates above.
  if (demand.labels_at_start > Bytes(0))
    section.add("labels", "labels, read at the start", demand.labels_at_start,
                fmt::format("readers x samples x label = {} x {} x {}", show(demand.readers),
                            show(count_of(data.samples())), show(Bytes(data.label_bytes))),
                job.workload.source);
  if (demand.index_at_start > Bytes(0))
    section.add("index", "index files, read at the start", demand.index_at_start,
                fmt::format("readers x (samples x 20 B + files x 42 B) = {} x ({} x 20 B + {} x "
                            "42 B)",
                            show(demand.readers), show(count_of(data.samples())),
                            show(count_of(data.files))),
                "megatron/core/datasets/indexed_dataset.py");
  if (has_inner_index(data.format))
    section.remarks.push_back(
        fmt::format("the index inside {} files (footers, B-tree pages, chunk tables) is read on "
                    "top; 'feedrate find' counts it",
                    data.format));
  if (data.labels == LabelPlacement::kSideFile)
    section.add("label_opens", "label files opened", demand.label_opens,
                fmt::format("one a sample = {}, and as many reads", show(demand.samples)));
  if (data.sample_bytes_read > 0 && !column_reads(data))
    section.remarks.push_back(
        "a sample is read in parts, so there are more and smaller reads than the operations above; "
        "'feedrate find' counts them");
  if (data.labels == LabelPlacement::kManifest && data.label_bytes <= 0)
    section.remarks.push_back(
        "no source gives the size of the labels in the manifest (dataset.label_bytes), which every "
        "reader reads at the start");
}

std::string fits_text(std::string_view whose, Bytes memory, Bytes stored,
                      std::string_view if_it_does) {
  return fmt::format("the data set {} {} ({} of {}): {}",
                     stored <= memory ? "fits" : "does not fit", whose, show(stored), show(memory),
                     stored <= memory ? if_it_does : "every epoch reads it from storage again");
}

void add_epochs(const TrainingJob& job, const TrainingDemand& demand, Section& section) {
  const bool available = job.available_read > BytesPerSecond(0);
  const std::string epochs = job.epochs_source.empty() ? job.workload.source : job.epochs_source;
  section.add(
      "epoch", "time of one epoch, and to read it once", demand.epoch,
      fmt::format("read / {} = {} / {}", available ? "min(available, full)" : "mean bandwidth",
                  show(demand.read), show(demand.reached)),
      available ? "--read-bandwidth" : "");
  section.add("first_epoch", "read from storage in the first, cold epoch", demand.read,
              fmt::format("samples x what is read of one = {} x {}",
                          show(count_of(job.workload.dataset.samples())), show(demand.sample)));
  section.add("later_epoch", "read from storage in each later one", demand.later,
              demand.later > Bytes(0)
                  ? fmt::format("as much again = {}: host memory does not hold it, or is not known",
                                show(demand.later))
                  : "nothing: it is in host memory");
  section.add("total", "read from storage in all epochs", demand.total,
              fmt::format("first + (epochs - 1) x later = {} + ({} - 1) x {}", show(demand.read),
                          job.workload.epochs, show(demand.later)),
              epochs);
  section.add("time", "time of all epochs", demand.time,
              demand.later > Bytes(0)
                  ? fmt::format("epochs x one = {} x {}", job.workload.epochs, show(demand.epoch))
                  : fmt::format("first + (epochs - 1) x read / full = {} + ({} - 1) x {} / {}",
                                show(demand.epoch), job.workload.epochs, show(demand.read),
                                show(demand.full)),
              epochs);
}

void add_memory(const TrainingJob& job, const TrainingDemand& demand, Section& section) {
  if (job.host_memory <= Bytes(0)) {
    section.remarks.push_back("whether the data set fits host memory: give --host-memory");
    return;
  }
  section.remarks.push_back(
      fits_text("one host's memory", job.host_memory, demand.stored,
                "storage matters for the first read only, if the job keeps it there, as the totals "
                "above assume"));
  if (demand.stored > job.host_memory && demand.hosts > Count(1))
    section.remarks.push_back(fits_text(
        fmt::format("the memory of {} hosts, if each keeps its own part", show(demand.hosts)),
        job.host_memory * demand.hosts, demand.stored,
        "storage would matter for the first read only; the totals above assume that it "
        "is not kept there"));
}

void add_dataset(const TrainingJob& job, const TrainingDemand& demand, Section& section) {
  const DatasetShape& data = job.workload.dataset;
  section.add(
      "dataset", "data set", demand.stored,
      fmt::format("files x samples a file x sample = {} x {} x {}", show(count_of(data.files)),
                  show(count_of(data.samples_per_file)), show(Bytes(data.sample_bytes_mean))),
      job.dataset_source.empty() ? job.workload.source : job.dataset_source);
  if (demand.read < demand.stored)
    section.add("read_once", "of which an epoch reads", demand.read,
                fmt::format("samples x what is read of one = {} x {}",
                            show(count_of(data.samples())), show(demand.sample)),
                job.workload.source);
  add_epochs(job, demand, section);
  const std::string steps =
      fmt::format("500 x {} x {} x {}", show(demand.readers), show(demand.reader_batch),
                  show(Bytes(data.sample_bytes_mean)));
  const bool known = job.host_memory > Bytes(0);
  section.add(
      "benchmark_dataset",
      known ? "smallest data set to benchmark this with"
            : "smallest data set to benchmark with, host memory not given",
      demand.benchmark,
      known ? fmt::format("max(500 steps x readers x batch x stored sample, 5 x hosts x host "
                          "memory) = max({}, 5 x {} x {})",
                          steps, show(demand.hosts), show(job.host_memory))
            : fmt::format("500 steps x readers x batch x stored sample = {}; never less than 5 x "
                          "hosts x host memory: see --host-memory",
                          steps),
      "mlcommons/storage Submission_guidelines.md 7");
  const Count together = demand.readers * demand.reader_batch;
  if (together > count_of(data.samples()))
    section.remarks.push_back(fmt::format(
        "a step of all takes {} samples, more than the {} of the data set: they cannot work on it "
        "together",
        show(together), show(count_of(data.samples()))));
  add_memory(job, demand, section);
}

void add_costs(const TrainingJob& job, const TrainingDemand& demand, Section& section) {
  const Count reached = demand.reached / demand.full;
  if (job.available_read > BytesPerSecond(0)) {
    section.add("utilisation", "AU with the bandwidth that is there", Measure::fraction(reached),
                fmt::format("min(1, available / full) = {} / {}", show(job.available_read),
                            show(demand.full)),
                "--read-bandwidth");
    section.add(
        "fed", "accelerators it keeps fed",
        Count(
            std::floor((job.available_read / (demand.per_accelerator * job.utilisation)).value())),
        fmt::format("available / (one accelerator x AU) = {} / ({} x {})", show(job.available_read),
                    show(demand.per_accelerator), show(Measure::fraction(job.utilisation))));
    // The answer depends on the step times as much as on the storage, so it is given for both sets.
    if (const auto other = with_other_timing(job)) {
      const BytesPerSecond each = training_demand(*other).per_accelerator;
      section.add("fed_" + timing_key(other->timing.set),
                  fmt::format("accelerators it keeps fed, at {} timing", other->timing.set),
                  Count(std::floor((job.available_read / (each * job.utilisation)).value())),
                  fmt::format("available / (one accelerator x AU) = {} / ({} x {})",
                              show(job.available_read), show(each),
                              show(Measure::fraction(job.utilisation))),
                  other->timing.source);
    }
  }
  if (job.accelerator_cost <= MoneyPerSecond(0)) return;
  const MoneyPerSecond all = job.accelerators * job.accelerator_cost;
  section.add("cost", "cost of the accelerators", all,
              fmt::format("{} x {}", show(job.accelerators), show(job.accelerator_cost)));
  section.add(
      "cost_waiting", "of which they wait", all * (Count(1) - reached),
      fmt::format("cost x (1 - AU) = {} x (1 - {})", show(all), show(Measure::fraction(reached))));
}

// Workers fill their first batches all at once and hand them on together. What they read after that
// goes on while the accelerators compute.
void count_first_step(const TrainingJob& job, TrainingDemand& demand) {
  const Count group = demand.readers * demand.reader_batch;
  demand.steps = Count(std::floor((count_of(job.workload.dataset.samples()) / group).value()));
  if (job.workload.framework != Framework::kPytorch ||
      job.workload.order != AccessOrder::kRandomSamples || demand.steps < Count(2)) {
    demand.steps = Count(0);
    return;
  }
  const Count workers = std::min(count_of(job.workload.readers), demand.steps);
  demand.fill = workers * group * demand.sample / demand.reached;
  demand.run = std::max(demand.fill + demand.steps * step_time(job),
                        demand.steps * group * demand.sample / demand.reached + step_time(job));
  demand.with_first = demand.steps * group / demand.run;
  demand.after_first =
      (demand.steps - Count(1)) * group / (demand.run - demand.fill - step_time(job));
}

}  // namespace

TrainingJob training_job(const Workload& workload, const AcceleratorTiming& timing,
                         std::uint64_t accelerators) {
  constexpr double kNativeTransfer = 4 << 20;  // In bytes.
  TrainingJob job;
  job.workload = workload;
  job.timing = timing;
  job.accelerators = count_of(accelerators);
  job.parallelism.data = accelerators;
  job.utilisation = Count(workload.au_threshold);
  const auto own = static_cast<double>(workload.transfer_bytes);
  job.transfer = Bytes(own > 0 ? own : kNativeTransfer);
  return job;
}

std::string timing_key(std::string_view set) {
  return set == kBenchmarkTiming ? "benchmark" : std::string(set);
}

std::optional<TrainingJob> with_other_timing(const TrainingJob& job) {
  const bool real = job.timing.set == kMeasuredTiming;
  if (!real && job.timing.set != kBenchmarkTiming) return std::nullopt;
  const Result<AcceleratorTiming> other =
      job.workload.timing(job.timing.accelerator, real ? kBenchmarkTiming : kMeasuredTiming);
  if (!other) return std::nullopt;
  TrainingJob changed = job;
  changed.timing = *other;
  return changed;
}

TrainingDemand training_demand(const TrainingJob& job) {
  const DatasetShape& data = job.workload.dataset;
  TrainingDemand demand;
  demand.readers = job.accelerators / sharing(job);
  demand.sample = Bytes(data.read_bytes_mean());
  demand.reader_batch = reader_batch(job);
  demand.batch = demand.reader_batch * demand.sample;
  demand.full = demand.readers * demand.batch / step_time(job);
  demand.per_accelerator = demand.full / job.accelerators;
  demand.mean = demand.full * job.utilisation;
  const Count prefetch = count_of(job.workload.prefetch_batches);
  demand.windows = demand.readers * prefetch * demand.batch;
  // At the peak all windows are refilled within one step, while the accelerators go on consuming.
  demand.peak = demand.full + demand.windows / step_time(job);
  demand.samples = demand.mean / demand.sample;
  demand.hosts = whole(job.accelerators / job.accelerators_per_host.value);
  // This is for the fullest host: replicas that lie within one host each have their reader there.
  const Count readers_of_host = std::max(
      Count(1), std::min(demand.readers, whole(job.accelerators_per_host.value / sharing(job))));
  demand.per_host = demand.mean / demand.readers * readers_of_host;
  demand.label_opens = data.labels == LabelPlacement::kSideFile ? demand.samples : PerSecond(0);
  demand.opens = demand.samples / count_of(data.samples_per_file) + demand.label_opens;
  demand.operations = read_operations(job, demand).rate;
  demand.stored = stored_bytes(data);
  demand.read = count_of(data.samples()) * demand.sample;
  if (data.labels == LabelPlacement::kManifest)
    demand.labels_at_start = demand.readers * count_of(data.samples()) * Bytes(data.label_bytes);
  if (data.format == "megatron")
    demand.index_at_start = demand.readers * (count_of(data.samples()) * kMegatronIndex +
                                              count_of(data.files) * kMegatronIndexHead);
  demand.reached = job.available_read > BytesPerSecond(0)
                       ? std::min(job.available_read, demand.full)
                       : demand.mean;
  demand.epoch = demand.read / demand.reached;
  count_first_step(job, demand);
  // Where one host's memory holds the whole data set, it is read once, and never again.
  const bool fits = job.host_memory > Bytes(0) && demand.stored <= job.host_memory;
  demand.later = fits ? Bytes(0) : demand.read;
  const Count batch_of_all = demand.readers * demand.reader_batch;
  demand.benchmark = std::max(Count(kBenchmarkSteps) * batch_of_all * Bytes(data.sample_bytes_mean),
                              Count(kBenchmarkMemories) * demand.hosts * job.host_memory);
  const Count later_epochs = count_of(job.workload.epochs) - Count(1);
  demand.total = demand.read + later_epochs * demand.later;
  // Epochs that come from memory do not wait for storage, so they go at AU 1.
  demand.time = demand.epoch + later_epochs * (fits ? demand.read / demand.full : demand.epoch);
  return demand;
}

Section training_section(const TrainingJob& job, const TrainingDemand& demand) {
  Section section;
  section.key = "training";
  section.title =
      fmt::format("Training: {} {} at AU {}, {} timing", show(job.accelerators),
                  job.timing.accelerator, show(Measure::fraction(job.utilisation)), job.timing.set);
  add_rates(job, demand, section);
  add_operations(job, demand, section);
  add_dataset(job, demand, section);
  add_costs(job, demand, section);
  add_scale_note(job, section);
  return section;
}

std::string fits_accelerators(const TrainingJob& job, const TrainingDemand& demand,
                              Bytes model_state) {
  if (job.accelerator_memory <= Bytes(0)) return "";
  const Bytes left = std::max(Bytes(0), job.accelerator_memory - model_state);
  return fits_text(
      fmt::format("what {} {} have beside {}", show(job.accelerators), job.timing.accelerator,
                  model_state > Bytes(0) ? "their model" : "a model of unknown size"),
      job.accelerators * left, demand.stored,
      "storage would matter for the first read only; the totals above assume that it is not kept "
      "there");
}

}  // namespace feedrate
