// The rows that the conformance suite runs on: each backend of the table, with its facts.
#pragma once

#include <string>
#include <vector>

#include "feedrate/runtime/reactor_test_support.h"
#include "feedrate/storage/model/model.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

struct ConformanceRow {
  std::string backend;
  bool described;  // Whether a model stands in front of it.
  IoMode io;
  ReactorKind reactor;

  StorageSpec spec() const;
  StorageFacts facts() const { return spec().facts; }
  bool direct() const { return io == IoMode::kDirect; }
};

// Returns a row for every backend of the table, with buffered I/O, and with direct I/O where the
// backend has an alignment for it.
inline std::vector<ConformanceRow> all_rows() {
  std::vector<ConformanceRow> rows;
  for (const std::string& backend : backend_names())
    for (const bool described : {false, true})
      for (const IoMode io : {IoMode::kDirect, IoMode::kBuffered})
        for (const ReactorKind reactor :
             {ReactorKind::kVirtual, ReactorKind::kUring, ReactorKind::kThreads})
          if (io == IoMode::kBuffered || parse_storage(backend)->facts.alignment_bytes > 1)
            rows.push_back({backend, described, io, reactor});
  return rows;
}

inline std::string row_name(const ConformanceRow& row) {
  return (row.described ? "model_over_" : "") + row.backend + "_" + std::string(to_string(row.io)) +
         "_" + reactor_name(row.reactor);
}

inline StorageModel quick_model() {
  StorageModel model;
  model.name = "quick";
  model.latency = std::chrono::microseconds(20);
  model.open_latency = std::chrono::microseconds(10);
  model.bytes_per_second = 20e9;
  return model;
}

inline StorageSpec ConformanceRow::spec() const {
  StorageSpec spec = parse_storage(backend).value();
  if (!described) return spec;
  spec.model = std::make_shared<const StorageModel>(quick_model());
  spec.facts.takes_time = spec.facts.described = true;
  return spec;
}

}  // namespace feedrate
