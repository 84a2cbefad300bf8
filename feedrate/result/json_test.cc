// Tests writing and reading JSON for every type of report: a value that is left out, of another
// type or out of range is refused and its path named, and each key has a member of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "feedrate/result/result_testing.h"
#include "feedrate/result/tables.h"

namespace feedrate {
namespace {

std::string problem_of(const Json& json) {
  const Result<Report> report = parse_report(json.dump());
  return report ? "" : report.error().message();
}

// A path such as "result.metrics.opens", and the value there.
struct Leaf {
  std::string path;
  Json::json_pointer pointer;
  bool key = false;  // Whether it is a key of an object, and no item of a list.
};
void add_leaves(const Json& json, const std::string& path, const Json::json_pointer& pointer,
                std::vector<Leaf>& leaves) {
  if (!json.is_structured()) return;
  std::size_t index = 0;
  for (const auto& [key, value] : json.items()) {
    const std::string inner = path.empty() ? key : path + "." + key;
    const Json::json_pointer at = json.is_array() ? pointer / index++ : pointer / key;
    leaves.push_back({inner, at, json.is_object()});
    add_leaves(value, inner, at, leaves);
  }
}
std::vector<Leaf> leaves_of(const Json& json) {
  std::vector<Leaf> leaves;
  add_leaves(json, "", Json::json_pointer(), leaves);
  return leaves;
}

bool has_any(const std::string& path, const std::vector<std::string>& parts) {
  return std::ranges::any_of(parts, [&](const std::string& part) {
    return ("." + path + ".").find("." + part + ".") != std::string::npos;
  });
}

// Derived keys are written and not read. Someone who adds one must add it here by hand, because it
// is not kept when a result is read.
const std::vector<std::string> kDerived = {
    // Keys of the envelope, which a report within a report has, too.
    "at_answer.note", "at_answer.verdict", "beyond.note", "beyond.verdict",
    // train
    "metrics.moved_over_asked", "metrics.reads_per_second", "client.cpu_seconds_per_gigabyte",
    "workload.replica_demand_bytes_per_second", "series.columns",
    "processing.cpu_seconds_per_sample", "processing.bytes_per_cpu_second", "stalls.lost_fraction",
    "stalls.carried_fraction", "stalls.fractions", "stalls.worst_place",
    "stalls.worst_place_fraction", "checkpoint_blocked_fraction",
    // find
    "form", "open_above", "too_short", "suggested_budget_seconds", "rate_error_of_a_second",
    "result.narrower_budget_seconds", "result.narrower_numbers", "result.narrower_of",
    // checkpoint
    "parallelism.ranks", "summary.blocked_seconds", "summary.persisted_seconds",
    "summary.restorable_seconds", "summary.shared_seconds", "summary.seconds",
    "summary.waited_seconds_max", "summary.median_rank_seconds", "summary.whole",
    "summary.stored_bytes", "summary.incremental_fraction", "goodput.goodput",
    "goodput.no_progress", "goodput.lost_fraction", "goodput.blocked_fraction",
    "goodput.restarting_fraction", "goodput.restoring_fraction",
    // compact, load
    "result.bytes_per_second", "result.first_ready_seconds", "result.last_ready_seconds",
    // plan
    "figures.read_bandwidth.text", "figures.epoch.text", "figures.capacity.text",
    "port.carries_bytes_per_second",
    // doctor
    "result.counts",
    // drop-caches
    "result.dropped_bytes", "result.remaining_share"};

// Returns whether this is a derived key of jobs that ran together.
bool is_of_a_job(const std::string& path) {
  return path.starts_with("result.jobs.") &&
         (path.ends_with(".rate") || path.ends_with(".rate_alone") ||
          path.ends_with(".lost_fraction"));
}

bool is_derived(const std::string& path) {
  return path == "note" || path == "verdict" || is_of_a_job(path) || has_any(path, kDerived);
}
// Returns whether this key says how the rest is to be read.
bool is_lead(const std::string& path) {
  return path == "verb" || ("." + path).ends_with(".feedrate");
}

// Maps may have any keys, so one that is left out is no mistake.
const std::vector<std::string> kMaps = {"requested", "effective", "seeds",  "phases",
                                        "figures",   "sections",  "storage"};
bool is_of_a_map(const Leaf& leaf) {
  const Json::json_pointer parent = leaf.pointer.parent_pointer();
  return !parent.empty() && std::ranges::find(kMaps, parent.back()) != kMaps.end();
}

TEST(Json, EveryReportComesBackAsItWas) {
  for (const Report& report : all_reports()) {
    const std::string json = to_json(report);
    const Result<Report> back = parse_report(json);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(back->index(), report.index());
    EXPECT_EQ(to_json(*back), json);
    EXPECT_EQ(to_text(*back), to_text(report));
    EXPECT_EQ(to_text(*back, true), to_text(report, true));
    EXPECT_EQ(to_csv(*back), to_csv(report));
  }
}

// A report of defaults takes the other branches: nothing becomes null that was not, and nothing is
// lost.
TEST(Json, EveryReportOfDefaultsComesBackToo) {
  for (Report report : all_reports()) {
    std::visit(
        [](auto& each) {
          const std::string verb = each.verb;
          each = {};
          each.verb = verb;
        },
        report);
    const std::string json = to_json(report);
    const Result<Report> back = parse_report(json);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(to_json(*back), json);
    EXPECT_EQ(to_text(*back), to_text(report));
    EXPECT_EQ(to_csv(*back), to_csv(report));
  }
}

// Returns one report of each type, for tests that change every key in turn. The search has one
// client and one run only, to keep these tests short.
std::vector<Report> each_type() {
  FindReport find = full_find();
  find.searches.resize(1);
  find.searches[0].beyond.reset();
  return {full_run(),    find,          full_checkpoint(), full_compact(), full_load(),
          full_plan(),   full_doctor(), full_datagen(),    full_drop(),    full_workloads(),
          full_formats()};
}

TEST(Json, AKeyThatIsLeftOutIsNamed) {
  for (const Report& report : each_type()) {
    const Json json = json_of(report);
    for (const Leaf& leaf : leaves_of(json)) {
      if (!leaf.key || is_of_a_map(leaf) || leaf.path == "feedrate" || leaf.path == "verb")
        continue;
      Json without = json;
      without[leaf.pointer.parent_pointer()].erase(leaf.pointer.back());
      EXPECT_EQ(
          problem_of(without),
          is_derived(leaf.path) ? "" : "the result cannot be read: '" + leaf.path + "' is missing");
    }
  }
}

TEST(Json, AValueOfAnotherTypeIsNamed) {
  for (const Report& report : each_type()) {
    const Json json = json_of(report);
    for (const Leaf& leaf : leaves_of(json)) {
      if (is_derived(leaf.path) || is_lead(leaf.path)) continue;
      const Json& value = json[leaf.pointer];
      Json wrong = json;
      const char* what = "";
      if (value.is_string()) {
        wrong[leaf.pointer] = 7;
        what = "is not a text";
      } else if (value.is_boolean()) {
        wrong[leaf.pointer] = "yes";
        what = "is not true or false";
      } else if (value.is_number()) {
        wrong[leaf.pointer] = "7";
        what = "number";  // The message may also say "a whole number".
      } else if (value.is_array()) {
        wrong[leaf.pointer] = Json::object();
        what = "is not a list";
      } else if (value.is_object()) {
        wrong[leaf.pointer] = Json::array();
        what = "is not an object";
      } else {
        continue;  // The value is null.
      }
      const std::string problem = problem_of(wrong);
      // Lists of a fixed length, which stand for a bucket, a point or a pair, have no keys.
      const std::string path =
          has_any(leaf.path, {"buckets_ns", "series.points"}) ? "" : "'" + leaf.path + "'";
      EXPECT_NE(problem.find(path), std::string::npos) << leaf.path << ": " << problem;
      EXPECT_NE(problem.find(what), std::string::npos) << leaf.path << ": " << problem;
    }
  }
}

TEST(Json, NullIsOnlyWhereSomethingMayBeUnknown) {
  const std::set<std::string> may = {"cost",
                                     "accelerator_utilisation",
                                     "sustained_utilisation",
                                     "checkpoints",
                                     "resident_before",
                                     "resident_after",
                                     "storage_share",
                                     "page_cache_share",
                                     "memory_share",
                                     "process_read_bytes",
                                     "wire_read_bytes",
                                     "cgroup_read_bytes",
                                     "cold",
                                     "at_answer",
                                     "beyond",

                                     "utilisation",
                                     "parent",
                                     "goodput",
                                     "generation_bytes_per_second",
                                     "storage_bytes",
                                     "requests_in_flight",
                                     "value",
                                     "files_written"};
  std::set<std::string> were;
  for (const Report& report : each_type()) {
    const Json json = json_of(report);
    for (const Leaf& leaf : leaves_of(json)) {
      if (is_derived(leaf.path) || is_lead(leaf.path)) continue;
      Json wrong = json;
      wrong[leaf.pointer] = nullptr;
      if (!problem_of(wrong).empty()) continue;
      EXPECT_TRUE(may.contains(leaf.pointer.back())) << leaf.path;
      were.insert(leaf.pointer.back());
    }
  }
  EXPECT_EQ(were, may);
}

// If two keys had one member, both would show what the later of them had read.
TEST(Json, EveryKeyHasAMemberOfItsOwn) {
  for (const Report& report : all_reports()) {
    Json json = json_of(report);
    double next = 1001;
    for (const Leaf& leaf : leaves_of(json))
      if (json[leaf.pointer].is_number() && !is_lead(leaf.path))
        json[leaf.pointer] = json[leaf.pointer].is_number_integer()
                                 ? Json(static_cast<std::int64_t>(next++))
                                 : Json(next++ + 0.5);
    const Result<Report> back = parse_report(json.dump());
    ASSERT_TRUE(back) << back.error().message();
    const Json again = json_of(*back);
    for (const Leaf& leaf : leaves_of(json))
      if (json[leaf.pointer].is_number() && !is_derived(leaf.path) && !is_lead(leaf.path)) {
        EXPECT_EQ(again[leaf.pointer], json[leaf.pointer]) << leaf.path;
      }
  }
}

TEST(Json, KeysStandInTheSameOrderAlways) {
  RunResult run = full_run();
  const std::string first = to_json(run);
  EXPECT_EQ(to_json(full_run()), first);
  EXPECT_TRUE(
      first.starts_with("{\n  \"feedrate\": 2,\n  \"verb\": \"train\",\n"
                        "  \"note\": \"not an MLPerf result\",\n  \"valid\": true,\n"))
      << first.substr(0, 200);
  EXPECT_TRUE(first.ends_with("}\n"));
  run.requested = {{"b", "1"}, {"a", "2"}};
  EXPECT_NE(to_json(run).find("\"requested\": {\n    \"a\": \"2\",\n    \"b\": \"1\"\n  }"),
            std::string::npos);
}

TEST(Json, WholeNumbersOutOfRangeAreNamed) {
  Json json = json_of(full_run());
  const auto problem_with = [&](const char* pointer, const Json& value) {
    Json wrong = json;
    wrong[Json::json_pointer(pointer)] = value;
    return problem_of(wrong);
  };
  const std::string lead = "the result cannot be read: ";
  EXPECT_EQ(problem_with("/host/cores", -1), lead + "'host.cores' is less than 0");
  EXPECT_EQ(problem_with("/host/cores", 4294967296), lead + "'host.cores' is out of range");
  EXPECT_EQ(problem_with("/host/cores", 4294967295), "");
  EXPECT_EQ(problem_with("/result/metrics/opens", -1),
            lead + "'result.metrics.opens' is less than 0");
  EXPECT_EQ(problem_with("/result/metrics/opens", 18446744073709551615ULL), "");
  EXPECT_EQ(problem_with("/result/stalls/wall_ns", 9223372036854775808ULL),
            lead + "'result.stalls.wall_ns' is out of range");
  EXPECT_EQ(problem_with("/result/stalls/wall_ns", -5),
            lead + "'result.stalls.wall_ns' is less than 0");
  EXPECT_EQ(problem_with("/result/metrics/seconds", -0.5),
            lead + "'result.metrics.seconds' is less than 0");
  EXPECT_EQ(problem_with("/result/metrics/opens", 1.5),
            lead + "'result.metrics.opens' is not a whole number");
  EXPECT_EQ(problem_with("/result/metrics/opens", 1.0),
            lead + "'result.metrics.opens' is not a whole number");
  EXPECT_EQ(problem_with("/result/metrics/seconds", 3), "") << "a whole number is a number";
}

TEST(Json, ListsOfFixedLengthHaveThatLength) {
  Json json = json_of(full_run());
  json["result"]["metrics"]["read_latency"]["buckets_ns"][1] = {1, 2, 3};
  EXPECT_EQ(problem_of(json),
            "the result cannot be read: 'result.metrics.read_latency.buckets_ns.1' is not a list "
            "of 2");
  json = json_of(full_run());
  json["result"]["series"]["points"][0] = {1, 2};
  EXPECT_EQ(problem_of(json),
            "the result cannot be read: 'result.series.points.0' is not a list of 3");
}

TEST(Json, TheFirstMistakeIsTheOneThatIsTold) {
  Json json = json_of(full_run());
  json["valid"] = 1;
  json["result"]["metrics"].erase("opens");
  EXPECT_EQ(problem_of(json), "the result cannot be read: 'valid' is not true or false");
}

TEST(Json, KeysThatNobodyKnowsAreLeftAlone) {
  for (const Report& report : all_reports()) {
    Json json = json_of(report);
    json["later"] = {1, 2};
    json["result"]["later"] = "than this";
    EXPECT_EQ(problem_of(json), "");
  }
}

// A word that is in no list is refused, as by the schema.
TEST(Json, WordsAreThoseOfTheirList) {
  const auto problem_with = [](const Report& report, const char* pointer, const char* value) {
    Json wrong = json_of(report);
    wrong[Json::json_pointer(pointer)] = value;
    return problem_of(wrong);
  };
  const std::string lead = "the result cannot be read: '";
  EXPECT_EQ(problem_with(full_run(), "/place/clock", "sun"),
            lead + "place.clock' is 'sun', which is none of '', 'real', 'virtual'");
  EXPECT_EQ(problem_with(full_run(), "/result/processing/level", "chew"),
            lead +
                "result.processing.level' is 'chew', which is none of 'raw', 'verify', "
                "'decode'");
  EXPECT_EQ(problem_with(full_run(), "/result/io/origin", ""), "");
  EXPECT_EQ(problem_with(full_run(), "/result/io/origin", "elsewhere"),
            lead +
                "result.io.origin' is 'elsewhere', which is none of '', 'storage', 'memory', "
                "'network', 'unknown'");
  EXPECT_NE(problem_with(full_run(), "/result/limiter/kind", "luck"), "");
  EXPECT_NE(problem_with(full_run(), "/result/stalls/places/0/kind", "room"), "");
  EXPECT_NE(problem_with(full_find(), "/result/searches/0/client", "own"), "");
  EXPECT_NE(problem_with(full_find(), "/result/searches/0/answer", "perhaps"), "");
  EXPECT_NE(problem_with(full_find(), "/result/searches/1/points/0/verdict", "full"), "");
  EXPECT_EQ(problem_with(full_find(), "/result/searches/0/answer", "undecided"), "");
  EXPECT_EQ(problem_with(full_doctor(), "/result/findings/1/verdict", "fine"),
            lead + "result.findings.1.verdict' is no verdict that is known");
  EXPECT_EQ(
      problem_with(full_plan(), "/result/points/0/jobs/0/sections/training/figures/epoch/unit",
                   "furlongs"),
      lead +
          "result.points.0.jobs.0.sections.training.figures.epoch.unit' is no unit that "
          "is known");
}

TEST(Json, WhatIsNoReportIsRefusedByWhatItIs) {
  const auto error_of = [](std::string_view text) {
    const Result<Report> report = parse_report(text);
    EXPECT_FALSE(report) << text;
    EXPECT_EQ(report.error().kind(), ErrorKind::kCorrupt);
    return report.error();
  };
  const std::string hint = "give a file that --json wrote";
  for (const char* text : {"[]", "7", "null"}) {
    EXPECT_EQ(error_of(text).message(), "the result is not a JSON object") << text;
    EXPECT_EQ(error_of(text).hint(), hint);
  }
  for (const char* text : {"{}", R"({"feedrate": "2"})", R"({"feedrate": 2.0})"}) {
    EXPECT_EQ(error_of(text).message(),
              "this is no result of feedrate: it has no number 'feedrate'");
    EXPECT_EQ(error_of(text).hint(), hint);
  }
  EXPECT_EQ(error_of(R"({"feedrate": 2})").message(), "the result is of '', which is no verb");
  EXPECT_EQ(error_of(R"({"feedrate": 2, "verb": 7})").message(),
            "the result is of '', which is no verb");
  EXPECT_EQ(error_of(R"({"feedrate": 2, "verb": "cook"})").message(),
            "the result is of 'cook', which is no verb");
  EXPECT_EQ(error_of(R"({"feedrate": 2, "verb": "cook"})").hint(), hint);
  EXPECT_EQ(error_of(R"({"feedrate": 2, "verb": "train"})").message(),
            "the result cannot be read: 'valid' is missing");
}

TEST(Json, WhereAFileIsDamagedIsNamed) {
  const auto problem = [](std::string_view text) {
    const Result<Report> report = parse_report(text);
    EXPECT_FALSE(report) << text;
    EXPECT_EQ(report.error().hint(), "give a file that --json wrote");
    return report.error().message();
  };
  const std::string lead = "the result is damaged";
  EXPECT_EQ(problem(""), lead +
                             " at byte 1: value - unexpected end of input; expected '[', '{', or "
                             "a literal");
  EXPECT_EQ(problem("x"), lead + " at byte 1: value - invalid literal");
  EXPECT_EQ(problem("{"), lead +
                              " at byte 2: object key - unexpected end of input; expected "
                              "string literal");
  EXPECT_EQ(problem("\"\xff\""),
            lead + " at byte 2: value - invalid string: ill-formed UTF-8 byte");
  EXPECT_EQ(problem("{\"feedrate\": 2} {}"),
            lead + " at byte 17: value - unexpected '{'; expected end of input");
  EXPECT_EQ(problem("{\"verb\": 1e999}"), lead + ": number overflow parsing '1e999'");
  // The text is cut off at many places.
  const std::string whole = to_json(full_load());
  for (std::size_t bytes = 0; bytes + 2 < whole.size(); bytes += 97)
    EXPECT_TRUE(problem(std::string_view(whole).substr(0, bytes)).starts_with(lead + " at byte "));
}

// Derived figures are computed again; a file in which they differ was changed by hand or written by
// another program.
TEST(Json, FiguresThatDoNotAgreeAreTold) {
  const auto warnings_of = [](const Json& json) {
    const Result<Report> report = parse_report(json.dump());
    EXPECT_TRUE(report) << report.error().message();
    return std::visit([](const auto& each) { return each.warnings; }, *report);
  };
  Json json = json_of(full_load());
  const std::vector<std::string> none = warnings_of(json);
  json["result"]["bytes_per_second"] = 7;
  std::vector<std::string> expected = none;
  expected.emplace_back(
      "'result.bytes_per_second' is 7 in this file, but its other figures come to 100000000.0");
  EXPECT_EQ(warnings_of(json), expected);
  json["result"]["bytes_per_second"] = 1e8 * (1 + 1e-12);
  EXPECT_EQ(warnings_of(json), none) << "rounded in another way";
  json["result"]["ready_seconds"][0] = 4;
  EXPECT_EQ(warnings_of(json).size(), none.size() + 3) << "the last, its rate, and the verdict";
  json["later"] = 7;
  json["result"].erase("bytes_per_second");
  EXPECT_EQ(warnings_of(json).size(), none.size() + 2) << "keys that are not there disagree not";

  json = json_of(full_doctor());
  json["result"]["findings"] = Json::array();
  json["verdict"] = std::string(300, 'x');
  EXPECT_EQ(warnings_of(json)[2],
            "'verdict' is \"" + std::string(199, 'x') +
                "... in this file, but its other figures come to \"nothing will spoil "
                "measurements here (interrupted after 0 checks: the rest is not known)\"");
  json = json_of(full_plan());
  json["result"]["port"]["usable"] = 0.4;
  EXPECT_EQ(warnings_of(json).back(),
            "'result.port.carries_bytes_per_second' is 10000000000.0 in this file, but its other "
            "figures come to 5000000000.0");
  EXPECT_NE(to_text(*parse_report(json.dump())).find("  warning: 'result.port.carries"),
            std::string::npos);

  json = json_of(full_run());
  json["valid"] = false;
  json["result"]["metrics"]["seconds"] = 1e6;
  json["result"]["stalls"]["wall_ns"] = 1;
  const std::vector<std::string> many = warnings_of(json);
  EXPECT_EQ(many.size(), warnings_of(json_of(full_run())).size() + 6);
  EXPECT_TRUE(many.back().ends_with(" more of its figures do not agree")) << many.back();
}

TEST(Json, OtherVersionsAreRefusedByTheirNumber) {
  const auto error_of = [](std::string_view text) {
    const Result<Report> report = parse_report(text);
    EXPECT_FALSE(report) << text;
    return report.error();
  };
  const std::string hint = "run the command again, or read it with the feedrate that wrote it";
  const std::string old = "the result is of schema version 1, and this feedrate reads version 2";
  // These are the leads of train and find; doctor; checkpoint, compact and load; plan.
  for (const char* text :
       {R"({"feedrate_result": 1, "kind": "train"})", R"({"feedrate_doctor": 1, "findings": []})",
        R"({"schema": 1, "verb": "checkpoint"})", R"({"schema": "feedrate plan 1"})",
        R"({"feedrate": 1, "verb": "train"})"}) {
    EXPECT_EQ(error_of(text).message(), old) << text;
    EXPECT_EQ(error_of(text).hint(), hint);
  }
  EXPECT_EQ(error_of(R"({"feedrate": 3, "verb": "train"})").message(),
            "the result is of schema version 3, and this feedrate reads version 2");
  EXPECT_EQ(error_of(R"({"feedrate": 3, "verb": "train"})").hint(), hint);
}

TEST(Json, TheVerbChoosesTheType) {
  const auto index_of = [](const char* verb, Report report) {
    Json json = json_of(report);
    json["verb"] = verb;
    const Result<Report> back = parse_report(json.dump());
    return back ? std::optional(back->index()) : std::nullopt;
  };
  EXPECT_EQ(index_of("train", full_run()), 0U);
  EXPECT_EQ(index_of("find", full_find()), 1U);
  EXPECT_EQ(index_of("checkpoint", full_restore()), 2U);
  EXPECT_EQ(index_of("restore", full_checkpoint()), 2U);
  EXPECT_EQ(index_of("compact", full_compact()), 3U);
  EXPECT_EQ(index_of("load", full_load()), 4U);
  EXPECT_EQ(index_of("plan", full_plan()), 5U);
  EXPECT_EQ(index_of("doctor", full_doctor()), 6U);
  EXPECT_EQ(index_of("load", full_plan()), std::nullopt);
}

// Names of files are bytes, and those that are not UTF-8 must not end the program when it writes
// its result.
TEST(Json, BytesThatAreNotTextAreReplaced) {
  for (Report report : all_reports()) {
    std::visit(
        [](auto& each) {
          each.place.directory = "da\xff";
          // A sequence that is cut short, and half of a surrogate pair.
          each.warnings = {"\xc3(", "\xed\xa0\x80"};
          each.effective["\xfe"] = "\xfd";
        },
        report);
    const Json json = json_of(report);
    EXPECT_EQ(json["place"]["directory"], "da\xEF\xBF\xBD");
    EXPECT_EQ(json["warnings"][0], "\xEF\xBF\xBD(");
    EXPECT_EQ(json["effective"]["\xEF\xBF\xBD"], "\xEF\xBF\xBD");
    EXPECT_TRUE(parse_report(to_json(report)));
  }
}

// The verdict was made of the bytes, and is made again of what became of them.
TEST(Json, AVerdictThatNamesSuchAPathIsNotDoubted) {
  for (const char* const path : {"ck\xff", "a\xff\xfe\xc3(b", "\xff"}) {
    DatagenResult report;
    report.verb = "datagen";
    report.dataset.directory = path;
    const Result<Report> back = parse_report(to_json(report));
    ASSERT_TRUE(back);
    EXPECT_EQ(std::get<DatagenResult>(*back).warnings, std::vector<std::string>{}) << path;
  }
  DatagenResult other;
  other.verb = "datagen";
  other.dataset.directory = "ck\xff";
  std::string json = to_json(other);
  json.replace(json.rfind("ck"), 2, "ch");  // The path in the body; the verdict has the other one.
  const Result<Report> back = parse_report(json);
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<DatagenResult>(*back).warnings.size(), 1U) << json;
}

TEST(Json, AnInvalidRunHasNoUtilisation) {
  RunResult run = full_run();
  run.valid = false;
  run.invalid_reasons = {"a reason"};
  const Json json = json_of(run);
  EXPECT_EQ(json["valid"], false);
  EXPECT_EQ(json["invalid_reasons"], Json({"a reason"}));
  EXPECT_EQ(json["verdict"], "INVALID: a reason");
  EXPECT_TRUE(json["result"]["metrics"]["accelerator_utilisation"].is_null());
  EXPECT_TRUE(json["result"]["metrics"]["sustained_utilisation"].is_null());
  const Result<Report> back = parse_report(to_json(run));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<RunResult>(*back).sustained_utilisation, 0);
  EXPECT_FALSE(std::get<RunResult>(*back).fed());
  EXPECT_EQ(to_text(*back), to_text(run));
}

TEST(Json, WhatNeverHappensIsNullAndComesBackAsNever) {
  PlanResult plan = full_plan();
  plan.points[0].jobs[0].sections[0].figures[1].value =
      Measure(Seconds(std::numeric_limits<double>::infinity()));
  const Json json = json_of(plan);
  const Json& figure =
      json["result"]["points"][0]["jobs"][0]["sections"]["training"]["figures"]["epoch"];
  EXPECT_TRUE(figure["value"].is_null());
  EXPECT_EQ(figure["text"], "never");
  EXPECT_EQ(figure["unit"], "seconds");
  const Result<Report> back = parse_report(to_json(plan));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(to_text(*back), to_text(plan));
  EXPECT_EQ(to_json(*back), to_json(plan));
}

// Returns whether the report is refused or every view shows something.
bool can_be_shown(const Json& json) {
  const Result<Report> report = parse_report(json.dump());
  if (!report) return true;
  return !to_text(*report, true).empty() && !to_json(*report).empty() && !to_csv(*report).empty();
}

// A file may be damaged or made by hand; lists that belong together may then differ in length.
TEST(Json, ReportsWithItemsMissingOrTwiceAreShown) {
  for (const Report& report : each_type()) {
    const Json json = json_of(report);
    for (const Leaf& leaf : leaves_of(json)) {
      Json changed = json;
      Json& value = changed[leaf.pointer];
      if (!value.is_array() && !value.is_object()) continue;
      if (value.empty() || is_derived(leaf.path)) continue;
      if (value.is_array()) {
        value.push_back(value.front());
        EXPECT_TRUE(can_be_shown(changed)) << leaf.path;
      }
      value = value.is_array() ? Json::array() : Json::object();
      EXPECT_TRUE(can_be_shown(changed)) << leaf.path;
    }
  }
}

TEST(JsonPlace, OnlyTheFirstProblemIsKept) {
  JsonPlace place;
  EXPECT_EQ(place.problem(), "");
  EXPECT_FALSE(
      place.inside("a", [&] { return place.inside("b", [&] { return place.wrong("x"); }); }));
  EXPECT_FALSE(place.wrong("y"));
  EXPECT_EQ(place.problem(), "'a.b' x");
  EXPECT_TRUE(place.inside("c", [] { return true; }));
}

TEST(Json, WhatIsNestedTooDeepIsRefused) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const Result<Report> report = parse_report("{\"zz\": " + deep + ", \"feedrate\": 2}");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().render(),
            "error: the result is damaged at byte 107: it is nested too deep\n"
            "hint:  give a file that --json wrote\n");
  // Brackets within a text are none.
  const Result<Report> text = parse_report("{\"zz\": \"\\\"" + deep + "\"}");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message().find("too deep"), std::string::npos);
}

}  // namespace
}  // namespace feedrate
