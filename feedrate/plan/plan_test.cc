#include "feedrate/plan/plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "feedrate/result/views.h"
#include "feedrate/workload/accelerator_type.h"
#include "feedrate/workload/catalogue_data.h"

namespace feedrate {
namespace {

TrainingJob job_of(const char* workload, const char* accelerator, double accelerators = 1) {
  TrainingJob job;
  job.workload = find_workload(workload).value();
  job.timing = job.workload.timing(accelerator).value();
  job.accelerators = Count(accelerators);
  job.parallelism.data = static_cast<std::uint64_t>(accelerators);
  job.utilisation = Count(job.workload.au_threshold);
  job.transfer = Bytes(4194304);
  return job;
}

CheckpointJob checkpoint_of(const char* model) {
  CheckpointJob job;
  job.model = find_model(model).value();
  job.parallelism = job.model.parallelism;
  return job;
}

NetworkPort port() { return find_network_port("eth-400").value(); }

// The public demand of one accelerator, in MB/s at AU 100 %: batch / step x record, of
// mlcommons/storage configs/dlio/workload and argonne-lcf/dlio_benchmark configs/workload.
TEST(PlanTraining, EveryPublishedDemand) {
  const struct {
    const char *workload, *accelerator;
    double megabytes;
  } published[] = {
      {"unet3d", "v100", 431.1},    {"unet3d", "a100", 1613.5},   {"unet3d", "h100", 3177.1},
      {"unet3d", "b200", 6334.6},   {"resnet50", "v100", 37.6},   {"resnet50", "a100", 105.4},
      {"resnet50", "h100", 204.8},  {"cosmoflow", "v100", 302.2}, {"cosmoflow", "a100", 513.3},
      {"cosmoflow", "h100", 808.1}, {"bert", "v100", 0.124},      {"retinanet", "b200", 163.0},
      {"flux", "b200", 77.0},       {"dlrm_v3", "b200", 6990},
  };
  for (const auto& row : published) {
    const TrainingDemand demand = training_demand(job_of(row.workload, row.accelerator));
    EXPECT_NEAR(demand.per_accelerator.value() / 1e6 / row.megabytes, 1, 0.01)
        << row.workload << " " << row.accelerator;
  }
}

// docs/guide/plan.md, "Worked by hand": 64 H100 of ResNet-50.
TEST(PlanTraining, WorkedExample) {
  const TrainingDemand demand = training_demand(job_of("resnet50", "h100", 64));
  EXPECT_NEAR(demand.full.value(), 64 * 400 / 0.224 * 114660.07, 1);  // 13.104 GB/s
  EXPECT_NEAR(demand.full.value() / 13.104e9, 1, 1e-4);
  EXPECT_NEAR(demand.mean.value() / 11.794e9, 1, 1e-4);
  EXPECT_NEAR(demand.peak.value() / 39.312e9, 1, 1e-4);
  EXPECT_NEAR(demand.windows.value() / 5.8706e9, 1, 1e-4);
  EXPECT_NEAR(demand.samples.value(), 102857.14, 0.01);
  EXPECT_NEAR(demand.opens.value(), 82.22, 0.01);
  EXPECT_NEAR(demand.operations.value(), 11.794e9 / 4194304, 1);
  EXPECT_EQ(demand.hosts, Count(8));
  EXPECT_NEAR(demand.per_host.value() / 1.4742e9, 1, 1e-4);
  EXPECT_NEAR(demand.stored.value() / 146.882e9, 1, 1e-4);
  EXPECT_NEAR(demand.epoch.value(), 12.454, 0.01);
  EXPECT_NEAR(demand.total.value() / 734.41e9, 1, 1e-4);
  EXPECT_NEAR(demand.benchmark.value() / 1467.65e9, 1, 1e-4);
}

TEST(PlanTraining, FilesThatAreSamplesAreOpenedEach) {
  TrainingJob job = job_of("unet3d", "h100", 8);
  const TrainingDemand demand = training_demand(job);
  EXPECT_NEAR(demand.opens.value(), 8 * 7 / 0.323 * 0.9, 1e-6);
  EXPECT_NEAR(demand.operations.value(), demand.opens.value() * 35, 1e-6);  // 146.6 MB in 4 MiB
  job.workload.dataset.labels = LabelPlacement::kSideFile;
  EXPECT_NEAR(training_demand(job).opens.value(), 2 * demand.opens.value(), 1e-6);
  EXPECT_NEAR(training_demand(job).operations.value(), demand.opens.value() * 36, 1e-6);
}

TEST(PlanTraining, ColumnsAreReadOneByOneAndLmdbByPages) {
  // 6.99 GB/s at 70 %: 30.6 M rows/s / 6,144 x 40 columns.
  const TrainingDemand columns = training_demand(job_of("dlrm_v3", "b200"));
  EXPECT_NEAR(columns.operations.value(), 0.7 * 16384 / 375e-6 / 6144 * 40, 1);
  const TrainingDemand pages = training_demand(job_of("oc20", "a100"));
  EXPECT_NEAR(pages.operations.value(), pages.samples.value() * 3, 1e-9);  // 8,500 B
}

TEST(PlanTraining, TheBandwidthThatIsThereSetsTheTimes) {
  TrainingJob job = job_of("resnet50", "h100", 64);
  job.available_read = BytesPerSecond(1e9);
  EXPECT_NEAR(training_demand(job).epoch.value(), 146.882, 0.001);
  EXPECT_NEAR(training_demand(job).time.value(), 5 * 146.882, 0.01);
}

TEST(PlanTraining, WhatAcceleratorsHaveBesideTheModel) {
  TrainingJob job = job_of("resnet50", "h100", 2);
  job.accelerator_memory = Bytes(80e9);
  const TrainingDemand demand = training_demand(job);
  EXPECT_TRUE(fits_accelerators(job, demand, Bytes(1e9))
                  .starts_with("the data set fits what 2 h100 have beside their model (147 GB of "
                               "158 GB)"));
  EXPECT_TRUE(fits_accelerators(job, demand, Bytes(90e9)).find("(147 GB of 0 B)") !=
              std::string::npos);
}

TEST(PlanTraining, TheRateOfRealTrainingStandsBeside) {
  const TrainingJob job = job_of("resnet50", "h100", 64);
  const Section section = training_section(job, training_demand(job));
  EXPECT_NEAR(section.find("measured_bandwidth")->value.value() /
                  section.find("read_bandwidth")->value.value(),
              3.9, 0.05);
}

// docs/guide/plan.md, "Two sets of step times".
TEST(PlanTraining, BothSetsOfStepTimes) {
  TrainingJob job = job_of("resnet50", "h100", 64);
  job.available_read = BytesPerSecond(6e9);
  const TrainingJob real = with_other_timing(job).value();
  EXPECT_EQ(real.timing.set, "measured");
  EXPECT_NEAR(training_demand(real).per_host.value() / 5.742e9, 1, 1e-3);
  EXPECT_EQ(with_other_timing(real)->timing, job.timing);
  const Section section = training_section(job, training_demand(job));
  EXPECT_EQ(section.find("fed")->value.value(), 32);
  EXPECT_EQ(section.find("fed_measured")->value.value(), 8);
  EXPECT_TRUE(section.remarks.back().starts_with(
      "the measured rate is of a run with 8 accelerators and scaled in proportion to 64 here"));
  job.accelerators = Count(8);
  for (const std::string& remark : training_section(job, training_demand(job)).remarks)
    EXPECT_EQ(remark.find("scaled in proportion"), std::string::npos);
  job.timing.set = kUserTiming;
  EXPECT_FALSE(with_other_timing(job));
}

// docs/guide/plan.md, "Published samples/s".
TEST(PlanTraining, SamplesWithAndWithoutTheFirstStep) {
  TrainingJob job = job_of("unet3d", "h100", 8);
  job.workload.dataset.files = 2046;
  const TrainingDemand demand = training_demand(job);
  EXPECT_EQ(demand.steps, Count(36));
  EXPECT_NEAR(demand.fill.value(), 1.4356, 1e-4);
  EXPECT_NEAR(demand.run.value(), 13.243, 1e-3);
  EXPECT_NEAR(demand.with_first.value(), 36 * 56 / 13.243, 0.02);
  EXPECT_NEAR(demand.after_first.value(), 35 * 56 / (13.243 - 1.4356 - 0.323), 0.02);
  // With twice the bandwidth the fill takes half as long, and the steps follow each other.
  job.available_read = demand.full;
  EXPECT_NEAR(training_demand(job).fill.value(), 4 * 0.323, 1e-6);
  EXPECT_NEAR(training_demand(job).run.value(), 40 * 0.323, 1e-6);
  // The first step is counted only for loaders that work so.
  EXPECT_EQ(training_demand(job_of("resnet50", "h100", 8)).steps, Count(0));
}

TEST(PlanTraining, AManifestOfLabelsIsReadByEveryReader) {
  TrainingJob job = job_of("resnet50", "h100", 8);
  job.workload.dataset.labels = LabelPlacement::kManifest;
  job.workload.dataset.label_bytes = 100;
  EXPECT_NEAR(training_demand(job).labels_at_start.value(), 8 * 1281024.0 * 100, 1);
}

TEST(PlanTraining, TheFullestHostCounts) {
  const TrainingDemand demand = training_demand(job_of("resnet50", "h100", 9));
  EXPECT_NEAR(demand.per_host.value(), demand.mean.value() / 9 * 8, 1);
  // A benchmark's data set is counted by what is stored, not by what is read of it.
  const TrainingDemand columns = training_demand(job_of("dlrm_v3", "b200", 8));
  EXPECT_NEAR(columns.benchmark.value(), 500.0 * 8 * 16384 * 761, 1e6);
}

TEST(PlanTraining, AnIndexFileIsReadByEveryReader) {
  const TrainingDemand demand = training_demand(job_of("gpt3", "h100", 8));
  EXPECT_EQ(demand.index_at_start, Bytes(8 * (590820 * 20 + 42)));
  const TrainingJob lmdb = job_of("oc20", "a100");
  const Section section = training_section(lmdb, training_demand(lmdb));
  EXPECT_TRUE(section.remarks[0].starts_with("the index inside lmdb files"));
}

TEST(PlanTraining, OneReaderPerReplica) {
  TrainingJob job = job_of("resnet50", "h100", 64);
  const TrainingDemand alone = training_demand(job);
  job.parallelism = {.tensor = 4, .pipeline = 2, .data = 8};
  const TrainingDemand shared = training_demand(job);
  EXPECT_EQ(shared.readers, Count(8));
  EXPECT_NEAR(shared.mean.value() * 8, alone.mean.value(), 1);
  EXPECT_NEAR(shared.per_host.value(), shared.mean.value() / 8, 1);  // a replica is a host
  // Rates that are already divided by all accelerators give the same result.
  job.shared_timing = true;
  EXPECT_NEAR(training_demand(job).mean.value(), alone.mean.value(), 1);
}

TEST(PlanTraining, HostMemoryThatHoldsTheDataIsReadOnce) {
  TrainingJob job = job_of("resnet50", "h100", 64);
  job.host_memory = Bytes(512e9);
  const TrainingDemand demand = training_demand(job);
  EXPECT_EQ(demand.later, Bytes(0));
  EXPECT_EQ(demand.total, demand.read);
  const Section section = training_section(job, demand);
  ASSERT_FALSE(section.remarks.empty());
  EXPECT_EQ(section.remarks[0],
            "the data set fits one host's memory (147 GB of 512 GB): storage matters for the first "
            "read only, if the job keeps it there, as the totals above assume");
  // Later epochs do not wait for storage.
  EXPECT_NEAR(demand.time.value(), demand.epoch.value() * (1 + 4 * 0.9), 1e-6);
  job.host_memory = Bytes(64e9);
  EXPECT_EQ(training_demand(job).later, training_demand(job).read);
}

TEST(PlanTraining, ABatchLargerThanTheDataIsTold) {
  const TrainingJob job = job_of("unet3d", "h100", 64);
  const Section section = training_section(job, training_demand(job));
  EXPECT_EQ(section.remarks[0],
            "a step of all takes 448 samples, more than the 168 of the data set: they cannot work "
            "on it together");
}

TEST(PlanTraining, BandwidthThatIsThereGivesUtilisationAndMoney) {
  TrainingJob job = job_of("resnet50", "h100", 64);
  job.available_read = BytesPerSecond(6.552e9);  // half of 13.104 GB/s
  job.accelerator_cost = Money(2.5) / hours(1);
  const Section section = training_section(job, training_demand(job));
  EXPECT_NEAR(section.find("utilisation")->value.value(), 0.5, 1e-4);
  EXPECT_EQ(section.find("fed")->value.value(), 35);  // 6.552 / (0.20475 x 0.9) = 35.6
  EXPECT_NEAR(section.find("cost")->value.value(), 160, 1e-6);
  EXPECT_NEAR(section.find("cost_waiting")->value.value(), 80, 0.01);
}

TEST(PlanNetwork, GradientsAndActivations) {
  TrainingJob job = job_of("gpt3", "h100", 512);
  job.parallelism = {.tensor = 8, .pipeline = 8, .data = 8};
  job.shared_timing = true;
  const ModelShape model = find_model("gpt3-175b").value();
  const Section section =
      network_section(model, job.parallelism, training_demand(job).reader_batch);
  const double parameters = model.parameters().value();
  EXPECT_NEAR(section.find("gradients")->value.value(), 2 * 7.0 / 8 * parameters / 64 * 2, 1);
  const double activations = 256.0 * 2048 * 12288 * 2;
  EXPECT_NEAR(section.find("tensor")->value.value(), 4 * 12 * 2 * 7.0 / 8 * activations, 1);
  EXPECT_NEAR(section.find("pipeline")->value.value(), 2 * activations, 1);
  // ZeRO 3 gathers the weights twice and scatters the gradients.
  job.parallelism.zero_stage = 3;
  const Section sharded = network_section(model, job.parallelism, Count(0));
  EXPECT_NEAR(sharded.find("gradients")->value.value(), 3 * 7.0 / 8 * parameters / 64 * 2, 1);
  EXPECT_EQ(sharded.find("tensor"), nullptr);
  EXPECT_EQ(sharded.remarks[0],
            "activations between tensor-parallel ranks and stages depend on batch and sequence "
            "length, of which at least one is not known");
}

TEST(PlanCheckpoint, WithoutProgressItSaysSo) {
  CheckpointJob job = checkpoint_of("llama3-405b");
  job.failure_time.value = hours(1);  // 7 s between failures of 512
  const CheckpointNeed need = checkpoint_need(job);
  EXPECT_LT(need.synchronous.goodput, Count(1e-6));
  EXPECT_LE(need.synchronous.overhead, Count(1));
  EXPECT_TRUE(checkpoint_section(job, need).remarks[0].starts_with("the job makes no progress"));
}

// Rows of tables are read, held and written by one replica each. What all replicas have is read by
// all and written by the first.
TEST(PlanCheckpoint, RowsOfTablesLieOnAllReplicas) {
  const double tables = 26135627264.0, dense = 26151671809.0 - tables;
  CheckpointJob job = checkpoint_of("dlrm");
  const CheckpointNeed need = checkpoint_need(job);
  EXPECT_NEAR(need.size.sum().value(), 14 * (tables + dense), 1);
  EXPECT_NEAR(need.size.largest.sum().value(), 14 * (tables / 8 + dense), 1);
  EXPECT_NEAR(need.size.smallest.sum().value(), 14 * tables / 8, 1);
  EXPECT_EQ(need.size.files(), Count(16));
  EXPECT_NEAR(need.restart_read.value(), 14 * (tables + 8 * dense), 1);
  EXPECT_NEAR(need.state_per_accelerator.value(), 16 * (tables / 8 + dense), 1);
  const Section section = checkpoint_section(job, need);
  EXPECT_EQ(section.find("parameters")->formula, "the sum of 51 tensors");
  EXPECT_TRUE(section.find("restart_read")->formula.ends_with("of tables, whose rows one reads"));
  EXPECT_NE(section.find("state")->formula.find("; the rows of tables (26.14 G) / data everywhere"),
            std::string::npos);

  job.parallelism.zero_stage = 3;
  EXPECT_NEAR(checkpoint_need(job).restart_read.value(), 14 * (tables + dense), 1);
  EXPECT_NEAR(checkpoint_need(job).state_per_accelerator.value(), 16 * (tables + dense) / 8, 1);

  const Section network = network_section(job.model, job.parallelism, Count(0));
  EXPECT_NEAR(network.find("gradients")->value.value(), 3 * 7.0 / 8 * dense * 2, 1);
  EXPECT_EQ(network.remarks[0],
            "rows of embedding tables that replicas ask each other for depend on the samples, "
            "which no source describes well enough");
}

TEST(PlanCheckpoint, ThePublishedIntervalAndOverhead) {
  // Published by Young's formula: 5,292 GiB at 156 GiB/s take 33.9 s; with 3.09 h between failures
  // 14.5 min from begin to begin, 7.8 %. Daly's terms move the first by 1.3 %.
  CheckpointJob job = checkpoint_of("llama3-405b");
  job.available_write = BytesPerSecond(156 * 1073741824.0);
  job.failure_time.value = hours(3.09 * 512);
  const CheckpointNeed need = checkpoint_need(job);
  EXPECT_NEAR(need.write_time.value(), 33.9, 0.05);
  const Seconds young = root(Count(2) * need.mean_time_between_failures * need.write_time);
  EXPECT_NEAR(young.value() / 60, 14.5, 0.05);
  EXPECT_NEAR(((need.synchronous.interval + need.write_time) / young).value(), 1.013, 0.001);
  EXPECT_NEAR(need.synchronous.overhead.value(), 0.078, 0.003);
}

// docs/guide/plan.md, "Worked by hand": Llama-3 405B.
TEST(PlanCheckpoint, WorkedExample) {
  CheckpointJob job = checkpoint_of("llama3-405b");
  job.loads.value = Count(8);
  const CheckpointNeed need = checkpoint_need(job);
  EXPECT_EQ(job.model.layer_parameters(), Count(3187703808));
  EXPECT_EQ(need.size.smallest.sum(), Bytes(9513171840));
  EXPECT_EQ(need.size.largest.sum(), Bytes(9513171840 + 2 * 1856634880.0));
  EXPECT_NEAR(need.write.value() / 94.71e9, 1, 1e-4);
  EXPECT_NEAR(need.rank_write.value() / 220.44e6, 1, 1e-4);
  EXPECT_EQ(need.mean_time_between_failures, Seconds(351562.5));
  EXPECT_NEAR(need.synchronous.interval.value(), 6455.2, 0.1);
  EXPECT_NEAR(need.synchronous.overhead.value(), 0.01837, 1e-5);
  EXPECT_NEAR(need.asynchronous.blocked.value(), 0.46659, 1e-5);
  EXPECT_NEAR(need.asynchronous.interval.value(), 572.47, 0.01);
  EXPECT_NEAR(need.asynchronous.overhead.value(), 0.00163, 1e-5);
  EXPECT_NEAR(need.asynchronous.goodput.value(), 0.99717, 1e-5);
  EXPECT_NEAR(need.write_behind.value() / 9.926e9, 1, 1e-3);
  EXPECT_NEAR(need.incremental_interval.value(), 2050.0, 0.1);
  EXPECT_NEAR(need.restart_read.value() / 6.4943e12, 1, 1e-4);
  EXPECT_NEAR(need.synchronous.goodput.value(), 0.98063, 1e-5);
  EXPECT_NEAR(need.capacity.value() / 22.73e12, 1, 1e-4);
  EXPECT_NEAR((need.load / job.load_budget.value).value() / 108.2276e9, 1, 1e-4);
  EXPECT_NEAR(need.state_per_accelerator.value() / 15.8536e9, 1, 1e-4);
}

TEST(PlanCheckpoint, AsynchronousBlocksForTheSnapshotOnly) {
  CheckpointJob job = checkpoint_of("llama3-70b");
  const CheckpointNeed need = checkpoint_need(job);
  EXPECT_NEAR(need.asynchronous.blocked.value(),
              need.size.largest.sum().value() / (26.4 * 1073741824), 1e-9);
  EXPECT_LT(need.asynchronous.overhead, need.synchronous.overhead);
  job.failure_time.value = hours(50);  // writes cannot follow each other faster than they end
  EXPECT_EQ(checkpoint_need(job).asynchronous.interval, job.stall_budget.value);
}

TEST(PlanCheckpoint, BandwidthsCapacityAndRestart) {
  CheckpointJob job = checkpoint_of("llama3-8b");
  job.stall_budget.value = Seconds(10);
  job.kept.value = Count(4);
  const CheckpointNeed need = checkpoint_need(job);
  EXPECT_NEAR(need.write.value(), need.size.sum().value() / 10, 1);
  EXPECT_NEAR(need.capacity.value(), 5 * need.size.sum().value(), 1);
  EXPECT_NEAR(need.restart_read.value(), need.size.sum().value(), 1);  // ZeRO 3: all in parts
  EXPECT_NEAR(need.incremental.value(), need.size.sum().value() / 10, 1);
  EXPECT_NEAR(need.final_model.value(), 8030261248.0 * 2, 1);
  EXPECT_NEAR(need.state_per_accelerator.value(), 8030261248.0 * 16 / 8, 1);
  // What the state leaves of an accelerator: of a model alone, and none where it does not fit.
  const double state = 8030261248.0 * 16 / 8;
  job.accelerator_memory = Bytes(80e9);
  EXPECT_EQ(checkpoint_section(job, need).find("memory_left"), nullptr);
  job.memory_source = "a data sheet";
  EXPECT_NEAR(checkpoint_section(job, need).find("memory_left")->value.value(), 80e9 - state, 1);
  job.accelerator_memory = Bytes(1e9);
  EXPECT_EQ(checkpoint_section(job, need).find("memory_left")->value.value(), 0);
  // Without ZeRO every replica reads all of it.
  job.parallelism.zero_stage = 0;
  const CheckpointNeed whole_state = checkpoint_need(job);
  EXPECT_NEAR(whole_state.restart_read.value(), 8 * whole_state.size.sum().value(), 1);
}

TEST(PlanInference, RatesLogsAndTheRatioToTraining) {
  InferenceJob job;
  job.shape = find_inference("resnet50").value();
  job.rate = job.shape.rate("h100").value();
  job.accelerators = Count(8);
  job.training = PerSecond(6956);
  const InferenceNeed need = inference_need(job);
  EXPECT_NEAR(need.offline.input.value(), 8 * 91826.0 * 150528, 1);
  EXPECT_NEAR(need.server.input.value(), 8 * 76002.0 * 150528, 1);
  EXPECT_NEAR(need.server.log.value(), 8 * 76002.0 * 1024, 1);
  EXPECT_NEAR(need.offline.log.value(), 8 * 91826.0 * 1024, 1);
  EXPECT_NEAR(need.log_day.value(), 8 * 76002.0 * 1024 * 86400, 1);
  EXPECT_NEAR(need.to_training.value(), 13.2, 0.05);
  EXPECT_NEAR(need.load_rate.value(), 8 * 102228128.0 / 60, 1);
}

// The ratios follow from public figures: offline over measured training rate.
TEST(PlanInference, PublishedRatios) {
  const struct {
    const char *inference, *workload, *accelerator;
    double ratio;
  } published[] = {{"resnet50", "resnet50", "a100", 12.7}, {"bert", "bert", "a100", 12.0},
                   {"bert", "bert", "h100", 9.7},          {"rnnt", "rnnt", "a100", 14.8},
                   {"rnnt", "rnnt", "h100", 13.3},         {"retinanet", "retinanet", "a100", 5.1},
                   {"retinanet", "retinanet", "h100", 4.5}};
  for (const auto& row : published) {
    InferenceJob job;
    job.shape = find_inference(row.inference).value();
    job.rate = job.shape.rate(row.accelerator).value();
    const Workload workload = find_workload(row.workload).value();
    job.training =
        PerSecond(workload.timing(row.accelerator, kMeasuredTiming).value().samples_per_second());
    EXPECT_NEAR(inference_need(job).to_training.value() / row.ratio, 1, 0.02) << row.inference;
  }
}

StorageDemand demand_of(StoragePhase phase, Bytes capacity = Bytes(0)) {
  phase.key = "training";
  return {{phase}, capacity};
}

TEST(PlanSizing, TheLargestCountBinds) {
  StorageProfile drive;
  drive.read = {BytesPerSecond(7e9), "r"};
  drive.capacity = {Bytes(30e12), "c"};
  drive.read_operations = {PerSecond(1000), "o"};
  drive.per_server = {Count(24), "s"};
  StoragePhase phase{.read = BytesPerSecond(70e9), .write = BytesPerSecond(1)};
  Sizing sizing = size_storage(demand_of(phase, Bytes(31e12)), drive, port());
  EXPECT_EQ(sizing.units, Count(10));
  EXPECT_EQ(sizing.bound_by, "read bandwidth of training");
  EXPECT_EQ(sizing.servers, Count(1));
  EXPECT_EQ(sizing.unknown, std::vector<std::string>{"write bandwidth"});
  EXPECT_EQ(sizing.ports, Count(2));  // 70 / 46.6
  EXPECT_EQ(size_storage(demand_of(phase, Bytes(3100e12)), drive, port()).bound_by, "capacity");
  phase.read_operations = PerSecond(1e6);
  sizing = size_storage(demand_of(phase), drive, port());
  EXPECT_EQ(sizing.bound_by, "read operations of training");
  EXPECT_EQ(sizing.units, Count(1000));
  EXPECT_EQ(sizing.servers, Count(42));
  EXPECT_EQ(sizing.servers_bound_by, "slots");
}

TEST(PlanSizing, PhasesFollowEachOtherAndBurstsDoNotBind) {
  StorageProfile drive;
  drive.read = {BytesPerSecond(10e9), "r"};
  StorageDemand demand;
  demand.phases = {{.key = "training", .read = BytesPerSecond(20e9)},
                   {.key = "restart", .read = BytesPerSecond(50e9)},
                   {.key = "burst", .read = BytesPerSecond(90e9), .burst = true}};
  const Sizing sizing = size_storage(demand, drive, port());
  EXPECT_EQ(sizing.units, Count(5));
  EXPECT_EQ(sizing.bound_by, "read bandwidth of restart");
  ASSERT_EQ(sizing.phases.size(), 3U);
  EXPECT_EQ(sizing.phases[2].units, Count(9));
  EXPECT_EQ(sizing.ports, Count(2));  // 50 / 46.6
}

TEST(PlanSizing, AServerPassesOnWhatItCan) {
  StorageProfile drive;
  drive.read = {BytesPerSecond(10e9), "r"};
  drive.per_server = {Count(24), "s"};
  drive.server_read = {BytesPerSecond(100e9), "r"};
  drive.server_write = {BytesPerSecond(10e9), "w"};
  const auto size = [&](double read, double write) {
    return size_storage(demand_of({.read = BytesPerSecond(read), .write = BytesPerSecond(write)}),
                        drive, port());
  };
  EXPECT_EQ(size(240e9, 0).servers, Count(3));
  EXPECT_EQ(size(240e9, 0).servers_bound_by, "their read bandwidth");
  EXPECT_EQ(size(100e9, 55e9).servers, Count(6));
  EXPECT_EQ(size(100e9, 55e9).servers_bound_by, "their write bandwidth");
}

// docs/guide/plan.md: 11.794 GB/s in reads of 4 MiB.
TEST(PlanSizing, ADiskSeeksOrReads) {
  const StorageProfile disk = find_storage_profile("hdd-7200").value();
  const Sizing sizing = size_storage(
      demand_of({.read = BytesPerSecond(11.794e9), .read_operations = PerSecond(2812)}), disk,
      port());
  EXPECT_EQ(sizing.units, Count(58));  // 41.4 + 16.5
  EXPECT_EQ(sizing.bound_by, "read bandwidth and operations, one at a time of training");
}

TEST(PlanSizing, OneDirectoryCreatesFewerFiles) {
  StorageProfile shared;
  shared.creates = {PerSecond(1000), "many"};
  shared.one_directory_creates = {Count(0.1), "one"};
  StorageDemand demand = demand_of({.creates = PerSecond(1000)});
  EXPECT_EQ(size_storage(demand, shared, port()).units, Count(1));
  demand.one_directory = true;
  const Sizing sizing = size_storage(demand, shared, port());
  EXPECT_EQ(sizing.units, Count(10));
  EXPECT_EQ(sizing.bindings[0].source, "many; in one directory 10.0 % of it: one");
}

TEST(PlanSizing, OneDirectoryIsExplainedWhereItChangesNothing) {
  StorageDemand demand = demand_of({.read = BytesPerSecond(1), .read_operations = PerSecond(3e4)});
  demand.one_directory = true;
  const auto text = [&](const char* name) {
    return size_storage(demand, find_storage_profile(name).value(), port()).one_directory;
  };
  EXPECT_TRUE(text("object-store")
                  .starts_with("in one directory: at most 1 prefix, 16.7 % of this, so spread the "
                               "files over 6 or more"));
  EXPECT_TRUE(text("nvme-gen5").ends_with("the file system on it may be"));
  EXPECT_TRUE(text("shared-everything").find("not counted, as no source gives") !=
              std::string::npos);
  StorageProfile ours;
  ours.unit = "filer";
  ours.read = {BytesPerSecond(1), "r"};
  ours.opens = {PerSecond(10), "o"};
  ours.one_directory_opens = {Count(0.5), "h"};
  EXPECT_EQ(size_storage(demand, ours, port()).one_directory,
            "in one directory: the same, as read bandwidth of training decides");
  demand.phases[0].opens = PerSecond(20);
  EXPECT_EQ(size_storage(demand, ours, port()).one_directory,
            "in one directory: 4 filers instead of 2 filers");
  demand.one_directory = false;
  EXPECT_EQ(size_storage(demand, ours, port()).one_directory, "");
}

TEST(PlanCatalogue, EveryFileIsWhole) {
  for (const std::string& name : storage_profile_names()) {
    const Result<StorageProfile> profile = find_storage_profile(name);
    ASSERT_TRUE(profile) << profile.error().message();
    EXPECT_EQ(profile->name, name);
  }
  for (const std::string& name : catalogue_folder("networks/")) {
    const Result<NetworkPort> network = find_network_port(name);
    ASSERT_TRUE(network) << network.error().message();
    EXPECT_EQ(network->name, name);
    EXPECT_GT(network->carries(), BytesPerSecond(0));
  }
}

TEST(PlanStorage, WrongFilesAreNamed) {
  const auto message = [](const char* yaml) {
    const auto profile = parse_storage_profile(yaml, "mine.yaml");
    return profile ? std::string() : profile.error().message();
  };
  EXPECT_EQ(message("name: a\n"),
            "mine.yaml:1:1: this storage has no 'sizing', so it cannot be counted");
  EXPECT_NE(message("name: a\nsizing: {title: t, unit: u, raed: {value: 1GB/s, source: s}}\n")
                .find("'raed'"),
            std::string::npos);
  EXPECT_NE(message("name: a\nsizing: {title: t, unit: u, one_directory_opens: {value: 2, source: "
                    "s}}\n")
                .find("one_directory_opens 2 is more than 1"),
            std::string::npos);
  const auto shared = parse_storage_profile(
      "name: a\nsizing: {title: t, unit: u, one_directory_opens: {value: 2, source: s}}\n", "x");
  EXPECT_EQ(shared.error().hint(), "it is a share, such as 0.9");
  EXPECT_EQ(parse_network_port("nam: a\n", "mine.yaml").error().message(),
            "mine.yaml:1:1: unknown key 'nam' in a network port, did you mean 'name'?");
}

PlanRequest request_of(std::vector<PlannedJob> jobs) {
  PlanRequest request;
  request.jobs = std::move(jobs);
  request.storages = {find_storage_profile("hdd-7200").value()};
  request.port = port();
  return request;
}

TEST(Plan, JobsShareOneStorage) {
  PlannedJob one, two;
  one.name = "resnet50";
  one.training = job_of("resnet50", "h100", 64);
  two.name = "unet3d";
  two.training = job_of("unet3d", "h100", 8);
  const Plan plan = make_plan(request_of({one, two}));
  ASSERT_EQ(plan.storage.size(), 1U);
  const double sum =
      training_demand(*one.training).mean.value() + training_demand(*two.training).mean.value();
  const StoragePhase& training = plan.storage[0].demand.phases[0];
  EXPECT_NEAR(training.read.value(), sum, 1);
  EXPECT_EQ(plan.storage[0].sizings[0].units, whole(BytesPerSecond(sum) / BytesPerSecond(285e6) +
                                                    training.read_operations / PerSecond(170)));
}

TEST(Plan, JsonAndCsvHoldEveryFigure) {
  PlannedJob job;
  job.name = "a, \"b\"";
  job.training = job_of("resnet50", "h100", 64);
  const Plan plan = make_plan(request_of({job}));
  const auto json = nlohmann::json::parse(to_json(plan_result({{Count(0), plan}}, false)));
  const auto& figures = json["result"]["points"][0]["jobs"][0]["sections"]["training"]["figures"];
  EXPECT_EQ(figures.size(), plan.jobs[0].sections[0].figures.size());
  EXPECT_NEAR(figures["read_bandwidth"]["value"].get<double>() / 11.794e9, 1, 1e-4);
  EXPECT_EQ(figures["read_bandwidth"]["unit"], "bytes_per_second");
  const std::string csv = to_csv(plan_result({{Count(0), plan}}, false));
  EXPECT_NE(csv.find("\"a, \"\"b\"\"\",training,read_bandwidth,"), std::string::npos);
}

TEST(Plan, TextNamesFormulasOnlyWhenAsked) {
  PlannedJob job;
  job.name = "resnet50";
  job.training = job_of("resnet50", "h100", 64);
  const Plan plan = make_plan(request_of({job}));
  EXPECT_EQ(to_text(plan_result({{Count(0), plan}}, false)).find("readers x batch"),
            std::string::npos);
  EXPECT_NE(
      to_text(plan_result({{Count(0), plan}}, false), true)
          .find("= readers x batch x sample / step x AU = 64 x 400 x 115 kB / 224.00 ms x 90.0 %"),
      std::string::npos);
}

TEST(Measure, TextsHaveTheUnitOfTheField) {
  EXPECT_EQ(Measure(Bytes(112423657472.0)).text(), "112 GB (104.70 GiB)");
  EXPECT_EQ(Measure(Bytes(512)).text(), "512 B");
  EXPECT_EQ(Measure(BytesPerSecond(13.104e9)).text(), "13.1 GB/s");
  EXPECT_EQ(Measure(Seconds(16.5 * 3600)).text(), "16h 30m");
  EXPECT_EQ(Measure(hours(72)).text(), "3.0 days");
  EXPECT_EQ(Measure(PerSecond(102857.1)).text(), "102,857/s");
  EXPECT_EQ(Measure(PerSecond(0.5)).text(), "0.50/s");
  EXPECT_EQ(Measure(Count(1183035102480.0)).text(), "1.18 T");
  EXPECT_EQ(Measure::fraction(Count(0.9)).text(), "90.0 %");
  EXPECT_EQ(Measure::fraction(Count(0.0018)).text(), "0.18 %");
  EXPECT_EQ(Measure(Money(2.5) / hours(1)).text(), "2.50 an hour");
  EXPECT_EQ(Measure(Seconds(INFINITY)).text(), "never");
}

}  // namespace
}  // namespace feedrate
