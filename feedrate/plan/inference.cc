#include "feedrate/plan/inference.h"

#include <fmt/format.h>

namespace feedrate {
namespace {

void add_scenario(const InferenceJob& job, const std::string& key, const std::string& name,
                  PerSecond each, const Served& served, const std::string& bound,
                  Section& section) {
  section.add(
      key + "_samples", "samples, " + name, served.samples,
      fmt::format("accelerators x rate = {} x {}{}", show(job.accelerators), show(each), bound),
      job.shape.rates_source);
  section.add(key + "_input", "input, " + name, served.input,
              fmt::format("samples/s x {} = {} x {}", job.shape.input_note, show(served.samples),
                          show(job.shape.input)),
              job.shape.source);
  section.add(
      key + "_log", "log, " + name, served.log,
      fmt::format("samples/s x record = {} x {}", show(served.samples), show(job.log_record.value)),
      job.log_record.source());
  section.add(key + "_log_appends", "log, write operations, " + name, served.log_appends,
              fmt::format("bytes/s / append = {} / {}; {} if each record is written by itself",
                          show(served.log), show(job.log_append.value), show(served.samples)),
              job.log_append.source());
}

void add_scenarios(const InferenceJob& job, const InferenceNeed& need, Section& section) {
  add_scenario(job, "offline", "offline", job.rate.offline, need.offline, "", section);
  section.add("offline_files", "reads of input offline, if each sample is a file",
              need.offline.samples,
              fmt::format("samples/s = {}; packed files take {} in reads of 4 MiB",
                          show(need.offline.samples), show(need.offline.input / Bytes(4194304))));
  const std::string bound =
      job.shape.latency_bound > Seconds(0)
          ? fmt::format(", 99 % of them answered within {}", show(job.shape.latency_bound))
          : "";
  if (job.rate.server > PerSecond(0))
    add_scenario(job, "server", "server queries", job.rate.server, need.server, bound, section);
  else
    section.remarks.push_back("no server rate is published: this model is served offline only");
  section.remarks.push_back(
      "input is counted as the accelerator takes it; compressed files are smaller on storage, and "
      "queries of users come over the network");
}

const Served& logged(const InferenceNeed& need) {
  return need.server.samples > PerSecond(0) ? need.server : need.offline;
}

}  // namespace

InferenceNeed inference_need(const InferenceJob& job) {
  InferenceNeed need;
  const auto served = [&](PerSecond rate) {
    Served all;
    all.samples = job.accelerators * rate;
    all.input = all.samples * job.shape.input;
    all.log = all.samples * job.log_record.value;
    all.log_appends = all.log / job.log_append.value;
    return all;
  };
  need.offline = served(job.rate.offline);
  need.server = served(job.rate.server);
  need.log_day = logged(need).log * hours(24);
  need.load = job.accelerators * job.shape.model;
  need.load_rate = need.load / job.load_budget.value;
  if (job.training > PerSecond(0) && job.shape.not_comparable.empty())
    need.to_training = job.rate.offline / job.training;
  return need;
}

Section inference_section(const InferenceJob& job, const InferenceNeed& need) {
  Section section;
  section.key = "inference";
  section.title = fmt::format("Inference: {} {}, {}", show(job.accelerators), job.rate.accelerator,
                              job.shape.title);
  add_scenarios(job, need, section);
  section.add("log_day", "log, growth in a day", need.log_day,
              fmt::format("bytes/s x 24 h = {} x 24 h", show(logged(need).log)));
  if (job.shape.model > Bytes(0)) {
    section.add("model", "model that a replica loads", job.shape.model, "given",
                job.shape.model_source);
    section.add("load_bandwidth", "read bandwidth to load all replicas", need.load_rate,
                fmt::format("accelerators x model / time = {} x {} / {}", show(job.accelerators),
                            show(job.shape.model), show(job.load_budget.value)),
                job.load_budget.source());
  } else {
    section.remarks.push_back("no figure with a source is known for the size of this model");
  }
  // A ratio needs a published rate of training whose samples are like those served. Where there is
  // none, the section says why.
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
