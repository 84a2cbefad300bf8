#include "feedrate/request/load_options.h"

#include <fmt/format.h>

#include "feedrate/base/units.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/model_options.h"
#include "feedrate/storage/directories.h"

namespace feedrate {
namespace {

constexpr std::string_view kHint =
    "'feedrate checkpoint MODEL DIRECTORY --weights-only' writes one to load";

}  // namespace

void LoadOptions::declare(OptionTable& table) {
  using enum OptionType;
  table.add("", {{{"model", kModel, "", "", "a model of the catalogue, or its YAML file"}, name_},
                 {{"directory", kDirectory, "", "",
                   "that 'feedrate checkpoint' wrote to, or with the files of a model"},
                  directory_}});
  table.add("The replicas", {{rows::kReplicas.usually("1"), replicas_},
                             {rows::kTensorParallel.usually("1").within("1 to 10000"), tensor_},
                             {rows::kStep, step_},
                             {rows::kWeightBytes.within(kTensorBytes), weight_bytes_}});
  system_.declare(table);
}

Result<LoadSetup> LoadOptions::resolve() const {
  LoadSetup setup;
  setup.directory = directory_;
  FEEDRATE_TRY(setup.model, read_described(name_, "model file", find_model, parse_model));
  if (!replicas_.empty()) {
    FEEDRATE_TRY(setup.replicas, parse_count(replicas_, "--replicas", 1, 100'000));
  }
  if (!tensor_.empty()) {
    FEEDRATE_TRY(setup.tensor, parse_count(tensor_, "--tensor-parallel", 1, 10'000));
  }
  FEEDRATE_TRY(static_cast<TransferSetup&>(setup),
               system_.resolve(directory_, setup.replicas * setup.tensor, kHint));
  // Where nothing is read the directory need not exist.
  if (setup.place.carries_data()) FEEDRATE_CHECK(check_existing(directory_, kHint));
  setup.source = find_load_source(setup.place, directory_);
  FEEDRATE_CHECK(check_uses(setup.source));
  if (!step_.empty()) {
    FEEDRATE_TRY(setup.step, parse_count(step_, "--step", 0, UINT64_MAX));
  }
  if (!weight_bytes_.empty()) {
    FEEDRATE_TRY(setup.weight_bytes, parse_number(weight_bytes_, "--weight-bytes", 0.125, 16, "2"));
    FEEDRATE_CHECK(check_tensor_bytes(setup.weight_bytes));
  }
  return setup;
}

Result<> LoadOptions::check_uses(LoadSource source) const {
  const bool described = source == LoadSource::kDescribed, ours = source == LoadSource::kOurs;
  const auto unused = [](const char* flag, const std::string& value, const char* why) {
    return fail(ErrorKind::kUsage, fmt::format("{}: {} has no use {}", flag, value, why),
                "leave it out");
  };
  if (!step_.empty() && (described || !ours))
    return unused("--step", step_, "where there is no checkpoint of ours");
  if (!tensor_.empty() && !described && !ours)
    return unused("--tensor-parallel", tensor_,
                  "with files that are not ours: each replica reads them whole");
  if (!weight_bytes_.empty() && !described)
    return unused("--weight-bytes", weight_bytes_, "where the files say it");
  return {};
}

}  // namespace feedrate
