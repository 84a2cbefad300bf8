#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/data_result.h"
#include "feedrate/result/text_parts.h"

namespace feedrate {
namespace {

std::string files_text(std::uint64_t files) {
  return files == 1 ? "1 file" : format_count(static_cast<double>(files)) + " files";
}

// Returns a text like "storage-benchmark v100 a100 h100, measured a100 h100".
std::string timings_text(const ListedWorkload& workload) {
  std::vector<std::string> sets;
  for (const ListedTimings& timings : workload.timings)
    sets.push_back(timings.set + " " + join(timings.accelerators, " "));
  return join(sets, ", ");
}

std::string format_line(const ListedFormat& format) {
  std::string facts = format.one_sample_a_file ? "one sample a file" : "many samples a file";
  if (!format.companion_extension.empty())
    facts += fmt::format(", its index beside it ({})", format.companion_extension);
  if (format.checksums) facts += ", checksums";
  if (format.decoded) facts += ", --decode";
  return fmt::format("{:<12}{:<20}{}; read {} at a time\n", format.name,
                     format.extension.empty() ? "any" : format.extension, facts,
                     format_bytes(format.transfer_bytes));
}

}  // namespace

std::string verdict_of(const DatagenResult& result) {
  if (!result.valid) return invalid_text(result);
  const DatasetFacts& data = result.dataset;
  return fmt::format("{}{}: {}", result.dry_run ? "would write to " : "",
                     quote_path(data.directory),
                     describe_dataset(data.format, data.files, data.samples, data.bytes));
}

std::string text_of(const DatagenResult& result) {
  return warnings_text(result.warnings, result.errors);
}

std::string verdict_of(const DropResult& result) {
  if (result.method.empty()) return result.valid ? "nothing was looked at" : invalid_text(result);
  const std::string files = format_counted(result.files, "file");
  if (result.bytes_before == 0)
    return fmt::format("nothing to drop: none of {} in {} was in the page cache ({})",
                       format_bytes(result.file_bytes), files, result.method);
  return fmt::format("dropped {} of {} in {}; {} remain ({})", format_bytes(result.dropped_bytes()),
                     format_bytes(result.bytes_before), files, format_bytes(result.bytes_after),
                     result.method);
}

std::string text_of(const DropResult& result) {
  const bool told = result.valid || result.method.empty();  // The verdict has told it already.
  return (told ? "" : "  " + invalid_text(result) + "\n") +
         warnings_text(result.warnings, result.errors);
}

std::string verdict_of(const WorkloadsReport& report) {
  if (!report.formats.empty()) return format_counted(report.formats.size(), "file format");
  if (!report.catalogue.empty())
    return format_counted(report.catalogue.size(), "built-in thing") + " besides workloads";
  return format_counted(report.workloads.size(), "built-in workload");
}

std::string text_of(const WorkloadsReport& report) {
  std::string text;
  for (const ListedWorkload& workload : report.workloads)
    text += fmt::format("{:<11}{}\n           {} in {}, {}; step times: {}\n", workload.name,
                        workload.title, format_bytes(workload.bytes), files_text(workload.files),
                        workload.format, timings_text(workload));
  for (const ListedFormat& format : report.formats) text += format_line(format);
  for (const ListedEntry& entry : report.catalogue)
    text += fmt::format("{:<12}{:<19}{}\n{:<31}{}\n", entry.kind, entry.name, entry.title, "",
                        entry.used_as);
  if (!report.workloads.empty() || !report.catalogue.empty())
    text += "\n'feedrate show NAME' prints all figures and their sources.\n";
  if (!report.workloads.empty())
    text += "'feedrate workloads --catalogue' lists models, accelerators, storage and networks.\n";
  if (!report.formats.empty())
    text +=
        "\n--format takes these names; without it a format is recognised by name and first "
        "bytes.\n";
  return text + warnings_text(report.warnings, report.errors);
}

}  // namespace feedrate
