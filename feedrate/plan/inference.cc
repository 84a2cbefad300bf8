#include "feedrate/plan/inference.h"

#include <fmt/format.h>

namespace feedrate {
namespace {

void add_input(const InferenceJob& job, const InferenceNeed& need, Section& section) {
  const auto add = [&](const std::string& key, const std::string& name, PerSecond each,
                       PerSecond all, BytesPerSecond input, const std::string& bound) {
    section.add(
        key + "_samples", "samples, " + name, all,
        fmt::format("accelerators x rate = {} x {}{}", show(job.accelerators), show(each), bound),
        job.shape.rates_source);
    section.add(key + "_input", "input, " + name, input,
                fmt::format("samples/s x {} = {} x {}", job.shape.input_note, show(all),
                            show(job.shape.input)),
                job.shape.source);
  };
  add("offline", "offline", job.rate.offline, need.offline, need.offline_input, "");
  const std::string bound =
      job.shape.latency_bound > Seconds(0)
          ? fmt::format(", 99 % of them answered within {}", show(job.shape.latency_bound))
          : "";
  if (job.rate.server > PerSecond(0))
    add("server", "server queries", job.rate.server, need.server, need.server_input, bound);
  else
    section.remarks.push_back("no server rate is published: this model is served offline only");
  section.remarks.push_back(
      "input is counted as the accelerator takes it; compressed files are smaller on storage, and "
      "queries of users come over the network");
}

}  // namespace

InferenceNeed inference_need(const InferenceJob& job) {
  InferenceNeed need;
  need.offline = job.accelerators * job.rate.offline;
  need.server = job.accelerators * job.rate.server;
  need.offline_input = need.offline * job.shape.input;
  need.server_input = need.server * job.shape.input;
  const PerSecond served = job.rate.server > PerSecond(0) ? need.server : need.offline;
  need.log = served * job.log_record;
  need.log_appends = need.log / job.log_append;
  need.log_day = need.log * hours(24);
  need.load = job.accelerators * job.shape.model;
  need.load_rate = need.load / job.load_budget;
  if (job.training > PerSecond(0) && job.shape.not_comparable.empty())
    need.to_training = job.rate.offline / job.training;
  return need;
}

Section inference_section(const InferenceJob& job, const InferenceNeed& need) {
  Section section;
  section.key = "inference";
  section.title = fmt::format("Inference: {} {}, {}", show(job.accelerators), job.rate.accelerator,
                              job.shape.title);
  add_input(job, need, section);
  const PerSecond served = job.rate.server > PerSecond(0) ? need.server : need.offline;
  section.add("log_bandwidth", "log, written", need.log,
              fmt::format("samples/s x record = {} x {}", show(served), show(job.log_record)));
  section.add("log_appends", "log, write operations", need.log_appends,
              fmt::format("bytes/s / append = {} / {}; {} if each record is written by itself",
                          show(need.log), show(job.log_append), show(served)));
  section.add("log_day", "log, growth in a day", need.log_day,
              fmt::format("bytes/s x 24 h = {} x 24 h", show(need.log)));
  if (job.shape.model > Bytes(0)) {
    section.add("model", "model that a replica loads", job.shape.model, "given",
                job.shape.model_source);
    section.add("load_bandwidth", "read bandwidth to load all replicas", need.load_rate,
                fmt::format("accelerators x model / time = {} x {} / {}", show(job.accelerators),
                            show(job.shape.model), show(job.load_budget)));
  } else {
    section.remarks.push_back("no figure with a source is known for the size of this model");
  }
  if (need.to_training > Count(0))
    section.add(
        "to_training", "samples served for each one trained on, of one accelerator",
        need.to_training,
        fmt::format("offline / measured training rate = {} / {}; the rule of thumb says 10, "
                    "published results 4.5 to 15",
                    show(job.rate.offline), show(job.training)),
        job.training_source);
  else if (!job.shape.not_comparable.empty())
    section.remarks.push_back(job.shape.not_comparable);
  else
    section.remarks.push_back(
        "no measured training rate of this accelerator is published, so the ratio of served to "
        "trained samples is not known");
  return section;
}

}  // namespace feedrate
