#include "feedrate/cli/commands.h"
#include "feedrate/cli/report.h"
#include "feedrate/format/format.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/options/option_table.h"
#include "feedrate/request/catalogue_entry.h"
#include "feedrate/workload/workload.h"

namespace feedrate {
namespace {

Result<ListedWorkload> listed_workload(const std::string& name) {
  FEEDRATE_TRY(const Workload workload, find_workload(name));
  const DatasetShape& data = workload.dataset;
  ListedWorkload listed{name, workload.title, data.format, data.files, data.samples(), 0, {}};
  listed.bytes =
      static_cast<std::uint64_t>(static_cast<double>(data.samples()) * data.sample_bytes_mean);
  for (const std::string& set : workload.timing_sets()) {
    ListedTimings& timings = listed.timings.emplace_back(ListedTimings{set, {}});
    for (const AcceleratorTiming& timing : workload.accelerators)
      if (timing.set == set) timings.accelerators.push_back(timing.accelerator);
  }
  return listed;
}

ListedFormat listed_format(const Format& format) {
  return {std::string(format.name()),
          std::string(format.extension()),
          std::string(format.companion_extension()),
          format.samples_per_file_max() == 1,
          format.has_checksums(),
          format.decoder() != nullptr,
          format.reference_transfer_bytes()};
}

class WorkloadsCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    table.add(
        "", {{{"--formats", OptionType::kFlag, "", "", "list the file formats instead"}, formats_},
             {{"--catalogue", OptionType::kFlag, "", "",
               "list models, accelerators, storage, networks and inference workloads instead"},
              catalogue_},
             {rows::kJson, json_}});
  }
  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(json_, "--json", context.stop));
    if (formats_ && catalogue_)
      return fail(ErrorKind::kUsage, "--formats and --catalogue: each asks for a list of its own",
                  "give one of the two");
    WorkloadsReport report;
    if (catalogue_) {
      FEEDRATE_TRY(report.catalogue, other_entries());
    } else if (formats_) {
      for (const Format* const format : all_formats())
        report.formats.push_back(listed_format(*format));
    } else {
      for (const std::string& name : catalogue_names()) {
        FEEDRATE_TRY(ListedWorkload listed, listed_workload(name));
        report.workloads.push_back(std::move(listed));
      }
    }
    fill_envelope(context, "workloads", report);
    FEEDRATE_CHECK(show_report(report, json));
    return 0;
  }

 private:
  bool formats_ = false, catalogue_ = false;
  std::string json_;
};

}  // namespace

std::unique_ptr<Command> make_workloads_command() { return std::make_unique<WorkloadsCommand>(); }

}  // namespace feedrate
