#include <fmt/format.h>

#include "feedrate/base/units.h"
#include "feedrate/cli/command.h"
#include "feedrate/cli/option_table.h"
#include "feedrate/cli/output.h"
#include "feedrate/format/format.h"
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

std::string formats_text() {
  std::string text;
  for (const Format* format : all_formats()) {
    std::string facts =
        format->samples_per_file_max() == 1 ? "one sample a file" : "many samples a file";
    if (!format->companion_extension().empty())
      facts += fmt::format(", its index beside it ({})", format->companion_extension());
    if (format->has_checksums()) facts += ", checksums";
    if (format->decoder() != nullptr) facts += ", --decode";
    text += fmt::format("{:<12}{:<20}{}; read {} at a time\n", format->name(),
                        format->extension().empty() ? "any" : format->extension(), facts,
                        format_bytes(format->reference_transfer_bytes()));
  }
  return text +
         "\n--format takes these names; without it a format is recognised by name and first "
         "bytes.\n";
}

class WorkloadsCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    table.add("", {{{"--formats", OptionType::kFlag, "", "", "list the file formats instead"},
                    formats_}});
  }
  Result<int> run(const CommandContext&) override {
    if (formats_) {
      FEEDRATE_CHECK(print(formats_text()));
      return 0;
    }
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

 private:
  bool formats_ = false;
};

}  // namespace

std::unique_ptr<Command> make_workloads_command() { return std::make_unique<WorkloadsCommand>(); }

}  // namespace feedrate
