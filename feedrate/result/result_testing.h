// Reports for tests: every member has a value of its own, so that a key which shows another
// member's value is found. The figures make no sense together, but those that follow from others
// are easy to work out by hand.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "feedrate/result/views.h"

namespace feedrate {

using TestJson = nlohmann::ordered_json;

inline TestJson json_of(const Report& report) { return TestJson::parse(to_json(report)); }

// Returns whether the text of a report has this line.
inline bool has_line(const Report& report, const std::string& line, bool explain = false) {
  return ("\n" + to_text(report, explain)).find("\n" + line + "\n") != std::string::npos;
}

inline LatencySummary a_latency(std::uint64_t count) {
  const auto base = static_cast<double>(count);
  return {count,    base + 0.5, base + 1, base + 2,
          base + 3, base + 4,   base + 5, {{1000, count}, {2000, count + 1}}};
}

inline void fill_envelope(Envelope& report, const std::string& verb) {
  report.verb = verb;
  report.valid = true;
  report.interrupted = true;
  report.warnings = {"a warning", "another"};
  report.errors = {{"io", 2, "read \"x\" at offset 3: Input/output error"}};
  report.requested = {{"storage", "null"}, {"steps", "7"}};
  report.effective = {{"client", "faithful"},
                      {"readers", "4"},
                      {"io", "direct"},
                      {"transfer", "256 KiB"},
                      {"clock", "virtual"}};
  report.seeds = {{"order", 11}, {"content", 12}};
  report.place = {"/data", "posix", "direct", "real"};
  report.host = {"a host", "Linux 6", "a cpu", "feedrate 0", 13, 14, "2026-01-01T00:00:00Z"};
  report.cost = Cost{15.5, 16.5, 17.5, 18};
}

inline JobFacts a_job() {
  JobFacts job;
  job.workload = "resnet50";
  job.title = "a title";
  job.accelerator = "h100";
  job.timing_source = "a source";
  job.timing_set = "measured";
  job.other_timings = {{"storage-benchmark", 0.25}, {"user", 3.9}};
  job.accelerators = 48;
  job.batch_samples = 400;
  job.replicas = 6;
  job.tensor_parallel = 4;
  job.pipeline_parallel = 2;
  job.micro_batches = 10;
  job.pipeline_bubble = 0.125;
  job.compute_seconds_per_batch = 0.224;
  job.demand_bytes_per_second = 2e8;
  job.au_threshold = 0.9;
  return job;
}

inline DatasetFacts a_dataset() { return {"/data", "tfrecord", 14, 17514, 2008000000}; }

inline StallResult some_stalls() {
  StallResult stalls;
  stalls.wall_ns = 1000000;
  stalls.compute_ns = 600000;
  stalls.causes = {{"startup", 50000, 0}, {"open", 10000, 20000}, {"first-byte", 200000, 120000}};
  stalls.ranks = {{1, 300000, {{"open", 10000, 0}}}};
  stalls.interval_seconds = 2;
  stalls.series = {{0.5, 0.25, 0.125}, {0, 1, 2}};
  stalls.places = {{"first-byte", "file", "/data/slow", 100000},
                   {"first-byte", "read-size", "2 MiB", 190000}};
  return stalls;
}

inline IoLedger a_ledger() {
  IoLedger io;
  io.epochs = {{3, 5000, 6000, 0.01, 0.02}};
  io.probe_bytes = 4096;
  io.wire = "ext4 on vda1";
  io.wire_unknown = "nobody counts it";
  io.wire_bytes_per_second_max = 1.25e9;
  io.wire_read_bytes = 7000;
  io.cgroup_read_bytes = 7001;
  io.resident_before = 0.03;
  io.resident_after = 0.04;
  io.residency_method = "cachestat";
  io.origin = "storage";
  io.origin_reason = "a reason";
  io.shrunk = "it is compressed";
  io.process_read_bytes = 7002;
  io.storage_share = 0.75;
  io.page_cache_share = 0.2;
  io.memory_share = 0.05;
  io.basis = "device counter";
  return io;
}

inline RunResult full_run() {
  RunResult run;
  fill_envelope(run, "train");
  run.job = a_job();
  run.dataset = a_dataset();
  run.accelerator_utilisation = 0.95;
  run.sustained_utilisation = 0.92;
  run.steady_steps = 8;
  run.sustained_samples_per_second = 6500;
  run.sustained_bytes_per_second = 8e8;
  run.epochs = {{5, 9, 2.25, 0.955}};
  run.steps = 10;
  run.samples = 16000;
  run.seconds = 2.5;
  run.samples_per_second = 6400;
  run.samples_per_second_after_first = 6450;
  run.bytes_per_second = 8.2e8;
  run.read_bytes_per_second = 8.5e8;
  run.read_ahead_bytes = 3 << 20;
  run.bytes_asked = 2000000000;
  run.bytes_moved = 2100000000;
  run.opens = 70;
  run.reads = 900;
  run.samples_read = 17000;
  run.first_batch_seconds = 0.5;
  run.open_latency = a_latency(70);
  run.read_latency = a_latency(900);
  run.in_flight_mean = 16.9;
  run.in_flight_limit = 32;
  run.window_batches = 3;
  run.transfers_per_sample = 4;
  run.unloaded_read_ms = 0.75;
  run.interval_seconds = 3;
  run.series = {{100, 1e6, 2.5}, {50, 5e5, 1}};
  run.cpu_user_seconds = 0.12;
  run.cpu_system_seconds = 0.3;
  run.reactors = 21;
  run.busiest_reactor_utilisation = 0.08;
  run.busiest_reactor_waiting = 0.015;
  run.peak_memory_bytes = 79000000;
  run.processing = {"decode", 15000, 1800000000, 9600000000, 45};
  run.stalls = some_stalls();
  run.host_time = {0.1, 0.11, 0.13, 0.14, 0.16};
  run.checkpoints = {"llama3-8b", "/ck",     "dcp",     "asynchronous", "500 steps", 8,
                     3,           112 << 20, 310 << 20, 0.625,          0.2,         4};
  run.io = a_ledger();
  run.ceiling = {0.6, 100000, 56.5, 0.00001};
  run.limiter = {"storage", "the storage: because"};
  return run;
}

inline FindResult full_search() {
  FindResult find;
  find.client = "native";
  find.job = a_job();
  find.dataset = a_dataset();
  find.io = "buffered";
  find.clock = "virtual";
  find.reactors = 22;
  find.seeds = {{"order", 23}};
  find.warnings = {"of the search"};
  find.errors = {{"corrupt", 24, "a message"}};
  find.accelerators = 20;
  find.accelerators_low = 16;
  find.accelerators_high = 25;
  find.measured = true;
  find.by_rate = 26;
  find.rate_bytes_per_second = 27e6;
  find.limit = 100;
  find.limited_by = "storage";
  find.reason = "because";
  find.findings = {"a finding"};
  find.narrower_budget_seconds = 100;
  find.narrower_numbers = 3;
  find.budget_seconds = 60;
  find.spent_seconds = 43.25;
  find.samples_max = 28;
  find.samples_read = true;
  find.first_look_budget_seconds = 29;
  find.repeatable = false;
  find.asked = 0;
  find.read_again = true;
  find.just_written = true;
  find.most_tried = true;
  find.cold = ColdAnswer{10, 9, 11, 1e9, 2e9};
  find.job_times_larger = 7.5;
  find.noise_seconds = 0.0004;
  find.correlation_seconds = 0.02;
  find.depth_reads = 128;
  find.transfer_bytes = 2 << 20;
  find.read_ahead_bytes = 40 << 20;
  find.depths = {{32, 2 << 20, 2e9, 1.5}, {64, 1 << 20, 3.7e9, 2.5}};
  find.saturated = true;
  find.points = {{17, 0.93, 0.011, 12.5, 2, "fed"}, {26, 0.88, 0.012, 9.5, 3, "not-fed"}};
  find.trials = {{19, true, 31, 1.25, 2.75, 33, 0.91, true, 2.5, 34, 35}};
  find.at_answer = full_run();
  find.beyond = full_run();
  find.beyond->job.accelerators = 56;
  find.interrupted = false;
  find.ceiling = {0.7, 110000, 57.5, 0.00002};
  return find;
}

inline FindReport full_find() {
  FindReport report;
  fill_envelope(report, "find");
  report.searches = {full_search(), full_search()};
  report.searches[1].client = "faithful";
  report.searches[1].narrower_budget_seconds = 200;
  report.searches[1].narrower_numbers = 4;
  return report;
}

inline CheckpointPass a_pass(std::uint64_t step, double seconds) {
  CheckpointPass pass;
  pass.step = step;
  pass.bytes = 1000 << 20;
  pass.stored_bytes = 500 << 20;
  pass.waited_seconds = 0.25;
  pass.blocked_seconds = seconds + 1;
  pass.persisted_seconds = seconds + 2;
  pass.restorable_seconds = seconds + 3;
  pass.shared_seconds = seconds + 4;
  pass.seconds = seconds;
  pass.publish_seconds = 0.125;
  pass.ranks = {{0, 250 << 20, seconds / 2}, {3, 250 << 20, seconds}};
  pass.summarise();
  return pass;
}

inline GoodputResult a_goodput() {
  GoodputResult run;
  run.accelerator_mtbf_seconds = 7200;
  run.mtbf_seconds = 900;
  run.interval_seconds = 60;
  run.restart_seconds = 30;
  run.restore_seconds = 20;
  run.elapsed_seconds = 1000;
  run.lasting_seconds = 800;
  run.lost_seconds = 100;
  run.blocked_seconds = 50;
  run.restarting_seconds = 40;
  run.restoring_seconds = 10;
  run.failures = 5;
  run.while_writing = 2;
  run.while_restarting = 1;
  run.checkpoints = 16;
  run.closed_form = 0.81;
  run.best_interval_seconds = 75;
  run.best_goodput = 0.82;
  return run;
}

inline CheckpointResult full_checkpoint() {
  CheckpointResult result;
  fill_envelope(result, "checkpoint");
  result.model = "llama3-8b";
  result.title = "a model";
  result.layout = "dcp";
  result.kept_on = "\"ck\"";
  result.tensor = 4;
  result.pipeline = 2;
  result.data = 3;
  result.ranks_written = 5;
  result.zero_stage = 1;
  result.scale = 0.5;
  result.files = 41;
  result.kept = 7;
  result.block_bytes = 4 << 20;
  result.at_once = 9;
  result.threads = 6;
  result.asynchronous = true;
  result.incremental = true;
  result.local = "/local";
  result.snapshot_memory_bytes = 1 << 30;
  result.write_limit_bytes_per_second = 2e8;
  result.read_by = "tensor 2";
  result.needed_bytes = 700 << 20;
  result.steps_read = 8;
  result.passes = {a_pass(10, 4), a_pass(20, 2), a_pass(30, 3)};
  result.passes[1].parent = 10;
  result.goodput = a_goodput();
  result.write_latency = a_latency(51);
  result.sync_latency = a_latency(52);
  result.read_latency = a_latency(53);
  result.generation_bytes_per_second = 3e9;
  result.verified = true;
  result.skipped = {"step 5: damaged"};
  return result;
}

inline CheckpointResult full_restore() {
  CheckpointResult result = full_checkpoint();
  result.verb = "restore";
  return result;
}

inline CompactResult full_compact() {
  CompactResult result;
  fill_envelope(result, "compact");
  result.step = 30;
  result.bytes = 64 << 20;
  result.steps_read = 3;
  result.seconds = 0.5;
  result.removed = {10, 20};
  return result;
}

inline LoadResult full_load() {
  LoadResult result;
  fill_envelope(result, "load");
  result.model = "llama3-8b";
  result.title = "a model";
  result.source = "step 3";
  result.replicas = 2;
  result.tensor = 4;
  result.scale = 0.25;
  result.needed_bytes = 100 << 20;
  result.read_bytes = 200000000;
  result.storage_bytes = 50 << 20;
  result.storage_basis = "process counter";
  result.ready_seconds = {2, 1.5};
  result.block_bytes = 8 << 20;
  result.at_once = 16;
  result.threads = 3;
  result.verified = true;
  result.read_latency = a_latency(61);
  result.skipped = {"step 20: damaged"};
  return result;
}

inline PlannedStorage a_storage(const std::string& name, double units) {
  PlannedStorage storage;
  storage.name = name;
  storage.title = "title of " + name;
  storage.unit = "drive";
  storage.units = units;
  storage.bound_by = "read bandwidth of training";
  storage.phases = {{"training", units}, {"checkpoint", 2}};
  storage.servers = units + 1;
  storage.servers_bound_by = "slots";
  storage.servers_by = "24 each (a source)";
  storage.bindings = {{"training", "read bandwidth", 3.5, "7 / 2", "a data sheet"},
                      {"all", "capacity", 1, "4 / 4", "another"}};
  storage.unknown = {"opens"};
  storage.ports = units + 2;
  storage.ports_per_server = 4;
  storage.one_directory = "one directory halves it";
  storage.directories = {"a line", "a second"};
  storage.requests = 640;
  return storage;
}

inline PlanPoint a_point(double accelerators) {
  PlanPoint point;
  point.accelerators = accelerators;
  JobPlan job{"resnet50", "a title", {}, {"a remark of the job"}};
  Section training{"training", "Training", {}, {"a remark"}};
  training.add("read_bandwidth", "read bandwidth", Measure(BytesPerSecond(1.5e9)), "3 x 0.5",
               "a paper");
  training.add("epoch", "an epoch takes", Measure(Seconds(90)), "", "");
  job.sections = {training};
  point.jobs = {job};
  PlannedUse use;
  use.figures = {"train", "Storage for training", {}, {"a remark of the use"}};
  use.figures.add("capacity", "capacity", Measure(Bytes(2e12)), "2 x 1e12", "the option");
  use.storages = {a_storage("nvme", accelerators + 3)};
  use.timing = "measured";
  use.other_timing = "storage-benchmark";
  use.other_timing_key = "benchmark";
  use.others = {a_storage("nvme", accelerators + 9)};
  point.uses = {use};
  return point;
}

inline PlanResult full_plan() {
  PlanResult plan;
  fill_envelope(plan, "plan");
  plan.points = {a_point(0)};
  plan.port = {"eth", "Ethernet", 12.5e9, 0.8, "a standard", "a measurement", "a port's note"};
  return plan;
}

inline PlanResult full_sweep() {
  PlanResult plan = full_plan();
  plan.sweep = true;
  plan.points = {a_point(8), a_point(64)};
  return plan;
}

inline DoctorReport full_doctor() {
  DoctorReport report;
  fill_envelope(report, "doctor");
  report.looked_at = "/here";
  report.subject = "empty";
  report.findings = {{"clock", FindingVerdict::kOk, "tsc", "", ""},
                     {"read-ahead", FindingVerdict::kWarn, "8 MiB", "because", "do this"},
                     {"open files", FindingVerdict::kBad, "40", "since", "do that"},
                     {"NUMA", FindingVerdict::kUnknown, "not countable here: no", "", ""}};
  return report;
}

inline DatagenResult full_datagen() {
  DatagenResult result;
  fill_envelope(result, "datagen");
  result.workload = "unet3d";
  result.title = "a title";
  result.dataset = {"/data", "npz", 168, 169, 23ULL << 30U};
  result.dry_run = true;
  result.files_written = 100;
  result.files_kept = 68;
  result.bytes_written = 3000000000;
  result.seconds = 2;
  return result;
}

inline DropResult full_drop() {
  DropResult result;
  fill_envelope(result, "drop-caches");
  result.files = 8;
  result.file_bytes = 4 << 20;
  result.bytes_before = 3 << 20;
  result.bytes_after = 1 << 20;
  result.method = "cachestat";
  result.files_unknown = 4;
  result.files_failed = 5;
  result.files_kept = 1;
  result.kept = {{"/data/x", 1 << 20, "it is mapped", "end that process"}};
  return result;
}

inline WorkloadsReport full_workloads() {
  WorkloadsReport report;
  fill_envelope(report, "workloads");
  report.workloads = {
      {"unet3d", "a title", "npz", 168, 169, 23ULL << 30U, {{"measured", {"a100", "h100"}}}}};
  return report;
}

inline WorkloadsReport full_formats() {
  WorkloadsReport report;
  fill_envelope(report, "workloads");
  report.formats = {{"tfrecord", ".tfrecord", ".idx", false, true, false, 262144},
                    {"file", "", "", true, false, true, 4 << 20}};
  return report;
}

inline TogetherReport full_together() {
  TogetherReport report;
  fill_envelope(report, "together");
  report.jobs.resize(2);
  report.jobs[0].job = "train unet3d";
  report.jobs[0].train = full_run();
  report.jobs[0].train_alone = full_run();
  report.jobs[0].train_alone->samples_per_second_after_first =
      2 * full_run().samples_per_second_after_first;
  report.jobs[1].job = "checkpoint llama3-8b x";
  report.jobs[1].checkpoint = full_checkpoint();
  return report;
}

// Returns one report of each type and of each verb.
inline std::vector<Report> all_reports() {
  return {full_run(),  full_find(),      full_checkpoint(), full_restore(), full_compact(),
          full_load(), full_plan(),      full_sweep(),      full_doctor(),  full_datagen(),
          full_drop(), full_workloads(), full_formats(),    full_together()};
}

}  // namespace feedrate
