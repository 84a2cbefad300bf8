#include "feedrate/result/tables.h"

namespace feedrate {
namespace {

Rows<CheckpointResult> setting_rows() {
  using C = CheckpointResult;
  return Rows<C>()
      .add("model", &C::model, text("that is saved"))
      .add("title", &C::title, text("what it is"))
      .add("layout", &C::layout, text("how it lies in files"))
      .group("parallelism", "of the job that writes",
             Rows<C>()
                 .add("tensor", &C::tensor, number("ranks that share a layer"))
                 .add("pipeline", &C::pipeline, number("stages of layers"))
                 .add("data", &C::data, number("replicas"))
                 .add("zero_stage", &C::zero_stage, number("what is sharded over replicas"))
                 .derived("ranks", &C::ranks, number("tensor x pipeline x data")))
      .add("ranks_written", &C::ranks_written, number("fewer than all with --subset"))
      .add("scale", &C::scale, fraction("of the model's parameters"))
      .add("files", &C::files, number("of one checkpoint"))
      .add("keep", &C::kept, number("that are kept; 0: all"))
      .add("kept_on", &C::kept_on, text("where it lies; \"\" where nothing was kept"))
      .add("block_bytes", &C::block_bytes, bytes("of one call"))
      .add("at_once", &C::at_once, number("calls in flight of a rank"))
      .add("threads", &C::threads, number("reactor threads"))
      .add("asynchronous", &C::asynchronous, flag("written while training goes on"))
      .add("incremental", &C::incremental, flag("only changed blocks are stored"))
      .add("local", &C::local, text("node-local level; \"\": there is one level"))
      .add("snapshot_memory_bytes", &C::snapshot_memory_bytes, bytes("of the host").less())
      .add("write_limit_bytes_per_second", &C::write_limit_bytes_per_second,
           byte_rate("of what is written behind training; 0: no limit"))
      .add("read_by", &C::read_by, text("restore: the other topology that read it, or \"\""))
      .add("needed_bytes", &C::needed_bytes, bytes("restore: that the ranks of that one needed"))
      .add("steps_read", &C::steps_read, number("restore: the step and those that it builds upon"));
}

template <double CheckpointPass::* Figure>
Spread spread_of(const CheckpointResult& result) {
  return result.spread(Figure);
}

// The rows of figures over all checkpoints.
Rows<CheckpointResult> summary_rows() {
  using C = CheckpointResult;
  using P = CheckpointPass;
  return Rows<C>()
      .derived("blocked_seconds", spread_of<&P::blocked_seconds>, things("until training went on"))
      .derived("persisted_seconds", spread_of<&P::persisted_seconds>,
               things("until every byte was durable"))
      .derived("restorable_seconds", spread_of<&P::restorable_seconds>,
               things("until a restart would find it"))
      .derived("shared_seconds", spread_of<&P::shared_seconds>,
               things("until the shared level had it"))
      .derived("seconds", spread_of<&P::seconds>, things("from the first call to the last"))
      .derived("waited_seconds_max", &C::waited_seconds_max,
               seconds("for the one before to be written, at most").less())
      .derived("median_rank_seconds", &C::median_rank_seconds,
               seconds("of the median rank of the median checkpoint").less())
      .derived("whole", &C::whole_passes, number("that build upon no other"))
      .derived("stored_bytes", &C::stored_bytes, bytes("that were written in all").less())
      .derived("incremental_fraction", &C::incremental_fraction,
               fraction("of the bytes of incremental ones that was stored").less());
}

}  // namespace

const Table<RankTimeResult>& table_of(Type<RankTimeResult>) {
  using R = RankTimeResult;
  static const Table<R> table = Rows<R>()
                                    .add("rank", &R::rank, number("of the job"))
                                    .add("bytes", &R::bytes, bytes("that it moved"))
                                    .add("seconds", &R::seconds, seconds("that it took").less());
  return table;
}

const Table<Spread>& table_of(Type<Spread>) {
  static const Table<Spread> table =
      Rows<Spread>()
          .add("median", &Spread::median, seconds("of all checkpoints").less())
          .add("lowest", &Spread::lowest, seconds("of one").less())
          .add("highest", &Spread::highest, seconds("of one").less());
  return table;
}

const Table<CheckpointPass>& table_of(Type<CheckpointPass>) {
  using P = CheckpointPass;
  constexpr const char* kRules = "mlcommons/storage, Submission_guidelines.md 2.2";
  static const Table<P> table =
      Rows<P>()
          .add("step", &P::step, number("of training"))
          .add("bytes", &P::bytes, bytes("of its state"))
          .add("stored_bytes", &P::stored_bytes, bytes("that were written for it").less())
          .add("parent", &P::parent, number("step that it builds upon; null: none"))
          .add("waited_seconds", &P::waited_seconds,
               seconds("from when training stopped for it until the one before was written").less())
          .add("blocked_seconds", &P::blocked_seconds, seconds("until training went on").less())
          .add("persisted_seconds", &P::persisted_seconds,
               seconds("until every byte was durable").less())
          .add("restorable_seconds", &P::restorable_seconds,
               seconds("until a restart would find it").less())
          .add("shared_seconds", &P::shared_seconds,
               seconds("until the shared level had it, of two levels").less())
          .add("seconds", &P::seconds,
               seconds("from the first write until it was durable and visible, or checked").less())
          .add("publish_seconds", &P::publish_seconds,
               seconds("of which after the last rank was done").less())
          .add("slowest_rank", &P::slowest_rank, number("by its time"))
          .add("slowest_rank_seconds", &P::slowest_rank_seconds,
               seconds("of it: the duration by MLPerf's rules").less().from(kRules))
          .add("slowest_rank_bytes_per_second", &P::slowest_rank_bytes_per_second,
               byte_rate("the lowest rate of a rank").more().from(kRules))
          .add("bytes_per_second", &P::bytes_per_second, byte_rate("stored_bytes / seconds").more())
          .add("ranks", &P::ranks, things("each by itself"));
  return table;
}

const Table<GoodputResult>& table_of(Type<GoodputResult>) {
  using G = GoodputResult;
  const auto share = [](double G::* member) {
    return [member](const G& run) { return run.fraction_of(run.*member); };
  };
  static const Table<G> table =
      Rows<G>()
          .derived("goodput", &G::goodput,
                   fraction("of the time that was training which lasts").more())
          .add("closed_form", &G::closed_form,
               fraction("the same by a formula, from what one checkpoint and one restart took")
                   .from("J. T. Daly, Future Generation Computer Systems 22 (2006) 303-312"))
          .derived("no_progress", &G::no_progress,
                   flag("failures come faster than it can save and restart"))
          .add("accelerator_mtbf_seconds", &G::accelerator_mtbf_seconds,
               seconds("between failures of one accelerator").more())
          .add("mtbf_seconds", &G::mtbf_seconds, seconds("between failures of the job").more())
          .add("interval_seconds", &G::interval_seconds, seconds("of training between two"))
          .add("best_interval_seconds", &G::best_interval_seconds, seconds("that would be best"))
          .add("best_goodput", &G::best_goodput, fraction("with that").more())
          .add("restart_seconds", &G::restart_seconds, seconds("of one restart").less())
          .add("restore_seconds", &G::restore_seconds, seconds("of reading one checkpoint").less())
          .add("elapsed_seconds", &G::elapsed_seconds, seconds("in all: the sum of the next five"))
          .add("lasting_seconds", &G::lasting_seconds, seconds("of training that lasts").more())
          .add("lost_seconds", &G::lost_seconds, seconds("of training done again").less())
          .add("blocked_seconds", &G::blocked_seconds, seconds("for checkpoints").less())
          .add("restarting_seconds", &G::restarting_seconds, seconds("of restarts").less())
          .add("restoring_seconds", &G::restoring_seconds, seconds("of reading checkpoints").less())
          .derived("lost_fraction", share(&G::lost_seconds), fraction("of all the time").less())
          .derived("blocked_fraction", share(&G::blocked_seconds),
                   fraction("of all the time").less())
          .derived("restarting_fraction", share(&G::restarting_seconds),
                   fraction("of all the time").less())
          .derived("restoring_fraction", share(&G::restoring_seconds),
                   fraction("of all the time").less())
          .add("failures", &G::failures, number("in all").less())
          .add("while_writing", &G::while_writing, number("of them while a checkpoint was written"))
          .add("while_restarting", &G::while_restarting, number("of them while restarting"))
          .add("checkpoints", &G::checkpoints, number("that were written"));
  return table;
}

const Table<CheckpointResult>& table_of(Type<CheckpointResult>) {
  using C = CheckpointResult;
  static const Table<C> table = report_table<C>(
      setting_rows()
          .add("passes", &C::passes, things("one for each checkpoint, written or read"))
          .group("summary", "of all passes", summary_rows())
          .add("goodput", &C::goodput, things("of --mtbf; else null"))
          .add("write_latency", &C::write_latency, things("of writes"))
          .add("sync_latency", &C::sync_latency, things("of syncs"))
          .add("read_latency", &C::read_latency, things("of reads"))
          .converted(
              "generation_bytes_per_second",
              [](const C& result) {
                const double rate = result.generation_bytes_per_second;
                return rate > 0 ? std::optional(rate) : std::nullopt;
              },
              [](C& result, std::optional<double> rate) {
                result.generation_bytes_per_second = rate.value_or(0);
              },
              byte_rate("that one core makes and sums up when nothing is written; null: not tried"))
          .add("verified", &C::verified, flag("restore: every byte was checked"))
          .add("skipped", &C::skipped, things("restore: what was left out, and why")));
  return table;
}

const Table<CompactResult>& table_of(Type<CompactResult>) {
  using C = CompactResult;
  static const Table<C> table = report_table<C>(
      Rows<C>()
          .add("step", &C::step, number("that is whole now"))
          .add("bytes", &C::bytes, bytes("of it"))
          .add("steps_read", &C::steps_read, number("that it was made of; 1: it was whole"))
          .add("seconds", &C::seconds, seconds("that it took").less())
          .derived("bytes_per_second", &C::bytes_per_second, byte_rate("bytes / seconds").more())
          .add("removed", &C::removed, things("steps")));
  return table;
}

const Table<LoadResult>& table_of(Type<LoadResult>) {
  using L = LoadResult;
  static const Table<L> table = report_table<L>(
      Rows<L>()
          .add("model", &L::model, text("that is loaded"))
          .add("title", &L::title, text("what it is"))
          .add("source", &L::source, text("what was read"))
          .add("replicas", &L::replicas, number("that load at once"))
          .add("tensor", &L::tensor, number("ranks of a replica"))
          .add("scale", &L::scale, fraction("of the parameters of the model that was written"))
          .add("needed_bytes", &L::needed_bytes, bytes("that a replica needs"))
          .add("read_bytes", &L::read_bytes, bytes("that all of them read"))
          .add("storage_bytes", &L::storage_bytes, bytes("of those from storage; null: not known"))
          .add("storage_basis", &L::storage_basis, text("how that is known, or why not"))
          .add("ready_seconds", &L::ready_seconds, seconds("until each replica was ready").less())
          .derived("first_ready_seconds", &L::first_ready_seconds,
                   seconds("until the first of them was").less())
          .derived("last_ready_seconds", &L::last_ready_seconds,
                   seconds("until the last of them was").less())
          .derived("bytes_per_second", &L::bytes_per_second,
                   byte_rate("read_bytes over the time of the last; 0: it took none").more())
          .add("block_bytes", &L::block_bytes, bytes("of one call"))
          .add("at_once", &L::at_once, number("calls in flight of a rank"))
          .add("threads", &L::threads, number("reactor threads"))
          .add("verified", &L::verified, flag("every byte was checked"))
          .add("read_latency", &L::read_latency, things("of reads"))
          .add("skipped", &L::skipped, things("checkpoints that were left out, and why")));
  return table;
}

}  // namespace feedrate
