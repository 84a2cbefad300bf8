#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/parts.h"
#include "feedrate/result/run_result.h"

namespace feedrate {
namespace {

std::string row(std::string_view label, const std::string& value) {
  return fmt::format("  {:<17}{}\n", label, value);
}

const RunResult* known_run(const FindResult& find) {
  return find.at_answer ? &*find.at_answer : find.beyond ? &*find.beyond : nullptr;
}

std::string accelerator_name(const FindResult& find) {
  const RunResult* run = known_run(find);
  return run == nullptr ? "accelerators" : run->accelerator;
}

bool all_edges_between(const FindResult& find) {
  std::uint32_t edges = 0;
  for (const FindPoint& point : find.points)
    if (point.verdict == "edge") ++edges;
  return edges > 0 && find.narrower_budget_seconds == 0;
}

double utilisation_at(const FindResult& find, std::uint32_t accelerators) {
  for (const FindPoint& point : find.points)
    if (point.accelerators == accelerators) return point.utilisation;
  return 0;
}

std::string points_table(const FindResult& find) {
  std::string text = fmt::format("\n  {:>12}  {:>16}  {:>8}  {:>5}\n", "accelerators", "AU",
                                 "measured", "looks");
  for (const FindPoint& point : find.points) {
    const std::string mark = point.verdict == "open"   ? "not decided"
                             : point.verdict == "edge" ? "within 0.2 points of the threshold"
                                                       : point.verdict;
    text += fmt::format("  {:>12}  {:>7.1f} % +-{:>4.1f}  {:>6.1f} s  {:>5}  {}\n",
                        point.accelerators, 100 * point.utilisation, 100 * point.half_width,
                        point.seconds, point.looks, mark);
  }
  return text;
}

std::string depth_text(const FindResult& find) {
  std::string text;
  for (const DepthPoint& depth : find.depths)
    text += fmt::format("{}{} with {}", text.empty() ? "" : ", ",
                        format_rate(depth.bytes_per_second), depth.reads_in_flight);
  return text + " reads in flight";
}

}  // namespace

std::string answer_text(const FindResult& find) {
  const std::string name = accelerator_name(find);
  if (!find.answer.empty())
    return fmt::format("{}: {} x {} {}", find.answer, find.asked, name,
                       find.answer == "pass"   ? "are kept fed"
                       : find.answer == "fail" ? "starve"
                                               : "may be fed or starve");
  if (!find.measured) return fmt::format("nothing could be measured: how many {} is unknown", name);
  if (find.accelerators_low == find.accelerators_high)
    return fmt::format("{} x {}{}", find.accelerators, name,
                       find.accelerators == find.limit ? " or more" : "");
  if (all_edges_between(find))
    return fmt::format("{} or {} x {}: AU at {} is {:.1f} %", find.accelerators_low,
                       find.accelerators_high, name, find.accelerators_high,
                       100 * utilisation_at(find, find.accelerators_high));
  return fmt::format("{} x {} ({} to {}{})", find.accelerators, name, find.accelerators_low,
                     find.accelerators_high,
                     find.accelerators_high == find.limit ? " or more" : "");
}

std::string render_text(const FindResult& find) {
  std::string text = answer_text(find);
  text += fmt::format(" kept fed at AU >= {} ({} client{})\n", format_percent(find.au_threshold),
                      find.client, find.interrupted ? "; so far: interrupted" : "");
  if (find.narrower_budget_seconds > 0)
    text += fmt::format("--budget={} would tell more exactly\n",
                        format_duration(from_seconds(find.narrower_budget_seconds)));
  text += fmt::format("why not more: {}\n", find.reason);
  for (const std::string& finding : find.findings) text += finding + "\n";
  return text + row("moved", depth_text(find)) + points_table(find);
}

}  // namespace feedrate
