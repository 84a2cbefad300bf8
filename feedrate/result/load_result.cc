#include "feedrate/result/load_result.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/json_text.h"
#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/parts.h"

namespace feedrate {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;  // docs/checkpoint-schema.md

std::string row(std::string_view label, const std::string& value) {
  return fmt::format("  {:<17}{}\n", label, value);
}

std::string seconds(double value) { return format_duration(from_seconds(value)); }

std::string storage_text(const LoadResult& result) {
  if (!result.storage_bytes) return "not known: " + result.storage_basis;
  return fmt::format("{} of the {} that were read ({})", format_bytes(*result.storage_bytes),
                     format_bytes(result.read_bytes), result.storage_basis);
}

}  // namespace

std::string load_to_text(const LoadResult& result) {
  const auto [first, last] = std::ranges::minmax(result.ready_seconds);
  std::string text = fmt::format("load {}: {}\n", result.model, result.title);
  text += row("loaded",
              fmt::format("{} of {} each, from {}", format_counted(result.replicas, "replica"),
                          format_bytes(result.needed_bytes), result.source));
  if (result.tensor > 1)
    text += row("replica", fmt::format("{} ranks, tensor-parallel", result.tensor));
  if (result.scale != 1)
    text += row("emulated", fmt::format("the model scaled to {} of its parameters",
                                        format_percent(result.scale)));
  text +=
      row("through", fmt::format("{} ({}), {} at once a rank in blocks of {}, {}", result.storage,
                                 result.io, result.at_once, format_bytes(result.block_bytes),
                                 format_counted(result.threads, "thread")));
  text += row("first replica", "ready after " + seconds(first));
  text += row("last replica", "ready after " + seconds(last));
  if (last > 0)
    text += row("all together", format_rate(static_cast<double>(result.read_bytes) / last));
  if (result.storage_bytes || result.clock == "real")
    text += row("from storage", storage_text(result));
  text += row("reads", latency_text(result.read_latency));
  text += row("checked", result.verified ? "every byte, against what was written" : "nothing");
  for (const std::string& skipped : result.skipped) text += row("left out", skipped);
  for (const std::string& warning : result.warnings) text += row("warning:", warning);
  return text;
}

std::string load_to_json(const LoadResult& result) {
  const Json json{{"schema", kSchema},
                  {"verb", "load"},
                  {"note", "not an MLPerf result"},
                  {"model", result.model},
                  {"title", result.title},
                  {"directory", result.directory},
                  {"source", result.source},
                  {"storage", result.storage},
                  {"io", result.io},
                  {"clock", result.clock},
                  {"replicas", result.replicas},
                  {"tensor", result.tensor},
                  {"scale", result.scale},
                  {"needed_bytes", result.needed_bytes},
                  {"read_bytes", result.read_bytes},
                  {"storage_bytes", result.storage_bytes ? Json(*result.storage_bytes) : Json()},
                  {"storage_basis", result.storage_basis},
                  {"ready_seconds", result.ready_seconds},
                  {"block_bytes", result.block_bytes},
                  {"at_once", result.at_once},
                  {"threads", result.threads},
                  {"verified", result.verified},
                  {"read_latency", latency_json(result.read_latency)},
                  {"skipped", result.skipped},
                  {"warnings", result.warnings},
                  {"host", host_json(result.host)}};
  return json_text(json) + "\n";
}

}  // namespace feedrate
