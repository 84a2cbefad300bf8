#include "feedrate/engine/train.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "feedrate/dataset/generate.h"
#include "feedrate/engine/engine_testing.h"
#include "feedrate/engine/work_source.h"
#include "feedrate/result/views.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

TEST(WorkSource, DealsEverySampleOnceAnEpochOverAllRanks) {
  for (const std::uint64_t per_file : {1, 7}) {
    const Workload workload = test_workload("tfrecord", 23, per_file, 1000);
    TrainingPlan plan = test_plan(workload, ClientKind::kNative, 3);
    plan.epochs = 2;
    EpochOrders orders(plan);
    std::map<std::pair<std::uint64_t, std::uint64_t>, int> reads;
    for (std::uint32_t rank = 0; rank < 3; ++rank) {
      WorkSource source(plan, orders, rank);
      std::uint64_t number = 0;
      while (const auto item = source.next(2500, 100)) {
        EXPECT_EQ(item->number, number);
        number += item->samples;
        for (std::uint64_t i = 0; i < item->samples; ++i)
          ++reads[{item->epoch, item->file * per_file + item->first_sample + i}];
      }
      EXPECT_EQ(number, 2 * orders.shape().samples_read_per_rank());
    }
    for (const auto& [sample, count] : reads) EXPECT_EQ(count, 1);
    EXPECT_EQ(reads.size(), 2 * 3 * orders.shape().samples_read_per_rank());
  }
}

class TrainShape : public testing::TestWithParam<std::tuple<std::string, int, ClientKind>> {};

TEST_P(TrainShape, ReadsEachSampleOnceAndKeepsNullFed) {
  const auto& [format, per_file, client] = GetParam();
  const Workload workload = test_workload(format, 240 / static_cast<std::uint64_t>(per_file),
                                          static_cast<std::uint64_t>(per_file), 30000);
  TrainingPlan plan = test_plan(workload, client, 3);
  plan.epochs = 3;
  plan.shuffle_buffer_samples = per_file > 1 ? 10 : 0;
  const TrainingOutcome outcome = run_virtual(plan, "null");
  const RunResult result = summarise_training(plan, outcome);
  EXPECT_TRUE(result.valid) << result.invalid_reasons.front();
  EXPECT_EQ(result.steps, 3U * (240 / 3 / 4));
  EXPECT_EQ(result.samples_read, 3U * 240);
  EXPECT_DOUBLE_EQ(result.accelerator_utilisation, 1);
  if (client == ClientKind::kNative) {
    const std::uint64_t per_epoch =
        per_file == 1 ? plan.dataset->bytes() : plan.dataset->index(0)->sample(0).length * 240;
    EXPECT_EQ(result.bytes_asked, 3 * per_epoch);
  }
}

INSTANTIATE_TEST_SUITE_P(All, TrainShape,
                         testing::Values(std::tuple{"tfrecord", 20, ClientKind::kNative},
                                         std::tuple{"tfrecord", 20, ClientKind::kFaithful},
                                         std::tuple{"tfrecord", 1, ClientKind::kNative},
                                         std::tuple{"npz", 1, ClientKind::kNative},
                                         std::tuple{"npz", 1, ClientKind::kFaithful},
                                         std::tuple{"file", 1, ClientKind::kFaithful}));

TEST(Train, StarvesByJustWhatTheBandwidthLacks) {
  const Workload workload = test_workload("file", 4000, 1, 100000);
  // One accelerator takes 4 x 100 kB in 10 ms: 40 MB/s. Five on 100 MB/s reach half.
  const ModelFile model("bandwidth: 100MB/s\n");
  for (const auto& [accelerators, expected] : {std::pair{1U, 1.0}, {2U, 1.0}, {5U, 0.5}}) {
    TrainingPlan plan = test_plan(workload, ClientKind::kNative, accelerators);
    plan.epochs = 0;
    plan.steps_max = 150;
    const TrainingOutcome outcome = run_virtual(plan, model.storage());
    EXPECT_NEAR(steady_state(plan, outcome.steps).utilisation, expected, 0.005) << accelerators;
  }
}

TEST(Train, LatencyBoundWindowFollowsLittlesLaw) {
  const Workload workload = test_workload("file", 4000, 1, 100000);
  const ModelFile model("latency: 20ms\n");
  TrainingPlan plan = test_plan(workload, ClientKind::kNative, 1);
  plan.epochs = 0;
  plan.steps_max = 200;
  plan.readers = 2;
  plan.prefetch_batches = 2;
  const TrainingOutcome outcome = run_virtual(plan, model.storage());
  // 2 readers / 20 ms = 100 samples/s of the 400 wanted.
  EXPECT_NEAR(steady_state(plan, outcome.steps).utilisation, 0.25, 0.005);
}

// Seconds as doubles would add up to 1.0000000000000002 of these.
TEST(Train, UtilisationIsNeverMoreThanOne) {
  const Workload workload = test_workload("tfrecord", 8, 30, 30000);
  for (const int compute : {375, 1333, 98867, 224000, 1360001})
    for (const ClientKind client : {ClientKind::kNative, ClientKind::kFaithful}) {
      TrainingPlan plan = test_plan(workload, client, 2);
      plan.timing.compute = std::chrono::microseconds(compute);
      plan.epochs = 5;
      const RunResult result = summarise_training(plan, run_virtual(plan, "null"));
      EXPECT_EQ(result.accelerator_utilisation, 1) << compute;
      ASSERT_EQ(result.epochs.size(), 5U);
      for (const EpochResult& epoch : result.epochs) EXPECT_EQ(epoch.accelerator_utilisation, 1);
    }
}

TEST(SteadyState, IsOneWhereNothingStalls) {
  const Workload workload = test_workload("file", 200000, 1, 100000);
  const ModelFile model("bandwidth: 100TB/s\nlatency: 1ms\n");
  for (const std::uint32_t accelerators : {1U, 200U, 5000U, 16384U})
    for (const std::uint64_t steps : {4U, 5U, 10U, 24U}) {
      if (accelerators * steps > 50'000) continue;  // 16,384 x 24: tests/cases/estimate.case
      TrainingPlan plan = test_plan(workload, ClientKind::kNative, accelerators);
      plan.epochs = 0;
      plan.steps_max = steps;
      const TrainingOutcome outcome = run_virtual(plan, model.storage());
      const SteadyState steady = steady_state(plan, outcome.steps);
      EXPECT_DOUBLE_EQ(steady.utilisation, 1.0) << accelerators << " x " << steps;
      EXPECT_GE(2 * (steady.last - steady.first), steps - 1);
    }
}

TEST(SteadyState, AStragglersStepIsEverybodysStep) {
  const Workload workload = test_workload("file", 4000, 1, 100000);
  const ModelFile model("latency: 1ms\n");
  for (const std::uint32_t accelerators : {1U, 2U, 3U, 8U})
    for (const std::uint64_t steps : {5U, 12U, 100U}) {
      TrainingPlan plan = test_plan(workload, ClientKind::kNative, accelerators);
      plan.epochs = 0;
      plan.steps_max = steps;
      plan.slow_ranks[0] = 1.12;
      const TrainingOutcome outcome = run_virtual(plan, model.storage());
      EXPECT_NEAR(steady_state(plan, outcome.steps).utilisation, 1 / 1.12, 1e-6);
    }
}

TEST(SteadyState, WhatAFullWindowStillHeldIsNotTheStoragesDoing) {
  // Two batches every 20 ms are wanted, and after the first 40 ms nothing more comes: 20 batches
  // that were read before do not make it a storage that keeps up.
  TrainingPlan plan = test_plan(test_workload("file", 4000, 1, 100000), ClientKind::kNative, 2);
  std::vector<StepRecord> steps;
  for (int step = 0; step <= 10; ++step)
    steps.push_back({Instant(std::chrono::milliseconds(10 * (step + 1))), 20.0 - 2 * step, false});
  EXPECT_EQ(steady_state(plan, steps).utilisation, 0);
  for (StepRecord& step : steps) step.ran_out = true;  // all of the run had been read
  EXPECT_EQ(steady_state(plan, steps).utilisation, 1);
}

TEST(SteadyState, AStockThatGoesUpAndDownIsNotUsedUp) {
  TrainingPlan plan = test_plan(test_workload("file", 4000, 1, 100000), ClientKind::kNative, 1);
  plan.prefetch_batches = 20;
  std::vector<StepRecord> steps;
  for (int step = 0; step <= 20; ++step)
    steps.push_back(
        {Instant(std::chrono::milliseconds(10 * (step + 1))), step % 2 == 1 ? 4.0 : 3.0, false});
  for (const int odd : {0, 1}) {  // it ends high, or low
    steps.resize(static_cast<std::size_t>(20 - odd));
    EXPECT_DOUBLE_EQ(steady_state(plan, steps).utilisation, 1);
  }
  for (std::size_t step = 0; step < steps.size(); ++step)
    steps[step].stock_batches += 0.5 * static_cast<double>(steps.size() - step);
  EXPECT_LT(steady_state(plan, steps).utilisation, 0.6) << "up and down, and half a batch a step";
}

TEST(SteadyState, OfTheFrameworksClientIsOfWholeEpochs) {
  const Workload workload = test_workload("file", 96, 1, 100000);
  const ModelFile model("latency: 1ms\n");
  TrainingPlan plan = test_plan(workload, ClientKind::kFaithful, 1);  // 24 steps an epoch
  plan.readers = 1;
  plan.epochs = 3;
  const TrainingOutcome outcome = run_virtual(plan, model.storage());
  const SteadyState steady = steady_state(plan, outcome.steps);
  EXPECT_EQ(steady.first, 0U);
  EXPECT_EQ(steady.last, 48U);
  // Two reads of 1 ms a sample, 8 of a step's 10 ms: an epoch's first batch is waited for at most.
  EXPECT_GE(steady.utilisation, 240.0 / (240 + 8) - 0.001);
  EXPECT_DOUBLE_EQ(steady.seconds, to_seconds(outcome.steps[48].end - outcome.steps[0].end));
}

TEST(Train, ARateIsWhatWasConsumed) {
  const Workload workload = test_workload("file", 4000, 1, 100000);
  for (const std::uint64_t steps : {4U, 12U, 40U}) {
    TrainingPlan plan = test_plan(workload, ClientKind::kNative, 3);
    plan.epochs = 0;
    plan.steps_max = steps;
    const RunResult run = summarise_training(plan, run_virtual(plan, "null"));
    EXPECT_LE(run.bytes_per_second, 3 * run.job.demand_bytes_per_second * (1 + 1e-9));
    EXPECT_NEAR(run.sustained_bytes_per_second, 3 * run.job.demand_bytes_per_second, 1);
    EXPECT_GT(run.read_bytes_per_second, run.bytes_per_second);
    const double ahead = run.read_bytes_per_second * run.seconds - run.read_ahead_bytes;
    EXPECT_NEAR(ahead, run.bytes_per_second * run.seconds, 1);
  }
}

struct CutAfter final : StepObserver {
  explicit CutAfter(Duration limit) : time(limit) {}
  bool on_step(std::uint64_t, const StepRecord&) override { return false; }
  Duration progress_every() const override { return std::chrono::milliseconds(1); }
  void on_begin(Instant now) override { begin = now; }
  bool on_progress(Instant now, std::uint64_t count, std::uint64_t) override {
    last = now;
    samples = count;
    return now - begin >= time;
  }
  Duration time;
  Instant begin{}, last{};
  std::uint64_t samples = 0;
};

TEST(Train, IsCutOffInTheMiddleOfAStep) {
  const Workload workload = test_workload("file", 4000, 1, 100000);
  const ModelFile model("bandwidth: 10MB/s\n");  // a first batch takes 40 ms
  TrainingPlan plan = test_plan(workload, ClientKind::kNative, 1);
  plan.epochs = 0;
  CutAfter observer(std::chrono::milliseconds(25));
  const TrainingOutcome outcome = run_virtual(plan, model.storage(), &observer);
  EXPECT_TRUE(outcome.cut);
  EXPECT_TRUE(outcome.steps.empty());
  EXPECT_EQ(observer.last - observer.begin, std::chrono::milliseconds(25));
  EXPECT_EQ(observer.samples, 2U);
  const RunResult run = summarise_training(plan, outcome);
  EXPECT_TRUE(run.valid) << run.invalid_reasons.front();
  EXPECT_EQ(run.steady_steps, 0U);
}

TEST(Train, SameSeedSameRunOnTheVirtualClock) {
  const Workload workload = test_workload("tfrecord", 30, 40, 20000);
  const ModelFile model(
      "bandwidth: 300MB/s\nlatency: {distribution: lognormal, median: 1ms, p99: 9ms}\n");
  const auto run = [&](std::uint64_t seed) {
    TrainingPlan plan = test_plan(workload, ClientKind::kNative, 4);
    plan.seed = seed;
    RunResult result = summarise_training(plan, run_virtual(plan, model.storage()));
    return to_json(result);
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(Train, StopsAtStepsAndTime) {
  const Workload workload = test_workload("file", 400, 1, 1000);
  TrainingPlan plan = test_plan(workload, ClientKind::kNative, 2);
  plan.epochs = 0;
  plan.steps_max = 7;
  EXPECT_EQ(run_virtual(plan, "null").steps.size(), 7U);
  plan.steps_max = 0;
  plan.time_max = std::chrono::milliseconds(95);
  EXPECT_EQ(run_virtual(plan, "null").steps.size(), 10U);
}

TEST(Train, ReadsARowGroupOnceHoweverManyRowsItHas) {
  for (const ClientKind client : {ClientKind::kNative, ClientKind::kFaithful}) {
    Workload workload = test_workload("parquet", 6, 100, 3000);  // batches of 4
    workload.dataset.format_options = {{"row_group_rows", "50"}};
    TrainingPlan plan = test_plan(workload, client, 1);
    plan.order = AccessOrder::kSequential;
    plan.epochs = 2;
    const RunResult result = summarise_training(plan, run_virtual(plan, "null"));
    EXPECT_EQ(result.samples_read, 1200U);
    std::vector<Extent> reads;
    const auto index = plan.dataset->index(0);
    index->locate(0, 100, reads);
    std::uint64_t rows = 0, footer = 0;
    for (const Extent& read : reads) rows += read.length;
    for (const Extent& read : index->open_reads) footer += read.length;
    EXPECT_EQ(result.bytes_asked, 2 * 6 * rows + result.opens * footer);
  }
}

// A storage that gives nothing of some files.
class Forgetful final : public Storage {
 public:
  explicit Forgetful(std::unique_ptr<Storage> whole)
      : Storage(whole->facts()), whole_(std::move(whole)) {}
  std::string_view name() const override { return whole_->name(); }
  Reactor& reactor() override { return whole_->reactor(); }
  Task<Result<FileHandle>> open(const std::string& path, OpenMode mode) override {
    return whole_->open(path, mode);
  }
  Task<Result<>> close(FileHandle file) override { return whole_->close(std::move(file)); }
  Task<Result<ReadOutcome>> read(StorageFile& file, std::uint64_t offset, std::uint64_t length,
                                 Buffer& buffer) override {
    return whole_->read(file, offset, forgotten(file.path()) ? 0 : length, buffer);
  }
  Task<Result<ReadOutcome>> read_file(const std::string& path, std::uint64_t length,
                                      Buffer& buffer) override {
    return whole_->read_file(path, forgotten(path) ? 0 : length, buffer);
  }
  Task<Result<>> write(StorageFile& file, std::uint64_t offset, std::uint64_t length,
                       Buffer& buffer) override {
    return whole_->write(file, offset, length, buffer);
  }
  Task<Result<>> sync(StorageFile& file) override { return whole_->sync(file); }
  Task<Result<std::vector<DirectoryEntry>>> list(const std::string& path) override {
    return whole_->list(path);
  }
  Task<Result<FileStatus>> stat(const std::string& path) override { return whole_->stat(path); }
  Task<Result<>> rename(const std::string& from, const std::string& to) override {
    return whole_->rename(from, to);
  }
  Task<Result<>> sync_directory(const std::string& path) override {
    return whole_->sync_directory(path);
  }
  Task<Result<std::uint64_t>> free_bytes(const std::string& path) override {
    return whole_->free_bytes(path);
  }
  Task<Result<>> remove(const std::string& path) override { return whole_->remove(path); }
  Task<Result<>> make_directories(const std::string& path) override {
    return whole_->make_directories(path);
  }
  Task<Result<DirectoryClaim>> claim(const std::string& directory) override {
    return whole_->claim(directory);
  }

 private:
  static bool forgotten(const std::string& path) { return path.find('7') != std::string::npos; }
  std::unique_ptr<Storage> whole_;
};

// Every byte that the samples of an epoch take comes back, whoever reads; what is left out is
// noticed.
TEST(Train, AnEpochThatReadsLessThanItsSamplesTakeIsNotValid) {
  for (const ClientKind client : {ClientKind::kNative, ClientKind::kFaithful}) {
    for (const auto& [format, per_file] :
         {std::pair{"tfrecord", 20U}, {"tfrecord", 1U}, {"npz", 1U}, {"parquet", 20U}}) {
      const Workload workload = test_workload(format, 240 / per_file, per_file, 30'000);
      TrainingPlan plan = test_plan(workload, client, 3);
      plan.epochs = 3;
      TrainingOutcome outcome = run_virtual(plan, "null");
      const RunResult good = summarise_training(plan, outcome);
      EXPECT_TRUE(good.valid) << good.invalid_reasons.front();
      ASSERT_EQ(good.io.epochs.size(), 3U);
      for (const EpochIo& epoch : good.io.epochs) {
        EXPECT_EQ(epoch.located_bytes, good.io.epochs[0].located_bytes);
        EXPECT_EQ(epoch.returned_bytes, epoch.located_bytes);
      }
      outcome.readers.epochs[1].returned = 0;
      const RunResult bad = summarise_training(plan, outcome);
      ASSERT_FALSE(bad.valid) << format;
      EXPECT_EQ(bad.invalid_reasons.front(),
                "epoch 2 read 0 B of the " + format_bytes(good.io.epochs[1].located_bytes) +
                    " that its samples take; this is a fault of feedrate, please report it");
      const auto group = ReactorGroup::make(ClockKind::kVirtual, IoEngine::kAuto, 1).value();
      const StorageFactory whole =
          make_storage_factory(costs_nothing(), IoMode::kBuffered, ".", plan.seed);
      const StorageFactory forgetful = [&whole](Reactor& reactor) {
        return std::make_unique<Forgetful>(whole(reactor));
      };
      TrainingProgress progress;
      const RunResult short_read =
          summarise_training(plan, run_training(*group, forgetful, plan, nullptr, progress, {}));
      ASSERT_FALSE(short_read.valid) << format;
      EXPECT_TRUE(short_read.invalid_reasons.front().starts_with("epoch 1 read "))
          << short_read.invalid_reasons.front();
    }
  }
}

// Steps that consumed what nobody read are a fault of ours, and the run does not count.
TEST(Train, SamplesThatNobodyReadAreNotValid) {
  const Workload workload = test_workload("npz", 240, 1, 30'000);
  const TrainingPlan plan = test_plan(workload, ClientKind::kNative, 3);
  TrainingOutcome outcome = run_virtual(plan, "null");
  const RunResult good = summarise_training(plan, outcome);
  ASSERT_TRUE(good.valid) << good.invalid_reasons.front();
  outcome.readers.samples_read = good.samples - 1;
  const RunResult bad = summarise_training(plan, outcome);
  ASSERT_FALSE(bad.valid);
  EXPECT_EQ(bad.invalid_reasons.front(),
            fmt::format("only {} of the {} samples that the steps consumed were read",
                        good.samples - 1, good.samples));
}

// A read that ended the run is its reason, with the remedy of the error or the one that fits any.
TEST(Train, AReadThatFailedIsTheReason) {
  const Workload workload = test_workload("npz", 240, 1, 30'000);
  const TrainingPlan plan = test_plan(workload, ClientKind::kNative, 3);
  TrainingOutcome outcome = run_virtual(plan, "null");
  const auto reason = [&](const char* hint) {
    outcome.fatal = fail(ErrorKind::kCorrupt, "a message", hint).error();
    const RunResult result = summarise_training(plan, outcome);
    EXPECT_FALSE(result.valid);
    return result.invalid_reasons.empty() ? "" : result.invalid_reasons.front();
  };
  EXPECT_EQ(reason("a hint"), "a read failed: a message; a hint");
  EXPECT_EQ(reason(""),
            "a read failed: a message; mend the data set, or count such errors with "
            "'feedrate train --on-error=continue'");
}

TEST(Train, RefusesLessThanOneGlobalBatch) {
  const Workload workload = test_workload("file", 10, 1, 1000);
  TrainingPlan plan = test_plan(workload, ClientKind::kNative, 3);
  const auto checked = check_training_plan(plan);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().message(),
            "--accelerators: 3 x batch of 4 needs 12 samples for a step, the data set has 10");
  EXPECT_NE(checked.error().hint().find("use --accelerators=2 or fewer"), std::string::npos);
}

// Real files, real clock.
class TrainFiles : public testing::TestWithParam<std::tuple<IoMode, IoEngine, ClientKind>> {
 protected:
  TrainFiles() {
    std::string pattern = "/var/tmp/feedrate_train_XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~TrainFiles() override { fs::remove_all(directory_); }

  TrainingPlan generated(const Workload& workload) {
    TrainingPlan plan =
        test_plan(workload, std::get<2>(GetParam()), 3, directory_ + "/" + workload.dataset.format);
    const auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, 1);
    const auto storage = make_storage_factory(local_files(), IoMode::kBuffered, ".", 0);
    GenerateProgress progress;
    EXPECT_TRUE(generate_dataset(**group, storage, *plan.dataset, {}, progress, {}).has_value());
    plan.level = ByteLevel::kVerify;
    plan.epochs = 2;
    return plan;
  }
  TrainingOutcome run(const TrainingPlan& plan) {
    const auto& [mode, engine, client] = GetParam();
    const auto group = ReactorGroup::make(ClockKind::kReal, engine, 2);
    const auto storage = make_storage_factory(local_files(), mode, plan.dataset->full_path(0), 0);
    TrainingProgress progress;
    return run_training(**group, storage, plan, nullptr, progress, {});
  }
  // Again where this host did not let it run for a part of it: other tests are about that.
  RunResult result_of(const TrainingPlan& plan) {
    for (int attempt = 1;; ++attempt) {
      RunResult result = summarise_training(plan, run(plan));
      const bool held_back = result.host_time.seconds() > kHostShareMax * result.seconds;
      if (!held_back || attempt == 5) return result;
    }
  }
  std::string directory_;
};

TEST_P(TrainFiles, VerifiesEveryByteOfEveryFormat) {
  for (const Format* each : all_formats()) {
    const std::string format(each->name());
    const std::uint64_t per_file = std::min<std::uint64_t>(each->samples_per_file_max(), 12);
    Workload workload = test_workload(format, 48 / per_file, per_file, 90000);
    if (format == "raw") workload.dataset.format_options = {{"record_bytes", "90000"}};
    if (!each->one_content_per_file()) workload.dataset.sample_bytes_stdev = 20000;
    TrainingPlan plan = generated(workload);
    if (per_file == 1) plan.transfer_bytes = 32768;  // large samples, several transfers each
    const RunResult result = result_of(plan);
    EXPECT_TRUE(result.valid) << format << ": " << result.invalid_reasons.front();
    EXPECT_EQ(result.samples_read, 96U);
    plan.level = ByteLevel::kRaw;
    plan.hold = true;
    EXPECT_TRUE(result_of(plan).valid) << format;
  }
}

TEST_P(TrainFiles, ReadsLabelsWhereverTheyLie) {
  using enum LabelPlacement;
  using enum DirectoryLayout;
  const std::tuple<LabelPlacement, DirectoryLayout, std::uint64_t> cases[] = {
      {kSideFile, kHashed, 2 * 48 * 77},       // two epochs, a label of 77 B for each sample
      {kManifest, kSubfolders, 3 * 48 * 100},  // once for each of three accelerators
      {kDirectory, kClassFolders, 0},
      {kNone, kFlat, 0}};
  for (const auto& [labels, layout, label_bytes] : cases) {
    Workload workload = test_workload("npz", 48, 1, 9000);
    workload.dataset.labels = labels;
    workload.dataset.layout = layout;
    workload.dataset.folders = layout == kSubfolders ? 5 : 0;
    workload.dataset.label_bytes = labels == kManifest ? 100 : 77;
    workload.dataset.classes = 4;
    fs::remove_all(directory_ + "/npz");
    const TrainingPlan plan = generated(workload);
    const RunResult result = result_of(plan);
    EXPECT_TRUE(result.valid) << to_string(labels);
    EXPECT_EQ(result.samples_read, 96U) << to_string(labels);
    if (std::get<2>(GetParam()) == ClientKind::kNative) {
      EXPECT_EQ(result.bytes_asked, 2 * plan.dataset->bytes() + label_bytes) << to_string(labels);
    }
  }
}

TEST_P(TrainFiles, ALostLabelIsNamed) {
  for (const LabelPlacement labels : {LabelPlacement::kSideFile, LabelPlacement::kManifest}) {
    Workload workload = test_workload("npz", 48, 1, 9000);
    workload.dataset.labels = labels;
    fs::remove_all(directory_ + "/npz");
    const TrainingPlan plan = generated(workload);
    const bool by_file = labels == LabelPlacement::kSideFile;
    const std::string lost = plan.dataset->resolve(by_file ? plan.dataset->side_file(7).path
                                                           : plan.dataset->label_manifest().path);
    ASSERT_TRUE(fs::remove(lost));
    const RunResult result = summarise_training(plan, run(plan));
    EXPECT_FALSE(result.valid);
    ASSERT_FALSE(result.errors.empty());
    EXPECT_NE(result.errors[0].first_message.find(lost), std::string::npos)
        << result.errors[0].first_message;
  }
}

TEST_P(TrainFiles, NamesTheFileThatIsBadAndStopsOrGoesOn) {
  const TrainingPlan plan = generated(test_workload("tfrecord", 4, 12, 50000));
  const std::string victim = plan.dataset->full_path(2);
  {
    std::fstream file(victim, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(123456);
    file.put('\x55');
    file.put('\xAA');
  }
  const RunResult stopped = summarise_training(plan, run(plan));
  EXPECT_FALSE(stopped.valid);
  ASSERT_FALSE(stopped.errors.empty());
  EXPECT_EQ(stopped.errors.front().kind, "corrupt");
  EXPECT_NE(stopped.errors.front().first_message.find("part-0000002"), std::string::npos)
      << stopped.errors.front().first_message;
  fs::resize_file(victim, 20000);
  TrainingPlan patient = plan;
  patient.on_error = OnError::kContinue;
  const RunResult counted = summarise_training(patient, run(patient));
  EXPECT_FALSE(counted.valid);
  EXPECT_EQ(counted.steps, 8U);
  ASSERT_FALSE(counted.errors.empty());
  EXPECT_GT(counted.errors.front().count, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Modes, TrainFiles,
    testing::Values(std::tuple{IoMode::kBuffered, IoEngine::kUring, ClientKind::kNative},
                    std::tuple{IoMode::kDirect, IoEngine::kUring, ClientKind::kNative},
                    std::tuple{IoMode::kBuffered, IoEngine::kThreads, ClientKind::kFaithful},
                    std::tuple{IoMode::kDirect, IoEngine::kThreads, ClientKind::kFaithful}));

TEST(Train, InterruptJoinsEverythingAndKeepsWhatThereIs) {
  const Workload workload = test_workload("file", 4000, 1, 1000);
  TrainingPlan plan = test_plan(workload, ClientKind::kNative, 8);
  plan.epochs = 0;
  const ModelFile model("latency: 50ms\nbandwidth: 1MB/s\n");
  const auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, 2);
  const auto factory =
      make_storage_factory(parse_storage(model.storage()).value(), IoMode::kBuffered, ".", 1);
  TrainingProgress progress;
  struct StopAfter final : StepObserver {
    std::stop_source source;
    bool on_step(std::uint64_t step, const StepRecord&) override {
      if (step == 3) source.request_stop();
      return false;
    }
  } observer;
  const TrainingOutcome outcome =
      run_training(**group, factory, plan, &observer, progress, observer.source.get_token());
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_GE(outcome.steps.size(), 4U);
  EXPECT_FALSE(outcome.fatal.has_value());
}

}  // namespace
}  // namespace feedrate
