#include "feedrate/cli/command.h"
#include "feedrate/cli/option_rows.h"
#include "feedrate/cli/option_table.h"
#include "feedrate/cli/output.h"
#include "feedrate/doctor/doctor.h"

namespace feedrate {
namespace {

class DoctorCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    table.add(
        "", {{{"directory", OptionType::kDirectory, "", "", "of the data, or where they are to be"},
              directory_},
             {rows::kJson, json_}});
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
