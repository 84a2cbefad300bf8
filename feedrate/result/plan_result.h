// What `plan` has to say: figures, each with its unit, its formula with the numbers in it, and the
// sources of those; and how many units of each storage carry them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "feedrate/base/measure.h"
#include "feedrate/result/report.h"

namespace feedrate {

struct Figure {
  std::string key;    // "read_bandwidth": of JSON and CSV, unique in its section
  std::string label;  // of the text
  Measure value;
  std::string formula;  // "64 readers x 400 samples / 224 ms x 0.9"
  std::string source;   // of what is in the formula and not the user's; "" when nothing is
};

struct Section {
  std::string key, title;
  std::vector<Figure> figures;
  std::vector<std::string> remarks;  // what the figures mean, what is missing and why

  void add(std::string key_text, std::string label, Measure value, std::string formula,
           std::string source = {}) {
    figures.push_back(
        {std::move(key_text), std::move(label), value, std::move(formula), std::move(source)});
  }
  const Figure* find(std::string_view wanted) const;
};

struct JobPlan {
  std::string name, title;
  std::vector<Section> sections;
  std::vector<std::string> remarks;
  const Figure* find(std::string_view section, std::string_view key) const;
};

// One resource of a storage and the units that it takes.
struct PlannedBinding {
  std::string phase;     // "all" for the capacity
  std::string resource;  // "read bandwidth", "capacity", ...
  double units = 0;
  std::string formula, source;
};
struct PlannedPhase {
  std::string key;
  double units = 0;
};
// What the phases, or all files in one directory, come to on one kind of storage.
struct PlannedStorage {
  std::string name, title;  // "nvme-gen4", "NVMe drives on PCIe Gen4"
  std::string unit;         // "drive"
  double units = 0;         // 0: no figure to count by
  std::string bound_by;     // "read bandwidth of training"
  std::vector<PlannedPhase> phases;
  double servers = 0;  // that hold the units; 0: no source gives how many one holds
  std::string servers_bound_by, servers_by;  // "slots"; "24 each (source)"
  std::vector<PlannedBinding> bindings;
  std::vector<std::string> unknown;  // what the demand has and no source gives for this storage
  double ports = 0, ports_per_server = 0;
  std::string one_directory;  // what all files in one do to it, or why nothing; "" unasked
  std::vector<std::string> directories;  // what one directory does to it, against many
  std::optional<double> requests;        // in flight at once, where one request has a limited speed
};
struct PlannedUse {
  Section figures;  // the demand; key "train" or "serve"
  std::vector<PlannedStorage> storages;
  std::string timing;  // the set of step times: "storage-benchmark"; "" where nothing trains
  // The same with the step times of the other set, where a job has any; each for one of `storages`.
  std::string other_timing, other_timing_key;
  std::vector<PlannedStorage> others;
};
struct PlannedPort {
  std::string name, title;
  double line_bytes_per_second = 0, usable = 0;
  std::string source, usable_source, note;
  double carries() const { return line_bytes_per_second * usable; }
};
// A plan for one number of accelerators.
struct PlanPoint {
  double accelerators = 0;  // of a sweep; 0: as each job says
  std::vector<JobPlan> jobs;
  std::vector<PlannedUse> uses;
};

struct PlanResult : Envelope {
  bool sweep = false;
  std::vector<PlanPoint> points;  // one, but for a sweep
  PlannedPort port;
};

std::string verdict_of(const PlanResult& plan);

}  // namespace feedrate
