#include "feedrate/result/tables.h"

namespace feedrate {

const Table<JobTogether>& table_of(Type<JobTogether>) {
  using J = JobTogether;
  static const Table<J> table =
      Rows<J>()
          .add("job", &J::job, text("the words that asked for it"))
          .add("stuck_seconds", &J::stuck_seconds,
               seconds("for which it had made no step when the run ended, where that is more than "
                       "twice its longest step")
                   .less())
          .derived("rate", &J::rate,
                   number("what it got: samples/s of training after its first step, bytes/s of "
                          "checkpoints; null: not measured")
                       .more())
          .derived(
              "rate_alone", &J::rate_alone,
              number("the same by itself, with the same seed; null: not tried, or not measured")
                  .more())
          .derived("lost_fraction", &J::lost_fraction,
                   fraction("of its rate alone that it lost to the others; null: not known").less())
          .add("train", &J::train, things("its report, of training"))
          .add("train_alone", &J::train_alone, things("and by itself"))
          .add("checkpoint", &J::checkpoint, things("its report, of checkpoints"))
          .add("checkpoint_alone", &J::checkpoint_alone, things("and by itself"));
  return table;
}

const Table<TogetherReport>& table_of(Type<TogetherReport>) {
  using T = TogetherReport;
  static const Table<T> table = report_table<T>(Rows<T>().add(
      "jobs", &T::jobs,
      things("that ran together: the first is the one that was measured, and ended the others")));
  return table;
}

}  // namespace feedrate
