// The text of a search: the answer first, with its interval, then what it rests on.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/find_result.h"
#include "feedrate/result/text_parts.h"

namespace feedrate {
namespace {

std::string or_more(const FindResult& find) {
  if (!find.open_above()) return "";
  return find.most_tried ? " or more (no more were tried)" : " or more";
}

// Says what a row's verdict rests on where its own figures leave it open.
std::string decided_text(const FindResult& find, const FindPoint& point) {
  if (point.decided_by == "rate") return ", by the rate of the storage";
  if (point.decided_by != "other-numbers") return {};
  return fmt::format(", by the looks at {} beside it",
                     format_counted(find.points.size() - 1, "number"));
}

std::string points_table(const FindResult& find) {
  std::string text =
      fmt::format("\n  {:>12}  {:>16}  {:>9}  {:>5}\n", "accelerators", "AU", "measured", "looks");
  for (const FindPoint& point : find.points) {
    const std::string mark =
        point.verdict == "open" ? "not decided"
        : point.verdict == "edge"
            ? "within 0.2 points of the threshold"
            : (point.verdict == "fed" ? "fed" : "not fed") + decided_text(find, point);
    text += fmt::format("  {:>12}  {:>7.1f} % +-{:>4.1f}  {:>7.1f} s  {:>5}  {}\n",
                        point.accelerators, 100 * point.utilisation, 100 * point.half_width,
                        point.seconds, point.looks, mark);
  }
  return text;
}

std::string depth_text(const FindResult& find) {
  std::string text = "unknown, the search was interrupted before it was found";
  if (find.depth_reads > 0)
    text = fmt::format("{} in flight in transfers of {}, {} read ahead",
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
                        100 * find.rate_error_of_a_second());
  return text;
}

std::string budget_seconds_text(double seconds) {
  return seconds < 10 && std::round(seconds) != seconds ? fmt::format("{:.1f} s", seconds)
                                                        : fmt::format("{:.0f} s", seconds);
}

std::string client_text(const FindResult& find) {
  return find.client == "faithful" ? "with the framework's habits" : "fed";
}

// Suggests a budget that is long enough; up to 10 s it is rounded to whole seconds.
std::string first_look_text(const FindResult& find) {
  const double needed = find.suggested_budget_seconds();
  // Nothing is known of what the storage moves, so this is only a guess.
  if (find.first_look_budget_seconds <= 0)
    return fmt::format("--budget={} may", budget_text(needed));
  if (needed > 10) return fmt::format("--budget={} would", budget_text(needed));
  return fmt::format("--budget={:.0f}s would", std::ceil(needed));
}

std::string verdict_line(const FindResult& find) {
  if (find.is_too_short())
    return fmt::format("unknown{}: nothing could be measured in {}; {}",
                       find.client == "faithful" ? " " + client_text(find) : "",
                       find.budget_seconds > 0
                           ? budget_seconds_text(find.budget_seconds)
                           : fmt::format("the {} samples of a search without --budget",
                                         format_count(static_cast<double>(find.samples_max))),
                       first_look_text(find));
  std::string text = answer_text(find);
  if (find.answer.empty() && find.measured) text += " " + client_text(find);
  text += fmt::format(" at AU >= {}", format_percent(find.job.au_threshold));
  if (!find.job.timing_set.empty()) text += fmt::format(", {} step times", find.job.timing_set);
  if (find.interrupted) text += " (so far: interrupted)";
  return text;
}

// Says which budget would settle what is still open, and for which search.
std::string narrower_text(const FindReport& report) {
  const double seconds = report.narrower_budget_seconds();
  if (seconds <= 0) return {};
  const std::string of = report.narrower_of();
  const std::string what = of.empty() ? "" : " " + of;
  if (report.narrower_numbers() == 1)
    return fmt::format("more exactly: --budget={} would tell{}\n", budget_text(seconds), what);
  return fmt::format("more exactly: --budget={} would narrow{} to about {} numbers\n",
                     budget_text(seconds), what.empty() ? " it" : what, report.narrower_numbers());
}

// Says what a cache of the storage itself does to the answer.
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
  // A data set that is clearly larger may not fit the storage's cache, so the warm number is not
  // promised for it.
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
  std::string text;
  if (!find.job.workload.empty()) {
    text += fmt::format("{}: {}\n", find.job.workload, find.job.title);
    text += result_row("data set", dataset_text(find.dataset));
    text += result_row(find.job.replica_accelerators() > 1 ? "one replica" : "one accelerator",
                       one_accelerator_text(find.job));
    text += result_row("step time", timing_text(find.job));
    text += result_row("client", fmt::format("{}, {}, {}, {} clock", find.client, io_text(find.io),
                                             format_counted(find.reactors, "reactor"), find.clock));
  }
  text += result_row("depth", depth_text(find));
  text += result_row("search", time_text(find));
  if (find.ceiling.seconds > 0)
    text += result_row(
        "this host",
        fmt::format("feeds {} x {} at the no-storage ceiling: {} samples/s, {} of CPU each",
                    format_count(std::floor(find.ceiling.accelerators)), find.job.accelerator,
                    format_count(find.ceiling.samples_per_second),
                    seconds_text(find.ceiling.cpu_seconds_per_sample)));
  text += warnings_text(find.warnings, find.errors);
  return find.points.empty() ? text : text + points_table(find);
}

}  // namespace

std::string range_text(const FindResult& find) {
  const std::string& name = find.job.accelerator;
  if (!find.measured) return "nothing yet";
  if (find.accelerators_low == find.accelerators_high)
    return fmt::format("{} x {}{}", find.accelerators, name, or_more(find));
  return fmt::format("between {} and {} x {}{}", find.accelerators_low, find.accelerators_high,
                     name, or_more(find));
}

std::string answer_text(const FindResult& find) {
  const std::string& name = find.job.accelerator;
  const std::string form = find.form();
  if (form == "verdict")
    return fmt::format("{}: {} x {} {}{}", find.answer, find.asked, name,
                       find.answer == "pass"   ? "are fed"
                       : find.answer == "fail" ? "are not fed"
                                               : "may be fed or not",
                       find.client == "faithful" ? " with the framework's habits" : "");
  if (form == "by-rate")
    return fmt::format("{} x {} by the rate alone ({}), not proven,",
                       find.by_rate > 0 ? fmt::format("about {}", find.by_rate) : "not even 1",
                       name, format_rate(find.rate_bytes_per_second));
  if (form == "unknown")
    return fmt::format("unknown how many {} are fed: nothing could be measured", name);
  if (form == "edge")
    return fmt::format("{} {} {} x {} (AU at {} is {:.1f} %)", find.accelerators_low,
                       find.accelerators_high - find.accelerators_low == 1 ? "or" : "to",
                       find.accelerators_high, name, find.accelerators_high,
                       100 * find.utilisation_at(find.accelerators_high));
  if (form == "range" || find.accelerators_low == find.accelerators_high) return range_text(find);
  return fmt::format("{} x {} ({} to {}{})", find.accelerators, name, find.accelerators_low,
                     find.accelerators_high, or_more(find));
}

std::string verdict_of(const FindReport& report) {
  if (!report.valid) return invalid_text(report);
  return report.searches.empty() ? "nothing was searched" : verdict_line(report.searches.front());
}

std::string text_of(const FindReport& report) {
  if (report.searches.empty()) return warnings_text(report.warnings, report.errors);
  const FindResult& find = report.searches.front();
  std::string text;
  for (std::size_t i = 1; i < report.searches.size(); ++i)
    text += verdict_line(report.searches[i]) + "\n";
  if (!find.is_too_short()) text += narrower_text(report);
  text += cache_text(find);
  // With --at-least nobody asked about more, so nothing has to be explained.
  if (find.limited_by != "--at-least") text += fmt::format("why not more: {}\n", find.reason);
  for (const FindResult& each : report.searches)
    for (const std::string& finding : each.findings) text += "note: " + finding + "\n";
  for (const FindResult& each : report.searches) text += "\n" + evidence(each);
  return text + warnings_text(report.warnings, report.errors);
}

}  // namespace feedrate
