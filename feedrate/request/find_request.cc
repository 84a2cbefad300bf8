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
  // Once a shuffle buffer is full it passes on one sample for each that comes in. It changes
  // nothing in the steady state, but each trial would have to wait until it is full, which takes
  // many batches.
  if (client == ClientKind::kNative) setup.plan.shuffle_buffer_samples = 0;
  const TrainingPlan& one = setup.plan;
  const std::uint32_t replica = one.replica_accelerators();
  FEEDRATE_CHECK(limits.check_replica(replica));
  FEEDRATE_CHECK(check_training_plan(one));
  // With the framework's client an epoch of one step would have only a first step. MLPerf's rule
  // leaves that out, so nothing could be compared.
  const bool faithful = client == ClientKind::kFaithful;
  const std::uint64_t each = std::uint64_t{one.timing.batch_samples} * (faithful ? 2 : 1);
  const std::uint64_t by_data = one.dataset->samples() / each * replica;
  if (by_data < replica)
    return fail(ErrorKind::kUsage,
                "one accelerator takes the whole data set in one step: an epoch of one step cannot "
                "be measured with the framework's client",
                "use a larger data set or a smaller --batch");
  FindOptions find = limits.find;
  find.goes_on = !faithful;
  const std::set<std::string>& set = options.workload.asked;
  find.keep_readers =
      find.keep_readers || faithful || !options.readers.empty() || set.contains("readers");
  find.keep_prefetch = faithful || !options.prefetch.empty() || set.contains("prefetch_batches");
  find.keep_transfer = faithful || !options.transfer.empty() || set.contains("transfer_bytes");
  FEEDRATE_CHECK(limits.check_asked(by_data, find.at_least,
                                    larger_data(*this, find.at_least / replica * each, there)));
  FEEDRATE_CHECK(limits.check_readers(options.readers, one.readers));
  FEEDRATE_CHECK(limits.check_inflight(find, one));
  const auto several = static_cast<std::uint32_t>(std::min<std::uint64_t>(
      {by_data / replica, setup.world.threads, find.accelerators_max / replica}));
  return SearchSetup{std::move(setup), std::move(find), by_data, several};
}

}  // namespace feedrate
