#include "feedrate/cli/commands.h"
#include "feedrate/cli/report.h"
#include "feedrate/doctor/doctor.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/options/option_table.h"

namespace feedrate {
namespace {

constexpr int kInterrupted = 130;

class DoctorCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    table.add(
        "", {{{"directory", OptionType::kDirectory, "", "", "of the data, or where they are to be"},
              directory_},
             {rows::kJson, json_}});
  }

  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(json_, "--json", context.stop));
    DoctorReport report = examine(directory_, {.stop = context.stop});
    fill_envelope(context, "doctor", report);
    FEEDRATE_CHECK(show_report(report, json));
    if (report.interrupted) return kInterrupted;
    return report.count(FindingVerdict::kBad) > 0 ? 3 : 0;
  }

 private:
  std::string directory_, json_;
};

}  // namespace

std::unique_ptr<Command> make_doctor_command() { return std::make_unique<DoctorCommand>(); }

}  // namespace feedrate
