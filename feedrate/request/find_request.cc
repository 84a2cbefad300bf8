#include "feedrate/request/find_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/request/data_request.h"

namespace feedrate {
namespace {

// Says how to get a data set of this number of samples.
std::string larger_data(const SearchWords& words, std::uint64_t samples, bool there) {
  if (!words.options.data.empty()) return "read more data";
  const std::string size = size_for_samples(words.workload, samples);
  const char* const where = !there                           ? "use "
                            : words.options.reads_no_files() ? "leave the directory out and use "
                                                             : "use another directory with ";
  return fmt::format("{}--size={} or more", where, size);
}

}  // namespace

Result<> check_job_word(const RunOptions& options) {
  const std::string& word = options.workload.workload;
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || word.starts_with("dlio:") ||
      word.find('/') != std::string::npos)
    return {};
  const std::string count = word.substr(equals + 1, word.find('x', equals) - equals - 1);
  const std::string type = word.substr(std::min(word.size(), equals + count.size() + 2));
  const bool is_count =
      !count.empty() && count.find_first_not_of("0123456789") == std::string::npos;
  return fail(
      ErrorKind::kUsage,
      fmt::format("workload: '{}' is how 'feedrate plan' is told of a job, find takes its name",
                  word),
      fmt::format("write 'feedrate find {} {}{}', and --at-least={} to ask only whether so many "
                  "are fed",
                  word.substr(0, equals),
                  options.directory.empty() ? "DIR" : quote_path(options.directory),
                  type.empty() ? "" : " --accelerator=" + type, is_count ? count : "N"));
}

Result<SearchSetup> SearchWords::resolve(std::shared_ptr<const Dataset> dataset, ClientKind client,
                                         bool there) const {
  FEEDRATE_TRY(TrainingSetup setup, make_setup(options, workload, std::move(dataset), client));
  setup.place.rate_max = limits.rate_max;
  const std::uint32_t replica = setup.plan.replica_accelerators();
  FEEDRATE_CHECK(limits.check_replica(replica));
  FindOptions find = limits.find;
  const std::set<std::string>& set = options.workload.asked;
  find.keep_readers = find.keep_readers || !options.readers.empty() || set.contains("readers");
  find.keep_prefetch = !options.prefetch.empty() || set.contains("prefetch_batches");
  find.keep_transfer = !options.transfer.empty() || set.contains("transfer_bytes");
  FEEDRATE_TRY(SearchSetup search, search_setup(std::move(setup), std::move(find)));
  const TrainingPlan& one = search.training.plan;
  const std::uint32_t asked = search.find.at_least;
  const std::uint64_t each = search.replica_samples;
  FEEDRATE_CHECK(
      limits.check_asked(search.by_data, asked, larger_data(*this, asked / replica * each, there)));
  FEEDRATE_CHECK(limits.check_readers(options.readers, one.readers));
  FEEDRATE_CHECK(limits.check_inflight(search.find, one));
  return search;
}

}  // namespace feedrate
