#include "feedrate/result/checkpoint_result.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "feedrate/base/json_text.h"
#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/parts.h"

namespace feedrate {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;  // docs/checkpoint-schema.md
constexpr double kGibibyte = 1073741824;

std::string row(std::string_view label, const std::string& value) {
  return fmt::format("  {:<17}{}\n", label, value);
}

std::string rate(double bytes_per_second) {
  return fmt::format("{} ({:.2f} GiB/s)", format_rate(bytes_per_second),
                     bytes_per_second / kGibibyte);
}

std::string seconds(double value) { return format_duration(from_seconds(value)); }

CheckpointPass median_pass(const CheckpointResult& result) {
  std::vector<CheckpointPass> passes = result.passes;
  std::ranges::sort(passes, {}, &CheckpointPass::seconds);
  return passes[passes.size() / 2];
}

std::string spread(const CheckpointResult& result, double CheckpointPass::* figure) {
  std::vector<double> values;
  for (const CheckpointPass& pass : result.passes) values.push_back(pass.*figure);
  std::ranges::sort(values);
  return fmt::format("{}{}", seconds(values[values.size() / 2]),
                     values.size() > 1
                         ? fmt::format(" (median of {}, {} to {})", values.size(),
                                       seconds(values.front()), seconds(values.back()))
                         : "");
}

std::string slowest(const CheckpointPass& pass) {
  const std::string lowest = rate(pass.slowest_rank_bytes_per_second);
  std::vector<double> times;
  for (const RankTimeResult& rank : pass.ranks) times.push_back(rank.seconds);
  std::ranges::sort(times);
  return fmt::format("{}{}, lowest rate {}", seconds(pass.slowest_rank_seconds),
                     times.size() > 1 ? fmt::format(" (rank {}; median {})", pass.slowest_rank,
                                                    seconds(times[(times.size() - 1) / 2]))
                                      : "",
                     lowest);
}

// What was stored of what there is.
std::string stored(const CheckpointResult& result) {
  std::uint64_t whole = 0, bytes = 0, stored = 0, of = 0;
  for (const CheckpointPass& pass : result.passes) {
    whole += pass.parent ? 0 : 1;
    if (pass.parent) of += pass.bytes;
    if (pass.parent) stored += pass.stored_bytes;
    bytes += pass.stored_bytes;
  }
  std::string text = fmt::format("{} of {} whole", whole, result.passes.size());
  if (of > 0)
    text += fmt::format(", the others {} of their bytes",
                        format_percent(static_cast<double>(stored) / static_cast<double>(of)));
  return text + fmt::format("; {} written in all", format_bytes(bytes));
}

std::string times_text(const CheckpointResult& result) {
  std::string text = row("training stood", spread(result, &CheckpointPass::blocked_seconds));
  if (!result.asynchronous && result.local.empty()) return text;
  double waited = 0;
  for (const CheckpointPass& pass : result.passes) waited = std::max(waited, pass.waited_seconds);
  if (waited > 1e-3)
    text +=
        row("of which", fmt::format("up to {} for the one before to be written", seconds(waited)));
  text += row("persisted", spread(result, &CheckpointPass::persisted_seconds));
  text += row("restorable", spread(result, &CheckpointPass::restorable_seconds));
  if (!result.local.empty())
    text += row("on shared", spread(result, &CheckpointPass::shared_seconds));
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

Json pass_json(const CheckpointPass& pass) {
  Json ranks = Json::array();
  for (const RankTimeResult& rank : pass.ranks)
    ranks.push_back({{"rank", rank.rank}, {"bytes", rank.bytes}, {"seconds", rank.seconds}});
  return {{"step", pass.step},
          {"bytes", pass.bytes},
          {"stored_bytes", pass.stored_bytes},
          {"parent", pass.parent ? Json(*pass.parent) : Json()},
          {"waited_seconds", pass.waited_seconds},
          {"blocked_seconds", pass.blocked_seconds},
          {"persisted_seconds", pass.persisted_seconds},
          {"restorable_seconds", pass.restorable_seconds},
          {"shared_seconds", pass.shared_seconds},
          {"seconds", pass.seconds},
          {"publish_seconds", pass.publish_seconds},
          {"slowest_rank", pass.slowest_rank},
          {"slowest_rank_seconds", pass.slowest_rank_seconds},
          {"slowest_rank_bytes_per_second", pass.slowest_rank_bytes_per_second},
          {"bytes_per_second", pass.bytes_per_second},
          {"ranks", std::move(ranks)}};
}

}  // namespace

void CheckpointPass::summarise() {
  slowest_rank_seconds = 0;
  slowest_rank_bytes_per_second = 0;
  for (const RankTimeResult& rank : ranks) {
    if (rank.bytes == 0 || rank.seconds <= 0) continue;
    const double each = static_cast<double>(rank.bytes) / rank.seconds;
    if (rank.seconds > slowest_rank_seconds) slowest_rank = rank.rank;
    slowest_rank_seconds = std::max(slowest_rank_seconds, rank.seconds);
    if (slowest_rank_bytes_per_second == 0 || each < slowest_rank_bytes_per_second)
      slowest_rank_bytes_per_second = each;
  }
  bytes_per_second = seconds > 0 ? static_cast<double>(stored_bytes) / seconds : 0;
}

namespace {

std::string head_text(const CheckpointResult& result, const CheckpointPass& pass) {
  const bool writes = result.verb == "checkpoint";
  std::string text =
      row("parallelism", fmt::format("tensor {} x pipeline {} x data {} = {}, ZeRO {}",
                                     result.tensor, result.pipeline, result.data,
                                     format_counted(result.ranks(), "rank"), result.zero_stage));
  if (result.ranks_written < result.ranks() || result.scale != 1)
    text += row("emulated",
                fmt::format("{} of {} ranks{}", result.ranks_written, result.ranks(),
                            result.scale != 1 ? fmt::format(", the model scaled to {} of its "
                                                            "parameters",
                                                            format_percent(result.scale))
                                              : ""));
  if (!result.read_by.empty()) text += row("read by", result.read_by);
  text += row(writes ? "written" : "read",
              fmt::format("{}, {} each, {} files, layout {}",
                          format_counted(result.passes.size(), "checkpoint"),
                          format_bytes(pass.bytes), result.files, result.layout));
  if (writes && (result.asynchronous || !result.local.empty()))
    text += row("taken", mode_text(result));
  if (writes && result.incremental) text += row("incremental", stored(result));
  if (!writes && result.steps_read > 1)
    text += row("incremental", fmt::format("put together from {} steps", result.steps_read));
  if (!result.read_by.empty())
    text += row("needed", fmt::format("{} of what was read", format_bytes(result.needed_bytes)));
  text +=
      row("through", fmt::format("{} ({}), {} at once a rank in blocks of {}, {}", result.storage,
                                 result.io, result.at_once, format_bytes(result.block_bytes),
                                 format_counted(result.threads, "thread")));
  if (writes && result.generation_bytes_per_second > 0)
    text += row("data", fmt::format("made and summed up at {} a core when nothing is written",
                                    format_rate(result.generation_bytes_per_second)));
  return text;
}

// "62.5 %", and two more digits where goodput is compared.
std::string share(double part) { return fmt::format("{:.2f} %", 100 * part); }

std::string goodput_text(const GoodputResult& run) {
  const auto of_all = [&run](double part) { return share(part / run.elapsed_seconds); };
  std::string text = row(
      "failures",
      fmt::format("{} in {}, one every {} ({} of an accelerator / accelerators); {} while a "
                  "checkpoint was written, {} while restarting",
                  run.failures, seconds(run.elapsed_seconds), seconds(run.mtbf_seconds),
                  seconds(run.accelerator_mtbf_seconds), run.while_writing, run.while_restarting));
  if (run.closed_form < 0.01 && run.goodput() < 0.01)
    return text + row("goodput", "no progress: failures come faster than it can save and restart");
  text += row("goodput", fmt::format("{} of the time was training that lasts; closed form {}",
                                     share(run.goodput()), share(run.closed_form)));
  text +=
      row("the rest", fmt::format("checkpoints {}, training done again {}, restarts {}, "
                                  "reading {}",
                                  of_all(run.blocked_seconds), of_all(run.lost_seconds),
                                  of_all(run.restarting_seconds), of_all(run.restoring_seconds)));
  text += row("interval", fmt::format("{} of training between two; {} would be best, with {}",
                                      seconds(run.interval_seconds),
                                      seconds(run.best_interval_seconds), share(run.best_goodput)));
  return text;
}

Json goodput_json(const GoodputResult& run) {
  return {{"goodput", run.goodput()},
          {"closed_form", run.closed_form},
          {"accelerator_mtbf_seconds", run.accelerator_mtbf_seconds},
          {"mtbf_seconds", run.mtbf_seconds},
          {"interval_seconds", run.interval_seconds},
          {"best_interval_seconds", run.best_interval_seconds},
          {"best_goodput", run.best_goodput},
          {"restart_seconds", run.restart_seconds},
          {"restore_seconds", run.restore_seconds},
          {"elapsed_seconds", run.elapsed_seconds},
          {"lasting_seconds", run.lasting_seconds},
          {"lost_seconds", run.lost_seconds},
          {"blocked_seconds", run.blocked_seconds},
          {"restarting_seconds", run.restarting_seconds},
          {"restoring_seconds", run.restoring_seconds},
          {"failures", run.failures},
          {"while_writing", run.while_writing},
          {"while_restarting", run.while_restarting},
          {"checkpoints", run.checkpoints}};
}

std::string checked_text(const CheckpointResult& result) {
  if (!result.verified) return "nothing (--no-verify)";
  return result.read_by.empty() ? "every byte, against the checksum of its tensor"
                                : "every byte, against what was written";
}

std::string figures_text(const CheckpointResult& result, const CheckpointPass& pass) {
  const bool writes = result.verb == "checkpoint";
  std::string text;
  if (pass.seconds > 0) {
    text +=
        writes ? times_text(result) : row("restored in", spread(result, &CheckpointPass::seconds));
    text += row("all ranks", rate(pass.bytes_per_second));
    text += row("slowest rank", slowest(pass));
  }
  if (writes && pass.seconds > 0) {
    text += row("made visible", seconds(pass.publish_seconds));
    text += row("writes", latency_text(result.write_latency));
    text += row("syncs", latency_text(result.sync_latency));
  } else if (!writes) {
    text += row("reads", latency_text(result.read_latency));
    text += row("checked", checked_text(result));
  }
  return text;
}

}  // namespace

std::string checkpoint_to_text(const CheckpointResult& result) {
  const bool writes = result.verb == "checkpoint";
  std::string text = fmt::format("{} {}: {}\n", result.verb, result.model, result.title);
  if (result.passes.empty()) return text;
  const CheckpointPass pass = median_pass(result);
  text += head_text(result, pass) + figures_text(result, pass);
  if (result.goodput) text += goodput_text(*result.goodput);
  for (const std::string& skipped : result.skipped) text += row("left out", skipped);
  for (const std::string& warning : result.warnings) text += row("warning:", warning);
  const CheckpointPass& last = result.passes.back();
  if (result.kept_on.empty())
    text +=
        fmt::format("{} of {} each; nothing was kept\n",
                    format_counted(result.passes.size(), "checkpoint"), format_bytes(last.bytes));
  else
    text += fmt::format("step {} is {}: {} {} {}\n", last.step, writes ? "whole" : "back",
                        format_bytes(last.bytes), writes ? "in" : "from", result.kept_on);
  return text;
}

std::string checkpoint_to_json(const CheckpointResult& result) {
  Json passes = Json::array();
  for (const CheckpointPass& pass : result.passes) passes.push_back(pass_json(pass));
  Json json{{"schema", kSchema},
            {"verb", result.verb},
            {"note", "not an MLPerf result"},
            {"model", result.model},
            {"title", result.title},
            {"directory", result.directory},
            {"layout", result.layout},
            {"storage", result.storage},
            {"io", result.io},
            {"clock", result.clock},
            {"parallelism",
             {{"tensor", result.tensor},
              {"pipeline", result.pipeline},
              {"data", result.data},
              {"zero_stage", result.zero_stage},
              {"ranks", result.ranks()}}},
            {"ranks_written", result.ranks_written},
            {"scale", result.scale},
            {"files", result.files},
            {"keep", result.kept},
            {"block_bytes", result.block_bytes},
            {"at_once", result.at_once},
            {"threads", result.threads},
            {"incremental", result.incremental},
            {"passes", std::move(passes)}};
  if (result.verb == "checkpoint") {
    json["write_latency"] = latency_json(result.write_latency);
    json["sync_latency"] = latency_json(result.sync_latency);
    const double generation = result.generation_bytes_per_second;
    json["generation_bytes_per_second"] = generation > 0 ? Json(generation) : Json();
    json["goodput"] = result.goodput ? goodput_json(*result.goodput) : Json();
    json["asynchronous"] = result.asynchronous;
    json["snapshot_memory_bytes"] = result.snapshot_memory_bytes;
    json["write_limit_bytes_per_second"] = result.write_limit_bytes_per_second;
    json["local"] = result.local;
  } else {
    json["steps_read"] = result.steps_read;
    json["read_by"] = result.read_by;
    json["needed_bytes"] = result.needed_bytes;
    json["read_latency"] = latency_json(result.read_latency);
    json["verified"] = result.verified;
    json["skipped"] = result.skipped;
  }
  json["warnings"] = result.warnings;
  json["host"] = host_json(result.host);
  return json_text(json) + "\n";
}

std::string compact_to_text(const CompactResult& result) {
  std::string text =
      fmt::format("compact {}: step {}\n", quote_path(result.directory), result.step);
  if (result.steps_read == 1)
    text += row("whole", "already; nothing was written");
  else
    text += row("whole now",
                fmt::format("{} from {} steps, written and checked in {} ({})",
                            format_bytes(result.bytes), result.steps_read, seconds(result.seconds),
                            format_rate(static_cast<double>(result.bytes) / result.seconds)));
  if (!result.removed.empty())
    text += row("removed", fmt::format("{} {}", result.removed.size() == 1 ? "step" : "steps",
                                       fmt::join(result.removed, ", ")));
  for (const std::string& warning : result.warnings) text += row("warning:", warning);
  return text;
}

std::string compact_to_json(const CompactResult& result) {
  const Json json{
      {"schema", kSchema},         {"verb", "compact"},         {"directory", result.directory},
      {"step", result.step},       {"bytes", result.bytes},     {"steps_read", result.steps_read},
      {"seconds", result.seconds}, {"removed", result.removed}, {"warnings", result.warnings}};
  return json_text(json) + "\n";
}

}  // namespace feedrate
