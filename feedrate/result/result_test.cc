#include <gtest/gtest.h>

#include "feedrate/result/views.h"

namespace feedrate {
namespace {

RunResult example() {
  RunResult run;
  run.verb = "train";
  run.job.workload = "resnet50";
  run.job.title = "a title";
  run.job.accelerator = "h100";
  run.job.timing_source = "a source";
  run.job.timing_set = "measured";
  run.job.other_timings = {{"storage-benchmark", 0.5}, {"user", 1.0}, {"mine", 390}};
  run.job.accelerators = run.job.replicas = 4;
  run.job.batch_samples = 400;
  run.job.compute_seconds_per_batch = 0.224;
  run.job.demand_bytes_per_second = 204750000;
  run.job.au_threshold = 0.9;
  run.requested = {{"client", "native"}};
  run.effective = {{"client", "native"},
                   {"readers", "8"},
                   {"io", "direct"},
                   {"transfer", "2 MiB"},
                   {"clock", "real"}};
  run.place = {"/data", "posix", "direct", "real"};
  run.seeds = {{"order", 1}};
  run.host = {"host", "Linux 6", "cpu", "feedrate 0", 2, 1024, "2026-01-01T00:00:00Z"};
  run.dataset.directory = "/data";
  run.dataset.format = "tfrecord";
  run.dataset.files = 14;
  run.dataset.samples = 17514;
  run.dataset.bytes = 2008000000;
  run.accelerator_utilisation = 0.995;
  run.sustained_utilisation = 0.99;
  run.sustained_samples_per_second = 6500;
  run.sustained_bytes_per_second = 8e8;
  run.epochs = {{0, 10, 2.25, 0.995}};
  run.steps = 10;
  run.samples = 16000;
  run.seconds = 2.5;
  run.samples_per_second = 6400;
  run.bytes_per_second = 8.2e8;
  run.bytes_asked = 1834560000;
  run.bytes_moved = 1834600000;
  run.opens = 14;
  run.reads = 900;
  run.samples_read = 17000;
  run.first_batch_seconds = 0.5;
  run.read_latency = {900, 10, 9, 20, 30, 40, 50, {{1000, 400}, {2000, 500}}};
  run.in_flight_mean = 16.9;
  run.in_flight_limit = 32;
  run.window_batches = 2;
  run.series = {{100, 1e6, 2.5}, {50, 5e5, 1}};
  run.cpu_user_seconds = 0.1;
  run.cpu_system_seconds = 0.3;
  run.reactors = 2;
  run.busiest_reactor_utilisation = 0.08;
  run.peak_memory_bytes = 79000000;
  run.processing = {"decode", 16000, 1800000000, 9600000000, 48};
  run.checkpoints = {"resnet50", "c", "raw", "asynchronous", "500 steps", 8, 3, 100, 310,
                     2.5,        0.8, 4};
  run.errors = {{"io", 2, "read \"x\" at offset 3: Input/output error"}};
  run.warnings = {"something to know"};
  return run;
}

TEST(RunResult, TextBeginsWithTheVerdictOnTheSustainedRate) {
  RunResult run = example();
  EXPECT_TRUE(to_text(run).starts_with(
      "4 x h100 fed: AU 99.0 % (threshold 90.0 %), 820 MB/s\nresnet50: a title\n"));
  run.sustained_utilisation = 0.5;  // MLPerf's AU, still 99.5 %, counts what had been read ahead
  EXPECT_EQ(verdict_of(run), "4 x h100 not fed: AU 50.0 % (threshold 90.0 %), 820 MB/s");
  run.interrupted = true;
  EXPECT_EQ(verdict_of(run),
            "4 x h100 may be fed or not: too little was measured (interrupted: partial result)");
  run.steady_steps = 3;
  EXPECT_TRUE(verdict_of(run).ends_with("820 MB/s (interrupted: partial result)"));
  run.valid = false;
  run.invalid_reasons = {"a reason", "another"};
  EXPECT_TRUE(to_text(run).starts_with("INVALID: a reason; another\n"));
  EXPECT_EQ(to_text(run).find("utilisation"), std::string::npos) << "INVALID has none";
  EXPECT_NE(to_text(run).find("  warning: something to know\n"), std::string::npos);
  EXPECT_NE(to_text(run).find("  error: 2 x io: read \"x\" at offset 3: Input/output error\n"),
            std::string::npos);
}

TEST(RunResult, TextNamesBothUtilisationsAndHowManyStepsTheyRestOn) {
  RunResult run = example();
  run.steady_steps = 7;
  EXPECT_NE(to_text(run).find("  utilisation      AU 99.0 % over 7 of 10 steps in 2.5 s "
                              "(MLPerf's AU 99.5 %); first batch after 500.00 ms\n"),
            std::string::npos)
      << to_text(run);
}

TEST(RunResult, TextPricesWhatTheBytesWentThrough) {
  RunResult run = example();
  EXPECT_NE(to_text(run).find("  decoded          16,000 samples, 3.00 ms of CPU each (37.5 MB/s "
                              "a core), 8.9 GiB of tensors\n"),
            std::string::npos)
      << to_text(run);
  run.processing = {"verify", 4, 4096, 0, 0};
  EXPECT_NE(to_text(run).find("  verified         4 samples, 0 ns of CPU each\n"),
            std::string::npos)
      << to_text(run);
  run.processing = {};
  EXPECT_EQ(to_text(run).find("of CPU each"), std::string::npos);
}

TEST(RunResult, TextMarksWhatNobodyCanTell) {
  RunResult run = example();
  run.io.origin = "unknown";
  run.io.origin_reason = "fuse.x gets its files from a program or another host";
  EXPECT_TRUE(verdict_of(run).ends_with(
      "AU 99.0 % (threshold 90.0 %), 820 MB/s (where the bytes came from is unknown)"));
  run.io.origin = "network";
  run.io.origin_reason.clear();
  run.io.storage_share = 1;
  run.io.page_cache_share = 0;
  run.io.basis = "network counter";
  run.io.wire = "NFS 4.2 from srv:/a";
  run.io.wire_read_bytes = 4096;
  run.bytes_moved = 4096;
  run.io.probe_bytes = 0;
  EXPECT_NE(to_text(run).find(
                "  served from      the network 100.0 %, this host's page cache 0.0 % (by network "
                "counter; NFS 4.2 from srv:/a moved 4 KiB for 4 KiB; caches in its servers are "
                "invisible to counters)\n"),
            std::string::npos)
      << to_text(run);
}

TEST(RunResult, TimeThatTheHostTookIsNoStorages) {
  RunResult run = example();
  run.seconds = 10;
  run.samples = 100;
  run.accelerator_utilisation = 0.5;
  run.host_time = {0.4, 0, 0, 0, 0};
  EXPECT_NE(find_limiter(run).kind, "host");
  run.host_time = {2.5, 0.25, 0.25, 1, 1};
  EXPECT_EQ(find_limiter(run).kind, "host");
  EXPECT_EQ(find_limiter(run).text,
            "this host: it did not let the client run for 30.0 % of the time");
  EXPECT_NE(to_text(run).find("  held back        2.5 s stopped, 250.00 ms by its CPU quota, "
                              "250.00 ms by the hypervisor: this host did not let the client "
                              "run\n"),
            std::string::npos)
      << to_text(run);
}

// The limiter is what most of the lost time went into, without start-up.
TEST(Limiter, CheckingIsNamedWhereMostWasLostToIt) {
  RunResult run;
  run.seconds = 10;
  run.samples = 100;
  run.sustained_utilisation = 0.5;
  run.job.au_threshold = 0.9;
  run.job.replicas = run.job.accelerators = 1;
  run.processing.level = "verify";
  run.effective = {{"readers", "2"}};
  run.stalls.causes = {{"startup", 900, 0}, {"first-byte", 40, 0}, {"decode", 50, 10}};
  EXPECT_EQ(find_limiter(run).kind, "decode");
  EXPECT_EQ(
      find_limiter(run).text,
      "checking: 60.0 % of the time that was lost after start-up went into it, 0.0 kB/s moved in "
      "reads of 0.00 ms each; about 4 readers an accelerator would do, where there are cores "
      "for them (--readers=4)");
  run.stalls.causes[2] = {"decode", 30, 10};  // Half of the time is not most of it.
  EXPECT_NE(find_limiter(run).kind, "decode");
}

}  // namespace
}  // namespace feedrate
