#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/report.h"
#include "feedrate/experiment/caches.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/options/option_table.h"

namespace feedrate {
namespace {

class DropCachesCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    table.add("",
              {{{"[directory]", OptionType::kDirectory, "", "", "a data set that feedrate wrote"},
                directory_},
               {rows::kData, data_},
               {rows::kJson, json_}});
  }

  Result<int> run(const CommandContext& context) override {
    if (directory_.empty() == data_.empty())
      return fail(ErrorKind::kUsage,
                  data_.empty() ? "nothing to drop: neither a directory nor --data was given"
                                : fmt::format("both a directory ({}) and --data were given",
                                              quote_path(directory_)),
                  data_.empty() ? "'feedrate drop-caches DIR' drops a data set of ours, --data DIR "
                                  "your own files"
                                : "give one of the two");
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(json_, "--json", context.stop));
    FEEDRATE_TRY(Reported<DropResult> outcome, drop_caches({directory_, data_}, context.stop));
    DropResult& result = outcome.report;
    if (!outcome.ended) note_failure(outcome.ended.error(), false, result);
    fill_envelope(context, "drop-caches", result);
    // Where the work is not complete the error that follows says why.
    const std::string text = result.valid            ? to_text(result)
                             : result.method.empty() ? std::string()
                                                     : verdict_of(result) + "\n";
    FEEDRATE_CHECK(json.write_and_print(json.wanted() ? to_json(result) : "", text));
    FEEDRATE_CHECK(outcome.ended);
    return 0;
  }

 private:
  std::string directory_, data_, json_;
};

}  // namespace

std::unique_ptr<Command> make_drop_caches_command() {
  return std::make_unique<DropCachesCommand>();
}

}  // namespace feedrate
