#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "feedrate/base/units.h"
#include "feedrate/cli/command.h"
#include "feedrate/cli/output.h"
#include "feedrate/workload/workload.h"

namespace feedrate {
namespace {

std::string files_text(std::uint64_t files) {
  return files == 1 ? "1 file" : format_count(static_cast<double>(files)) + " files";
}

// "storage-benchmark v100 a100 h100, measured a100 h100".
std::string timings_text(const Workload& workload) {
  std::string text;
  for (const std::string& set : workload.timing_sets()) {
    text += (text.empty() ? "" : ", ") + set;
    for (const AcceleratorTiming& timing : workload.accelerators)
      if (timing.set == set) text += " " + timing.accelerator;
  }
  return text;
}

class WorkloadsCommand final : public Command {
 public:
  void declare(CLI::App&) override {}
  Result<int> run(const CommandContext&) override {
    std::string text;
    for (const std::string& name : catalogue_names()) {
      FEEDRATE_TRY(const Workload workload, find_workload(name));
      text += fmt::format(
          "{:<11}{}\n           {} in {}, {}; step times: {}\n", name, workload.title,
          format_bytes(static_cast<std::uint64_t>(static_cast<double>(workload.dataset.samples()) *
                                                  workload.dataset.sample_bytes_mean)),
          files_text(workload.dataset.files), workload.dataset.format, timings_text(workload));
    }
    FEEDRATE_CHECK(print(text + "\n'feedrate show NAME' prints all figures and their sources.\n"));
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_workloads_command() { return std::make_unique<WorkloadsCommand>(); }

}  // namespace feedrate
