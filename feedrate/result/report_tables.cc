#include "feedrate/result/tables.h"

namespace feedrate {
namespace {

std::vector<std::string> error_kinds() {
  std::vector<std::string> words;
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kInvalidRun); ++kind)
    words.emplace_back(to_string(static_cast<ErrorKind>(kind)));
  return words;
}

}  // namespace

const Table<HostFacts>& table_of(Type<HostFacts>) {
  static const Table<HostFacts> table =
      Rows<HostFacts>()
          .add("name", &HostFacts::name, text("of the host"))
          .add("kernel", &HostFacts::kernel, text("its operating system and version"))
          .add("cpu", &HostFacts::cpu, text("model of its processors"))
          .add("cores", &HostFacts::cores, number("processors"))
          .add("memory_bytes", &HostFacts::memory_bytes, bytes("of memory"))
          .add("build", &HostFacts::build, text("version of feedrate and of its compiler"))
          .add("date", &HostFacts::date, text("when the result was made: UTC, ISO 8601"));
  return table;
}

const Table<ErrorCount>& table_of(Type<ErrorCount>) {
  static const Table<ErrorCount> table =
      Rows<ErrorCount>()
          .add("kind", &ErrorCount::kind, word("of error", error_kinds()))
          .add("count", &ErrorCount::count, number("how often").less())
          .add("first_message", &ErrorCount::first_message, text("names file and offset"));
  return table;
}

const Table<Place>& table_of(Type<Place>) {
  static const Table<Place> table =
      Rows<Place>()
          .add("directory", &Place::directory, text("of the data set or the checkpoints"))
          .add("storage", &Place::storage, text("as `--storage` has it"))
          .add("io", &Place::io,
               word("`none` where the storage moves no bytes", {"", "direct", "buffered", "none"}))
          .add("clock", &Place::clock, word("that times were told by", {"", "real", "virtual"}));
  return table;
}

const Table<Cost>& table_of(Type<Cost>) {
  static const Table<Cost> table =
      Rows<Cost>()
          .add("wall_seconds", &Cost::wall_seconds, seconds("from start to end").less())
          .add("cpu_user_seconds", &Cost::cpu_user_seconds, seconds("of CPU in the program").less())
          .add("cpu_system_seconds", &Cost::cpu_system_seconds,
               seconds("of CPU in the kernel").less())
          .add("peak_memory_bytes", &Cost::peak_memory_bytes, bytes("of memory at most").less());
  return table;
}

const Table<LatencySummary>& table_of(Type<LatencySummary>) {
  using L = LatencySummary;
  static const Table<L> table =
      Rows<L>()
          .add("count", &L::count, number("calls"))
          .add("mean_ms", &L::mean_ms, milliseconds("mean").less())
          .add("p50_ms", &L::p50_ms, milliseconds("median").less())
          .add("p90_ms", &L::p90_ms, milliseconds("exceeded by 10 % of them").less())
          .add("p99_ms", &L::p99_ms, milliseconds("exceeded by 1 %").less())
          .add("p999_ms", &L::p999_ms, milliseconds("exceeded by 0.1 %").less())
          .add("max_ms", &L::max_ms, milliseconds("the longest").less())
          .add("buckets_ns", &L::buckets_ns,
               things("[lower bound in ns, how many] of each bucket that holds something, of a "
                      "log-linear histogram with 64 buckets an octave"));
  return table;
}

const Table<Envelope>& table_of(Type<Envelope>) {
  using E = Envelope;
  static const Table<E> table =
      Rows<E>()
          .converted(
              "feedrate", [](const E&) { return kReportSchemaVersion; }, [](E&, int) {},
              number("version of this schema; another one means that a key changed its meaning or "
                     "went away"))
          .add("verb", &E::verb, text("what was run"))
          .derived(
              "note", [](const E&) { return std::string("not an MLPerf result"); },
              text("what it must not be taken for"))
          .add("valid", &E::valid, flag("false: do not use the figures"))
          .add("invalid_reasons", &E::invalid_reasons, things("why, each with its remedy"))
          .add("interrupted", &E::interrupted, flag("it was stopped; figures cover what was done"))
          .add("warnings", &E::warnings, things("what to know before using the figures"))
          .add("errors", &E::errors, things("of reads and writes, by kind"))
          .add("requested", &E::requested, things("settings that were given, by option"))
          .add("effective", &E::effective, things("settings that were used"))
          .add("seeds", &E::seeds,
               things("of `order`, of `content`, ... where chance plays a part"))
          .add("place", &E::place, things("where it was measured"))
          .add("host", &E::host, things("that it was measured on"))
          .add(
              "cost", &E::cost,
              things("what the command took of this host; null where the result does not depend on "
                     "one: on the virtual clock, of `plan` and of `workloads`"));
  return table;
}

}  // namespace feedrate
