#include <CLI/CLI.hpp>

#include "feedrate/cli/command.h"
#include "feedrate/cli/report.h"
#include "feedrate/doctor/doctor.h"

namespace feedrate {
namespace {

class DoctorCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("directory", directory_, "of the data, or where it shall be")->required();
    app.add_option("--json", json_, "write the findings as JSON to a file, or - for stdout");
  }

  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(json_, "--json"));
    DoctorReport report = examine(directory_, {});
    fill_envelope(context, "doctor", report);
    FEEDRATE_CHECK(show_report(report, json));
    return report.count(FindingVerdict::kBad) > 0 ? 3 : 0;
  }

 private:
  std::string directory_, json_;
};

}  // namespace

std::unique_ptr<Command> make_doctor_command() { return std::make_unique<DoctorCommand>(); }

}  // namespace feedrate
