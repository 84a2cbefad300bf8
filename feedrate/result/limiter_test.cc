// Tests each cause that a limiter names, its sentence, and the figures from which on it is named.
#include <gtest/gtest.h>

#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

// Returns a run whose accelerators are half fed, by a storage that answers in 2 ms.
RunResult a_run() {
  RunResult run;
  run.seconds = 10;
  run.samples = 100;
  run.sustained_utilisation = 0.5;
  run.job.accelerator = "h100";
  run.job.au_threshold = 0.9;
  run.job.accelerators = run.job.replicas = 2;
  run.bytes_per_second = 8e8;
  run.read_bytes_per_second = 1e9;
  run.read_latency.mean_ms = 2;
  run.in_flight_mean = 4;
  run.in_flight_limit = 32;
  run.effective = {{"readers", "16"}, {"io", "direct"}};
  run.cpu_user_seconds = 3;
  run.cpu_system_seconds = 1;
  run.reactors = 2;
  run.busiest_reactor_utilisation = 0.25;
  return run;
}

std::string kind_of(const RunResult& run) { return find_limiter(run).kind; }
std::string text_of_limiter(const RunResult& run) { return find_limiter(run).text; }

TEST(Limiter, ARunThatShowsNothingHasNone) {
  EXPECT_EQ(kind_of(RunResult()), "");
  RunResult run = a_run();
  run.samples = 0;
  EXPECT_EQ(kind_of(run), "");
  run = a_run();
  run.seconds = 0;
  EXPECT_EQ(kind_of(run), "");
  run = a_run();
  run.valid = false;
  EXPECT_EQ(kind_of(run), "") << "what an INVALID run shows is no reason";
  EXPECT_EQ(text_of_limiter(run), "");
}

TEST(Limiter, TheStorageIsWhatIsLeft) {
  RunResult run = a_run();
  EXPECT_EQ(kind_of(run), "storage");
  EXPECT_EQ(text_of_limiter(run),
            "the storage: 1.00 GB/s with 4 of 32 reads in flight at 2.00 ms each");
  run.unloaded_read_ms = 0.5;
  run.ceiling = {0.5, 100000, 56.7, 0};
  EXPECT_EQ(text_of_limiter(run),
            "the storage: 1.00 GB/s with 4 of 32 reads in flight at 2.00 ms each (0.50 ms "
            "unloaded), at 0.40 cores of 2; at the no-storage ceiling this client does 100,000 "
            "samples/s, 56 x h100");
}

TEST(Limiter, TheHostFromATwentiethOfTheTime) {
  RunResult run = a_run();
  run.host_time.stopped_seconds = 0.5;  // This is not more than 5 % of 10 s.
  EXPECT_EQ(kind_of(run), "storage");
  run.host_time.stolen_seconds = 0.25;
  EXPECT_EQ(kind_of(run), "host");
  EXPECT_EQ(text_of_limiter(run), "this host: it did not let the client run for 7.5 % of the time");
  run.sustained_utilisation = 1;
  EXPECT_EQ(kind_of(run), "host") << "before all others";
}

TEST(Limiter, TheAcceleratorsWhereTheyAreFed) {
  RunResult run = a_run();
  run.sustained_utilisation = 0.9;
  EXPECT_EQ(kind_of(run), "accelerator");
  EXPECT_EQ(text_of_limiter(run),
            "the accelerators: they computed for 90.0 % of the time, 800 MB/s were consumed");
  run.ceiling = {0.5, 2e6, 2.9, 0};
  EXPECT_EQ(text_of_limiter(run),
            "the accelerators: they computed for 90.0 % of the time, 800 MB/s were consumed; at "
            "the no-storage ceiling this client does 2.00 M samples/s, 2 x h100");
  run.sustained_utilisation = 0.8999;
  EXPECT_NE(kind_of(run), "accelerator");
}

TEST(Limiter, CheckpointsWhereTheRestOfTheTimeWouldDo) {
  RunResult run = a_run();
  run.checkpoints.emplace();
  run.checkpoints->count = 4;
  run.checkpoints->blocked_seconds = 4.5;  // 0.5 / 0.55 is 90.9 %
  run.checkpoints->blocked_median_seconds = 1.5;
  EXPECT_EQ(kind_of(run), "checkpoint");
  EXPECT_EQ(text_of_limiter(run),
            "checkpoints: no step was made for 45.0 % of the time, 1.5 s for each of 4");
  run.checkpoints->blocked_seconds = 4.4;  // 0.5 / 0.56 is 89.3 %
  EXPECT_EQ(kind_of(run), "storage");
  run.checkpoints->blocked_seconds = 10;  // Nothing else was done.
  EXPECT_EQ(kind_of(run), "checkpoint");
  run.checkpoints->count = 0;
  EXPECT_EQ(kind_of(run), "storage");
}

// Utilisation is told without start-up, and so must be the share of checkpoints.
TEST(Limiter, StartUpIsNoTimeThatCheckpointsLeave) {
  RunResult run = a_run();
  run.checkpoints.emplace();
  run.checkpoints->count = 4;
  run.checkpoints->blocked_seconds = 4;  // 0.5 / 0.6 is 83.3 %
  EXPECT_EQ(kind_of(run), "storage");
  run.steps = 10;
  run.samples_per_second_after_first = 90 / 8.9;  // 0.5 / (1 - 4 / 8.9) is 90.8 %
  EXPECT_EQ(kind_of(run), "checkpoint");
  run.samples_per_second_after_first = 90 / 9.1;  // 89.2 %
  EXPECT_EQ(kind_of(run), "storage");
  run.samples_per_second_after_first = 90 / 8.9;
  run.steps = 1;  // The first step is the whole run.
  EXPECT_EQ(kind_of(run), "storage");
}

TEST(Limiter, TheClientWhereAReactorHasNothingLeft) {
  RunResult run = a_run();
  run.busiest_reactor_utilisation = 0.92;
  EXPECT_EQ(kind_of(run), "client");
  EXPECT_EQ(text_of_limiter(run),
            "this host's CPU: 0.40 cores busy, the busiest of 2 reactor threads 92.0 % (25.0 % of "
            "it all in the kernel); 1.00 GB/s were moved");
  run.busiest_reactor_utilisation = 0.8;
  EXPECT_EQ(kind_of(run), "storage");
  run.busiest_reactor_waiting = 0.15;  // The thread wanted more than it got.
  EXPECT_EQ(kind_of(run), "client");
  EXPECT_EQ(text_of_limiter(run),
            "this host's CPU: 0.40 cores busy, the busiest of 2 reactor threads 80.0 % (25.0 % of "
            "it all in the kernel), and others had its core for 15.0 % of the time; 1.00 GB/s were "
            "moved");
}

TEST(Limiter, TheClientWhereAllCoresAreBusy) {
  RunResult run = a_run();
  run.cpu_user_seconds = 18.5;  // Two cores have 20 s, those in the kernel included.
  run.cpu_system_seconds = 0;
  EXPECT_EQ(kind_of(run), "client");
  run.cpu_user_seconds = 18;
  EXPECT_EQ(kind_of(run), "storage");
  run.reactors = 0;  // On the virtual clock the host is no part of the result.
  run.cpu_user_seconds = 100;
  EXPECT_EQ(kind_of(run), "storage");
}

TEST(Limiter, CopyingIsNamedWhereTheKernelDoesMostOfIt) {
  RunResult run = a_run();
  run.busiest_reactor_utilisation = 1;
  run.cpu_user_seconds = 1;
  run.cpu_system_seconds = 4;
  run.ceiling = {0.5, 100000, 56.7, 0};
  EXPECT_TRUE(text_of_limiter(run).starts_with("this host's CPU: 0.50 cores busy, "))
      << "direct reads are not copied";
  run.effective["io"] = "buffered";
  EXPECT_EQ(text_of_limiter(run),
            "this host's memory bandwidth (copies out of the page cache): 0.50 cores busy, the "
            "busiest of 2 reactor threads 100.0 % (80.0 % of it all in the kernel); 1.00 GB/s were "
            "moved; at the no-storage ceiling this client does 100,000 samples/s, 56 x h100");
  run.cpu_user_seconds = 1.1;
  EXPECT_TRUE(text_of_limiter(run).starts_with("this host's CPU: "));
  run.cpu_user_seconds = run.cpu_system_seconds = 0;
  EXPECT_TRUE(text_of_limiter(run).starts_with("this host's CPU: 0.00 cores busy, "));
}

TEST(Limiter, SettingsThatNobodyGaveAreNoReason) {
  RunResult run = a_run();
  run.effective.clear();
  EXPECT_EQ(kind_of(run), "storage");
  run.busiest_reactor_utilisation = 1;
  // All of it is in the kernel, but how files were read is not known.
  run.cpu_system_seconds = 100;
  EXPECT_TRUE(text_of_limiter(run).starts_with("this host's CPU: ")) << text_of_limiter(run);
}

TEST(Limiter, TheNetworkNearItsSpeed) {
  RunResult run = a_run();
  run.io.wire = "NFS 4.2 from srv:/a";
  run.io.wire_bytes_per_second_max = 1.25e9;
  EXPECT_EQ(kind_of(run), "storage");  // 80 %
  run.read_bytes_per_second = 1.1e9;
  EXPECT_EQ(kind_of(run), "network");
  EXPECT_EQ(text_of_limiter(run), "the network: 1.10 GB/s of the 1.25 GB/s of NFS 4.2 from srv:/a");
  run.io.wire_bytes_per_second_max = 0;  // The speed of the network is not known.
  EXPECT_EQ(kind_of(run), "storage");
}

TEST(Limiter, DecodingWhereMostWasLostToIt) {
  RunResult run = a_run();
  run.processing.level = "decode";
  run.stalls.causes = {{"decode", 60, 0}, {"first-byte", 40, 0}};
  run.effective["readers"] = "0";
  EXPECT_EQ(kind_of(run), "decode");
  EXPECT_EQ(text_of_limiter(run),
            "decoding: 60.0 % of the time that was lost after start-up went into it, 1.00 GB/s "
            "moved in reads of 2.00 ms each; the training process does it by itself, --readers=1 "
            "or more do it while it computes");
  run.effective["readers"] = "10";
  run.job.replicas = 1;
  EXPECT_TRUE(text_of_limiter(run).ends_with(
      "; about 18 readers a replica would do, where there are cores for them (--readers=18)"))
      << text_of_limiter(run);
  run.effective.clear();
  EXPECT_TRUE(text_of_limiter(run).ends_with("--readers=1 or more do it while it computes"));
}

TEST(Limiter, TheTrainingProcessThatReadsByItself) {
  RunResult run = a_run();
  run.effective["readers"] = "0";
  EXPECT_EQ(kind_of(run), "window");
  EXPECT_EQ(text_of_limiter(run),
            "the training process, which reads by itself and computes nothing meanwhile: 1.00 GB/s "
            "moved in reads of 2.00 ms each; --readers=1 or more read while it computes");
}

// By Little's law: 32 reads in flight give an AU of one half, so 0.9 needs 0.9 / 0.5 x 32 = 57.6 of
// them, which are 28.8 for each of two accelerators.
TEST(Limiter, TheWindowWhereReadsDoNotQueue) {
  RunResult run = a_run();
  run.in_flight_mean = 28;  // 87.5 % of the 32 reads that are allowed.
  run.unloaded_read_ms = 1.5;
  EXPECT_EQ(kind_of(run), "window");
  EXPECT_EQ(text_of_limiter(run),
            "the window: all 32 reads in flight take 2.00 ms each, 1.50 ms unloaded, so more would "
            "fit; about 29 readers an accelerator would do (--readers=29)");
  run.job.replicas = 1;
  EXPECT_TRUE(text_of_limiter(run).ends_with("about 58 readers a replica would do (--readers=58)"))
      << text_of_limiter(run);
  run = a_run();
  run.in_flight_mean = run.in_flight_limit = 1;
  run.unloaded_read_ms = 2;
  EXPECT_EQ(text_of_limiter(run),
            "the window: the one read in flight takes 2.00 ms, 2.00 ms unloaded, so more would "
            "fit; about 1 reader an accelerator would do (--readers=1)");
}

TEST(Limiter, ReadsThatQueueOrWereNotAllAtWorkAreTheStorages) {
  RunResult run = a_run();
  run.in_flight_mean = 28;
  run.unloaded_read_ms = 1;  // Twice as long as alone means that they queue.
  EXPECT_EQ(kind_of(run), "storage");
  run.unloaded_read_ms = 0;  // not known
  EXPECT_EQ(kind_of(run), "storage");
  run.unloaded_read_ms = 1.5;
  run.in_flight_mean = 27;  // At 84 % readers had something else to do.
  EXPECT_EQ(kind_of(run), "storage");
}

}  // namespace
}  // namespace feedrate
