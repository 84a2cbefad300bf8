// Tests that each key shows its own member. The reports of result_testing.h have a different value
// in each, so two keys that were exchanged both in writing and in reading would be found here.
#include <gtest/gtest.h>

#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

void expect_at(const TestJson& report, const char* pointer, const char* expected) {
  const TestJson json = report.at(TestJson::json_pointer(pointer));
  EXPECT_EQ(json, TestJson::parse(expected)) << pointer << " is " << json.dump();
}

TEST(Keys, OfTheEnvelope) {
  const TestJson json = json_of(full_run());
  expect_at(json, "/valid", R"(true)");
  expect_at(json, "/interrupted", R"(true)");
  expect_at(json, "/errors",
            R"([{"kind": "io", "count": 2,
      "first_message": "read \"x\" at offset 3: Input/output error"}])");
  expect_at(json, "/requested", R"({"steps": "7", "storage": "null"})");
  expect_at(json, "/seeds", R"({"content": 12, "order": 11})");
  expect_at(json, "/place",
            R"({"directory": "/data", "storage": "posix", "io": "direct", "clock": "real"})");
  expect_at(
      json, "/host",
      R"({"name": "a host", "kernel": "Linux 6", "cpu": "a cpu", "cores": 13, "memory_bytes": 14,
      "build": "feedrate 0", "date": "2026-01-01T00:00:00Z"})");
  expect_at(json, "/cost",
            R"({"wall_seconds": 15.5, "cpu_user_seconds": 16.5, "cpu_system_seconds": 17.5,
      "peak_memory_bytes": 18})");
}

TEST(Keys, OfARunsJob) {
  const TestJson json = json_of(full_run());
  expect_at(json, "/result/workload",
            R"({"name": "resnet50", "title": "a title", "accelerator": "h100",
      "timing_source": "a source",
      "timing_set": "measured", "other_timings": [{"set": "storage-benchmark", "speed_ratio":
      0.25}, {"set": "user", "speed_ratio": 3.9}], "accelerators": 48, "batch_samples": 400,
      "replicas": 6, "tensor_parallel": 4, "pipeline_parallel": 2, "micro_batches": 10,
      "pipeline_bubble": 0.125, "compute_seconds_per_batch": 0.224, "demand_bytes_per_second":
      200000000.0, "replica_demand_bytes_per_second": 1600000000.0, "au_threshold": 0.9})");
  expect_at(json, "/result/dataset",
            R"({"directory": "/data", "format": "tfrecord", "files": 14, "samples": 17514, "bytes":
      2008000000})");
}

TEST(Keys, OfARunsFigures) {
  const TestJson json = json_of(full_run());
  expect_at(json, "/result/metrics/accelerator_utilisation", R"(0.95)");
  expect_at(json, "/result/metrics/sustained_utilisation", R"(0.92)");
  expect_at(json, "/result/metrics/steady_steps", R"(8)");
  expect_at(json, "/result/metrics/sustained_samples_per_second", R"(6500.0)");
  expect_at(json, "/result/metrics/sustained_bytes_per_second", R"(800000000.0)");
  expect_at(json, "/result/metrics/epochs",
            R"([{"epoch": 5, "steps": 9, "seconds": 2.25, "accelerator_utilisation": 0.955}])");
  expect_at(json, "/result/metrics/steps", R"(10)");
  expect_at(json, "/result/metrics/samples", R"(16000)");
  expect_at(json, "/result/metrics/seconds", R"(2.5)");
  expect_at(json, "/result/metrics/samples_per_second", R"(6400.0)");
  expect_at(json, "/result/metrics/samples_per_second_after_first", R"(6450.0)");
  expect_at(json, "/result/metrics/bytes_per_second", R"(820000000.0)");
  expect_at(json, "/result/metrics/read_bytes_per_second", R"(850000000.0)");
  expect_at(json, "/result/metrics/read_ahead_bytes", R"(3145728.0)");
  expect_at(json, "/result/metrics/bytes_asked", R"(2000000000)");
  expect_at(json, "/result/metrics/bytes_moved", R"(2100000000)");
  expect_at(json, "/result/metrics/moved_over_asked", R"(1.05)");
  expect_at(json, "/result/metrics/opens", R"(70)");
  expect_at(json, "/result/metrics/reads", R"(900)");
  expect_at(json, "/result/metrics/reads_per_second", R"(360.0)");
  expect_at(json, "/result/metrics/samples_read", R"(17000)");
  expect_at(json, "/result/metrics/first_batch_seconds", R"(0.5)");
  expect_at(
      json, "/result/metrics/open_latency",
      R"({"count": 70, "mean_ms": 70.5, "p50_ms": 71.0, "p90_ms": 72.0, "p99_ms": 73.0, "p999_ms":
      74.0, "max_ms": 75.0, "buckets_ns": [[1000, 70], [2000, 71]]})");
  expect_at(json, "/result/metrics/read_latency",
            R"({"count": 900, "mean_ms": 900.5, "p50_ms": 901.0, "p90_ms": 902.0, "p99_ms": 903.0,
      "p999_ms": 904.0, "max_ms": 905.0, "buckets_ns": [[1000, 900], [2000, 901]]})");
  expect_at(json, "/result/metrics/in_flight_mean", R"(16.9)");
  expect_at(json, "/result/metrics/in_flight_limit", R"(32)");
  expect_at(json, "/result/metrics/window_batches", R"(3)");
  expect_at(json, "/result/metrics/transfers_per_sample", R"(4)");
  expect_at(json, "/result/metrics/unloaded_read_ms", R"(0.75)");
}

TEST(Keys, OfARunsClientAndSeries) {
  const TestJson json = json_of(full_run());
  expect_at(json, "/result/client/cpu_user_seconds", R"(0.12)");
  expect_at(json, "/result/client/cpu_system_seconds", R"(0.3)");
  expect_at(json, "/result/client/reactors", R"(21)");
  expect_at(json, "/result/client/busiest_reactor_utilisation", R"(0.08)");
  expect_at(json, "/result/client/busiest_reactor_waiting", R"(0.015)");
  expect_at(json, "/result/client/peak_memory_bytes", R"(79000000)");
  expect_at(
      json, "/result/series",
      R"({"interval_seconds": 3.0, "columns": ["samples", "bytes", "compute_seconds"], "points":
      [[100.0, 1000000.0, 2.5], [50.0, 500000.0, 1.0]]})");
  expect_at(
      json, "/result/processing",
      R"({"level": "decode", "samples": 15000, "bytes": 1800000000, "decoded_bytes": 9600000000,
      "cpu_seconds": 45.0, "cpu_seconds_per_sample": 0.003, "bytes_per_cpu_second": 40000000.0})");
  expect_at(json, "/result/client_ceiling",
            R"({"seconds": 0.6, "samples_per_second": 100000.0, "accelerators": 56.5,
      "cpu_seconds_per_sample": 1e-05})");
  expect_at(json, "/result/host_time",
            R"({"stopped_seconds": 0.1, "quota_seconds": 0.11, "stolen_seconds": 0.13,
      "throttled_cpu_seconds": 0.14, "stolen_cpu_seconds": 0.16})");
  expect_at(json, "/result/limiter", R"({"kind": "storage", "text": "the storage: because"})");
}

TEST(Keys, OfARunsStalls) {
  const TestJson json = json_of(full_run());
  expect_at(json, "/result/stalls/wall_ns", R"(1000000)");
  expect_at(json, "/result/stalls/compute_ns", R"(600000)");
  expect_at(json, "/result/stalls/lost_fraction", R"(0.4)");
  expect_at(json, "/result/stalls/carried_fraction", R"(0.14)");
  expect_at(json, "/result/stalls/fractions",
            R"([{"cause": "first-byte", "fraction": 0.32}, {"cause": "startup", "fraction": 0.05},
      {"cause": "open", "fraction": 0.03}])");
  expect_at(
      json, "/result/stalls/causes",
      R"([{"cause": "startup", "own_ns": 50000, "carried_ns": 0}, {"cause": "open", "own_ns": 10000,
      "carried_ns": 20000}, {"cause": "first-byte", "own_ns": 200000, "carried_ns": 120000}])");
  expect_at(json, "/result/stalls/ranks",
            R"([{"rank": 1, "compute_ns": 300000, "causes": [{"cause": "open", "own_ns": 10000,
      "carried_ns": 0}]}])");
  expect_at(
      json, "/result/stalls/series",
      R"({"interval_seconds": 2.0, "columns": ["startup", "open", "first-byte"], "points": [[0.5,
      0.25, 0.125], [0.0, 1.0, 2.0]]})");
  expect_at(
      json, "/result/stalls/places",
      R"([{"cause": "first-byte", "kind": "file", "name": "/data/slow", "ns": 100000}, {"cause":
      "first-byte", "kind": "read-size", "name": "2 MiB", "ns": 190000}])");
  expect_at(json, "/result/stalls/worst_place",
            R"({"cause": "first-byte", "kind": "file", "name": "/data/slow", "ns": 100000})");
  expect_at(json, "/result/stalls/worst_place_fraction", R"(0.25)");
}

TEST(Keys, OfARunsBytesAndCheckpoints) {
  const TestJson json = json_of(full_run());
  expect_at(
      json, "/result/io",
      R"({"storage_share": 0.75, "page_cache_share": 0.2, "memory_share": 0.05, "origin": "storage",
      "origin_reason": "a reason", "shrunk": "it is compressed", "process_read_bytes": 7002,
      "basis": "device counter", "wire": "ext4 on vda1", "wire_unknown": "nobody counts it",
      "wire_bytes_per_second_max": 1250000000.0, "wire_read_bytes": 7000, "cgroup_read_bytes":
      7001, "probe_bytes": 4096, "resident_before": 0.03, "resident_after": 0.04,
      "residency_method": "cachestat", "epochs": [{"epoch": 3, "located_bytes": 5000,
      "returned_bytes": 6000, "resident_before": 0.01, "resident_after": 0.02}]})");
  expect_at(json, "/result/checkpoints",
            R"({"model": "llama3-8b", "directory": "/ck", "layout": "dcp", "mode": "asynchronous",
      "every":
      "500 steps", "ranks": 8, "count": 3, "bytes": 117440512, "stored_bytes": 325058560,
      "blocked_seconds": 0.625, "blocked_median_seconds": 0.2, "restorable_median_seconds": 4.0})");
  expect_at(json, "/result/checkpoint_blocked_fraction", R"(0.25)");
}

TEST(Keys, OfASearchsAnswer) {
  const TestJson json = json_of(full_find());
  expect_at(json, "/result/searches/0/client", R"("native")");
  expect_at(json, "/result/searches/0/io", R"("buffered")");
  expect_at(json, "/result/searches/0/clock", R"("virtual")");
  expect_at(json, "/result/searches/0/reactors", R"(22)");
  expect_at(json, "/result/searches/0/accelerators", R"(20)");
  expect_at(json, "/result/searches/0/accelerators_low", R"(16)");
  expect_at(json, "/result/searches/0/accelerators_high", R"(25)");
  expect_at(json, "/result/searches/0/form", R"("range")");
  expect_at(json, "/result/searches/0/measured", R"(true)");
  expect_at(json, "/result/searches/0/open_above", R"(false)");
  expect_at(json, "/result/searches/0/too_short", R"(false)");
  expect_at(json, "/result/searches/0/by_rate", R"(26)");
  expect_at(json, "/result/searches/0/rate_bytes_per_second", R"(27000000.0)");
  expect_at(json, "/result/searches/0/limit", R"(100)");
  expect_at(json, "/result/searches/0/limited_by", R"("storage")");
  expect_at(json, "/result/searches/0/reason", R"("because")");
  expect_at(json, "/result/searches/0/findings", R"(["a finding"])");
  expect_at(json, "/result/searches/0/asked", R"(0)");
  expect_at(json, "/result/searches/0/answer", R"("")");
  expect_at(json, "/result/searches/0/seeds", R"({"order": 23})");
  expect_at(json, "/result/searches/0/warnings", R"(["of the search"])");
  expect_at(json, "/result/searches/0/errors",
            R"([{"kind": "corrupt", "count": 24, "first_message": "a message"}])");
  expect_at(json, "/result/searches/0/budget_seconds", R"(60.0)");
  expect_at(json, "/result/searches/0/spent_seconds", R"(43.25)");
}

TEST(Keys, OfASearchsEvidence) {
  const TestJson json = json_of(full_find());
  expect_at(json, "/result/searches/0/samples_max", R"(28)");
  expect_at(json, "/result/searches/0/samples_read", R"(true)");
  expect_at(json, "/result/searches/0/narrower_budget_seconds", R"(100.0)");
  expect_at(json, "/result/searches/0/narrower_numbers", R"(3)");
  expect_at(json, "/result/searches/0/first_look_budget_seconds", R"(29.0)");
  expect_at(json, "/result/searches/0/suggested_budget_seconds", R"(0.0)");
  expect_at(json, "/result/searches/0/repeatable", R"(false)");
  expect_at(json, "/result/searches/0/read_again", R"(true)");
  expect_at(json, "/result/searches/0/just_written", R"(true)");
  expect_at(json, "/result/searches/0/most_tried", R"(true)");
  expect_at(
      json, "/result/searches/0/cold",
      R"({"accelerators": 10, "accelerators_low": 9, "accelerators_high": 11, "bytes_per_second":
      1000000000.0, "again_bytes_per_second": 2000000000.0})");
  expect_at(json, "/result/searches/0/job_times_larger", R"(7.5)");
  expect_at(json, "/result/searches/0/noise_seconds", R"(0.0004)");
  expect_at(json, "/result/searches/0/rate_error_of_a_second", R"(0.0392)");
  expect_at(json, "/result/searches/0/correlation_seconds", R"(0.02)");
  expect_at(json, "/result/searches/0/depth_reads", R"(128)");
  expect_at(json, "/result/searches/0/transfer_bytes", R"(2097152)");
  expect_at(json, "/result/searches/0/read_ahead_bytes", R"(41943040.0)");
  expect_at(json, "/result/searches/0/saturated", R"(true)");
  expect_at(json, "/result/searches/0/interrupted", R"(false)");
  expect_at(json, "/result/searches/0/client_ceiling",
            R"({"seconds": 0.7, "samples_per_second": 110000.0, "accelerators": 57.5,
      "cpu_seconds_per_sample": 2e-05})");
  expect_at(json, "/result/searches/0/depths",
            R"([{"reads_in_flight": 32, "transfer_bytes": 2097152, "bytes_per_second": 2000000000.0,
      "seconds": 1.5}, {"reads_in_flight": 64, "transfer_bytes": 1048576, "bytes_per_second":
      3700000000.0, "seconds": 2.5}])");
  expect_at(json, "/result/searches/0/points",
            R"([{"accelerators": 17, "utilisation": 0.93, "half_width": 0.011, "seconds": 12.5,
      "looks": 2,
      "verdict": "fed", "decided_by": ""}, {"accelerators": 26, "utilisation": 0.88, "half_width":
      0.012, "seconds": 9.5, "looks": 3, "verdict": "not-fed", "decided_by": ""}])");
  expect_at(
      json, "/result/searches/0/trials",
      R"([{"accelerators": 19, "free_steps": true, "reads_in_flight": 31, "begin_seconds": 1.25,
      "seconds": 2.75, "steps": 33, "utilisation": 0.91, "upper_bound": true, "measured_seconds":
      2.5, "samples_per_second": 34.0, "bytes_per_second": 35.0}])");
  expect_at(json, "/result/searches/1/client", R"("faithful")");
  expect_at(json, "/result/searches/0/beyond/result/workload/accelerators", R"(56)");
  expect_at(json, "/result/narrower_budget_seconds", R"(200.0)");
  expect_at(json, "/result/narrower_numbers", R"(4)");
  expect_at(json, "/result/narrower_of", R"("both")");
}

TEST(Keys, OfACheckpoint) {
  const TestJson json = json_of(full_checkpoint());
  expect_at(json, "/result/model", R"("llama3-8b")");
  expect_at(json, "/result/title", R"("a model")");
  expect_at(json, "/result/layout", R"("dcp")");
  expect_at(json, "/result/parallelism",
            R"({"tensor": 4, "pipeline": 2, "data": 3, "zero_stage": 1, "ranks": 24})");
  expect_at(json, "/result/ranks_written", R"(5)");
  expect_at(json, "/result/scale", R"(0.5)");
  expect_at(json, "/result/files", R"(41)");
  expect_at(json, "/result/keep", R"(7)");
  expect_at(json, "/result/kept_on", R"("\"ck\"")");
  expect_at(json, "/result/block_bytes", R"(4194304)");
  expect_at(json, "/result/at_once", R"(9)");
  expect_at(json, "/result/threads", R"(6)");
  expect_at(json, "/result/asynchronous", R"(true)");
  expect_at(json, "/result/incremental", R"(true)");
  expect_at(json, "/result/local", R"("/local")");
  expect_at(json, "/result/snapshot_memory_bytes", R"(1073741824)");
  expect_at(json, "/result/write_limit_bytes_per_second", R"(200000000.0)");
  expect_at(json, "/result/read_by", R"("tensor 2")");
  expect_at(json, "/result/needed_bytes", R"(734003200)");
  expect_at(json, "/result/steps_read", R"(8)");
  expect_at(
      json, "/result/write_latency",
      R"({"count": 51, "mean_ms": 51.5, "p50_ms": 52.0, "p90_ms": 53.0, "p99_ms": 54.0, "p999_ms":
      55.0, "max_ms": 56.0, "buckets_ns": [[1000, 51], [2000, 52]]})");
  expect_at(
      json, "/result/sync_latency",
      R"({"count": 52, "mean_ms": 52.5, "p50_ms": 53.0, "p90_ms": 54.0, "p99_ms": 55.0, "p999_ms":
      56.0, "max_ms": 57.0, "buckets_ns": [[1000, 52], [2000, 53]]})");
  expect_at(
      json, "/result/read_latency",
      R"({"count": 53, "mean_ms": 53.5, "p50_ms": 54.0, "p90_ms": 55.0, "p99_ms": 56.0, "p999_ms":
      57.0, "max_ms": 58.0, "buckets_ns": [[1000, 53], [2000, 54]]})");
  expect_at(json, "/result/generation_bytes_per_second", R"(3000000000.0)");
  expect_at(json, "/result/verified", R"(true)");
  expect_at(json, "/result/skipped", R"(["step 5: damaged"])");
}

TEST(Keys, OfACheckpointsPass) {
  const TestJson json = json_of(full_checkpoint());
  expect_at(json, "/result/passes/1",
            R"({"step": 20, "bytes": 1048576000, "stored_bytes": 524288000, "parent": 10,
      "waited_seconds":
      0.25, "blocked_seconds": 3.0, "persisted_seconds": 4.0, "restorable_seconds": 5.0,
      "shared_seconds": 6.0, "seconds": 2.0, "publish_seconds": 0.125, "slowest_rank": 3,
      "slowest_rank_seconds": 2.0, "slowest_rank_bytes_per_second": 131072000.0,
      "bytes_per_second": 262144000.0, "ranks": [{"rank": 0, "bytes": 262144000, "seconds": 1.0},
      {"rank": 3, "bytes": 262144000, "seconds": 2.0}]})");
  expect_at(json, "/result/passes/0/parent", R"(null)");
}

TEST(Keys, OfACheckpointsSummaryAndGoodput) {
  const TestJson json = json_of(full_checkpoint());
  expect_at(json, "/result/summary/blocked_seconds",
            R"({"median": 4.0, "lowest": 3.0, "highest": 5.0})");
  expect_at(json, "/result/summary/persisted_seconds",
            R"({"median": 5.0, "lowest": 4.0, "highest": 6.0})");
  expect_at(json, "/result/summary/restorable_seconds",
            R"({"median": 6.0, "lowest": 5.0, "highest": 7.0})");
  expect_at(json, "/result/summary/shared_seconds",
            R"({"median": 7.0, "lowest": 6.0, "highest": 8.0})");
  expect_at(json, "/result/summary/seconds", R"({"median": 3.0, "lowest": 2.0, "highest": 4.0})");
  expect_at(json, "/result/summary/waited_seconds_max", R"(0.25)");
  expect_at(json, "/result/summary/median_rank_seconds", R"(1.5)");
  expect_at(json, "/result/summary/whole", R"(2)");
  expect_at(json, "/result/summary/stored_bytes", R"(1572864000)");
  expect_at(json, "/result/summary/incremental_fraction", R"(0.5)");
  expect_at(
      json, "/result/goodput",
      R"({"goodput": 0.8, "closed_form": 0.81, "no_progress": false, "accelerator_mtbf_seconds":
      7200.0, "mtbf_seconds": 900.0, "interval_seconds": 60.0, "best_interval_seconds": 75.0,
      "best_goodput": 0.82, "restart_seconds": 30.0, "restore_seconds": 20.0, "elapsed_seconds":
      1000.0, "lasting_seconds": 800.0, "lost_seconds": 100.0, "blocked_seconds": 50.0,
      "restarting_seconds": 40.0, "restoring_seconds": 10.0, "lost_fraction": 0.1,
      "blocked_fraction": 0.05, "restarting_fraction": 0.04, "restoring_fraction": 0.01,
      "failures": 5, "while_writing": 2, "while_restarting": 1, "checkpoints": 16})");
}

TEST(Keys, OfCompact) {
  const TestJson json = json_of(full_compact());
  expect_at(json, "/result",
            R"({"step": 30, "bytes": 67108864, "steps_read": 3, "seconds": 0.5, "bytes_per_second":
      134217728.0, "removed": [10, 20]})");
}

}  // namespace
}  // namespace feedrate
