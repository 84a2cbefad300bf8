#include "feedrate/workload/dlio.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace feedrate {
namespace {

constexpr std::string_view kUnet = R"(model: {name: unet3d}
framework: pytorch
workflow: {train: True}
dataset:
  data_folder: data/unet3d/
  format: npz
  num_files_train: 168
  record_length_bytes: 146600628
  record_length_bytes_stdev: 68341808
reader:
  batch_size: 7
  read_threads: 4
  file_shuffle: seed
  sample_shuffle: seed
train:
  epochs: 5
  computation_time: 0.323
checkpoint: {checkpoint_folder: checkpoints/unet3d}
)";

Result<DlioWorkload> read(std::string_view yaml, const std::vector<std::string>& overrides = {}) {
  return parse_dlio_workload(yaml, "dir/unet3d_h100.yaml", overrides);
}

std::string with(std::string_view from, std::string_view to) {
  std::string text(kUnet);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string message(const Result<DlioWorkload>& result) {
  return result ? "no error" : result.error().message();
}

struct Published {
  std::string path, name, text;  // "mlcommons/storage/unet3d_h100.yaml", "unet3d_h100.yaml"
};

std::vector<Published> published() {
  std::ifstream file(FEEDRATE_SOURCE_DIR "/feedrate/workload/testdata/dlio_published.txt");
  EXPECT_TRUE(file) << "the test data is not there";
  std::vector<Published> found;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("=== "))
      found.push_back({line.substr(4), line.substr(line.rfind('/') + 1), ""});
    else if (!found.empty())
      found.back().text += line + "\n";
  }
  return found;
}

TEST(Dlio, EveryPublishedFileLoads) {
  const std::vector<Published> files = published();
  EXPECT_GE(files.size(), 80U);
  for (const Published& file : files) {
    const auto found = parse_dlio_workload(file.text, file.name, {});
    ASSERT_TRUE(found.has_value()) << file.path << ": " << found.error().render();
    const Workload& workload = found->workload;
    EXPECT_TRUE(check_overridden(workload)) << file.path;
    const bool trains = workload.accelerators[0].complete();
    EXPECT_EQ(trains, file.text.find("computation_time") != std::string::npos) << file.path;
    if (!trains) continue;
    const auto again = parse_workload(to_yaml(workload), file.path);
    ASSERT_TRUE(again.has_value()) << again.error().render();
    EXPECT_EQ(*again, workload) << file.path;
  }
}

// The demand table of the MLPerf Storage and DLIO configurations, from the files themselves.
TEST(Dlio, PublishedFilesGiveThePublishedDemand) {
  struct Case {
    std::string_view path, accelerator;
    double samples_per_second, megabytes_per_second;
  };
  const Case kCases[] = {{"argonne-lcf/dlio_benchmark/unet3d_v100.yaml", "v100", 2.94, 431.1},
                         {"mlcommons/storage/unet3d_a100.yaml", "a100", 11.01, 1613.5},
                         {"mlcommons/storage/unet3d_h100.yaml", "h100", 21.67, 3177.1},
                         {"mlcommons/storage/unet3d_b200.yaml", "b200", 43.21, 6334.6},
                         {"argonne-lcf/dlio_benchmark/resnet50_v100.yaml", "v100", 328.2, 37.6},
                         {"mlcommons/storage/resnet50_a100.yaml", "a100", 919.5, 105.4},
                         {"mlcommons/storage/resnet50_h100.yaml", "h100", 1785.7, 204.8},
                         {"mlcommons/storage/cosmoflow_v100.yaml", "v100", 106.8, 302.2},
                         {"mlcommons/storage/cosmoflow_a100.yaml", "a100", 181.5, 513.3},
                         {"mlcommons/storage/cosmoflow_h100.yaml", "h100", 285.7, 808.1},
                         {"argonne-lcf/dlio_benchmark/bert_v100.yaml", "v100", 49.6, 0.124},
                         {"mlcommons/storage/retinanet_b200.yaml", "b200", 504.7, 163.0},
                         {"mlcommons/storage/flux_b200.yaml", "b200", 35.6, 77.0},
                         {"mlcommons/storage/dlrm_b200.yaml", "b200", 43.69e6, 6990}};
  const std::vector<Published> files = published();
  for (const Case& expected : kCases) {
    const auto file = std::ranges::find_if(
        files, [&](const Published& one) { return one.path == expected.path; });
    ASSERT_NE(file, files.end()) << expected.path;
    const Workload workload = parse_dlio_workload(file->text, file->name, {}).value().workload;
    const AcceleratorTiming timing = workload.timing(expected.accelerator).value();
    EXPECT_NEAR(timing.samples_per_second() / expected.samples_per_second, 1, 2e-3)
        << expected.path;
    EXPECT_NEAR(Workload::demand_bytes_per_second(timing, workload.dataset.read_bytes_mean()) /
                    1e6 / expected.megabytes_per_second,
                1, 2e-3)
        << expected.path;
  }
}

TEST(Dlio, KeysBecomeOurs) {
  const DlioWorkload found = read(kUnet).value();
  const Workload& workload = found.workload;
  EXPECT_EQ(workload.name, "unet3d");
  EXPECT_EQ(workload.dataset.files, 168U);
  EXPECT_EQ(workload.dataset.samples_per_file, 1U);
  EXPECT_EQ(workload.dataset.format, "npz");
  EXPECT_EQ(workload.dataset.sample_bytes_mean, 146600628);
  EXPECT_EQ(workload.dataset.sample_bytes_stdev, 68341808);
  EXPECT_EQ(workload.order, AccessOrder::kRandomSamples);
  EXPECT_EQ(workload.framework, Framework::kPytorch);
  EXPECT_EQ(workload.epochs, 5U);
  EXPECT_EQ(workload.readers, 4U);
  EXPECT_EQ(workload.prefetch_batches, 2U);
  EXPECT_EQ(workload.au_threshold, 0.9);
  ASSERT_EQ(workload.accelerators.size(), 1U);
  EXPECT_EQ(workload.accelerators[0],
            (AcceleratorTiming{"h100", 7, std::chrono::milliseconds(323),
                               "train.computation_time of \"dir/unet3d_h100.yaml\"", "dlio"}));
  EXPECT_EQ(found.ignored,
            (std::vector<std::string>{"dataset.data_folder", "checkpoint.checkpoint_folder"}));
}

TEST(Dlio, AReadersHabitsAreKept) {
  const Workload workload =
      read(with("  batch_size: 7\n",
                "  batch_size: 7\n  prefetch_size: 3\n  transfer_size: 65536\n"
                "  odirect: True\n"))
          .value()
          .workload;
  EXPECT_EQ(workload.prefetch_batches, 3U);
  EXPECT_EQ(workload.transfer_bytes, 65536U);
  EXPECT_TRUE(workload.direct_io);
}

TEST(Dlio, SubfoldersFromTwoOn) {
  const auto folders = [](std::string_view count) {
    return read(with("dataset:\n", fmt::format("dataset:\n  num_subfolders_train: {}\n", count)))
        .value()
        .workload.dataset;
  };
  EXPECT_EQ(folders("1").layout, DirectoryLayout::kFlat);
  EXPECT_EQ(folders("16").layout, DirectoryLayout::kSubfolders);
  EXPECT_EQ(folders("16").folders, 16U);
}

TEST(Dlio, ShufflingDecidesTheOrder) {
  const std::string many =
      with("  num_files_train: 168\n", "  num_files_train: 168\n  num_samples_per_file: 4\n");
  EXPECT_EQ(read(many)->workload.order, AccessOrder::kRandomSamples);
  const auto off = read(many, {"++workload.reader.sample_shuffle=off"});
  EXPECT_EQ(off->workload.order, AccessOrder::kSequential);
  EXPECT_EQ(off->workload.shuffle_buffer_samples, 0U);
  const auto tensorflow = read(many, {"++workload.framework=tensorflow"});
  EXPECT_EQ(tensorflow->workload.order, AccessOrder::kSequential);
  EXPECT_EQ(tensorflow->workload.shuffle_buffer_samples, 1024U);
  EXPECT_EQ(message(read(with("sample_shuffle: seed", "sample_shuffle: sead"))),
            "dir/unet3d_h100.yaml:14:19: reader.sample_shuffle: unknown shuffle 'sead', did you "
            "mean 'seed'?");
}

TEST(Dlio, AStepTimeMayBeADistribution) {
  const auto found = read(with("0.323", "{mean: 0.323, stdev: 0.01}"));
  ASSERT_TRUE(found.has_value()) << found.error().render();
  EXPECT_EQ(found->workload.accelerators[0].compute, std::chrono::milliseconds(323));
  EXPECT_EQ(found->ignored.size(), 3U);
  EXPECT_EQ(found->ignored[1], "train.computation_time.stdev");
}

TEST(Dlio, RecordsMayHaveDimensions) {
  const auto found =
      read(with("  record_length_bytes: 146600628\n  record_length_bytes_stdev: 68341808\n",
                "  record_dims: [128, 64]\n  record_element_type: float32\n"));
  ASSERT_TRUE(found.has_value()) << found.error().render();
  EXPECT_EQ(found->workload.dataset.sample_bytes_mean, 128 * 64 * 4);
}

TEST(Dlio, OverridesAreHonoured) {
  const auto found =
      read(kUnet, {"++workload.dataset.num_files_train=500", "+workload.reader.prefetch_size=4",
                   "workload.train.epochs=2", "~workload.checkpoint", "++workload.metric.au=0.7"});
  ASSERT_TRUE(found.has_value()) << found.error().render();
  EXPECT_EQ(found->workload.dataset.files, 500U);
  EXPECT_EQ(found->workload.prefetch_batches, 4U);
  EXPECT_EQ(found->workload.epochs, 2U);
  EXPECT_EQ(found->workload.au_threshold, 0.7);
  EXPECT_EQ(found->ignored, std::vector<std::string>{"dataset.data_folder"});
  EXPECT_EQ(message(read(kUnet, {"++workload.dataset.num_files_train=0"})),
            "++workload.dataset.num_files_train=0: value is too small (0), at least 1 is needed");
  EXPECT_EQ(message(read(kUnet, {"++workload.dataset.num_file_train=3"})),
            "++workload.dataset.num_file_train=3: unknown DLIO key, did you mean "
            "'dataset.num_files_train'?");
  EXPECT_EQ(message(read(kUnet, {"++workload.dataset"})), "\"++workload.dataset\": it has no '='");
  EXPECT_EQ(message(read(kUnet, {"++workload.=3"})),
            "\"++workload.=3\": this is not the path of a key");
  EXPECT_EQ(message(read(kUnet, {"++workload.reader.batch_size={"})),
            "\"++workload.reader.batch_size={\": its value cannot be read");
}

TEST(Dlio, AWholeConfigurationIsRead) {
  std::string below = "workload:\n";
  std::istringstream lines{std::string(kUnet)};
  for (std::string line; std::getline(lines, line);) below += "  " + line + "\n";
  const auto found = read(below + "hydra: {run: {dir: out}}\n");
  ASSERT_TRUE(found.has_value()) << found.error().render();
  EXPECT_EQ(found->workload, read(kUnet)->workload);
  EXPECT_EQ(found->ignored.back(), "hydra.run.dir");
}

TEST(Dlio, ErrorsNameThePlace) {
  const std::string at = "dir/unet3d_h100.yaml:";
  EXPECT_EQ(message(read(with("format: npz", "format: csv"))),
            at + "6:11: dataset.format: format 'csv' has no counterpart here");
  EXPECT_EQ(message(read(with("format: npz", "format: synthetic"))),
            at + "6:11: dataset.format: 'synthetic' reads no files");
  EXPECT_EQ(message(read(with("format: npz", "format: tfrecords"))),
            at + "6:11: dataset.format: format 'tfrecords' has no counterpart here, did you mean "
                 "'tfrecord'?");
  EXPECT_EQ(message(read(with("num_files_train: 168", "num_files_train: many"))),
            at + "7:20: dataset.num_files_train: 'many' is not a whole number");
  EXPECT_EQ(message(read(with("num_files_train", "num_file_train"))),
            at + "7:19: dataset.num_file_train: unknown DLIO key, did you mean "
                 "'dataset.num_files_train'?");
  EXPECT_EQ(message(read(with("computation_time: 0.323", "computation_time: 2h"))),
            at + "17:21: train.computation_time: 2h is outside 1.0 us to 1h 00m");
  EXPECT_EQ(message(read(with("68341808", "68341808000"))),
            at + "9:30: dataset.record_length_bytes_stdev: 68341808000 is more than 10 times "
                 "sample_bytes_mean (146600628)");
  EXPECT_EQ(message(read(with("168", "1000000000000"))),
            at + "8:24: dataset.record_length_bytes: the data set would be larger than 9 EB");
  EXPECT_EQ(message(read("name: [1")).substr(0, at.size()), at);
  EXPECT_EQ(message(read("sweets: 1\n")), at + "1:9: sweets: unknown DLIO key");
}

TEST(Dlio, EveryErrorHasItsRemedy) {
  const auto rendered = [](const Result<DlioWorkload>& result) {
    return result ? "no error" : result.error().message() + " | " + result.error().hint();
  };
  const std::string at = "dir/unet3d_h100.yaml:";
  EXPECT_EQ(rendered(read(with("format: npz", "format: synthetic"))),
            at + "6:11: dataset.format: 'synthetic' reads no files | --storage=null measures "
                 "without files, with any other format");
  EXPECT_EQ(rendered(read(with("  record_length_bytes: 146600628\n", "  record_dims: [4, 0]\n"))),
            at + "8:20: dataset.record_dims.1: '0' is not a number above 0 | write it like 4 or "
                 "0.5");
  EXPECT_EQ(rendered(read(with("  record_length_bytes: 146600628\n",
                               "  record_dims: [4]\n  record_element_type: complex\n"))),
            at + "9:24: dataset.record_element_type: unknown type 'complex' | use uint8, float32 "
                 "or the like");
  EXPECT_EQ(rendered(read(with("sample_shuffle: seed", "sample_shuffle: sead"))),
            at + "14:19: reader.sample_shuffle: unknown shuffle 'sead', did you mean 'seed'? | "
                 "use off, seed or random");
  EXPECT_EQ(rendered(read(with("0.323", "{type: normal}"))),
            at + "17:28: train.computation_time.type: a step time without a mean is not emulated "
                 "| add 'mean: 0.3'");
  EXPECT_EQ(rendered(read(kUnet, {"++workload.reader.batch_size=3\nx: 4"})),
            "\"++workload.reader.batch_size=3\\x0ax: 4\": it has more than one value | write "
            "++workload.dataset.num_files_train=500");
  EXPECT_EQ(rendered(read("sweets: 1\n")),
            at + "1:9: sweets: unknown DLIO key | correct or remove it: DLIO would not read it "
                 "either");
}

TEST(Dlio, WhatAWordAskedForIsTold) {
  const std::vector<std::string> words{"++workload.reader.read_threads=1",
                                       "++workload.reader.prefetch_size=0",
                                       "++workload.train.epochs=2"};
  EXPECT_EQ(read(kUnet, words)->asked, std::vector<std::string>{"readers"});
  EXPECT_EQ(read(kUnet, words)->workload.readers, 1U);
  EXPECT_TRUE(read(kUnet)->asked.empty());
}

TEST(Dlio, WordsOfOverrides) {
  for (const char* word : {"++workload.a=1", "+workload.a=1", "workload.a=1", "~workload.a"})
    EXPECT_TRUE(is_dlio_override(word)) << word;
  for (const char* word : {"", "+", "workload", "data", "./workload.d", "--set", "-n"})
    EXPECT_FALSE(is_dlio_override(word)) << word;
}

TEST(Dlio, MangledFilesAreReadOrRefused) {
  for (std::size_t at = 0; at < kUnet.size(); at += 3) {
    (void)read(kUnet.substr(0, at));
    for (const char c : {'\0', '\n', ':', '{', '[', '"', '&', '*', '-', '\xFF'}) {
      std::string mangled(kUnet);
      mangled[at] = c;
      const auto found = read(mangled);
      if (found && found->workload.accelerators[0].complete()) {
        EXPECT_TRUE(parse_workload(to_yaml(found->workload), "again").has_value()) << mangled;
      }
    }
  }
}

}  // namespace
}  // namespace feedrate
