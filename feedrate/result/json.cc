#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "feedrate/base/json_text.h"
#include "feedrate/result/parts.h"
#include "feedrate/result/run_result.h"

namespace feedrate {
namespace {

using Json = nlohmann::ordered_json;

Json metrics_json(const RunResult& run) {
  Json epochs = Json::array();
  for (const EpochResult& epoch : run.epochs)
    epochs.push_back({{"epoch", epoch.epoch},
                      {"steps", epoch.steps},
                      {"seconds", epoch.seconds},
                      {"accelerator_utilisation", epoch.accelerator_utilisation}});
  // An INVALID run has no utilisation.
  const Json none(nullptr);
  return {{"accelerator_utilisation", run.valid ? Json(run.accelerator_utilisation) : none},
          {"sustained_utilisation", run.valid ? Json(run.sustained_utilisation) : none},
          {"steady_steps", run.steady_steps},
          {"sustained_samples_per_second", run.sustained_samples_per_second},
          {"sustained_bytes_per_second", run.sustained_bytes_per_second},
          {"epochs", std::move(epochs)},
          {"steps", run.steps},
          {"samples", run.samples},
          {"seconds", run.seconds},
          {"samples_per_second", run.samples_per_second},
          {"samples_per_second_after_first", run.samples_per_second_after_first},
          {"bytes_per_second", run.bytes_per_second},
          {"read_bytes_per_second", run.read_bytes_per_second},
          {"read_ahead_bytes", run.read_ahead_bytes},
          {"bytes_asked", run.bytes_asked},
          {"bytes_moved", run.bytes_moved},
          {"opens", run.opens},
          {"reads", run.reads},
          {"samples_read", run.samples_read},
          {"first_batch_seconds", run.first_batch_seconds},
          {"open_latency", latency_json(run.open_latency)},
          {"read_latency", latency_json(run.read_latency)},
          {"in_flight_mean", run.in_flight_mean},
          {"in_flight_limit", run.in_flight_limit},
          {"unloaded_read_ms", run.unloaded_read_ms}};
}

void metrics_of(const Json& json, RunResult& run) {
  for (const auto& [key, value] :
       {std::pair{"accelerator_utilisation", &run.accelerator_utilisation},
        std::pair{"sustained_utilisation", &run.sustained_utilisation}})
    if (!json.at(key).is_null()) json.at(key).get_to(*value);
  json.at("steady_steps").get_to(run.steady_steps);
  json.at("sustained_samples_per_second").get_to(run.sustained_samples_per_second);
  json.at("sustained_bytes_per_second").get_to(run.sustained_bytes_per_second);
  for (const Json& epoch : json.at("epochs"))
    run.epochs.push_back({epoch.at("epoch").get<std::uint64_t>(),
                          epoch.at("steps").get<std::uint64_t>(), epoch.at("seconds").get<double>(),
                          epoch.at("accelerator_utilisation").get<double>()});
  json.at("steps").get_to(run.steps);
  json.at("samples").get_to(run.samples);
  json.at("seconds").get_to(run.seconds);
  json.at("samples_per_second").get_to(run.samples_per_second);
  if (json.contains("samples_per_second_after_first"))
    json.at("samples_per_second_after_first").get_to(run.samples_per_second_after_first);
  json.at("bytes_per_second").get_to(run.bytes_per_second);
  json.at("read_bytes_per_second").get_to(run.read_bytes_per_second);
  json.at("read_ahead_bytes").get_to(run.read_ahead_bytes);
  json.at("bytes_asked").get_to(run.bytes_asked);
  json.at("bytes_moved").get_to(run.bytes_moved);
  json.at("opens").get_to(run.opens);
  json.at("reads").get_to(run.reads);
  json.at("samples_read").get_to(run.samples_read);
  json.at("first_batch_seconds").get_to(run.first_batch_seconds);
  run.open_latency = latency_of(json.at("open_latency"));
  run.read_latency = latency_of(json.at("read_latency"));
  json.at("in_flight_mean").get_to(run.in_flight_mean);
  json.at("in_flight_limit").get_to(run.in_flight_limit);
  run.unloaded_read_ms = json.value("unloaded_read_ms", 0.0);
}

Json series_json(const RunResult& run) {
  Json points = Json::array();
  for (const SeriesPoint& point : run.series)
    points.push_back(Json::array({point.samples, point.bytes, point.compute_seconds}));
  return {{"interval_seconds", run.interval_seconds},
          {"columns", {"samples", "bytes", "compute_seconds"}},
          {"points", std::move(points)}};
}

Json errors_json(const RunResult& run) {
  Json errors = Json::array();
  for (const ErrorCount& error : run.errors)
    errors.push_back(
        {{"kind", error.kind}, {"count", error.count}, {"first_message", error.first_message}});
  return errors;
}

Json processing_json(const ByteProcessing& processing) {
  return {{"level", processing.level},
          {"samples", processing.samples},
          {"bytes", processing.bytes},
          {"decoded_bytes", processing.decoded_bytes},
          {"cpu_seconds", processing.cpu_seconds}};
}

ByteProcessing processing_of(const Json& json) {
  if (!json.contains("processing")) return {};  // not in the first files of this version
  const Json& object = json.at("processing");
  return {object.at("level").get<std::string>(), object.at("samples").get<std::uint64_t>(),
          object.at("bytes").get<std::uint64_t>(), object.at("decoded_bytes").get<std::uint64_t>(),
          object.at("cpu_seconds").get<double>()};
}

Json stall_shares_json(const std::vector<StallShare>& shares) {
  Json json = Json::array();
  for (const StallShare& share : shares)
    json.push_back(
        {{"cause", share.cause}, {"own_ns", share.own_ns}, {"carried_ns", share.carried_ns}});
  return json;
}

std::vector<StallShare> stall_shares_of(const Json& json) {
  std::vector<StallShare> shares;
  for (const Json& share : json)
    shares.push_back({share.at("cause").get<std::string>(), share.at("own_ns").get<std::int64_t>(),
                      share.at("carried_ns").get<std::int64_t>()});
  return shares;
}

Json stalls_json(const StallResult& stalls) {
  Json ranks = Json::array();
  for (const RankStallResult& rank : stalls.ranks)
    ranks.push_back({{"rank", rank.rank},
                     {"compute_ns", rank.compute_ns},
                     {"causes", stall_shares_json(rank.causes)}});
  Json places = Json::array();
  for (const StallPlace& place : stalls.places)
    places.push_back(
        {{"cause", place.cause}, {"kind", place.kind}, {"name", place.name}, {"ns", place.ns}});
  Json columns = Json::array();
  for (const StallShare& share : stalls.causes) columns.push_back(share.cause);
  return {{"wall_ns", stalls.wall_ns},
          {"compute_ns", stalls.compute_ns},
          {"causes", stall_shares_json(stalls.causes)},
          {"ranks", std::move(ranks)},
          {"series",
           {{"interval_seconds", stalls.interval_seconds},
            {"columns", std::move(columns)},
            {"points", stalls.series}}},
          {"places", std::move(places)}};
}

Json checkpoints_json(const RunCheckpoints& all) {
  return {{"model", all.model},
          {"directory", all.directory},
          {"layout", all.layout},
          {"mode", all.mode},
          {"every", all.every},
          {"ranks", all.ranks},
          {"count", all.count},
          {"bytes", all.bytes},
          {"stored_bytes", all.stored_bytes},
          {"blocked_seconds", all.blocked_seconds},
          {"blocked_median_seconds", all.blocked_median_seconds},
          {"restorable_median_seconds", all.restorable_median_seconds}};
}

std::optional<RunCheckpoints> checkpoints_of(const Json& json) {
  if (!json.contains("checkpoints") || json.at("checkpoints").is_null()) return std::nullopt;
  const Json& object = json.at("checkpoints");
  RunCheckpoints all;
  object.at("model").get_to(all.model);
  object.at("directory").get_to(all.directory);
  object.at("layout").get_to(all.layout);
  object.at("mode").get_to(all.mode);
  object.at("every").get_to(all.every);
  object.at("ranks").get_to(all.ranks);
  object.at("count").get_to(all.count);
  object.at("bytes").get_to(all.bytes);
  object.at("stored_bytes").get_to(all.stored_bytes);
  object.at("blocked_seconds").get_to(all.blocked_seconds);
  object.at("blocked_median_seconds").get_to(all.blocked_median_seconds);
  object.at("restorable_median_seconds").get_to(all.restorable_median_seconds);
  return all;
}

StallResult stalls_of(const Json& json) {
  StallResult stalls;
  if (!json.contains("stalls")) return stalls;  // not in the first files of this version
  const Json& object = json.at("stalls");
  object.at("wall_ns").get_to(stalls.wall_ns);
  object.at("compute_ns").get_to(stalls.compute_ns);
  stalls.causes = stall_shares_of(object.at("causes"));
  for (const Json& rank : object.at("ranks"))
    stalls.ranks.push_back({rank.at("rank").get<std::uint32_t>(),
                            rank.at("compute_ns").get<std::int64_t>(),
                            stall_shares_of(rank.at("causes"))});
  object.at("series").at("interval_seconds").get_to(stalls.interval_seconds);
  object.at("series").at("points").get_to(stalls.series);
  for (const Json& place : object.at("places"))
    stalls.places.push_back(
        {place.at("cause").get<std::string>(), place.at("kind").get<std::string>(),
         place.at("name").get<std::string>(), place.at("ns").get<std::int64_t>()});
  return stalls;
}

template <class T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
std::optional<T> optional_of(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional<T>(json.get<T>());
}

Json io_json(const IoLedger& io) {
  Json epochs = Json::array();
  for (const EpochIo& epoch : io.epochs)
    epochs.push_back({{"epoch", epoch.epoch},
                      {"located_bytes", epoch.located_bytes},
                      {"returned_bytes", epoch.returned_bytes},
                      {"resident_before", optional_json(epoch.resident_before)},
                      {"resident_after", optional_json(epoch.resident_after)}});
  return {{"storage_share", optional_json(io.storage_share)},
          {"page_cache_share", optional_json(io.page_cache_share)},
          {"memory_share", optional_json(io.memory_share)},
          {"origin", io.origin},
          {"origin_reason", io.origin_reason},
          {"shrunk", io.shrunk},
          {"process_read_bytes", optional_json(io.process_read_bytes)},
          {"basis", io.basis},
          {"wire", io.wire},
          {"wire_unknown", io.wire_unknown},
          {"wire_bytes_per_second_max", io.wire_bytes_per_second_max},
          {"wire_read_bytes", optional_json(io.wire_read_bytes)},
          {"cgroup_read_bytes", optional_json(io.cgroup_read_bytes)},
          {"probe_bytes", io.probe_bytes},
          {"resident_before", optional_json(io.resident_before)},
          {"resident_after", optional_json(io.resident_after)},
          {"residency_method", io.residency_method},
          {"epochs", std::move(epochs)}};
}

Json host_time_json(const HostTime& time) {
  return {{"stopped_seconds", time.stopped_seconds},
          {"quota_seconds", time.quota_seconds},
          {"stolen_seconds", time.stolen_seconds},
          {"throttled_cpu_seconds", time.throttled_cpu_seconds},
          {"stolen_cpu_seconds", time.stolen_cpu_seconds}};
}

HostTime host_time_of(const Json& json) {
  if (!json.contains("host_time")) return {};  // not in the first files of this version
  const Json& object = json.at("host_time");
  return {object.at("stopped_seconds").get<double>(), object.at("quota_seconds").get<double>(),
          object.at("stolen_seconds").get<double>(),
          object.at("throttled_cpu_seconds").get<double>(),
          object.at("stolen_cpu_seconds").get<double>()};
}

IoLedger io_of(const Json& json) {
  IoLedger io;
  if (!json.contains("io")) return io;  // not in the first files of this version
  const Json& object = json.at("io");
  io.storage_share = optional_of<double>(object.at("storage_share"));
  io.page_cache_share = optional_of<double>(object.at("page_cache_share"));
  if (object.contains("origin")) {  // not in the first files of this version
    io.memory_share = optional_of<double>(object.at("memory_share"));
    object.at("origin").get_to(io.origin);
    object.at("origin_reason").get_to(io.origin_reason);
    object.at("shrunk").get_to(io.shrunk);
    io.process_read_bytes = optional_of<std::uint64_t>(object.at("process_read_bytes"));
  }
  object.at("basis").get_to(io.basis);
  object.at("wire").get_to(io.wire);
  object.at("wire_unknown").get_to(io.wire_unknown);
  object.at("wire_bytes_per_second_max").get_to(io.wire_bytes_per_second_max);
  io.wire_read_bytes = optional_of<std::uint64_t>(object.at("wire_read_bytes"));
  if (object.contains("cgroup_read_bytes"))  // not in the first files of this version
    io.cgroup_read_bytes = optional_of<std::uint64_t>(object.at("cgroup_read_bytes"));
  object.at("probe_bytes").get_to(io.probe_bytes);
  io.resident_before = optional_of<double>(object.at("resident_before"));
  io.resident_after = optional_of<double>(object.at("resident_after"));
  object.at("residency_method").get_to(io.residency_method);
  for (const Json& epoch : object.at("epochs"))
    io.epochs.push_back({epoch.at("epoch").get<std::uint64_t>(),
                         epoch.at("located_bytes").get<std::uint64_t>(),
                         epoch.at("returned_bytes").get<std::uint64_t>(),
                         optional_of<double>(epoch.at("resident_before")),
                         optional_of<double>(epoch.at("resident_after"))});
  return io;
}

Json ceiling_json(const ClientCeiling& ceiling) {
  return {{"seconds", ceiling.seconds},
          {"samples_per_second", ceiling.samples_per_second},
          {"accelerators", ceiling.accelerators},
          {"cpu_seconds_per_sample", ceiling.cpu_seconds_per_sample}};
}

void limiter_of(const Json& json, RunResult& run) {
  if (!json.contains("limiter")) return;  // not in the first files of this version
  json.at("limiter").at("kind").get_to(run.limiter.kind);
  json.at("limiter").at("text").get_to(run.limiter.text);
  const Json& ceiling = json.at("client_ceiling");
  run.ceiling = {
      ceiling.at("seconds").get<double>(), ceiling.at("samples_per_second").get<double>(),
      ceiling.at("accelerators").get<double>(), ceiling.at("cpu_seconds_per_sample").get<double>()};
}

Json other_timings_json(const RunResult& run) {
  Json others = Json::array();
  for (const OtherTiming& other : run.other_timings)
    others.push_back({{"set", other.set}, {"speed_ratio", other.speed_ratio}});
  return others;
}

Json run_json(const RunResult& run) {
  return {{"feedrate_result", kResultSchemaVersion},
          {"kind", "train"},
          {"note", "not an MLPerf result"},
          {"valid", run.valid},
          {"invalid_reasons", run.invalid_reasons},
          {"interrupted", run.interrupted},
          {"workload",
           {{"name", run.workload},
            {"title", run.workload_title},
            {"accelerator", run.accelerator},
            {"timing_source", run.timing_source},
            {"timing_set", run.timing_set},
            {"other_timings", other_timings_json(run)},
            {"accelerators", run.accelerators},
            {"batch_samples", run.batch_samples},
            {"replicas", run.replicas},
            {"tensor_parallel", run.tensor_parallel},
            {"pipeline_parallel", run.pipeline_parallel},
            {"micro_batches", run.micro_batches},
            {"pipeline_bubble", run.pipeline_bubble},
            {"compute_seconds_per_batch", run.compute_seconds_per_batch},
            {"demand_bytes_per_second", run.demand_bytes_per_second},
            {"au_threshold", run.au_threshold}}},
          {"requested", run.requested},
          {"effective", run.effective},
          {"seeds", run.seeds},
          {"host", host_json(run.host)},
          {"dataset",
           {{"directory", run.dataset_directory},
            {"format", run.dataset_format},
            {"files", run.dataset_files},
            {"samples", run.dataset_samples},
            {"bytes", run.dataset_bytes}}},
          {"metrics", metrics_json(run)},
          {"series", series_json(run)},
          {"client",
           {{"cpu_user_seconds", run.cpu_user_seconds},
            {"cpu_system_seconds", run.cpu_system_seconds},
            {"reactors", run.reactors},
            {"busiest_reactor_utilisation", run.busiest_reactor_utilisation},
            {"busiest_reactor_waiting", run.busiest_reactor_waiting},
            {"peak_memory_bytes", run.peak_memory_bytes}}},
          {"processing", processing_json(run.processing)},
          {"stalls", stalls_json(run.stalls)},
          {"checkpoints", run.checkpoints ? checkpoints_json(*run.checkpoints) : Json()},
          {"host_time", host_time_json(run.host_time)},
          {"io", io_json(run.io)},
          {"limiter", {{"kind", run.limiter.kind}, {"text", run.limiter.text}}},
          {"client_ceiling", ceiling_json(run.ceiling)},
          {"errors", errors_json(run)},
          {"warnings", run.warnings}};
}

RunResult run_of(const Json& json) {
  RunResult run;
  json.at("valid").get_to(run.valid);
  json.at("invalid_reasons").get_to(run.invalid_reasons);
  json.at("interrupted").get_to(run.interrupted);
  const Json& workload = json.at("workload");
  workload.at("name").get_to(run.workload);
  workload.at("title").get_to(run.workload_title);
  workload.at("accelerator").get_to(run.accelerator);
  workload.at("timing_source").get_to(run.timing_source);
  run.timing_set = workload.value("timing_set", "");  // not in the first files of this version
  for (const Json& other : workload.value("other_timings", Json::array()))
    run.other_timings.push_back(
        {other.at("set").get<std::string>(), other.at("speed_ratio").get<double>()});
  workload.at("accelerators").get_to(run.accelerators);
  workload.at("batch_samples").get_to(run.batch_samples);
  run.replicas =
      workload.value("replicas", run.accelerators);  // the first files have none of these
  run.tensor_parallel = workload.value("tensor_parallel", 1U);
  run.pipeline_parallel = workload.value("pipeline_parallel", 1U);
  run.micro_batches = workload.value("micro_batches", 1U);
  run.pipeline_bubble = workload.value("pipeline_bubble", 0.0);
  workload.at("compute_seconds_per_batch").get_to(run.compute_seconds_per_batch);
  workload.at("demand_bytes_per_second").get_to(run.demand_bytes_per_second);
  workload.at("au_threshold").get_to(run.au_threshold);
  json.at("requested").get_to(run.requested);
  json.at("effective").get_to(run.effective);
  json.at("seeds").get_to(run.seeds);
  run.host = host_of(json.at("host"));
  const Json& dataset = json.at("dataset");
  dataset.at("directory").get_to(run.dataset_directory);
  dataset.at("format").get_to(run.dataset_format);
  dataset.at("files").get_to(run.dataset_files);
  dataset.at("samples").get_to(run.dataset_samples);
  dataset.at("bytes").get_to(run.dataset_bytes);
  metrics_of(json.at("metrics"), run);
  json.at("series").at("interval_seconds").get_to(run.interval_seconds);
  for (const Json& point : json.at("series").at("points"))
    run.series.push_back(
        {point.at(0).get<double>(), point.at(1).get<double>(), point.at(2).get<double>()});
  const Json& client = json.at("client");
  client.at("cpu_user_seconds").get_to(run.cpu_user_seconds);
  client.at("cpu_system_seconds").get_to(run.cpu_system_seconds);
  client.at("reactors").get_to(run.reactors);
  client.at("busiest_reactor_utilisation").get_to(run.busiest_reactor_utilisation);
  run.busiest_reactor_waiting = client.value("busiest_reactor_waiting", 0.0);
  client.at("peak_memory_bytes").get_to(run.peak_memory_bytes);
  run.processing = processing_of(json);
  run.stalls = stalls_of(json);
  run.checkpoints = checkpoints_of(json);
  run.host_time = host_time_of(json);
  run.io = io_of(json);
  limiter_of(json, run);
  for (const Json& error : json.at("errors"))
    run.errors.push_back({error.at("kind").get<std::string>(),
                          error.at("count").get<std::uint64_t>(),
                          error.at("first_message").get<std::string>()});
  json.at("warnings").get_to(run.warnings);
  return run;
}

Json trial_json(const TrialResult& trial) {
  Json json{{"accelerators", trial.accelerators},
            {"free_steps", trial.free_steps},
            {"reads_in_flight", trial.reads_in_flight},
            {"begin_seconds", trial.begin_seconds},
            {"seconds", trial.seconds},
            {"steps", trial.steps},
            {"utilisation", nullptr},
            {"upper_bound", trial.upper_bound},
            {"measured_seconds", trial.measured_seconds},
            {"samples_per_second", trial.samples_per_second},
            {"bytes_per_second", trial.bytes_per_second}};
  if (trial.utilisation) json["utilisation"] = *trial.utilisation;
  return json;
}

Json find_json(const FindResult& find) {
  Json json{{"client", find.client},
            {"au_threshold", find.au_threshold},
            {"accelerators", find.accelerators},
            {"accelerators_low", find.accelerators_low},
            {"accelerators_high", find.accelerators_high},
            {"measured", find.measured},
            {"limit", find.limit},
            {"limited_by", find.limited_by},
            {"reason", find.reason},
            {"findings", find.findings},
            {"budget_seconds", find.budget_seconds},
            {"spent_seconds", find.spent_seconds},
            {"narrower_budget_seconds", find.narrower_budget_seconds},
            {"narrower_numbers", find.narrower_numbers},
            {"first_look_budget_seconds", find.first_look_budget_seconds},
            {"repeatable", find.repeatable},
            {"asked", find.asked},
            {"answer", find.answer},
            {"read_again", find.read_again},
            {"just_written", find.just_written},
            {"cold", nullptr},
            {"job_times_larger", find.job_times_larger},
            {"noise_seconds", find.noise_seconds},
            {"correlation_seconds", find.correlation_seconds},
            {"depth_reads", find.depth_reads},
            {"transfer_bytes", find.transfer_bytes},
            {"read_ahead_bytes", find.read_ahead_bytes},
            {"saturated", find.saturated},
            {"interrupted", find.interrupted},
            {"client_ceiling", ceiling_json(find.ceiling)},
            {"depths", Json::array()},
            {"points", Json::array()},
            {"trials", Json::array()}};
  if (find.cold)
    json["cold"] = {{"accelerators", find.cold->accelerators},
                    {"accelerators_low", find.cold->accelerators_low},
                    {"accelerators_high", find.cold->accelerators_high},
                    {"bytes_per_second", find.cold->bytes_per_second},
                    {"again_bytes_per_second", find.cold->again_bytes_per_second}};
  for (const DepthPoint& depth : find.depths)
    json["depths"].push_back({{"reads_in_flight", depth.reads_in_flight},
                              {"transfer_bytes", depth.transfer_bytes},
                              {"bytes_per_second", depth.bytes_per_second}});
  for (const FindPoint& point : find.points)
    json["points"].push_back({{"accelerators", point.accelerators},
                              {"utilisation", point.utilisation},
                              {"half_width", point.half_width},
                              {"seconds", point.seconds},
                              {"looks", point.looks},
                              {"verdict", point.verdict}});
  for (const TrialResult& trial : find.trials) json["trials"].push_back(trial_json(trial));
  json["at_answer"] = find.at_answer ? run_json(*find.at_answer) : Json(nullptr);
  json["beyond"] = find.beyond ? run_json(*find.beyond) : Json(nullptr);
  return json;
}

std::string dump(const Json& json) { return json_text(json) + "\n"; }

}  // namespace

std::string to_json(const RunResult& result) { return dump(run_json(result)); }

std::string to_json(const std::vector<FindResult>& results) {
  Json searches = Json::array();
  for (const FindResult& result : results) searches.push_back(find_json(result));
  return dump({{"feedrate_result", kResultSchemaVersion},
               {"kind", "find"},
               {"note", "not an MLPerf result"},
               {"searches", std::move(searches)}});
}

Result<RunResult> run_result_from_json(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object())
    return fail(ErrorKind::kCorrupt, "the result is not a JSON object",
                "give a file that --json wrote");
  try {
    if (json.at("feedrate_result").get<int>() != kResultSchemaVersion || json.at("kind") != "train")
      return fail(ErrorKind::kCorrupt,
                  fmt::format("the result is not a train result of schema version {}",
                              kResultSchemaVersion),
                  "give a file that 'feedrate train --json' wrote");
    return run_of(json);
  } catch (const nlohmann::json::exception& problem) {
    return fail(ErrorKind::kCorrupt, std::string("the result is incomplete: ") + problem.what(),
                "give a file that --json wrote");
  }
}

}  // namespace feedrate
