// Tests every sentence that `plan` can print.
#include <gtest/gtest.h>

#include <array>

#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

const std::string kWarnings =
    "  error: 2 x io: read \"x\" at offset 3: Input/output error\n"
    "  warning: a warning\n"
    "  warning: another\n";

TEST(PlanText, AllThatAPlanCanSay) {
  EXPECT_EQ(
      to_text(full_plan()),
      "resnet50 reads 1.50 GB/s: 3 nvme to train\n"
      "\n"
      "resnet50: a title\n"
      "\n"
      "Training\n"
      "  read bandwidth                                                1.50 GB/s\n"
      "  an epoch takes                                                90.0 s\n"
      "  note: a remark\n"
      "\n"
      "  note: a remark of the job\n"
      "\n"
      "Storage for training\n"
      "  capacity                                                      2.00 TB (1862.65 GiB)\n"
      "  note: a remark of the use\n"
      "\n"
      "  units at the timing of\n"
      "  measured  storage-benchmark\n"
      "         3                  9  title of nvme                                         bound "
      "by read bandwidth of training\n"
      "             training 3, checkpoint 2, capacity 1\n"
      "             at storage-benchmark timing: training 9, checkpoint 2, capacity 1; bound by "
      "read bandwidth of training; in 10 servers; 640 requests in flight at once\n"
      "             one directory halves it\n"
      "             in 4 servers 24 each (a source), 4 ports each\n"
      "             a line\n"
      "             a second\n"
      "             640 requests in flight at once\n"
      "             its opens not known: no source gives it\n"
      "         5                 11  network ports on the storage side, Ethernet           10.0 "
      "GB/s of 12.5 GB/s usable\n"
      "  note: a port's note\n"
      "\n"
      "--explain shows every formula and source.\n" +
          kWarnings);
}

TEST(PlanText, ExplainShowsEveryFormulaAndSource) {
  const Report plan = full_plan();
  const std::string text = to_text(plan, true);
  EXPECT_NE(text.find("  read bandwidth                                                1.50 GB/s\n"
                      "      = 3 x 0.5\n"
                      "      source: a paper\n"
                      "  an epoch takes                                                90.0 s\n"
                      "  note: a remark\n"),
            std::string::npos)
      << text;
  EXPECT_TRUE(
      has_line(plan, "               training, read bandwidth: 7 / 2 = 3.50 (a data sheet)", true));
  EXPECT_TRUE(has_line(plan, "               capacity: 4 / 4 = 1 (another)", true));
  EXPECT_TRUE(has_line(plan,
                       "               larger of reads and writes / usable (line: a standard; "
                       "usable: a measurement)",
                       true));
  EXPECT_EQ(text.find("--explain"), std::string::npos);
}

TEST(PlanText, OneSetOfStepTimesHasOneColumn) {
  PlanResult plan = full_plan();
  PlannedUse& use = plan.points[0].uses[0];
  use.others.clear();
  EXPECT_TRUE(has_line(plan, "      units  at measured timing, of"));
  EXPECT_TRUE(
      has_line(plan,
               "          3  title of nvme                                         bound by "
               "read bandwidth of training"));
  EXPECT_EQ(to_text(plan).find("storage-benchmark"), std::string::npos);
  use.timing.clear();  // Nothing trains.
  EXPECT_TRUE(has_line(plan, "      units  of"));
}

TEST(PlanText, WhatThereIsNoFigureForIsSaid) {
  PlanResult plan = full_plan();
  PlannedUse& use = plan.points[0].uses[0];
  PlannedStorage& nvme = use.storages[0];
  nvme.units = 0;
  nvme.servers = 0;
  nvme.requests.reset();
  nvme.unknown = {"opens", "read bandwidth"};
  nvme.phases = {{"training", 0}};
  nvme.bindings.clear();
  use.others[0].units = use.others[0].servers = 0;
  use.others[0].requests.reset();
  EXPECT_TRUE(
      has_line(plan,
               "         -                  -  title of nvme                                 "
               "        no figure to count by"))
      << to_text(plan);
  EXPECT_TRUE(
      has_line(plan, "             its opens, read bandwidth not known: no source gives it"));
  EXPECT_TRUE(has_line(plan,
                       "             at storage-benchmark timing: training 9, checkpoint 2, "
                       "capacity 1"));
  EXPECT_EQ(to_text(plan).find("servers"), std::string::npos);
  EXPECT_EQ(to_text(plan).find("in flight"), std::string::npos);
  EXPECT_EQ(to_text(plan).find("             training -"), std::string::npos)
      << "one phase is what the line above counts";
  EXPECT_EQ(verdict_of(plan), "resnet50 reads 1.50 GB/s") << "no units are known";
}

TEST(PlanText, AJobWithoutProgressIsNamedFirst) {
  PlanResult plan = full_plan();
  plan.points[0].uses.clear();
  Section checkpoint{"checkpoint", "checkpoints", {}, {}};
  checkpoint.add("goodput", "goodput", Measure::fraction(Count(0)), "");
  checkpoint.add("goodput_async", "goodput", Measure::fraction(Count(0.009)), "");
  plan.points[0].jobs.resize(1);
  plan.points[0].jobs[0].sections.push_back(checkpoint);
  EXPECT_EQ(verdict_of(plan),
            "resnet50 makes no progress: failures come faster than it can save and restart; "
            "resnet50 reads 1.50 GB/s");
  plan.points[0].jobs[0].sections.back().figures[1].value = Measure::fraction(Count(0.01));
  EXPECT_EQ(verdict_of(plan), "resnet50 reads 1.50 GB/s") << "asynchronous ones let it get on";
}

TEST(PlanText, OneServerIsOne) {
  PlanResult plan = full_plan();
  plan.points[0].uses[0].storages[0].servers = 1;
  plan.points[0].uses[0].storages[0].ports_per_server = 1;
  EXPECT_TRUE(has_line(plan, "             in 1 server 24 each (a source), 1 port each"));
}

TEST(PlanText, WithoutStorageThereAreNoPorts) {
  PlanResult plan = full_plan();
  plan.points[0].uses[0].storages.clear();
  EXPECT_EQ(to_text(plan).find("network ports"), std::string::npos);
  EXPECT_EQ(to_text(plan).find("a port's note"), std::string::npos);
}

TEST(PlanText, JobsStandOneBelowTheOther) {
  PlanResult plan = full_plan();
  plan.points[0].jobs.push_back({"unet3d", "another title", {}, {}});
  plan.points[0].uses.clear();
  EXPECT_NE(to_text(plan).find("  note: a remark of the job\n\nunet3d: another title\n\n--explain"),
            std::string::npos)
      << to_text(plan);
}

TEST(PlanText, TheVerdictNamesWhatStorageIsBoughtBy) {
  PlanResult plan = full_plan();
  plan.points[0].uses.clear();
  std::vector<JobPlan>& jobs = plan.points[0].jobs;
  const auto with = [&](const char* section, const char* key, Measure value) {
    jobs[0].sections = {{section, "", {}, {}}};
    jobs[0].sections[0].add(key, "", value, "");
    return verdict_of(plan);
  };
  EXPECT_EQ(with("training", "read_bandwidth", BytesPerSecond(2e9)), "resnet50 reads 2.00 GB/s");
  EXPECT_EQ(with("checkpoint", "write_bandwidth", BytesPerSecond(3e9)),
            "resnet50 writes 3.00 GB/s");
  EXPECT_EQ(with("inference", "offline_input", BytesPerSecond(4e9)),
            "resnet50 serves offline from 4.00 GB/s");
  EXPECT_EQ(with("inference", "load_bandwidth", BytesPerSecond(5e9)),
            "resnet50 loads at 5.00 GB/s");
  EXPECT_EQ(with("training", "epoch", Seconds(90)), "no figure is known of resnet50");
  jobs.push_back(a_point(0).jobs[0]);
  jobs[1].name = "unet3d";
  EXPECT_EQ(verdict_of(plan), "no figure is known of resnet50; unet3d reads 1.50 GB/s");
}

TEST(PlanText, TheVerdictNamesUpToThreeKindsOfStorage) {
  PlanResult plan = full_plan();
  PlannedUse& use = plan.points[0].uses[0];
  use.storages.push_back(a_storage("disk", 1234));
  use.storages.push_back(a_storage("tape", 0));
  EXPECT_EQ(verdict_of(plan), "resnet50 reads 1.50 GB/s: 3 nvme or 1,234 disk to train");
  plan.points[0].uses.push_back(use);
  plan.points[0].uses[1].figures.key = "serve";
  EXPECT_EQ(verdict_of(plan),
            "resnet50 reads 1.50 GB/s: 3 nvme or 1,234 disk to train, 3 nvme or 1,234 disk to "
            "serve");
  plan.points[0].uses[0].storages.push_back(a_storage("object", 5));
  EXPECT_EQ(verdict_of(plan), "resnet50 reads 1.50 GB/s: 3 nvme or 1,234 disk to serve")
      << "more than a sentence can name";
}

TEST(PlanText, NothingPlanned) {
  PlanResult plan;
  EXPECT_EQ(to_text(plan), "nothing was planned\n");
}

TEST(PlanText, ASweepIsATable) {
  EXPECT_EQ(to_text(full_sweep()),
            "at 8 accelerators resnet50 reads 1.50 GB/s: 11 nvme to train; at 64 resnet50 reads "
            "1.50 GB/s: 67 nvme to train\n"
            "\n"
            "resnet50: a title\n"
            "\n"
            "  accelerators       read   epoch  nvme (measured)  nvme (storage-benchmark)\n"
            "             8  1.50 GB/s  90.0 s               11                        17\n"
            "            64  1.50 GB/s  90.0 s               67                        73\n" +
                kWarnings);
}

TEST(PlanText, ASweepOfSeveralJobsHasItsStorageBelow) {
  PlanResult plan = full_sweep();
  for (PlanPoint& point : plan.points) {
    point.jobs.push_back({"unet3d", "another title", {}, {}});
    point.uses[0].others.clear();
    point.uses[0].timing.clear();
    point.uses.push_back(point.uses[0]);
    point.uses[1].figures.key = "serve";
    point.uses[1].timing = "measured";
  }
  plan.points[0].jobs[0].sections.clear();  // The figure is not known for the first point.
  EXPECT_EQ(to_text(plan),
            "at 8 accelerators no figure is known of resnet50; no figure is known of unet3d: 11 "
            "nvme to train, 11 nvme to serve; at 64 resnet50 reads 1.50 GB/s; no figure is known "
            "of unet3d: 67 nvme to train, 67 nvme to serve\n"
            "\n"
            "resnet50: a title\n"
            "\n"
            "  accelerators       read   epoch\n"
            "             8          -       -\n"
            "            64  1.50 GB/s  90.0 s\n"
            "\n"
            "unet3d: another title\n"
            "\n"
            "  accelerators\n"
            "             8\n"
            "            64\n"
            "\n"
            "units of storage for all of them\n"
            "\n"
            "  accelerators  nvme (train)  nvme (serve, measured)\n"
            "             8            11                      11\n"
            "            64            67                      67\n" +
                kWarnings);
}

// A file made by hand may have points that differ; each line has the columns of the first.
TEST(PlanText, ASweepWhosePointsDifferIsShown) {
  PlanResult plan = full_sweep();
  plan.warnings.clear();
  plan.errors.clear();
  plan.points[1].jobs.clear();
  plan.points[1].uses.clear();
  EXPECT_TRUE(has_line(plan,
                       "            64          -       -                -                    "
                       "     -"))
      << to_text(plan);
}

TEST(PlanText, EverySweepColumnHasItsTitle) {
  const std::vector<std::array<std::string, 3>> columns = {
      {"read", "training", "read_bandwidth"},
      {"read, measured", "training", "measured_bandwidth"},
      {"read, benchmark", "training", "benchmark_bandwidth"},
      {"peak", "training", "read_bandwidth_peak"},
      {"samples", "training", "samples_per_second"},
      {"opens", "training", "opens"},
      {"operations", "training", "operations"},
      {"epoch", "training", "epoch"},
      {"checkpoint", "checkpoint", "size"},
      {"write", "checkpoint", "write_bandwidth"},
      {"MTBF", "checkpoint", "mtbf"},
      {"interval", "checkpoint", "interval"},
      {"overhead", "checkpoint", "overhead"},
      {"goodput", "checkpoint", "goodput"},
      {"offline", "inference", "offline_samples"},
      {"input", "inference", "offline_input"},
      {"queries", "inference", "server_samples"},
      {"log", "inference", "server_log"},
      {"load", "inference", "load_bandwidth"}};
  for (const auto& [title, section, key] : columns) {
    PlanResult plan = full_sweep();
    plan.warnings.clear();
    plan.errors.clear();
    for (PlanPoint& point : plan.points) {
      point.uses.clear();
      point.jobs[0].sections = {{section, "", {}, {}}};
      point.jobs[0].sections[0].add(key, "", Measure(Seconds(7)), "");
    }
    const std::string text = to_text(plan), width(std::max<std::size_t>(title.size(), 5), ' ');
    const auto padded = [&](const std::string& word) {
      return "  " + width.substr(word.size()) + word + "\n";
    };
    EXPECT_TRUE(text.ends_with("  accelerators" + padded(title) + "             8" +
                               padded("7.0 s") + "            64" + padded("7.0 s")))
        << text;
  }
}

TEST(PlanJson, EachKeyHasItsFigure) {
  const TestJson json = json_of(full_plan());
  EXPECT_TRUE(json["cost"].is_object());
  const TestJson& result = json["result"];
  EXPECT_EQ(result["sweep"], false);
  EXPECT_EQ(result["port"], (TestJson{{"name", "eth"},
                                      {"title", "Ethernet"},
                                      {"line_bytes_per_second", 12.5e9},
                                      {"usable", 0.8},
                                      {"source", "a standard"},
                                      {"usable_source", "a measurement"},
                                      {"carries_bytes_per_second", 1e10},
                                      {"note", "a port's note"}}));
  const TestJson& job = result["points"][0]["jobs"][0];
  EXPECT_EQ(job["name"], "resnet50");
  EXPECT_EQ(job["title"], "a title");
  EXPECT_EQ(job["notes"], TestJson({"a remark of the job"}));
  const TestJson& training = job["sections"]["training"];
  EXPECT_EQ(training["title"], "Training");
  EXPECT_EQ(training["notes"], TestJson({"a remark"}));
  EXPECT_EQ(training["figures"]["read_bandwidth"], (TestJson{{"label", "read bandwidth"},
                                                             {"value", 1.5e9},
                                                             {"unit", "bytes_per_second"},
                                                             {"text", "1.50 GB/s"},
                                                             {"formula", "3 x 0.5"},
                                                             {"source", "a paper"}}));
}

TEST(PlanJson, StorageIsByPhaseAndItsUnitsByStorage) {
  const TestJson use = json_of(full_plan())["result"]["points"][0]["storage"]["train"];
  EXPECT_EQ(use["title"], "Storage for training");
  EXPECT_EQ(use["timing"], "measured");
  EXPECT_EQ(use["other_timing"], "storage-benchmark");
  EXPECT_EQ(use["other_timing_key"], "benchmark");
  EXPECT_EQ(use["figures"]["capacity"]["value"], 2e12);
  EXPECT_EQ(use["other_sizings"][0]["units"], 9);
  const TestJson& nvme = use["sizings"][0];
  EXPECT_EQ(nvme["storage"], "nvme");
  EXPECT_EQ(nvme["title"], "title of nvme");
  EXPECT_EQ(nvme["unit"], "drive");
  EXPECT_EQ(nvme["units"], 3);
  EXPECT_EQ(nvme["bound_by"], "read bandwidth of training");
  EXPECT_EQ(nvme["phases"], (TestJson{{"training", 3.0}, {"checkpoint", 2.0}}));
  EXPECT_EQ(nvme["servers"], 4);
  EXPECT_EQ(nvme["servers_bound_by"], "slots");
  EXPECT_EQ(nvme["servers_by"], "24 each (a source)");
  EXPECT_EQ(nvme["ports"], 5);
  EXPECT_EQ(nvme["ports_per_server"], 4);
  EXPECT_EQ(nvme["unknown"], TestJson({"opens"}));
  EXPECT_EQ(nvme["one_directory"], "one directory halves it");
  EXPECT_EQ(nvme["directories"], (TestJson{"a line", "a second"}));
  EXPECT_EQ(nvme["requests_in_flight"], 640);
  EXPECT_EQ(nvme["bindings"][0], (TestJson{{"phase", "training"},
                                           {"resource", "read bandwidth"},
                                           {"units", 3.5},
                                           {"formula", "7 / 2"},
                                           {"source", "a data sheet"}}));
}

TEST(PlanJson, PhasesKeepTheirOrder) {
  PlanResult plan = full_plan();
  plan.points[0].uses[0].storages[0].phases = {{"z", 1}, {"a", 2}, {"m", 3}};
  const Result<Report> back = parse_report(to_json(plan));
  ASSERT_TRUE(back);
  EXPECT_EQ(to_text(*back), to_text(plan));
  EXPECT_TRUE(has_line(*back, "             z 1, a 2, m 3, capacity 1"));
}

}  // namespace
}  // namespace feedrate
