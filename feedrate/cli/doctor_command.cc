#include <CLI/CLI.hpp>

#include "feedrate/cli/command.h"
#include "feedrate/cli/output.h"
#include "feedrate/doctor/doctor.h"

namespace feedrate {
namespace {

class DoctorCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("directory", directory_, "of the data, or where it shall be")->required();
    app.add_option("--json", json_, "write the findings as JSON to a file, or - for stdout");
  }

  Result<int> run(const CommandContext&) override {
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(json_, "--json"));
    const DoctorReport report = examine(directory_, {});
    FEEDRATE_CHECK(json.write_and_print(to_json(report), render_text(report)));
    return report.count(Verdict::kBad) > 0 ? 3 : 0;
  }

 private:
  std::string directory_, json_;
};

}  // namespace

std::unique_ptr<Command> make_doctor_command() { return std::make_unique<DoctorCommand>(); }

}  // namespace feedrate
