// Tests every sentence that `datagen`, `drop-caches` and `workloads` can print, and each of their
// keys.
#include <gtest/gtest.h>

#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

const std::string kTail =
    "  error: 2 x io: read \"x\" at offset 3: Input/output error\n"
    "  warning: a warning\n"
    "  warning: another\n";

TEST(DatagenText, SaysWhatLiesWhere) {
  DatagenResult result = full_datagen();
  EXPECT_EQ(to_text(result),
            "would write to \"/data\": 168 npz files, 169 samples, 23 GiB\n" + kTail);
  result.dry_run = false;
  EXPECT_EQ(verdict_of(result), "\"/data\": 168 npz files, 169 samples, 23 GiB");
  result.valid = false;
  result.invalid_reasons = {"interrupted; run it again"};
  EXPECT_EQ(verdict_of(result), "INVALID: interrupted; run it again");
}

TEST(DatagenText, ARateIsOfTheTimeThatWritingTook) {
  DatagenResult result = full_datagen();
  EXPECT_EQ(result.bytes_per_second(), 1.5e9);
  result.seconds = 0;
  EXPECT_EQ(result.bytes_per_second(), 0);
}

TEST(DropText, SaysWhatIsGoneAndWhatStays) {
  DropResult result = full_drop();
  EXPECT_EQ(to_text(result),
            "dropped 2 MiB of 3 MiB in 8 files; 1 MiB remain (cachestat)\n" + kTail);
  result.valid = false;
  result.invalid_reasons = {"a reason"};
  EXPECT_EQ(to_text(result),
            "dropped 2 MiB of 3 MiB in 8 files; 1 MiB remain (cachestat)\n"
            "  INVALID: a reason\n" +
                kTail);
  result.bytes_before = 0;
  EXPECT_EQ(verdict_of(result),
            "nothing to drop: none of 4 MiB in 8 files was in the page cache (cachestat)");
  result.method.clear();
  EXPECT_EQ(to_text(result), "INVALID: a reason\n" + kTail);
  result.valid = true;
  EXPECT_EQ(verdict_of(result), "nothing was looked at");
}

TEST(DropText, MoreThanWasThereIsNotDropped) {
  DropResult result = full_drop();
  EXPECT_EQ(result.remaining_share(), 0.25);
  result.bytes_after = 4 << 20;  // Another process read files meanwhile.
  EXPECT_EQ(result.dropped_bytes(), 0U);
  result.file_bytes = 0;
  EXPECT_EQ(result.remaining_share(), 0);
}

TEST(WorkloadsText, ListsWhatIsBuiltIn) {
  WorkloadsReport report = full_workloads();
  EXPECT_EQ(to_text(report),
            "1 built-in workload\n"
            "unet3d     a title\n"
            "           23 GiB in 168 files, npz; step times: measured a100 h100\n"
            "\n"
            "'feedrate show NAME' prints all figures and their sources.\n"
            "'feedrate workloads --catalogue' lists models, accelerators, storage and networks.\n" +
                kTail);
  report.workloads[0].files = 1;
  report.workloads[0].timings.push_back({"user", {"b200"}});
  report.workloads.push_back(report.workloads[0]);
  EXPECT_EQ(verdict_of(report), "2 built-in workloads");
  EXPECT_TRUE(has_line(report,
                       "           23 GiB in 1 file, npz; step times: measured a100 h100, user "
                       "b200"));
}

TEST(WorkloadsText, ListsFormatsInstead) {
  EXPECT_EQ(to_text(full_formats()),
            "2 file formats\n"
            "tfrecord    .tfrecord           many samples a file, its index beside it (.idx), "
            "checksums; read 256 KiB at a time\n"
            "file        any                 one sample a file, --decode; read 4 MiB at a time\n"
            "\n"
            "--format takes these names; without it a format is recognised by name and first "
            "bytes.\n" +
                kTail);
}

TEST(WorkloadsText, ListsTheRestOfTheCatalogue) {
  WorkloadsReport report;
  report.catalogue = {{"model", "llama3-8b", "Llama-3 8B", "feedrate plan llama3-8b"},
                      {"network", "eth-400", "Ethernet", "feedrate plan WORKLOAD --port=eth-400"}};
  EXPECT_EQ(to_text(report),
            "2 built-in things besides workloads\n"
            "model       llama3-8b          Llama-3 8B\n"
            "                               feedrate plan llama3-8b\n"
            "network     eth-400            Ethernet\n"
            "                               feedrate plan WORKLOAD --port=eth-400\n"
            "\n"
            "'feedrate show NAME' prints all figures and their sources.\n");
  EXPECT_EQ(json_of(report)["result"]["catalogue"][1],
            TestJson::parse(R"({"kind": "network", "name": "eth-400", "title": "Ethernet",
      "used_as": "feedrate plan WORKLOAD --port=eth-400"})"));
}

TEST(DataJson, EachKeyHasItsFigure) {
  EXPECT_EQ(json_of(full_datagen())["result"],
            TestJson::parse(R"({"workload": "unet3d", "title": "a title", "dataset": {"directory":
      "/data", "format": "npz", "files": 168, "samples": 169, "bytes": 24696061952}, "dry_run":
      true, "files_written": 100, "files_kept": 68, "bytes_written": 3000000000, "seconds": 2.0,
      "bytes_per_second": 1500000000.0})"));
  EXPECT_EQ(json_of(full_drop())["result"],
            TestJson::parse(R"({"files": 8, "file_bytes": 4194304, "bytes_before": 3145728,
      "bytes_after": 1048576, "dropped_bytes": 2097152, "remaining_share": 0.25, "method":
      "cachestat", "files_unknown": 4, "files_failed": 5, "files_kept": 1, "kept": [{"path":
      "/data/x", "bytes": 1048576, "reason": "it is mapped", "remedy": "end that process"}]})"));
  EXPECT_EQ(json_of(full_workloads())["result"],
            TestJson::parse(R"({"workloads": [{"name": "unet3d", "title": "a title", "format":
      "npz", "files": 168, "samples": 169, "bytes": 24696061952, "timings": [{"set": "measured",
      "accelerators": ["a100", "h100"]}]}], "formats": [], "catalogue": []})"));
  EXPECT_EQ(json_of(full_formats())["result"]["formats"][0],
            TestJson::parse(R"({"name": "tfrecord", "extension": ".tfrecord",
      "companion_extension": ".idx", "one_sample_a_file": false, "checksums": true, "decoded":
      false, "transfer_bytes": 262144})"));
}

}  // namespace
}  // namespace feedrate
