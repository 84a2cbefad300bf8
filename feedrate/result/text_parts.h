// Parts that the text views share. Private to result/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/result/views.h"

namespace feedrate {

std::string result_row(std::string_view label, const std::string& value);
std::string latency_text(const LatencySummary& latency);
std::string seconds_text(double seconds);  // Like "1.25 s".
// Returns a text like "62.5 %", with two significant digits below one per cent: "0.05 %".
std::string fraction_text(double fraction);
std::string dataset_text(const DatasetFacts& dataset);
std::string step_text(const JobFacts& job);
std::string one_accelerator_text(const JobFacts& job);  // Names one accelerator, or one replica.
// Says which step time the verdict rests on, and how much another one would have asked of the
// storage.
std::string timing_text(const JobFacts& job);
std::string warnings_text(const std::vector<std::string>& warnings,
                          const std::vector<ErrorCount>& errors);
std::string invalid_text(const Envelope& report);  // Like "INVALID: why; why".
std::optional<std::string> setting_of(const Envelope& report, const std::string& key);
std::string io_text(std::string_view io);  // Like "direct I/O"; "no I/O" where nothing is moved.
// Says how checkpoints and models were moved: "posix (direct), 4 at once a rank in blocks of 4.0
// MiB, 2 threads".
std::string through_text(const Place& place, std::uint64_t at_once, std::uint64_t block_bytes,
                         std::uint64_t threads);

// These return the text of each verb, without its first line, which is the verdict.
std::string text_of(const RunResult& run);
std::string text_of(const FindReport& report);
std::string text_of(const CheckpointResult& result);
std::string text_of(const CompactResult& result);
std::string text_of(const LoadResult& result);
std::string text_of(const PlanResult& plan, bool explain);
std::string text_of(const DoctorReport& report);
std::string text_of(const DatagenResult& result);
std::string text_of(const DropResult& result);
std::string text_of(const WorkloadsReport& report);
std::string text_of(const TogetherReport& report);

}  // namespace feedrate
