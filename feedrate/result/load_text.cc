#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/load_result.h"
#include "feedrate/result/text_parts.h"

namespace feedrate {
namespace {

std::string storage_text(const LoadResult& result) {
  if (!result.storage_bytes) return "not known: " + result.storage_basis;
  return fmt::format("{} of the {} that were read ({})", format_bytes(*result.storage_bytes),
                     format_bytes(result.read_bytes), result.storage_basis);
}

}  // namespace

std::string verdict_of(const LoadResult& result) {
  if (!result.valid) return invalid_text(result);
  if (result.replicas == 1)
    return fmt::format("{} is ready after {}", result.model,
                       seconds_text(result.last_ready_seconds()));
  return fmt::format("{} of {} are ready after {}, the first after {}",
                     format_counted(result.replicas, "replica"), result.model,
                     seconds_text(result.last_ready_seconds()),
                     seconds_text(result.first_ready_seconds()));
}

std::string text_of(const LoadResult& result) {
  std::string text = fmt::format("load {}: {}\n", result.model, result.title);
  text += result_row(
      "loaded", fmt::format("{} of {} each, from {}", format_counted(result.replicas, "replica"),
                            format_bytes(result.needed_bytes), result.source));
  if (result.tensor > 1)
    text += result_row("replica", fmt::format("{} ranks, tensor-parallel", result.tensor));
  if (result.scale != 1)
    text += result_row("emulated", fmt::format("the model scaled to {} of its parameters",
                                               fraction_text(result.scale)));
  text += result_row(
      "through", through_text(result.place, result.at_once, result.block_bytes, result.threads));
  text += result_row("first replica", "ready after " + seconds_text(result.first_ready_seconds()));
  text += result_row("last replica", "ready after " + seconds_text(result.last_ready_seconds()));
  if (result.bytes_per_second() > 0)
    text += result_row("all together", format_rate(result.bytes_per_second()));
  if (result.storage_bytes || result.place.clock == "real")
    text += result_row("from storage", storage_text(result));
  text += result_row("reads", latency_text(result.read_latency));
  text +=
      result_row("checked", result.verified ? "every byte, against what was written" : "nothing");
  for (const std::string& skipped : result.skipped) text += result_row("left out", skipped);
  return text + warnings_text(result.warnings, result.errors);
}

}  // namespace feedrate
