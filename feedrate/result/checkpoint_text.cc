#include <fmt/format.h>
#include <fmt/ranges.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/checkpoint_result.h"
#include "feedrate/result/text_parts.h"

namespace feedrate {
namespace {

constexpr double kGibibyte = 1073741824;

std::string rate(double bytes_per_second) {
  return fmt::format("{} ({:.2f} GiB/s)", format_rate(bytes_per_second),
                     bytes_per_second / kGibibyte);
}

std::string spread(const CheckpointResult& result, double CheckpointPass::* figure) {
  const Spread all = result.spread(figure);
  std::string text = seconds_text(all.median);
  if (result.passes.size() > 1)
    text += fmt::format(" (median of {}, {} to {})", result.passes.size(), seconds_text(all.lowest),
                        seconds_text(all.highest));
  return text;
}

std::string slowest(const CheckpointResult& result, const CheckpointPass& pass) {
  return fmt::format("{}{}, lowest rate {}", seconds_text(pass.slowest_rank_seconds),
                     pass.ranks.size() > 1 ? fmt::format(" (rank {}; median {})", pass.slowest_rank,
                                                         seconds_text(result.median_rank_seconds()))
                                           : "",
                     rate(pass.slowest_rank_bytes_per_second));
}

// Says how many checkpoints are whole, and which share of the others was stored.
std::string stored(const CheckpointResult& result) {
  std::string text = fmt::format("{} of {} whole", result.whole_passes(), result.passes.size());
  if (result.incremental_fraction() > 0)
    text += fmt::format(", the others {} of their bytes",
                        format_percent(result.incremental_fraction()));
  return text + fmt::format("; {} written in all", format_bytes(result.stored_bytes()));
}

std::string times_text(const CheckpointResult& result) {
  std::string text = result_row("no step for", spread(result, &CheckpointPass::blocked_seconds));
  if (!result.asynchronous && result.local.empty()) return text;
  if (result.waited_seconds_max() > 1e-3)
    text += result_row("of which", fmt::format("up to {} for the one before to be written",
                                               seconds_text(result.waited_seconds_max())));
  text += result_row("persisted", spread(result, &CheckpointPass::persisted_seconds));
  text += result_row("restorable", spread(result, &CheckpointPass::restorable_seconds));
  if (!result.local.empty())
    text += result_row("on shared", spread(result, &CheckpointPass::shared_seconds));
  return text;
}

std::string mode_text(const CheckpointResult& result) {
  std::string text = result.asynchronous ? "asynchronous" : "synchronous";
  if (result.snapshot_memory_bytes > 0)
    text +=
        fmt::format(", snapshots in {} of host memory", format_bytes(result.snapshot_memory_bytes));
  if (!result.local.empty())
    text += fmt::format(", first to {}, from there to the shared level", quote_path(result.local));
  if (result.write_limit_bytes_per_second > 0)
    text += fmt::format(", at most {} behind training",
                        format_rate(result.write_limit_bytes_per_second));
  return text;
}

std::string head_text(const CheckpointResult& result, const CheckpointPass& pass) {
  const bool writes = result.writes();
  std::string text = result_row(
      "parallelism",
      fmt::format("tensor {} x pipeline {} x data {} = {}, ZeRO {}", result.tensor, result.pipeline,
                  result.data, format_counted(result.ranks(), "rank"), result.zero_stage));
  if (result.ranks_written < result.ranks() || result.scale != 1)
    text += result_row(
        "emulated", fmt::format("{} of {} ranks{}", result.ranks_written, result.ranks(),
                                result.scale != 1 ? fmt::format(", the model scaled to {} of its "
                                                                "parameters",
                                                                fraction_text(result.scale))
                                                  : ""));
  if (!result.read_by.empty()) text += result_row("read by", result.read_by);
  text += result_row(
      writes ? "written" : "read",
      fmt::format("{}, {} each, {}, layout {}", format_counted(result.passes.size(), "checkpoint"),
                  format_bytes(pass.bytes), format_counted(result.files, "file"), result.layout));
  if (writes && (result.asynchronous || !result.local.empty()))
    text += result_row("taken", mode_text(result));
  if (writes && result.incremental) text += result_row("incremental", stored(result));
  if (!writes && result.steps_read > 1)
    text += result_row("incremental", fmt::format("put together from {} steps", result.steps_read));
  if (!result.read_by.empty())
    text +=
        result_row("needed", fmt::format("{} of what was read", format_bytes(result.needed_bytes)));
  text += result_row(
      "through", through_text(result.place, result.at_once, result.block_bytes, result.threads));
  if (writes && result.generation_bytes_per_second > 0)
    text +=
        result_row("data", fmt::format("made and summed up at {} a core when nothing is written",
                                       format_rate(result.generation_bytes_per_second)));
  return text;
}

// Returns a share with two decimals, because goodputs that are compared differ little.
std::string share(double part) { return fmt::format("{:.2f} %", 100 * part); }

std::string goodput_text(const GoodputResult& run) {
  const auto of_all = [&run](double part) { return share(run.fraction_of(part)); };
  std::string text = result_row(
      "failures",
      fmt::format("{} in {}, one every {} ({} of an accelerator / accelerators); {} while a "
                  "checkpoint was written, {} while restarting",
                  run.failures, seconds_text(run.elapsed_seconds), seconds_text(run.mtbf_seconds),
                  seconds_text(run.accelerator_mtbf_seconds), run.while_writing,
                  run.while_restarting));
  if (run.no_progress())
    return text +
           result_row("goodput", "no progress: failures come faster than it can save and restart");
  text +=
      result_row("goodput", fmt::format("{} of the time was training that lasts; closed form {}",
                                        share(run.goodput()), share(run.closed_form)));
  text += result_row("the rest",
                     fmt::format("checkpoints {}, training done again {}, restarts {}, "
                                 "reading {}",
                                 of_all(run.blocked_seconds), of_all(run.lost_seconds),
                                 of_all(run.restarting_seconds), of_all(run.restoring_seconds)));
  const std::string best =
      run.best_interval_seconds > 0
          ? fmt::format("{} would be best, with {}", seconds_text(run.best_interval_seconds),
                        share(run.best_goodput))
          : fmt::format("checkpoints cost nothing, so the shorter the better, up to {}",
                        share(run.best_goodput));
  text += result_row("interval", fmt::format("{} of training between two; {}",
                                             seconds_text(run.interval_seconds), best));
  return text;
}

std::string verdict_of(const GoodputResult& run) {
  if (run.no_progress()) return "no progress: failures come faster than it can save and restart";
  return fmt::format("goodput {}: of {} with {}, {} was training that lasts", share(run.goodput()),
                     seconds_text(run.elapsed_seconds), format_counted(run.failures, "failure"),
                     seconds_text(run.lasting_seconds));
}

std::string checked_text(const CheckpointResult& result) {
  if (!result.verified) return "nothing (--no-verify)";
  return result.read_by.empty() ? "every byte, against the checksum of its tensor"
                                : "every byte, against what was written";
}

std::string figures_text(const CheckpointResult& result, const CheckpointPass& pass) {
  const bool writes = result.writes();
  std::string text;
  if (pass.seconds > 0) {
    text += writes ? times_text(result)
                   : result_row("restored in", spread(result, &CheckpointPass::seconds));
    text += result_row("all ranks", rate(pass.bytes_per_second));
    text += result_row("slowest rank", slowest(result, pass));
  }
  if (writes && pass.seconds > 0) {
    text += result_row("made visible", seconds_text(pass.publish_seconds));
    text += result_row("writes", latency_text(result.write_latency));
    text += result_row("syncs", latency_text(result.sync_latency));
  } else if (!writes) {
    text += result_row("reads", latency_text(result.read_latency));
    text += result_row("checked", checked_text(result));
  }
  return text;
}

}  // namespace

std::string verdict_of(const CheckpointResult& result) {
  if (!result.valid) return invalid_text(result);
  if (result.passes.empty()) return result.writes() ? "no checkpoint is whole" : "nothing was read";
  if (result.writes() && result.goodput && !result.interrupted) return verdict_of(*result.goodput);
  const CheckpointPass& last = result.passes.back();
  const char* const partial = result.interrupted ? " (interrupted: partial result)" : "";
  if (result.kept_on.empty())
    return fmt::format("{} of {} each; nothing was kept{}",
                       format_counted(result.passes.size(), "checkpoint"), format_bytes(last.bytes),
                       partial);
  return fmt::format("step {} is {}: {} {} {}{}", last.step,
                     result.writes()   ? "whole"
                     : result.verified ? "restored"
                                       : "read, not checked",
                     format_bytes(last.bytes), result.writes() ? "in" : "from", result.kept_on,
                     partial);
}

std::string text_of(const CheckpointResult& result) {
  std::string text = fmt::format("{} {}: {}\n", result.verb, result.model, result.title);
  if (const CheckpointPass* pass = result.median_pass(); pass != nullptr)
    text += head_text(result, *pass) + figures_text(result, *pass);
  if (result.goodput) text += goodput_text(*result.goodput);
  for (const std::string& skipped : result.skipped) text += result_row("left out", skipped);
  return text + warnings_text(result.warnings, result.errors);
}

std::string verdict_of(const CompactResult& result) {
  if (!result.valid) return invalid_text(result);
  if (result.steps_read == 1)
    return fmt::format("step {} was whole already; nothing was written", result.step);
  return fmt::format("step {} is whole now: {} from {} steps", result.step,
                     format_bytes(result.bytes), result.steps_read);
}

std::string text_of(const CompactResult& result) {
  std::string text = fmt::format("compact {}\n", quote_path(result.place.directory));
  if (result.steps_read > 1)
    text +=
        result_row("written", fmt::format("and checked in {} ({})", seconds_text(result.seconds),
                                          format_rate(result.bytes_per_second())));
  if (!result.removed.empty())
    text +=
        result_row("removed", fmt::format("{} {}", result.removed.size() == 1 ? "step" : "steps",
                                          fmt::join(result.removed, ", ")));
  return text + warnings_text(result.warnings, result.errors);
}

}  // namespace feedrate
