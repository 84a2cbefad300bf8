#include <algorithm>
#include <array>

#include "feedrate/result/tables.h"

namespace feedrate {

namespace {

constexpr std::array kVerdicts{FindingVerdict::kOk, FindingVerdict::kWarn, FindingVerdict::kBad,
                               FindingVerdict::kUnknown};

std::vector<std::string> verdict_words() {
  std::vector<std::string> words;
  for (const FindingVerdict verdict : kVerdicts) words.emplace_back(to_string(verdict));
  return words;
}

std::map<std::string, std::uint64_t> counts_of(const DoctorReport& report) {
  std::map<std::string, std::uint64_t> counts;
  for (const FindingVerdict verdict : kVerdicts)
    counts[std::string(to_string(verdict))] = report.count(verdict);
  return counts;
}

}  // namespace

template <>
struct Codec<FindingVerdict> {
  static Json write(FindingVerdict verdict) { return to_string(verdict); }
  static Shape shape() { return {Shape::Kind::kText}; }
  static bool read(const Json& json, FindingVerdict& verdict, JsonPlace& place) {
    std::string word;
    if (!Codec<std::string>::read(json, word, place)) return false;
    const auto* const found =
        std::ranges::find(kVerdicts, word, [](FindingVerdict each) { return to_string(each); });
    if (found == kVerdicts.end()) return place.wrong("is no verdict that is known");
    verdict = *found;
    return true;
  }
};

const Table<Finding>& table_of(Type<Finding>) {
  using F = Finding;
  static const Table<F> table =
      Rows<F>()
          .add("check", &F::check, text("its name: unique, stable"))
          .add(
              "verdict", &F::verdict,
              word("`warn`: figures may come out lower, or need a second look; `bad`: they will be "
                   "wrong, or runs will fail; `unknown`: cannot be told here",
                   verdict_words()))
          .add("found", &F::found, text("the value, in words"))
          .add("why", &F::why, text("it matters; of `warn` and `bad`"))
          .add("remedy", &F::remedy, text("of `warn` and `bad`"));
  return table;
}

const Table<DoctorReport>& table_of(Type<DoctorReport>) {
  using D = DoctorReport;
  static const Table<D> table =
      report_table<D>(Rows<D>()
                          .add("looked_at", &D::looked_at,
                               text("the directory, or the nearest one above it that exists"))
                          .add("subject", &D::subject, text("what lies there"))
                          .derived("counts", counts_of, things("findings by verdict"))
                          .add("findings", &D::findings, things("in the order of the text")));
  return table;
}

}  // namespace feedrate
