// What a person reads of a search: the answer first, with its interval, then what it rests on.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/parts.h"
#include "feedrate/result/run_result.h"

namespace feedrate {
namespace {

// An interval no wider than this is an answer; a wider one is a range.
constexpr double kAnswerShare = 0.1;
constexpr std::uint32_t kAnswerWidth = 2;

const RunResult* known_run(const FindResult& find) {
  for (const std::optional<RunResult>* run : {&find.at_answer, &find.beyond, &find.any})
    if (*run) return &**run;
  return nullptr;
}

double utilisation_at(const FindResult& find, std::uint32_t accelerators) {
  for (const FindPoint& point : find.points)
    if (point.accelerators == accelerators) return point.utilisation;
  return 0;
}

// Where nothing more is to be told, though two numbers are left: at the threshold to 0.2 points.
bool at_the_edge(const FindResult& find) {
  return find.accelerators_low < find.accelerators_high && find.narrower_budget_seconds == 0 &&
         std::ranges::any_of(
             find.points, [](const FindPoint& point) { return point.verdict == "edge"; });
}

bool is_wide(const FindResult& find) {
  const double width = find.accelerators_high - find.accelerators_low;
  return width > std::max<double>(kAnswerWidth, kAnswerShare * find.accelerators);
}

std::string or_more(const FindResult& find) {
  if (find.accelerators_high != find.limit) return "";
  return find.most_tried ? " or more (no more were tried)" : " or more";
}

// What a number's own looks leave open, others may have decided: then the row says so, since its
// own figures seem to say something else.
std::string decided_by(const FindResult& find, const FindPoint& point) {
  constexpr double kRounding = 1e-9;
  const double low = point.utilisation - point.half_width + kRounding;
  const double high = point.utilisation + point.half_width - kRounding;
  const bool by_itself = point.verdict == "fed"      ? low >= find.au_threshold
                         : point.verdict == "starve" ? high < find.au_threshold
                                                     : true;
  if (by_itself) return {};
  if (find.points.size() == 1) return ", by the rate of the storage";
  return fmt::format(", by the looks at {} beside it",
                     format_counted(find.points.size() - 1, "number"));
}

std::string points_table(const FindResult& find) {
  std::string text =
      fmt::format("\n  {:>12}  {:>16}  {:>9}  {:>5}\n", "accelerators", "AU", "measured", "looks");
  for (const FindPoint& point : find.points) {
    const std::string mark = point.verdict == "open"   ? "not decided"
                             : point.verdict == "edge" ? "within 0.2 points of the threshold"
                                                       : point.verdict + decided_by(find, point);
    text += fmt::format("  {:>12}  {:>7.1f} % +-{:>4.1f}  {:>7.1f} s  {:>5}  {}\n",
                        point.accelerators, 100 * point.utilisation, 100 * point.half_width,
                        point.seconds, point.looks, mark);
  }
  return text;
}

std::string depth_text(const FindResult& find) {
  std::string text =
      fmt::format("{} in flight in transfers of {}, {} read ahead",
                  format_counted(find.depth_reads, "read"), format_bytes(find.transfer_bytes),
                  format_bytes(static_cast<std::uint64_t>(find.read_ahead_bytes)));
  const char* separator = "; moved ";
  for (const DepthPoint& depth : find.depths) {
    const bool other = depth.transfer_bytes != find.depths.front().transfer_bytes;
    text += fmt::format(
        "{}{} with {}{}", separator,
        depth.bytes_per_second > 0 ? format_rate(depth.bytes_per_second) : "nothing in time",
        depth.reads_in_flight, other ? " of " + format_bytes(depth.transfer_bytes) : "");
    separator = ", ";
  }
  return text;
}

std::string time_text(const FindResult& find) {
  std::string text = fmt::format("{:.1f} s of trials", find.spent_seconds);
  if (find.budget_seconds > 0)
    text += fmt::format(", of a budget of {:.0f} s", find.budget_seconds);
  if (find.noise_seconds > 0)
    text += fmt::format("; a rate measured for 1 s is known to +-{:.1f} %",
                        196 * std::sqrt(find.noise_seconds));
  return text;
}

std::string seconds_text(double seconds) {
  return seconds < 10 && std::round(seconds) != seconds ? fmt::format("{:.1f} s", seconds)
                                                        : fmt::format("{:.0f} s", seconds);
}

std::string client_text(const FindResult& find) {
  return find.client == "faithful" ? "with the framework's habits" : "kept fed";
}

// Nothing was measured, because the budget was too short for it.
bool is_too_short(const FindResult& find) {
  return !find.measured && !find.interrupted && find.answer.empty() &&
         (find.budget_seconds > 0 || find.samples_max > 0);
}

// A budget that is long enough, up to 10 s to the second.
std::string first_look_text(const FindResult& find) {
  const double needed = find.first_look_budget_seconds;
  if (needed <= 0)  // of what the storage moves nothing is known
    return fmt::format("--budget={} may", budget_text(10 * std::max(1.0, find.budget_seconds)));
  if (needed > 10) return fmt::format("--budget={} would", budget_text(needed));
  return fmt::format("--budget={:.0f}s would", std::ceil(needed));
}

std::string verdict_line(const FindResult& find) {
  if (is_too_short(find))
    return fmt::format("unknown{}: nothing could be measured in {}; {}\n",
                       find.client == "faithful" ? " " + client_text(find) : "",
                       find.budget_seconds > 0
                           ? seconds_text(find.budget_seconds)
                           : fmt::format("the {} samples of a search without --budget",
                                         format_count(static_cast<double>(find.samples_max))),
                       first_look_text(find));
  std::string text = answer_text(find);
  if (find.answer.empty() && find.measured) text += " " + client_text(find);
  text += fmt::format(" at AU >= {}", format_percent(find.au_threshold));
  if (!find.timing_set.empty()) text += fmt::format(", {} step times", find.timing_set);
  if (find.interrupted) text += " (so far: interrupted)";
  return text + "\n";
}

// The budget that would hold all that is still open, and what that is.
std::string narrower_text(const std::vector<FindResult>& results) {
  double seconds = 0;
  std::size_t open = 0;
  for (const FindResult& each : results) {
    if (each.interrupted) return {};
    open += each.narrower_budget_seconds > 0 ? 1 : 0;
    seconds = std::max(seconds, each.narrower_budget_seconds);
  }
  if (open == 0) return {};
  const char* what = open > 1                                       ? " both"
                     : results.front().narrower_budget_seconds <= 0 ? " the framework's number"
                                                                    : "";
  std::uint32_t numbers = 1;
  for (const FindResult& each : results)
    if (each.narrower_budget_seconds > 0) numbers = std::max(numbers, each.narrower_numbers);
  if (numbers == 1)
    return fmt::format("more exactly: --budget={} would tell{}\n", budget_text(seconds), what);
  return fmt::format("more exactly: --budget={} would narrow{} to about {} numbers\n",
                     budget_text(seconds), what[0] == '\0' ? " it" : what, numbers);
}

// What a cache of the storage's own does to the answer.
std::string cache_text(const FindResult& find) {
  if (!find.read_again) return {};
  if (!find.cold && find.just_written)
    return "note: all that was read had been written just before, and came as fast again: caches "
           "of the storage may have held it both times\n";
  if (!find.cold)
    return "note: read again, the data set feeds as many as at its first reading: caches of the "
           "storage make no difference\n";
  const ColdAnswer& cold = *find.cold;
  std::string text = fmt::format(
      "cold {} ({} to {}), warm {} ({} to {}): bytes came with {} at their first reading, with {} "
      "again\n",
      cold.accelerators, cold.accelerators_low, cold.accelerators_high, find.accelerators,
      find.accelerators_low, find.accelerators_high, format_rate(cold.bytes_per_second),
      format_rate(cold.again_bytes_per_second));
  if (find.job_times_larger > 1.1)
    return text + fmt::format(
                      "note: the job's data set is {:.1f} x as large as this one: count on "
                      "the cold number\n",
                      find.job_times_larger);
  return text +
         "note: a job that reads this data set meets the cold number in its first epoch, the "
         "warm one in all others\n";
}

std::string evidence(const FindResult& find) {
  const RunResult* const run = known_run(find);
  std::string text;
  if (run != nullptr) {
    text += fmt::format("{}: {}\n", run->workload, run->workload_title);
    text += result_row("data set", dataset_text(*run));
    text += result_row(
        run->tensor_parallel * run->pipeline_parallel > 1 ? "one replica" : "one accelerator",
        one_accelerator_text(*run));
    text += result_row("step time", timing_text(find.timing_set, find.other_timings));
    text += result_row(
        "client", fmt::format("{}, {} I/O, {}, {} clock", find.client, setting_of(*run, "io"),
                              format_counted(run->reactors, "reactor"), setting_of(*run, "clock")));
  }
  text += result_row("depth", depth_text(find));
  text += result_row("search", time_text(find));
  if (find.ceiling.seconds > 0 && run != nullptr)
    text +=
        result_row("this host",
                   fmt::format("feeds {} x {} from storage that costs nothing: {} samples/s, {} "
                               "of CPU each",
                               format_count(std::floor(find.ceiling.accelerators)),
                               run->accelerator, format_count(find.ceiling.samples_per_second),
                               format_duration(from_seconds(find.ceiling.cpu_seconds_per_sample))));
  if (run != nullptr) text += warnings_text(*run);
  return find.points.empty() ? text : text + points_table(find);
}

}  // namespace

std::string range_text(const FindResult& find) {
  const std::string& name = find.accelerator;
  if (!find.measured) return "nothing yet";
  if (find.accelerators_low == find.accelerators_high)
    return fmt::format("{} x {}{}", find.accelerators, name, or_more(find));
  return fmt::format("between {} and {} x {}{}", find.accelerators_low, find.accelerators_high,
                     name, or_more(find));
}

std::string answer_text(const FindResult& find) {
  const std::string& name = find.accelerator;
  if (!find.answer.empty())
    return fmt::format("{}: {} x {} {}{}", find.answer, find.asked, name,
                       find.answer == "pass"   ? "are kept fed"
                       : find.answer == "fail" ? "starve"
                                               : "may be fed or may starve",
                       find.client == "faithful" ? " with the framework's habits" : "");
  if (!find.measured && find.rate_bytes_per_second > 0)
    return fmt::format("about {} x {} by the rate alone ({}), not proven,", find.by_rate, name,
                       format_rate(find.rate_bytes_per_second));
  if (!find.measured)
    return fmt::format("unknown how many {} are fed: nothing could be measured", name);
  if (find.accelerators_low == find.accelerators_high || (is_wide(find) && !at_the_edge(find)))
    return range_text(find);
  if (at_the_edge(find))
    return fmt::format("{} {} {} x {} (AU at {} is {:.1f} %)", find.accelerators_low,
                       find.accelerators_high - find.accelerators_low == 1 ? "or" : "to",
                       find.accelerators_high, name, find.accelerators_high,
                       100 * utilisation_at(find, find.accelerators_high));
  return fmt::format("{} x {} ({} to {}{})", find.accelerators, name, find.accelerators_low,
                     find.accelerators_high, or_more(find));
}

std::string render_text(const std::vector<FindResult>& results) {
  const FindResult& find = results.front();
  std::string text;
  for (const FindResult& each : results) text += verdict_line(each);
  if (!is_too_short(find)) text += narrower_text(results);
  text += cache_text(find);
  // More were not asked about: no question is left open.
  if (find.limited_by != "--at-least") text += fmt::format("why not more: {}\n", find.reason);
  for (const FindResult& each : results)
    for (const std::string& finding : each.findings) text += "note: " + finding + "\n";
  for (const FindResult& each : results) text += "\n" + evidence(each);
  return text;
}

}  // namespace feedrate
