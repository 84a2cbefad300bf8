// The result of `plan`: figures, each with its unit, its formula with the numbers in it, and the
// sources of those numbers; and how many units of each storage are needed for them.
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
  std::string key;    // Names it in JSON and CSV, such as "read_bandwidth"; unique in its section.
  std::string label;  // Names it in the text.
  Measure value;
  std::string formula;  // Like "64 readers x 400 samples / 224 ms x 0.9".
  // The source of the numbers in the formula that are not the user's; "" when all are.
  std::string source;
};

struct Section {
  std::string key, title;
  std::vector<Figure> figures;
  std::vector<std::string> remarks;  // These say what the figures mean, what is missing and why.

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

// One resource of a storage, and how many units of the storage the demand for it takes.
struct PlannedBinding {
  std::string phase;     // The phase that asks for it; "all" for the capacity.
  std::string resource;  // Such as "read bandwidth" or "capacity".
  double units = 0;
  std::string formula, source;
};
struct PlannedPhase {
  std::string key;
  double units = 0;
};
// The units of one kind of storage that all phases need together, or that they need with all files
// in one directory.
struct PlannedStorage {
  std::string name, title;  // Like "nvme-gen4" and "NVMe drives on PCIe Gen4".
  std::string unit;         // What it is counted in, such as "drive".
  double units = 0;         // 0 when no source gives a figure to count by.
  std::string bound_by;     // What decides their number, such as "read bandwidth of training".
  std::vector<PlannedPhase> phases;
  double servers = 0;  // The servers that hold the units; 0 when no source says how many one holds.
  // What decides their number, such as "slots", and how it is counted: "24 each (source)".
  std::string servers_bound_by, servers_by;
  std::vector<PlannedBinding> bindings;
  // The demands for which no source gives a figure of this storage.
  std::vector<std::string> unknown;
  double ports = 0, ports_per_server = 0;
  // Says how files that are all in one directory change the number, or why they do not; "" when
  // nobody asked.
  std::string one_directory;
  // Says for each demand what one directory changes, against many.
  std::vector<std::string> directories;
  // The requests that must be in flight at once, where one request has a limited speed.
  std::optional<double> requests;
};
struct PlannedUse {
  Section figures;  // The demand; its key is "train" or "serve".
  std::vector<PlannedStorage> storages;
  // The set of step times, such as "storage-benchmark"; "" where nothing trains.
  std::string timing;
  // The same with the step times of the other set, where a job has any; `others` has one entry for
  // each of `storages`.
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
  // The number of this point of a sweep; 0 outside of sweeps, where each job has its own.
  double accelerators = 0;
  std::vector<JobPlan> jobs;
  std::vector<PlannedUse> uses;
};

struct PlanResult : Envelope {
  bool sweep = false;
  std::vector<PlanPoint> points;  // There is one, unless it is a sweep.
  PlannedPort port;
};

std::string verdict_of(const PlanResult& plan);

}  // namespace feedrate
