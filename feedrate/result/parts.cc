#include "feedrate/result/parts.h"

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"

namespace feedrate {

using Json = nlohmann::ordered_json;

namespace {

constexpr double kNanosecondsPerMillisecond = 1e6;

}  // namespace

LatencySummary summarise_latency(const Histogram& histogram) {
  const auto milliseconds = [&](double quantile) {
    return static_cast<double>(histogram.quantile(quantile)) / kNanosecondsPerMillisecond;
  };
  LatencySummary summary;
  summary.count = histogram.count();
  if (summary.count == 0) return summary;
  summary.mean_ms = histogram.mean() / kNanosecondsPerMillisecond;
  summary.p50_ms = milliseconds(0.5);
  summary.p90_ms = milliseconds(0.9);
  summary.p99_ms = milliseconds(0.99);
  summary.p999_ms = milliseconds(0.999);
  summary.max_ms = static_cast<double>(histogram.max()) / kNanosecondsPerMillisecond;
  summary.buckets_ns = histogram.buckets();
  return summary;
}

Json latency_json(const LatencySummary& latency) {
  Json buckets = Json::array();
  for (const auto& [bound, count] : latency.buckets_ns)
    buckets.push_back(Json::array({bound, count}));
  return {{"count", latency.count},   {"mean_ms", latency.mean_ms},
          {"p50_ms", latency.p50_ms}, {"p90_ms", latency.p90_ms},
          {"p99_ms", latency.p99_ms}, {"p999_ms", latency.p999_ms},
          {"max_ms", latency.max_ms}, {"buckets_ns", std::move(buckets)}};
}

LatencySummary latency_of(const Json& json) {
  LatencySummary latency;
  json.at("count").get_to(latency.count);
  json.at("mean_ms").get_to(latency.mean_ms);
  json.at("p50_ms").get_to(latency.p50_ms);
  json.at("p90_ms").get_to(latency.p90_ms);
  json.at("p99_ms").get_to(latency.p99_ms);
  json.at("p999_ms").get_to(latency.p999_ms);
  json.at("max_ms").get_to(latency.max_ms);
  for (const Json& bucket : json.at("buckets_ns"))
    latency.buckets_ns.emplace_back(bucket.at(0).get<std::uint64_t>(),
                                    bucket.at(1).get<std::uint64_t>());
  return latency;
}

Json host_json(const HostFacts& host) {
  return {{"name", host.name},
          {"kernel", host.kernel},
          {"cpu", host.cpu},
          {"cores", host.cores},
          {"memory_bytes", host.memory_bytes},
          {"build", host.build},
          {"date", host.date}};
}

HostFacts host_of(const Json& json) {
  HostFacts host;
  json.at("name").get_to(host.name);
  json.at("kernel").get_to(host.kernel);
  json.at("cpu").get_to(host.cpu);
  json.at("cores").get_to(host.cores);
  json.at("memory_bytes").get_to(host.memory_bytes);
  json.at("build").get_to(host.build);
  json.at("date").get_to(host.date);
  return host;
}

std::string latency_text(const LatencySummary& latency) {
  return fmt::format("p50 {:.2f} ms, p99 {:.2f} ms, max {:.1f} ms ({} of them)", latency.p50_ms,
                     latency.p99_ms, latency.max_ms,
                     format_count(static_cast<double>(latency.count)));
}

}  // namespace feedrate
