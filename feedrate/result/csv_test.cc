// Tests CSV: it has a line for each value, quoted so that a spreadsheet shows what the value is.
#include <gtest/gtest.h>

#include <limits>

#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

bool has_row(const Report& report, const std::string& row) {
  return to_csv(report).find("\r\n" + row + "\r\n") != std::string::npos;
}
// Returns the cell that a warning becomes.
std::string cell_of(const std::string& text) {
  CompactResult report;
  report.verb = "compact";
  report.warnings = {text};
  const std::string csv = to_csv(report), lead = "compact,warnings[0],", tail = ",,\r\ncompact,";
  const std::size_t at = csv.find(lead) + lead.size();
  return csv.substr(at, csv.find(tail, at) - at);
}

TEST(Csv, BeginsWithItsColumns) {
  for (const Report& report : all_reports()) {
    const bool plan = std::holds_alternative<PlanResult>(report);
    const bool sweep = plan && std::get<PlanResult>(report).sweep;
    EXPECT_TRUE(to_csv(report).starts_with(
        sweep  ? "accelerators,job,section,key,value,unit,label,formula,source\r\n"
        : plan ? "job,section,key,value,unit,label,formula,source\r\n"
               : "verb,key,value,unit,better\r\n"));
    EXPECT_TRUE(to_csv(report).ends_with("\r\n"));
  }
}

TEST(Csv, ALineHasKeyValueUnitAndWhichDirectionIsBetter) {
  const Report run = full_run();
  EXPECT_TRUE(has_row(run, "train,feedrate,2,count,"));
  EXPECT_TRUE(has_row(run, "train,valid,true,,"));
  EXPECT_TRUE(has_row(run, "train,warnings[0],a warning,,"));
  EXPECT_TRUE(has_row(run, "train,warnings[1],another,,"));
  EXPECT_TRUE(has_row(run, "train,seeds.order,11,,"));
  EXPECT_TRUE(has_row(run, "train,result.metrics.sustained_utilisation,0.92,fraction,more"));
  EXPECT_TRUE(has_row(run, "train,result.metrics.read_latency.p99_ms,903.0,milliseconds,less"));
  EXPECT_TRUE(has_row(run, "train,result.stalls.causes[2].own_ns,200000,nanoseconds,less"));
  EXPECT_TRUE(has_row(run, "train,result.client.reactors,21,count,"));
  EXPECT_TRUE(has_row(run, "train,result.stalls.series.points[0][1],0.25,,"));
  EXPECT_TRUE(has_row(run, "train,result.workload.other_timings[1].set,user,,"));
}

TEST(Csv, ListsOfFixedLengthAreOneValue) {
  EXPECT_TRUE(has_row(full_run(),
                      "train,result.metrics.open_latency.buckets_ns,\"[[1000,70],[2000,71]]\",,"))
      << to_csv(full_run());
}

TEST(Csv, AListOfFiguresHasTheirUnit) {
  EXPECT_TRUE(has_row(full_load(), "load,result.ready_seconds[0],2.0,seconds,less"));
  EXPECT_TRUE(has_row(full_load(), "load,result.ready_seconds[1],1.5,seconds,less"));
}

TEST(Csv, WhatIsNotKnownIsEmpty) {
  RunResult run = full_run();
  run.valid = false;
  run.checkpoints.reset();
  EXPECT_TRUE(has_row(run, "train,result.metrics.sustained_utilisation,,fraction,more"));
  EXPECT_TRUE(has_row(run, "train,result.checkpoints,,,"));
}

TEST(Csv, EachSearchAndEachReportWithinIsThere) {
  const Report find = full_find();
  EXPECT_TRUE(has_row(find, "find,result.searches[1].client,faithful,,"));
  EXPECT_TRUE(has_row(find, "find,result.searches[0].accelerators_high,25,count,more"));
  EXPECT_TRUE(
      has_row(find, "find,result.searches[0].beyond.result.workload.accelerators,56,count,"));
}

TEST(Csv, QuotesWhatWouldBreakALine) {
  EXPECT_EQ(cell_of("plain words; and more"), "plain words; and more");
  EXPECT_EQ(cell_of("a,b"), "\"a,b\"");
  EXPECT_EQ(cell_of("a \"b\""), "\"a \"\"b\"\"\"");
  EXPECT_EQ(cell_of("a\nb"), "\"a\nb\"");
  EXPECT_EQ(cell_of("a\rb"), "\"a\rb\"");
  EXPECT_EQ(cell_of(""), "");
}

TEST(Csv, AFormulaIsShownAsText) {
  EXPECT_EQ(cell_of("=1+1"), "\"'=1+1\"");
  EXPECT_EQ(cell_of("@SUM(A1)"), "\"'@SUM(A1)\"");
  EXPECT_EQ(cell_of("+cmd"), "\"'+cmd\"");
  EXPECT_EQ(cell_of("-cmd|' /C calc'!A0"), "\"'-cmd|' /C calc'!A0\"");
  EXPECT_EQ(cell_of("=HYPERLINK(\"x\",\"y\")"), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
  EXPECT_EQ(cell_of("-1+2"), "\"'-1+2\"") << "a spreadsheet works that out";
  EXPECT_EQ(cell_of("-"), "\"'-\"");
  EXPECT_EQ(cell_of("--"), "\"'--\"");
}

TEST(Csv, ANumberBelowZeroIsANumber) {
  EXPECT_EQ(cell_of("-1"), "-1");
  EXPECT_EQ(cell_of("-2.5e-3"), "-2.5e-3");
  StallShare share{"open", -5, 0};
  RunResult run = full_run();
  run.stalls.causes = {share};
  EXPECT_TRUE(has_row(run, "train,result.stalls.causes[0].own_ns,-5,nanoseconds,less"));
}

TEST(Csv, BytesThatAreNotTextAreReplaced) {
  CompactResult report = full_compact();
  report.place.directory = "da\xff";
  const std::string csv = to_csv(report);
  EXPECT_NE(csv.find("compact,place.directory,da\xEF\xBF\xBD,,\r\n"), std::string::npos) << csv;
  PlanResult plan = full_plan();
  plan.points[0].jobs[0].name = "\xff,";
  EXPECT_NE(to_csv(plan).find("\r\n\"\xEF\xBF\xBD,\",training,epoch,90,"), std::string::npos);
}

TEST(Csv, APlanIsALineForEachFigure) {
  const Report plan = full_plan();
  EXPECT_EQ(
      to_csv(plan),
      "job,section,key,value,unit,label,formula,source\r\n"
      "resnet50,training,read_bandwidth,1500000000,bytes_per_second,read bandwidth,3 x 0.5,a "
      "paper\r\n"
      "resnet50,training,epoch,90,seconds,an epoch takes,,\r\n"
      "storage,train,capacity,2000000000000,bytes,capacity,2 x 1e12,the option\r\n"
      "storage,train,nvme,3,count,\"title of nvme, at measured timing\",bound by read bandwidth of "
      "training; one directory halves it,\r\n"
      "storage,train,nvme_training,3,count,\"title of nvme for training, at measured timing\",,\r\n"
      "storage,train,nvme_checkpoint,2,count,\"title of nvme for checkpoint, at measured "
      "timing\",,\r\n"
      "storage,train,nvme_servers,4,count,\"servers of title of nvme, at measured timing\",by "
      "slots,\r\n"
      "storage,train,ports,5,count,\"network ports on the storage side, at measured "
      "timing\",larger of reads and writes / usable,\r\n"
      "storage,train,nvme_benchmark,9,count,\"title of nvme, at storage-benchmark timing\",bound "
      "by "
      "read bandwidth of training; one directory halves it,\r\n"
      "storage,train,nvme_training_benchmark,9,count,\"title of nvme for training, at "
      "storage-benchmark timing\",,\r\n"
      "storage,train,nvme_checkpoint_benchmark,2,count,\"title of nvme for checkpoint, at "
      "storage-benchmark timing\",,\r\n"
      "storage,train,nvme_servers_benchmark,10,count,\"servers of title of nvme, at "
      "storage-benchmark timing\",by slots,\r\n"
      "storage,train,ports_benchmark,11,count,\"network ports on the storage side, at "
      "storage-benchmark timing\",larger of reads and writes / usable,\r\n");
}

TEST(Csv, ASweepNamesItsPoints) {
  const Report sweep = full_sweep();
  EXPECT_TRUE(has_row(sweep, "8,resnet50,training,epoch,90,seconds,an epoch takes,,"));
  EXPECT_TRUE(has_row(sweep, "64,resnet50,training,epoch,90,seconds,an epoch takes,,"));
  EXPECT_NE(to_csv(sweep).find("\r\n64,storage,train,nvme,67,count,"), std::string::npos);
}

TEST(Csv, StorageWithoutAFigureIsLeftOut) {
  PlanResult plan = full_plan();
  PlannedUse& use = plan.points[0].uses[0];
  use.others.clear();
  use.timing.clear();
  use.storages[0].one_directory.clear();
  use.storages[0].servers = 0;
  use.storages.push_back(a_storage("tape", 0));
  const std::string csv = to_csv(plan);
  EXPECT_NE(
      csv.find("\r\nstorage,train,nvme,3,count,title of nvme,bound by read bandwidth of "
               "training,\r\nstorage,train,nvme_training,3,count,title of nvme for training,,\r\n"
               "storage,train,nvme_checkpoint,2,count,title of nvme for checkpoint,,\r\n"
               "storage,train,ports,5,count,"),
      std::string::npos)
      << csv;
  EXPECT_EQ(csv.find("tape"), std::string::npos);
  EXPECT_EQ(csv.find("servers"), std::string::npos);
  use.storages.clear();
  EXPECT_EQ(to_csv(plan).find("ports"), std::string::npos);
}

}  // namespace
}  // namespace feedrate
