#include "feedrate/result/tables.h"
#include "feedrate/stats/stall_ledger.h"

namespace feedrate {
namespace {

const std::vector<std::string> kOrigins = {"", "storage", "memory", "network", "unknown"};
const std::vector<std::string> kLimiters = {
    "", "host", "accelerator", "checkpoint", "client", "network", "decode", "window", "storage"};
const std::vector<std::string> kBases = {
    "",           "device counter", "process counter", "network counter",
    "direct I/O", "residency",      "file system"};

Metric stall_cause() {
  std::vector<std::string> words;
  for (const StallCause cause : kAllStallCauses) words.emplace_back(to_string(cause));
  return word("of docs/guide/stalls.md", std::move(words));
}

// Returns every mode that --checkpoint-async, --checkpoint-incremental and --checkpoint-local can
// make.
std::vector<std::string> checkpoint_modes() {
  std::vector<std::string> words;
  for (const char* const mode : {"synchronous", "asynchronous"})
    for (const char* const stored : {"", ", incremental"})
      for (const char* const levels : {"", ", two levels"})
        words.push_back(std::string(mode) + stored + levels);
  return words;
}

constexpr const char* kAu =
    "mlcommons/storage, Submission_guidelines.md: compute time / run time, the first step left out";

// The sums of one interval are written as a short list, because there may be thousands of them.
using SeriesRow = std::tuple<double, double, double>;
std::vector<SeriesRow> series_of(const RunResult& run) {
  std::vector<SeriesRow> rows;
  for (const SeriesPoint& point : run.series)
    rows.emplace_back(point.samples, point.bytes, point.compute_seconds);
  return rows;
}
void set_series(RunResult& run, const std::vector<SeriesRow>& rows) {
  run.series.clear();
  for (const auto& [samples, bytes, compute] : rows)
    run.series.push_back({samples, bytes, compute});
}

// Returns none for an INVALID run, so that nobody takes its utilisation for a result.
template <double RunResult::* Member>
std::optional<double> utilisation_of(const RunResult& run) {
  return run.valid ? std::optional(run.*Member) : std::nullopt;
}
template <double RunResult::* Member>
void set_utilisation(RunResult& run, std::optional<double> value) {
  run.*Member = value.value_or(0);
}

Rows<RunResult> rate_rows() {
  using R = RunResult;
  return Rows<R>()
      .converted(
          "accelerator_utilisation", utilisation_of<&R::accelerator_utilisation>,
          set_utilisation<&R::accelerator_utilisation>,
          fraction("MLPerf Storage's AU, of each epoch with the faithful client; null where the "
                   "run is INVALID")
              .more()
              .from(kAu))
      .converted(
          "sustained_utilisation", utilisation_of<&R::sustained_utilisation>,
          set_utilisation<&R::sustained_utilisation>,
          fraction("sustained AU, which the verdict is about: compute time over wall time in the "
                   "steady state; 0 of 0 steps where the run was too short to have one; null "
                   "where it is INVALID")
              .more()
              .from("docs/guide/find.md, Sustained AU"))
      .add("steady_steps", &R::steady_steps, number("steps of that steady state"))
      .add(
          "sustained_samples_per_second", &R::sustained_samples_per_second,
          per_second("samples that the accelerators took at that utilisation: never more than they "
                     "demand")
              .more())
      .add("sustained_bytes_per_second", &R::sustained_bytes_per_second,
           byte_rate("of those samples").more())
      .add("epochs", &R::epochs, things("each by itself"))
      .add("steps", &R::steps, number("steps of each accelerator, over the whole run"))
      .add("samples", &R::samples, number("that the steps consumed"))
      .add("seconds", &R::seconds, seconds("from the first read to the end of the last step"))
      .add("samples_per_second", &R::samples_per_second,
           per_second("samples consumed, first step included").more())
      .add("samples_per_second_after_first", &R::samples_per_second_after_first,
           per_second(
               "without the first step of the run, which with the faithful client is the fill "
               "of its workers; 0 where there was one step")
               .more()
               .from("MLPerf Storage v1.0 counts the first step, v2.0 and later do not"))
      .add("bytes_per_second", &R::bytes_per_second,
           byte_rate("of the samples that were consumed, at their mean size").more());
}

Rows<RunResult> metric_rows() {
  using R = RunResult;
  return rate_rows()
      .add("read_bytes_per_second", &R::read_bytes_per_second,
           byte_rate("what storage calls moved: alignment and read-ahead included"))
      .add("read_ahead_bytes", &R::read_ahead_bytes,
           bytes("of samples that were read and that nobody consumed"))
      .add("bytes_asked", &R::bytes_asked, bytes("that the samples needed"))
      .add("bytes_moved", &R::bytes_moved, bytes("that the calls moved, alignment included"))
      .derived("moved_over_asked", &R::moved_over_asked,
               ratio("of those two; 0: nothing was asked for").less())
      .add("opens", &R::opens, number("of files"))
      .add("reads", &R::reads, number("of storage"))
      .derived("reads_per_second", &R::reads_per_second, per_second("reads / seconds"))
      .add("samples_read", &R::samples_read, number("samples with what was read ahead"))
      .add("first_batch_seconds", &R::first_batch_seconds,
           seconds("until the last accelerator had its first batch").less())
      .add("open_latency", &R::open_latency, things("of opens"))
      .add("read_latency", &R::read_latency, things("of reads"))
      .add("in_flight_mean", &R::in_flight_mean, number("opens and reads in flight on average"))
      .add("in_flight_limit", &R::in_flight_limit, number("that the readers allow"))
      .add("window_batches", &R::window_batches,
           number("batches, or micro-batches, that a loader may be ahead"))
      .add("transfers_per_sample", &R::transfers_per_sample,
           number("reads at once of a sample that is larger than a transfer"))
      .add("unloaded_read_ms", &R::unloaded_read_ms,
           milliseconds("what a read of this size takes unloaded, by itself; 0: not known").less());
}

Rows<RunResult> client_rows() {
  using R = RunResult;
  return Rows<R>()
      .add("cpu_user_seconds", &R::cpu_user_seconds, seconds("of CPU in the program").less())
      .add("cpu_system_seconds", &R::cpu_system_seconds, seconds("of CPU in the kernel").less())
      .derived("cpu_seconds_per_gigabyte", &R::cpu_seconds_per_gigabyte,
               seconds("of CPU for each 1e9 bytes moved; 0: not known").less())
      .add("reactors", &R::reactors, number("reactor threads"))
      .add("busiest_reactor_utilisation", &R::busiest_reactor_utilisation,
           fraction("CPU time of the busiest of them over the run"))
      .add("busiest_reactor_waiting", &R::busiest_reactor_waiting,
           fraction("of the run in which it was ready but had no core").less())
      .add("peak_memory_bytes", &R::peak_memory_bytes, bytes("of memory at most").less());
}

Rows<RunResult> series_rows() {
  using R = RunResult;
  return Rows<R>()
      .add("interval_seconds", &R::interval_seconds, seconds("that a point sums over"))
      .derived(
          "columns",
          [](const R&) { return std::vector<std::string>{"samples", "bytes", "compute_seconds"}; },
          things("of a point"))
      .converted("points", series_of, set_series, things("in the order of time"));
}

}  // namespace

const Table<OtherTiming>& table_of(Type<OtherTiming>) {
  static const Table<OtherTiming> table =
      Rows<OtherTiming>()
          .add("set", &OtherTiming::set, text("another set of step times of the same accelerator"))
          .add("speed_ratio", &OtherTiming::speed_ratio,
               ratio("its samples/s over those of the set that was used"));
  return table;
}

const Table<JobFacts>& table_of(Type<JobFacts>) {
  using J = JobFacts;
  static const Table<J> table =
      Rows<J>()
          .add("name", &J::workload, text("of the workload"))
          .add("title", &J::title, text("what it is"))
          .add("accelerator", &J::accelerator, text("type that is emulated"))
          .add("timing_source", &J::timing_source, text("where its step time is published"))
          .add("timing_set", &J::timing_set,
               text("set of step times: `storage-benchmark`, `measured`, `user`, `dlio`, ..."))
          .add("other_timings", &J::other_timings, things("the other sets that there are"))
          .add("accelerators", &J::accelerators, number("replicas x tensor x pipeline"))
          .add("batch_samples", &J::batch_samples, number("samples of a replica's step"))
          .add("replicas", &J::replicas, number("of the model: each reads its own batches"))
          .add("tensor_parallel", &J::tensor_parallel, number("accelerators that share a layer"))
          .add("pipeline_parallel", &J::pipeline_parallel, number("stages of layers"))
          .add("micro_batches", &J::micro_batches, number("that a batch is read in"))
          .add("pipeline_bubble", &J::pipeline_bubble,
               fraction("of a step in which a stage of the pipeline has no micro-batch"))
          .add("compute_seconds_per_batch", &J::compute_seconds_per_batch,
               seconds("of an emulated step"))
          .add("demand_bytes_per_second", &J::demand_bytes_per_second,
               byte_rate("that one accelerator takes when it never waits"))
          .derived("replica_demand_bytes_per_second", &J::replica_demand_bytes_per_second,
                   byte_rate("that one replica takes when it never waits"))
          .add("au_threshold", &J::au_threshold, fraction("utilisation that counts as fed"));
  return table;
}

const Table<DatasetFacts>& table_of(Type<DatasetFacts>) {
  using D = DatasetFacts;
  static const Table<D> table = Rows<D>()
                                    .add("directory", &D::directory, text("that it lies in"))
                                    .add("format", &D::format, text("of its files"))
                                    .add("files", &D::files, number("files"))
                                    .add("samples", &D::samples, number("samples in all of them"))
                                    .add("bytes", &D::bytes, bytes("of all files"));
  return table;
}

const Table<EpochResult>& table_of(Type<EpochResult>) {
  using E = EpochResult;
  static const Table<E> table =
      Rows<E>()
          .add("epoch", &E::epoch, number("from 0"))
          .add("steps", &E::steps, number("steps of it"))
          .add("seconds", &E::seconds, seconds("end of the first step to end of the last"))
          .add("accelerator_utilisation", &E::accelerator_utilisation,
               fraction("MLPerf Storage's AU of it").more().from(kAu));
  return table;
}

const Table<StallShare>& table_of(Type<StallShare>) {
  using S = StallShare;
  static const Table<S> table =
      Rows<S>()
          .add("cause", &S::cause, stall_cause())
          .add("own_ns", &S::own_ns,
               nanoseconds("while an accelerator's own batch was not there").less())
          .add("carried_ns", &S::carried_ns, nanoseconds("while another rank's was not").less());
  return table;
}

const Table<StallFraction>& table_of(Type<StallFraction>) {
  static const Table<StallFraction> table =
      Rows<StallFraction>()
          .add("cause", &StallFraction::cause, stall_cause())
          .add("fraction", &StallFraction::fraction, fraction("of all accelerators' time").less());
  return table;
}

const Table<RankStallResult>& table_of(Type<RankStallResult>) {
  using R = RankStallResult;
  static const Table<R> table =
      Rows<R>()
          .add("rank", &R::rank, number("a replica, where accelerators share a model"))
          .add("compute_ns", &R::compute_ns, nanoseconds("in which it computed").more())
          .add("causes", &R::causes, things("those that are not zero"));
  return table;
}

const Table<StallPlace>& table_of(Type<StallPlace>) {
  using P = StallPlace;
  static const Table<P> table =
      Rows<P>()
          .add("cause", &P::cause, stall_cause())
          .add("kind", &P::kind, word("of place", {"file", "directory", "read-size"}))
          .add("name", &P::name, text("of it"))
          .add("ns", &P::ns, nanoseconds("of own stalls of 20 us and more").less());
  return table;
}

const Table<StallResult>& table_of(Type<StallResult>) {
  using S = StallResult;
  static const Table<S> table =
      Rows<S>()
          .add("wall_ns", &S::wall_ns,
               nanoseconds("accelerator-time: replicas (else accelerators) x run time")
                   .from("compute + own and carried time of all causes, exactly"))
          .add("compute_ns", &S::compute_ns, nanoseconds("in which they computed").more())
          .derived("lost_fraction", &S::lost_fraction,
                   fraction("of the accelerator-time that was not compute").less())
          .derived("carried_fraction", &S::carried_fraction,
                   fraction("of the accelerator-time, spent waiting for a slower rank").less())
          .derived("fractions", &S::fractions, things("what was lost by cause, the largest first"))
          .add("causes", &S::causes, things("all of them, always in the same order"))
          .add("ranks", &S::ranks, things("each by itself; a replica's time counts once"))
          .group(
              "series", "accelerator-seconds lost, by cause",
              Rows<S>()
                  .add("interval_seconds", &S::interval_seconds, seconds("that a point sums over"))
                  .derived(
                      "columns",
                      [](const S& stalls) {
                        std::vector<std::string> names;
                        for (const StallShare& share : stalls.causes) names.push_back(share.cause);
                        return names;
                      },
                      things("causes, in the order of a point"))
                  .add("points", &S::series, things("in the order of time")))
          .add("places", &S::places, things("where most was lost"))
          .derived("worst_place", &S::worst_place,
                   things("the file or directory that cost most; null where none cost a tenth of "
                          "what was lost"))
          .derived("worst_place_fraction", &S::worst_place_fraction,
                   fraction("of what was lost that it cost").less());
  return table;
}

const Table<ByteProcessing>& table_of(Type<ByteProcessing>) {
  using P = ByteProcessing;
  static const Table<P> table =
      Rows<P>()
          .add(
              "level", &P::level,
              word("what the bytes went through once they were there", {"raw", "verify", "decode"}))
          .add("samples", &P::samples, number("that went through it; 0 at `raw`"))
          .add("bytes", &P::bytes, bytes("that went through it"))
          .add("decoded_bytes", &P::decoded_bytes, bytes("of tensors that came out"))
          .add("cpu_seconds", &P::cpu_seconds, seconds("it took; 0 on the virtual clock").less())
          .derived("cpu_seconds_per_sample", &P::cpu_seconds_per_sample,
                   seconds("of CPU for each sample").less())
          .derived("bytes_per_cpu_second", &P::bytes_per_cpu_second,
                   byte_rate("that one core could do of it; 0: not known").more());
  return table;
}

const Table<RunCheckpoints>& table_of(Type<RunCheckpoints>) {
  using C = RunCheckpoints;
  static const Table<C> table =
      Rows<C>()
          .add("model", &C::model, text("that was saved"))
          .add("directory", &C::directory, text("they went to"))
          .add("layout", &C::layout, text("of their files"))
          .add("mode", &C::mode, word("how they are taken", checkpoint_modes()))
          .add("every", &C::every, text("how often"))
          .add("ranks", &C::ranks, number("that wrote"))
          .add("count", &C::count, number("checkpoints"))
          .add("bytes", &C::bytes, bytes("of the last"))
          .add("stored_bytes", &C::stored_bytes, bytes("that were written for all"))
          .add("blocked_seconds", &C::blocked_seconds, seconds("in which no step was made").less())
          .add("blocked_median_seconds", &C::blocked_median_seconds, seconds("for one").less())
          .add("restorable_median_seconds", &C::restorable_median_seconds,
               seconds("from the beginning of one until a restart would find it").less());
  return table;
}

const Table<HostTime>& table_of(Type<HostTime>) {
  using H = HostTime;
  static const Table<H> table =
      Rows<H>()
          .add("stopped_seconds", &H::stopped_seconds,
               seconds("the process was stopped or frozen").less())
          .add("quota_seconds", &H::quota_seconds, seconds("its CPU quota was used up").less())
          .add("stolen_seconds", &H::stolen_seconds,
               seconds("the hypervisor ran another guest").less())
          .add("throttled_cpu_seconds", &H::throttled_cpu_seconds,
               seconds("of CPU held back by quotas, over all processors").less().from("cpu.stat"))
          .add("stolen_cpu_seconds", &H::stolen_cpu_seconds,
               seconds("of CPU stolen, over all processors").less().from("/proc/stat"));
  return table;
}

const Table<EpochIo>& table_of(Type<EpochIo>) {
  using E = EpochIo;
  static const Table<E> table =
      Rows<E>()
          .add("epoch", &E::epoch, number("from 0"))
          .add("located_bytes", &E::located_bytes, bytes("that its samples take in the files"))
          .add("returned_bytes", &E::returned_bytes, bytes("that reads returned for them"))
          .add("resident_before", &E::resident_before,
               fraction("of the data set in the page cache; null: not known"))
          .add("resident_after", &E::resident_after, fraction("the same after it"));
  return table;
}

const Table<IoLedger>& table_of(Type<IoLedger>) {
  using I = IoLedger;
  static const Table<I> table =
      Rows<I>()
          .add("storage_share", &I::storage_share,
               fraction("of the bytes that came from storage; null where nobody can tell"))
          .add("page_cache_share", &I::page_cache_share, fraction("from this host's page cache"))
          .add("memory_share", &I::memory_share,
               fraction("from memory below the file system: tmpfs, zram, a loop device's cache"))
          .add("origin", &I::origin, word("what lies at the bottom of the path", kOrigins))
          .add("origin_reason", &I::origin_reason, text("why, for memory and unknown"))
          .add("shrunk", &I::shrunk, text("why the device moves fewer bytes than the files have"))
          .add("process_read_bytes", &I::process_read_bytes,
               bytes("that this process had devices read; null where nobody counts it")
                   .from("read_bytes of /proc/self/io"))
          .add("basis", &I::basis, word("that the shares rest on", kBases))
          .add("wire", &I::wire, text("device or network that was counted"))
          .add("wire_unknown", &I::wire_unknown, text("or why none was"))
          .add("wire_bytes_per_second_max", &I::wire_bytes_per_second_max,
               byte_rate("speed of the network's interface; 0: not known"))
          .add("wire_read_bytes", &I::wire_read_bytes,
               bytes("that it moved during the run, for others, too; null: not counted"))
          .add("cgroup_read_bytes", &I::cgroup_read_bytes,
               bytes("that this process's control group had it read; null: not counted")
                   .from("io.stat, or blkio.throttle of version 1"))
          .add("probe_bytes", &I::probe_bytes,
               bytes("read before the run, to learn what a read takes"))
          .add("resident_before", &I::resident_before,
               fraction("of the data set in the page cache; null: not known"))
          .add("resident_after", &I::resident_after, fraction("the same after the run"))
          .add("residency_method", &I::residency_method, text("who says so, or why nobody can"))
          .add("epochs", &I::epochs, things("each by itself"));
  return table;
}

const Table<ClientCeiling>& table_of(Type<ClientCeiling>) {
  using C = ClientCeiling;
  static const Table<C> table =
      Rows<C>()
          .add("seconds", &C::seconds, seconds("of that trial; 0: there was none"))
          .add("samples_per_second", &C::samples_per_second, per_second("samples").more())
          .add("accelerators", &C::accelerators, number("that they would feed").more())
          .add("cpu_seconds_per_sample", &C::cpu_seconds_per_sample,
               seconds("of CPU of the client alone").less());
  return table;
}

const Table<Limiter>& table_of(Type<Limiter>) {
  static const Table<Limiter> table =
      Rows<Limiter>()
          .add("kind", &Limiter::kind, word("what keeps the accelerators from more", kLimiters))
          .add("text", &Limiter::text, text("a sentence with the figures"));
  return table;
}

const Table<RunResult>& table_of(Type<RunResult>) {
  using R = RunResult;
  static const Table<R> table = report_table<R>(
      Rows<R>()
          .add("workload", &R::job, things("the emulated job"))
          .add("dataset", &R::dataset, things("that was read"))
          .group("metrics", "of the whole run, unless it is said otherwise", metric_rows())
          .group("series", "sums over time", series_rows())
          .group("client", "what reading took of this host; zero on the virtual clock",
                 client_rows())
          .add("processing", &R::processing, things("of the bytes"))
          .add("stalls", &R::stalls, things("every accelerator-second, explained"))
          .add("checkpoints", &R::checkpoints, things("of `--checkpoint-every`; else null"))
          .derived("checkpoint_blocked_fraction", &R::checkpoint_blocked_fraction,
                   fraction("of the run in which checkpoints let no step be made").less())
          .add("host_time", &R::host_time,
               things("in which this host did not let the client run, of the thread that it hit "
                      "longest"))
          .add("io", &R::io, things("where the bytes came from"))
          .add("limiter", &R::limiter, things("what keeps the accelerators from more"))
          .add("client_ceiling", &R::ceiling,
               things("this client with storage that takes no time: the no-storage ceiling")));
  return table;
}

}  // namespace feedrate
