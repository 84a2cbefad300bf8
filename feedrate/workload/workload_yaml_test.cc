#include <fmt/format.h>
#include <gtest/gtest.h>

#include "feedrate/workload/workload.h"

namespace feedrate {
namespace {

constexpr std::string_view kMinimal = R"(name: mine
dataset:
  files: 10
  format: tfrecord
  sample_bytes_mean: 1000
accelerators:
  h100: {batch_samples: 4, compute: 0.00551}
)";

// Returns the minimal file with one text replaced by another.
std::string with(std::string_view from, std::string_view to) {
  std::string text(kMinimal);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void expect_error(std::string_view yaml, std::string_view message, std::string_view hint = {}) {
  const auto parsed = parse_workload(yaml, "mine.yaml");
  ASSERT_FALSE(parsed.has_value()) << message;
  EXPECT_EQ(parsed.error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(parsed.error().message(), message);
  EXPECT_FALSE(parsed.error().hint().empty());
  if (!hint.empty()) {
    EXPECT_EQ(parsed.error().hint(), hint);
  }
}

TEST(WorkloadYaml, MinimalFileHasTheDefaults) {
  const auto workload = parse_workload(kMinimal, "mine.yaml");
  ASSERT_TRUE(workload.has_value()) << workload.error().render();
  Workload expected;
  expected.name = "mine";
  expected.dataset.files = 10;
  expected.dataset.format = "tfrecord";
  expected.dataset.sample_bytes_mean = 1000;
  expected.accelerators = {{"h100", 4, Duration(5'510'000), ""}};
  EXPECT_EQ(*workload, expected);
}

constexpr std::string_view kEveryKey = R"(
name: all-keys
title: "a \"title\""
source: the source
model_parameters: 25000000
model_source: a paper
notes: [one, "two: 2"]
dataset:
  name: shape
  files: 7
  samples_per_file: 3
  format: npz
  sample_bytes_mean: 114660.07
  sample_bytes_stdev: 5.5e3
  classes: 12
  labels: side_file
  label_bytes: 17.5
  layout: subfolders
  folders: 4
  sample_bytes_read: 1000
  format_options: {quality: 90, colour: "yes: 4:2:0"}
framework: tensorflow
order: sequential
shuffle_buffer_samples: 99
epochs: 6
steps_max: 1000
readers: 8
prefetch_batches: 5
transfer_bytes: 262144
direct_io: true
au_threshold: 70%
accelerators:
  b: {batch_samples: 1, compute: 1234567ns, source: there}
  a: {batch_samples: 2, compute: 2s}
timings:
  measured: {a: {batch_samples: 3, compute: 1s}}
  other: {c: {batch_samples: 4, compute: 1s}}
)";

TEST(WorkloadYaml, EveryKeyIsRead) {
  const auto workload = parse_workload(kEveryKey, "mine.yaml");
  ASSERT_TRUE(workload.has_value()) << workload.error().render();
  Workload expected;
  expected.name = "all-keys";
  expected.title = "a \"title\"";
  expected.source = "the source";
  expected.notes = {"one", "two: 2"};
  expected.model_parameters = 25'000'000;
  expected.model_source = "a paper";
  expected.dataset = {"shape",
                      7,
                      3,
                      "npz",
                      114660.07,
                      5500,
                      12,
                      LabelPlacement::kSideFile,
                      17.5,
                      DirectoryLayout::kSubfolders,
                      4,
                      1000,
                      {{"quality", "90"}, {"colour", "yes: 4:2:0"}}};
  expected.framework = Framework::kTensorflow;
  expected.order = AccessOrder::kSequential;
  expected.shuffle_buffer_samples = 99;
  expected.epochs = 6;
  expected.steps_max = 1000;
  expected.transfer_bytes = 262144;
  expected.direct_io = true;
  expected.readers = 8;
  expected.prefetch_batches = 5;
  expected.au_threshold = 0.7;
  expected.accelerators = {{"b", 1, Duration(1'234'567), "there"},
                           {"a", 2, std::chrono::seconds(2), ""},
                           {"a", 3, std::chrono::seconds(1), "", "measured"},
                           {"c", 4, std::chrono::seconds(1), "", "other"}};
  EXPECT_EQ(*workload, expected);
  const auto again = parse_workload(to_yaml(*workload), "again");
  ASSERT_TRUE(again.has_value()) << again.error().render();
  EXPECT_EQ(*again, expected);
}

TEST(WorkloadYaml, TimingSetsAreChecked) {
  const std::string_view accelerators = "accelerators:\n";
  expect_error(with(accelerators, "timings: {}\naccelerators:\n"),
               "mine.yaml:6:10: timings: 0 sets, 1 to 16 are allowed");
  expect_error(with(accelerators, "timings: {measured: {}}\naccelerators:\n"),
               "mine.yaml:6:21: timings.measured: none has a step time");
  expect_error(with(accelerators, "timings:\n  user: {h100: {}}\naccelerators:\n"),
               "mine.yaml:7:9: timings: 'user' is what 'accelerators:' holds",
               "put these there, or give the set another name");
  expect_error(with(accelerators, "timings:\n  m: {h100: {batch: 1}}\naccelerators:\n"),
               "mine.yaml:7:14: unknown key 'batch' in timings.m.h100");
  expect_error(with(accelerators, "timings:\n  a b: {h100: {}}\naccelerators:\n"),
               "mine.yaml:7:8: timings: \"a b\" is not a name");
  const auto named =
      parse_workload(with("accelerators:\n  h100", "timings:\n  x:\n    h100"), "mine.yaml");
  ASSERT_TRUE(named.has_value()) << named.error().render();
  EXPECT_EQ(named->timing("h100")->set, "x");
}

TEST(WorkloadYaml, LabelsLayoutAndOptionsNameThePlace) {
  const std::string_view files = "  files: 10\n";
  expect_error(with(files, "  files: 10\n  labels: sidefile\n"),
               "mine.yaml:4:11: dataset.labels: unknown label placement 'sidefile', did you mean "
               "'side_file'?",
               "use record, directory, side_file, manifest, none");
  expect_error(with(files, "  files: 10\n  layout: falt\n"),
               "mine.yaml:4:11: dataset.layout: unknown layout 'falt', did you mean 'flat'?",
               "use flat, subfolders, class_folders, hashed");
  expect_error(with(files, "  files: 10\n  layout: subfolders\n"),
               "mine.yaml:4:11: dataset.layout: subfolders needs their number",
               "add 'folders: 16'");
  expect_error(with(files, "  files: 10\n  format_options: [1]\n"),
               "mine.yaml:4:19: dataset.format_options must be a mapping of keys to values");
  expect_error(with(files, "  files: 10\n  format_options: {a: [1]}\n"),
               "mine.yaml:4:23: dataset.format_options.a: a single value is expected here");
  expect_error(with(files, "  files: 10\n  format_options: {a b: 1}\n"),
               "mine.yaml:4:25: dataset.format_options: \"a b\" is not a name");
  expect_error(with("dataset:", "direct_io: maybe\ndataset:"),
               "mine.yaml:2:12: direct_io: 'maybe' is neither true nor false");
  expect_error(with("dataset:", "transfer_bytes: 100\ndataset:"),
               "mine.yaml:2:17: transfer_bytes: 100 B is too small, at least 512 B are needed");
}

TEST(WorkloadYaml, ComputeIsExactToTheNanosecond) {
  const std::pair<std::string_view, std::int64_t> kCases[] = {
      {"0.00551", 5'510'000},          {"0.00350s", 3'500'000},   {"9.36ms", 9'360'000},
      {"1.3604", 1'360'400'000},       {"0.000375", 375'000},     {"224ms", 224'000'000},
      {"1.234567891s", 1'234'567'891}, {"1234567 ns", 1'234'567}, {"0.064296", 64'296'000}};
  for (const auto& [text, nanoseconds] : kCases) {
    const auto workload = parse_workload(with("0.00551", text), "mine.yaml");
    ASSERT_TRUE(workload.has_value()) << workload.error().render();
    EXPECT_EQ(workload->accelerators[0].compute.count(), nanoseconds) << text;
    EXPECT_EQ(parse_workload(to_yaml(*workload), "again").value(), *workload) << text;
  }
}

TEST(WorkloadYaml, AnyTextRoundTrips) {
  for (const std::string text :
       {"", "null", "true", "12", "a: b", "# no comment", "- x", "\"quoted\" \\ 'both'",
        "two\nlines", "a\ttab", "Kölner Dom, 数据集", "{x: [1]}", "&a *b", "%", "~"}) {
    Workload workload = parse_workload(kMinimal, "mine.yaml").value();
    workload.title = workload.source = workload.dataset.name = text;
    workload.notes = {text, "x"};
    workload.accelerators[0].source = text;
    const auto again = parse_workload(to_yaml(workload), "again");
    ASSERT_TRUE(again.has_value()) << again.error().render() << to_yaml(workload);
    EXPECT_EQ(*again, workload) << to_yaml(workload);
  }
}

TEST(WorkloadYaml, UnknownKeysAreErrorsWithAHint) {
  expect_error(with("dataset:", "reeders: 3\ndataset:"),
               "mine.yaml:2:1: unknown key 'reeders' in workload, did you mean 'readers'?");
  expect_error(with("  files: 10", "  files: 10\n  sample_bytes_men: 3"),
               "mine.yaml:4:3: unknown key 'sample_bytes_men' in dataset, did you mean "
               "'sample_bytes_mean'?");
  expect_error(with("compute", "computed"),
               "mine.yaml:7:28: unknown key 'computed' in accelerators.h100, did you mean "
               "'compute'?");
  expect_error(with("  files: 10", "  files: 10\n  files: 11"),
               "mine.yaml:4:3: key 'files' stands here twice", "remove one");
}

TEST(WorkloadYaml, MissingKeysAreErrors) {
  expect_error(with("name: mine", "title: x"), "mine.yaml:1:1: key 'name' is missing",
               "add 'name: ...'");
  expect_error(with("  files: 10\n", ""), "mine.yaml:3:3: key 'dataset.files' is missing");
  expect_error(with("  format: tfrecord\n", ""), "mine.yaml:3:3: key 'dataset.format' is missing");
  expect_error(with("batch_samples: 4, ", ""),
               "mine.yaml:7:9: key 'accelerators.h100.batch_samples' is missing");
  expect_error("name: x\n", "mine.yaml:1:1: key 'dataset' is missing");
  expect_error(with("accelerators:\n  h100: {batch_samples: 4, compute: 0.00551}\n", ""),
               "mine.yaml:1:1: key 'accelerators' is missing");
  expect_error(with("\n  h100: {batch_samples: 4, compute: 0.00551}", " {}"),
               "mine.yaml:6:15: accelerators: none has a step time");
}

TEST(WorkloadYaml, AbsurdCountsNameThePlaceTheValueAndTheLimit) {
  expect_error(with("files: 10", "files: 0"),
               "mine.yaml:3:10: dataset.files: value is too small (0), at least 1 is needed",
               "use a number from 1 to 1000000000000");
  expect_error(with("files: 10", "files: -3"),
               "mine.yaml:3:10: dataset.files: '-3' is not a whole number");
  expect_error(with("files: 10", "files: 99999999999999999999999"),
               "mine.yaml:3:10: dataset.files: value is too large (99999999999999999999999), at "
               "most 1000000000000 is allowed");
  expect_error(with("batch_samples: 4", "batch_samples: 0"),
               "mine.yaml:7:25: accelerators.h100.batch_samples: value is too small (0), at least "
               "1 is needed");
  expect_error(with("dataset:", "readers: 4097\ndataset:"),
               "mine.yaml:2:10: readers: value is too large (4097), at most 4096 is allowed");
  expect_error(with("dataset:", "epochs: 0\ndataset:"),
               "mine.yaml:2:9: epochs: value is too small (0), at least 1 is needed");
  expect_error(with("dataset:", "epochs: ~\ndataset:"),
               "mine.yaml:2:9: epochs: a single value is expected here");
  expect_error(with("dataset:", "epochs: [1]\ndataset:"),
               "mine.yaml:2:9: epochs: a single value is expected here");
}

TEST(WorkloadYaml, AbsurdQuantitiesNameThePlaceTheValueAndTheLimit) {
  expect_error(with("mean: 1000", "mean: -1"),
               "mine.yaml:5:22: dataset.sample_bytes_mean: -1 is outside 1 to 10000000000000");
  expect_error(with("mean: 1000", "mean: .nan"),
               "mine.yaml:5:22: dataset.sample_bytes_mean: '.nan' is not a number");
  expect_error(with("mean: 1000", "mean: nan"),
               "mine.yaml:5:22: dataset.sample_bytes_mean: nan is outside 1 to 10000000000000");
  expect_error(with("mean: 1000", "mean: 1e999"),
               "mine.yaml:5:22: dataset.sample_bytes_mean: 1e999 is outside 1 to 10000000000000");
  expect_error(with("mean: 1000", "mean: 1000\n  sample_bytes_stdev: 10001"),
               "mine.yaml:6:23: dataset.sample_bytes_stdev: 10001 is more than 10 times "
               "sample_bytes_mean (1000)",
               "use at most 10000");
  expect_error(with("0.00551", "0"),
               "mine.yaml:7:37: accelerators.h100.compute: 0 is outside 1.0 us to 1h 00m");
  expect_error(with("0.00551", "2h"),
               "mine.yaml:7:37: accelerators.h100.compute: 2h is outside 1.0 us to 1h 00m");
  expect_error(with("0.00551", "5 parsecs"),
               "mine.yaml:7:37: accelerators.h100.compute: unknown unit 'parsecs' in '5 parsecs'");
  for (const std::string_view value : {"0", "1.01", "-0.5", "101%"})
    expect_error(with("dataset:", fmt::format("au_threshold: {}\ndataset:", value)),
                 fmt::format("mine.yaml:2:15: au_threshold: {} is outside 0.01 to 1", value));
}

TEST(WorkloadYaml, DatasetsTooLargeForArithmeticAreErrors) {
  expect_error(with("files: 10", "files: 1000000000000\n  samples_per_file: 1000000000000"),
               "mine.yaml:3:10: dataset.files: 1000000000000 files of 1000000000000 samples are "
               "more than 1000000000000000 samples");
  expect_error(with("files: 10\n  format: tfrecord\n  sample_bytes_mean: 1000",
                    "files: 1000000000000\n  format: npz\n  sample_bytes_mean: 1e7"),
               "mine.yaml:5:22: dataset.sample_bytes_mean: the data set would be larger than 9 EB");
}

TEST(WorkloadYaml, WordsAreChecked) {
  expect_error(with("dataset:", "order: randon\ndataset:"),
               "mine.yaml:2:8: order: unknown order 'randon', did you mean 'random'?");
  expect_error(with("dataset:", "framework: torch\ndataset:"),
               "mine.yaml:2:12: framework: unknown framework 'torch', did you mean 'pytorch'?",
               "use pytorch or tensorflow");
  expect_error(with("mine", "../mine"), "mine.yaml:1:7: name: \"../mine\" is not a name");
  expect_error(with("mine", "''"), "mine.yaml:1:7: name: \"\" is not a name");
  expect_error(with("h100:", "\"h.100\":"),
               "mine.yaml:7:12: accelerators: \"h.100\" is not a name");
  expect_error(with("dataset:", "title: \"\\e[2J\"\ndataset:"),
               "mine.yaml:2:8: title: the text holds a control character");
  expect_error(with("dataset:", "title: \"\\x9b2J\"\ndataset:"),
               "mine.yaml:2:8: title: the text holds a control character");
  expect_error(with("dataset:", "notes: x\ndataset:"),
               "mine.yaml:2:8: notes: a list of texts is expected here");
  expect_error(with("dataset:", "title: " + std::string(5000, 'x') + "\ndataset:"),
               "mine.yaml:2:8: title: the text is too long (5000 B), at most 4096 B are allowed");
}

// Returns `count` texts that `each` makes of a number, with commas between them.
std::string repeated(std::string_view each, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += (i == 0 ? "" : ", ") + fmt::format(fmt::runtime(each), fmt::arg("i", i));
  return text;
}

TEST(WorkloadYaml, TooManyOfAKindAreErrors) {
  expect_error(with("dataset:", "notes: [" + repeated("n{i}", 65) + "]\ndataset:"),
               "mine.yaml:2:8: notes: too many (65), at most 64 are allowed", "remove some");
  expect_error(
      with("  files: 10\n", "  files: 10\n  format_options: {" + repeated("o{i}: 1", 65) + "}\n"),
      "mine.yaml:4:19: dataset.format_options: too many (65), at most 64 are allowed",
      "remove some");
  const std::string each = "a{i}: {{batch_samples: 1, compute: 1}}";
  expect_error(
      with("\n  h100: {batch_samples: 4, compute: 0.00551}", " {" + repeated(each, 65) + "}"),
      "mine.yaml:6:15: accelerators: too many (65), at most 64 are allowed", "remove some");
}

TEST(WorkloadYaml, EveryErrorHasItsRemedy) {
  const auto added = [](std::string_view line) { return with("  files: 10\n", line); };
  expect_error(with("dataset:", "direct_io: maybe\ndataset:"),
               "mine.yaml:2:12: direct_io: 'maybe' is neither true nor false", "use true or false");
  expect_error(with("dataset:", "transfer_bytes: 100\ndataset:"),
               "mine.yaml:2:17: transfer_bytes: 100 B is too small, at least 512 B are needed",
               "use 0 for the client's own, or 512 to 1073741824");
  expect_error(with("0.00551", "soon"),
               "mine.yaml:7:37: accelerators.h100.compute: 'soon' is not a number",
               "write it like 224ms or 1.36s");
  expect_error(with("0.00551", "2h"),
               "mine.yaml:7:37: accelerators.h100.compute: 2h is outside 1.0 us to 1h 00m",
               "write it like 224ms or 1.36s; a bare number is seconds");
  expect_error(with("dataset:", "title: \"\\e[2J\"\ndataset:"),
               "mine.yaml:2:8: title: the text holds a control character", "remove it");
  expect_error(with("dataset:", "title: " + std::string(5000, 'x') + "\ndataset:"),
               "mine.yaml:2:8: title: the text is too long (5000 B), at most 4096 B are allowed",
               "shorten it");
  expect_error(with("dataset:", "epochs: [1]\ndataset:"),
               "mine.yaml:2:9: epochs: a single value is expected here",
               "write 'key: value' in one line");
  expect_error(with("dataset:", "notes: x\ndataset:"),
               "mine.yaml:2:8: notes: a list of texts is expected here", "write '- text' lines");
  expect_error("name: x\n", "mine.yaml:1:1: key 'dataset' is missing",
               "add 'dataset:' with files, format and sample_bytes_mean");
  expect_error(with("accelerators:\n", "timings: {}\naccelerators:\n"),
               "mine.yaml:6:10: timings: 0 sets, 1 to 16 are allowed",
               "name them, e.g. 'measured: {h100: ...}'");
  expect_error(added("  files: 10\n  label_bytes: 3\n"),
               "mine.yaml:4:16: dataset.label_bytes: 3 B has no meaning with 'labels: record'",
               "leave it out, or use 'labels: side_file' or 'labels: manifest'");
  expect_error(added("  files: 10\n  labels: directory\n"),
               "mine.yaml:4:11: dataset.labels: the directory is the label, but the layout is flat",
               "add 'layout: class_folders'");
  expect_error(added("  files: 10\n  folders: 3\n"),
               "mine.yaml:4:12: dataset.folders: 3 has no meaning with 'layout: flat'",
               "leave it out, or use 'layout: subfolders'");
  expect_error(added("  files: 1000000000000\n  samples_per_file: 1000000000000\n"),
               "mine.yaml:3:10: dataset.files: 1000000000000 files of 1000000000000 samples are "
               "more than 1000000000000000 samples",
               "use fewer files, or fewer samples_per_file");
  expect_error(with("files: 10\n  format: tfrecord\n  sample_bytes_mean: 1000",
                    "files: 1000000000000\n  format: npz\n  sample_bytes_mean: 1e7"),
               "mine.yaml:5:22: dataset.sample_bytes_mean: the data set would be larger than 9 EB",
               "use fewer files, or smaller samples");
  expect_error(added("  files: 10\n  sample_bytes_read: 1001\n"),
               "mine.yaml:4:22: dataset.sample_bytes_read: 1001 is more than is stored, "
               "sample_bytes_mean (1000)",
               "use at most that, or leave it out to read all");
}

TEST(WorkloadYaml, BadYamlIsAnError) {
  for (const std::string& yaml :
       {std::string(), std::string("[]"), std::string("x"), std::string("a: [1"),
        std::string("a: b: c"), std::string("\t- x"), std::string("*nothing"),
        std::string("? {a: b}\n: c"), std::string(40, '['), std::string(200, ' ') + "a: 1",
        std::string((1U << 20U) + 1, '#'), std::string("\0\1\2", 3), std::string("dataset: [1, 2]"),
        std::string("name: &a [*a]")}) {
    const auto parsed = parse_workload(yaml, "mine.yaml");
    ASSERT_FALSE(parsed.has_value()) << yaml.substr(0, 100);
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kUsage);
    EXPECT_EQ(parsed.error().message().substr(0, 10), "mine.yaml:") << parsed.error().message();
  }
}

TEST(WorkloadYaml, AnchorsAndAliasesAreFine) {
  const auto workload =
      parse_workload(with("h100: {batch_samples: 4, compute: 0.00551}",
                          "h100: &one {batch_samples: 4, compute: 0.00551}\n  h200: *one"),
                     "mine.yaml");
  ASSERT_TRUE(workload.has_value()) << workload.error().render();
  ASSERT_EQ(workload->accelerators.size(), 2U);
  EXPECT_EQ(workload->accelerators[1].compute, Duration(5'510'000));
}

// Cut and mangled files are read or refused, never worse.
TEST(WorkloadYaml, MangledFilesAreReadOrRefused) {
  const std::string text = to_yaml(find_workload("unet3d").value());
  for (std::size_t at = 0; at < text.size(); at += 13) {
    (void)parse_workload(text.substr(0, at), "cut");
    for (const char c : {'\0', '\n', ':', '{', '[', '"', '&', '*', '-', '\xFF'}) {
      std::string mangled = text;
      mangled[at] = c;
      const auto parsed = parse_workload(mangled, "mangled");
      if (parsed) {
        EXPECT_EQ(parse_workload(to_yaml(*parsed), "again").value(), *parsed) << mangled;
      }
    }
  }
}

}  // namespace
}  // namespace feedrate
