#include "feedrate/result/tables.h"

namespace feedrate {
namespace {

const std::vector<std::string> kForms = {"number",  "range",   "edge",
                                         "verdict", "by-rate", "unknown"};

const std::vector<std::string> kLimits = {
    "",         "storage",        "client-cpu", "data-set",    "--max",  "--max-rate",
    "--memory", "--max-inflight", "--at-least", "interrupted", "unknown"};

Rows<FindResult> answer_rows() {
  using F = FindResult;
  return Rows<F>()
      .add("client", &F::client,
           word("that was searched with: `native`, or `faithful` to the framework's habits",
                {"native", "faithful"}))
      .add("workload", &F::job, things("the emulated job; its numbers are those of the last trial"))
      .add("dataset", &F::dataset, things("that was read"))
      .add("io", &F::io,
           word("`none` where the storage moves no bytes", {"", "direct", "buffered", "none"}))
      .add("clock", &F::clock, word("that times were told by", {"", "real", "virtual"}))
      .add("reactors", &F::reactors, number("reactor threads"))
      .add("accelerators", &F::accelerators,
           number(
               "the answer: the most likely number within the interval; 0 when not even one is fed")
               .more())
      .add("accelerators_low", &F::accelerators_low,
           number("the interval: the most that are proven fed").more())
      .add("accelerators_high", &F::accelerators_high,
           number("and one less than the fewest that are proven not fed; equal to the low end "
                  "where the "
                  "number is certain")
               .more())
      .derived(
          "form", &F::form,
          word("how the answer is told: `edge` is within 0.2 points of the threshold, `verdict` "
               "is of --at-least, `by-rate` is not proven",
               kForms))
      .add("measured", &F::measured,
           flag("false: no look could be measured, and the interval means nothing"))
      .derived("open_above", &F::open_above,
               flag("accelerators_high is `limit`: the storage may feed more"))
      .derived("too_short", &F::is_too_short, flag("the budget was too short for a look"))
      .add("by_rate", &F::by_rate,
           number(
               "where the search was interrupted before a look: what the storage moved would feed "
               "so many; 0: not known"))
      .add("rate_bytes_per_second", &F::rate_bytes_per_second, byte_rate("that it moved then"))
      .add("limit", &F::limit,
           number("the most that the data set, --max or --max-inflight allow; an accelerators_high "
                  "that is equal to it is open above"))
      .add("limited_by", &F::limited_by,
           word("what keeps it from more; `unknown` where no evidence carries a cause", kLimits))
      .add("reason", &F::reason, text("a sentence with the figures"))
      .add("findings", &F::findings, things("what else should be known"))
      .add("asked", &F::asked, number("of --at-least; 0 without it"))
      .add("answer", &F::answer, word("of --at-least", {"", "pass", "fail", "undecided"}))
      .add("seeds", &F::seeds, things("of `order`, and of `content` of a generated data set"))
      .add("warnings", &F::warnings, things("of the trial that the figures are of"))
      .add("errors", &F::errors, things("of that trial"));
}

Rows<FindResult> evidence_rows(Rows<FindResult> rows) {
  using F = FindResult;
  return rows
      .add("budget_seconds", &F::budget_seconds,
           seconds("that it was given, simulated ones on the virtual clock; 0: no limit"))
      .add("spent_seconds", &F::spent_seconds,
           seconds("that its trials and its own work took").less())
      .add("samples_max", &F::samples_max, number("that it might read; 0: no limit"))
      .add("samples_read", &F::samples_read, flag("it read all of those"))
      .add("narrower_budget_seconds", &F::narrower_budget_seconds,
           seconds("a budget that is likely to tell more; 0: there is nothing more to tell"))
      .add("narrower_numbers", &F::narrower_numbers,
           number("how many numbers that budget is likely to leave"))
      .add("first_look_budget_seconds", &F::first_look_budget_seconds,
           seconds(
               "where nothing was measured: a budget that is likely to hold a look; 0: not known"))
      .derived("suggested_budget_seconds", &F::suggested_budget_seconds,
               seconds("and what is advised then; 0: the budget was long enough"))
      .add(
          "repeatable", &F::repeatable,
          flag(
              "the same command gives the same result: on the virtual clock, unless --wall cut it"))
      .add("read_again", &F::read_again,
           flag("the data set was read whole and then again: the figures are of later readings"))
      .add("just_written", &F::just_written,
           flag("all that was read had been written just before: whether caches held it cannot be "
                "told"))
      .add("most_tried", &F::most_tried,
           flag("it ended at as many as are tried when nobody says more"))
      .add("cold", &F::cold,
           things(
               "for bytes that are read for the first time; null where both readings are alike or "
               "only one was seen"))
      .add("job_times_larger", &F::job_times_larger,
           ratio("the published data set of the job over this one, in samples; 0: not known"))
      .add("noise_seconds", &F::noise_seconds,
           seconds("v: a rate that is measured for T seconds has a relative standard error of "
                   "sqrt(v / T); 0: not known")
               .less())
      .derived(
          "rate_error_of_a_second", &F::rate_error_of_a_second,
          fraction("half the 95 % interval of a rate that is measured for a second; 0: not known")
              .less()
              .from("1.96 sqrt(noise_seconds)"))
      .add("correlation_seconds", &F::correlation_seconds,
           seconds("after which what is seen is nearly independent of what was seen before"))
      .add("depth_reads", &F::depth_reads,
           number("reads in flight that the storage needed: fewer moved less"))
      .add("transfer_bytes", &F::transfer_bytes, bytes("of one of them"))
      .add("read_ahead_bytes", &F::read_ahead_bytes,
           bytes("held in batches read ahead at the answer, over all accelerators"))
      .add("saturated", &F::saturated, flag("more load moved no more"))
      .add("interrupted", &F::interrupted, flag("it was stopped; the interval is what was known"))
      .add("client_ceiling", &F::ceiling,
           things("this client with storage that takes no time: the no-storage ceiling"))
      .add("depths", &F::depths,
           things("what accelerators that take no time had the storage move, in the order tried"))
      .add("points", &F::points, things("by number of accelerators, all looks at it together"))
      .add("trials", &F::trials, things("in the order they were made"))
      .add("at_answer", &F::at_answer,
           things("the report of the last look at accelerators_low; null: there was none"))
      .add("beyond", &F::beyond,
           things(
               "the report of the last look at the fewest that are not fed; null: there was none"));
}

}  // namespace

const Table<TrialResult>& table_of(Type<TrialResult>) {
  using T = TrialResult;
  static const Table<T> table =
      Rows<T>()
          .add("accelerators", &T::accelerators, number("emulated"))
          .add("free_steps", &T::free_steps,
               flag("steps took no time: what does the storage move?"))
          .add("reads_in_flight", &T::reads_in_flight, number("that the readers allowed"))
          .add("begin_seconds", &T::begin_seconds, seconds("of the search"))
          .add("seconds", &T::seconds, seconds("that it took"))
          .add("steps", &T::steps, number("of each accelerator"))
          .add("utilisation", &T::utilisation,
               fraction("sustained AU; null where nothing could be measured, and with free steps")
                   .more())
          .add("upper_bound", &T::upper_bound, flag("no step ended: it is at most that"))
          .add("measured_seconds", &T::measured_seconds, seconds("of the steady state"))
          .add("samples_per_second", &T::samples_per_second, per_second("samples read").more())
          .add("bytes_per_second", &T::bytes_per_second, byte_rate("that were read").more());
  return table;
}

const Table<FindPoint>& table_of(Type<FindPoint>) {
  using P = FindPoint;
  static const Table<P> table =
      Rows<P>()
          .add("accelerators", &P::accelerators, number("emulated"))
          .add("utilisation", &P::utilisation, fraction("sustained AU of all looks").more())
          .add("half_width", &P::half_width,
               fraction("of its interval, which holds however often it is looked at").less())
          .add("seconds", &P::seconds, seconds("measured"))
          .add("looks", &P::looks, number("at it"))
          .add("verdict", &P::verdict,
               word("`edge`: within 0.2 points of the threshold; `open`: not decided",
                    {"fed", "not-fed", "edge", "open"}))
          .add("decided_by", &P::decided_by,
               word("what carries the verdict: its own looks (\"\"), or other ones, where its own "
                    "figures leave it open",
                    {"", "other-numbers", "rate"}));
  return table;
}

const Table<DepthPoint>& table_of(Type<DepthPoint>) {
  using D = DepthPoint;
  static const Table<D> table =
      Rows<D>()
          .add("reads_in_flight", &D::reads_in_flight, number("asked for"))
          .add("transfer_bytes", &D::transfer_bytes, bytes("of one"))
          .add("bytes_per_second", &D::bytes_per_second, byte_rate("that the storage moved").more())
          .add("seconds", &D::seconds, seconds("tried"));
  return table;
}

const Table<ColdAnswer>& table_of(Type<ColdAnswer>) {
  using C = ColdAnswer;
  static const Table<C> table =
      Rows<C>()
          .add("accelerators", &C::accelerators, number("fed, most likely").more())
          .add("accelerators_low", &C::accelerators_low, number("its interval").more())
          .add("accelerators_high", &C::accelerators_high, number("its interval").more())
          .add("bytes_per_second", &C::bytes_per_second, byte_rate("of first readings").more())
          .add("again_bytes_per_second", &C::again_bytes_per_second,
               byte_rate("of later readings").more());
  return table;
}

const Table<FindResult>& table_of(Type<FindResult>) {
  static const Table<FindResult> table = evidence_rows(answer_rows());
  return table;
}

const Table<FindReport>& table_of(Type<FindReport>) {
  using F = FindReport;
  static const Table<F> table = report_table<F>(
      Rows<F>()
          .add("searches", &F::searches,
               things(
                   "with the client that was asked for and, where there was time for it, with the "
                   "framework's"))
          .derived(
              "narrower_budget_seconds", &F::narrower_budget_seconds,
              seconds("a --budget that is likely to hold all that is still open; 0: nothing is"))
          .derived("narrower_numbers", &F::narrower_numbers,
                   number("how many numbers it is likely to leave"))
          .derived("narrower_of", &F::narrower_of,
                   word("what it would tell: \"\" for the first search's number",
                        {"", "both", "the framework's number"})));
  return table;
}

}  // namespace feedrate
