#include "feedrate/result/checkpoint_result.h"

#include <fmt/format.h>

#include <algorithm>

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

std::string spread(const CheckpointResult& result) {
  const auto [low, high] = std::ranges::minmax(result.passes, {}, &CheckpointPass::seconds);
  return fmt::format("{}{}", seconds(median_pass(result).seconds),
                     result.passes.size() > 1
                         ? fmt::format(" (median of {}, {} to {})", result.passes.size(),
                                       seconds(low.seconds), seconds(high.seconds))
                         : "");
}

Json pass_json(const CheckpointPass& pass) {
  Json ranks = Json::array();
  for (const RankTimeResult& rank : pass.ranks)
    ranks.push_back({{"rank", rank.rank}, {"bytes", rank.bytes}, {"seconds", rank.seconds}});
  return {{"step", pass.step},
          {"bytes", pass.bytes},
          {"seconds", pass.seconds},
          {"publish_seconds", pass.publish_seconds},
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
    slowest_rank_seconds = std::max(slowest_rank_seconds, rank.seconds);
    if (slowest_rank_bytes_per_second == 0 || each < slowest_rank_bytes_per_second)
      slowest_rank_bytes_per_second = each;
  }
  bytes_per_second = seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
}

std::string checkpoint_to_text(const CheckpointResult& result) {
  const bool writes = result.verb == "checkpoint";
  std::string text = fmt::format("{} {}: {}\n", result.verb, result.model, result.title);
  if (result.passes.empty()) return text;
  const CheckpointPass pass = median_pass(result);
  text += row("parallelism",
              fmt::format("tensor {} x pipeline {} x data {} = {} ranks, ZeRO {}", result.tensor,
                          result.pipeline, result.data, result.ranks(), result.zero_stage));
  if (result.ranks_written < result.ranks() || result.scale != 1)
    text += row("emulated",
                fmt::format("{} of {} ranks{}", result.ranks_written, result.ranks(),
                            result.scale != 1 ? fmt::format(", the model scaled to {} of its "
                                                            "parameters",
                                                            format_percent(result.scale))
                                              : ""));
  text += row(writes ? "written" : "read",
              fmt::format("{}, {} each, {} files, layout {}",
                          format_counted(result.passes.size(), "checkpoint"),
                          format_bytes(pass.bytes), result.files, result.layout));
  text +=
      row("through", fmt::format("{} ({}), {} at once a rank in blocks of {}, {}", result.storage,
                                 result.io, result.at_once, format_bytes(result.block_bytes),
                                 format_counted(result.threads, "thread")));
  if (writes && result.generation_bytes_per_second > 0)
    text += row("data", fmt::format("made and summed up at {} a core when nothing is written",
                                    format_rate(result.generation_bytes_per_second)));
  if (pass.seconds > 0) {
    text += row(writes ? "training stood" : "restored in", spread(result));
    text += row("all ranks", rate(pass.bytes_per_second));
    text +=
        row("slowest rank", fmt::format("{}, lowest rate {}", seconds(pass.slowest_rank_seconds),
                                        rate(pass.slowest_rank_bytes_per_second)));
  }
  if (writes && pass.seconds > 0) {
    text += row("made visible", seconds(pass.publish_seconds));
    text += row("writes", latency_text(result.write_latency));
    text += row("syncs", latency_text(result.sync_latency));
  } else if (!writes) {
    text += row("reads", latency_text(result.read_latency));
    text += row("checked", result.verified ? "every byte, against the checksum of its tensor"
                                           : "nothing (--no-verify)");
  }
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
            {"passes", std::move(passes)}};
  if (result.verb == "checkpoint") {
    json["write_latency"] = latency_json(result.write_latency);
    json["sync_latency"] = latency_json(result.sync_latency);
    json["generation_bytes_per_second"] = result.generation_bytes_per_second;
  } else {
    json["read_latency"] = latency_json(result.read_latency);
    json["verified"] = result.verified;
    json["skipped"] = result.skipped;
  }
  json["warnings"] = result.warnings;
  json["host"] = host_json(result.host);
  return json.dump(2) + "\n";
}

}  // namespace feedrate
