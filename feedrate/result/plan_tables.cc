#include <limits>

#include "feedrate/result/tables.h"

namespace feedrate {

// A figure's key is not written in it, because it is the key of the object around it.
template <>
struct Codec<Figure> {
  static Json write(const Figure& figure) {
    return {{"label", figure.label},
            {"value", figure.value.value()},
            {"unit", to_string(figure.value.unit())},
            {"text", figure.value.text()},
            {"formula", figure.formula},
            {"source", figure.source}};
  }
  static Shape shape() {
    const Shape words{Shape::Kind::kText};
    const Shape value{Shape::Kind::kNumber, true};
    return {Shape::Kind::kObject,
            false,
            {},
            {{"label", text("what it is"), words},
             {"value", things("in `unit`; null: never, or without bound"), value},
             {"unit",
              word("of the value", {"count", "fraction", "ratio", "bytes", "bytes_per_second",
                                    "seconds", "per_second", "money", "money_per_hour"}),
              words},
             {"text", text("as it is printed"), words},
             {"formula", text("with the numbers in it"), words},
             {"source",
              text("of its numbers: a publication, the option that gave it, or `assumed; --OPTION "
                   "changes it`"),
              words}}};
  }
  static bool read(const Json& json, Figure& figure, JsonPlace& place) {
    if (!json.is_object()) return place.wrong("is not an object");
    std::optional<double> value;
    std::string unit;
    const auto take = [&](const char* key, auto& target) {
      return read_key(json, key, place, [&](const Json& inner) {
        return Codec<std::remove_cvref_t<decltype(target)>>::read(inner, target, place);
      });
    };
    if (!take("label", figure.label) || !take("value", value) || !take("unit", unit) ||
        !take("formula", figure.formula) || !take("source", figure.source))
      return false;
    const std::optional<Unit> known = unit_of(unit);
    if (!known)
      return place.inside("unit", [&] { return place.wrong("is no unit that is known"); });
    figure.value = Measure::of(value.value_or(std::numeric_limits<double>::infinity()), *known);
    return true;
  }
};

namespace {

// A list whose items have a key becomes an object in JSON, in the order of the list.
template <class V, std::string V::* Key>
struct Keyed {
  std::vector<V> items;
};

}  // namespace

template <class V, std::string V::* Key>
struct Codec<Keyed<V, Key>> {
  static Json write(const Keyed<V, Key>& list) {
    Json json = Json::object();
    for (const V& item : list.items) json[item.*Key] = Codec<V>::write(item);
    return json;
  }
  static Shape shape() { return {Shape::Kind::kMap, false, {Codec<V>::shape()}}; }
  static bool read(const Json& json, Keyed<V, Key>& list, JsonPlace& place) {
    if (!json.is_object()) return place.wrong("is not an object");
    for (const auto& [key, value] : json.items()) {
      V& item = list.items.emplace_back();
      item.*Key = key;
      if (!place.inside(key, [&] { return Codec<V>::read(value, item, place); })) return false;
    }
    return true;
  }
};

template <>
struct Codec<PlannedPhase> {
  static Json write(const PlannedPhase& phase) { return phase.units; }
  static Shape shape() { return {Shape::Kind::kNumber}; }
  static bool read(const Json& json, PlannedPhase& phase, JsonPlace& place) {
    return Codec<double>::read(json, phase.units, place);
  }
};

namespace {

// Adds a list with keys as an object.
template <class T, class V, std::string V::* Key>
void add_keyed(Rows<T>& rows, const char* name, std::vector<V> T::* member, Metric metric) {
  using List = Keyed<V, Key>;
  rows.converted(
      name, [member](const T& value) { return List{value.*member}; },
      [member](T& value, List list) { value.*member = std::move(list.items); }, std::move(metric));
}

}  // namespace

const Table<Section>& table_of(Type<Section>) {
  static const Table<Section> table = [] {
    Rows<Section> rows;
    rows.add("title", &Section::title, text("what it is about"));
    add_keyed<Section, Figure, &Figure::key>(rows, "figures", &Section::figures, things("by key"));
    rows.add("notes", &Section::remarks, things("what they mean, what is missing and why"));
    return rows;
  }();
  return table;
}

const Table<JobPlan>& table_of(Type<JobPlan>) {
  static const Table<JobPlan> table = [] {
    Rows<JobPlan> rows;
    rows.add("name", &JobPlan::name, text("as given"));
    rows.add("title", &JobPlan::title, text("what it is"));
    add_keyed<JobPlan, Section, &Section::key>(
        rows, "sections", &JobPlan::sections,
        things("`training`, `network`, `checkpoint`, `inference`: those that apply"));
    rows.add("notes", &JobPlan::remarks, things("what is missing, and why"));
    return rows;
  }();
  return table;
}

const Table<PlannedBinding>& table_of(Type<PlannedBinding>) {
  using B = PlannedBinding;
  static const Table<B> table = Rows<B>()
                                    .add("phase", &B::phase, text("`all` for the capacity"))
                                    .add("resource", &B::resource, text("of the storage"))
                                    .add("units", &B::units, number("that it takes").less())
                                    .add("formula", &B::formula, text("with the numbers in it"))
                                    .add("source", &B::source, text("of what one unit carries"));
  return table;
}

const Table<PlannedStorage>& table_of(Type<PlannedStorage>) {
  using S = PlannedStorage;
  static const Table<S> table = [] {
    Rows<S> rows;
    rows.add("storage", &S::name, text("of the catalogue"))
        .add("title", &S::title, text("what it is"))
        .add("unit", &S::unit, text("`drive`, `server`, ..."))
        .add("units", &S::units, number("that carry the demand; 0: no figure to count by").less())
        .add("bound_by", &S::bound_by, text("what takes most of them"));
    add_keyed<S, PlannedPhase, &PlannedPhase::key>(
        rows, "phases", &S::phases, number("units of each phase by itself; `burst` does not bind"));
    return rows
        .add("servers", &S::servers,
             number("that hold the units; 0: no source gives how many one holds").less())
        .add("servers_bound_by", &S::servers_bound_by, text("`slots`, or a bandwidth of theirs"))
        .add("servers_by", &S::servers_by, text("the figure and its source"))
        .add("bindings", &S::bindings, things("every resource that is counted by"))
        .add("unknown", &S::unknown,
             things("what the demand has and no source gives for this storage"))
        .add("ports", &S::ports, number("of the network, on the storage side").less())
        .add("ports_per_server", &S::ports_per_server, number("0: the servers are not known"))
        .add("one_directory", &S::one_directory,
             text("with --one-directory: what that does to it, or why nothing"))
        .add("directories", &S::directories, things("what one directory does to it, against many"))
        .add("requests_in_flight", &S::requests,
             number("at once, where one request has a limited speed; null: not known"));
  }();
  return table;
}

namespace {

const Table<PlannedUse>& use_rows() {
  using U = PlannedUse;
  static const Table<U> table =
      Rows<U>()
          .converted(
              "title", [](const U& use) { return use.figures.title; },
              [](U& use, std::string title) { use.figures.title = std::move(title); },
              text("what it is about"))
          .converted(
              "figures",
              [](const U& use) { return Keyed<Figure, &Figure::key>{use.figures.figures}; },
              [](U& use, Keyed<Figure, &Figure::key> list) {
                use.figures.figures = std::move(list.items);
              },
              things("the demand, named by phase"))
          .converted(
              "notes", [](const U& use) { return use.figures.remarks; },
              [](U& use, std::vector<std::string> notes) {
                use.figures.remarks = std::move(notes);
              },
              things("what they mean, what is missing and why"))
          .add("timing", &U::timing, text("set of step times that `sizings` are counted with"))
          .add("sizings", &U::storages, things("one for each storage"))
          .add("other_timing", &U::other_timing, text("the other set; \"\": no job has one"))
          .add("other_timing_key", &U::other_timing_key, text("and how CSV names it"))
          .add("other_sizings", &U::others, things("the same storages with that set"));
  return table;
}

}  // namespace

const Table<PlannedUse>& table_of(Type<PlannedUse>) { return use_rows(); }

// The uses by the key of their figures: `train`, `serve`.
struct PlannedUses {
  std::vector<PlannedUse> items;
};
template <>
struct Codec<PlannedUses> {
  static Json write(const PlannedUses& uses) {
    Json json = Json::object();
    for (const PlannedUse& use : uses.items) json[use.figures.key] = Codec<PlannedUse>::write(use);
    return json;
  }
  static Shape shape() { return {Shape::Kind::kMap, false, {Codec<PlannedUse>::shape()}}; }
  static bool read(const Json& json, PlannedUses& uses, JsonPlace& place) {
    if (!json.is_object()) return place.wrong("is not an object");
    for (const auto& [key, value] : json.items()) {
      PlannedUse& use = uses.items.emplace_back();
      use.figures.key = key;
      if (!place.inside(key, [&] { return Codec<PlannedUse>::read(value, use, place); }))
        return false;
    }
    return true;
  }
};

const Table<PlannedPort>& table_of(Type<PlannedPort>) {
  using P = PlannedPort;
  static const Table<P> table =
      Rows<P>()
          .add("name", &P::name, text("of the catalogue"))
          .add("title", &P::title, text("what it is"))
          .add("line_bytes_per_second", &P::line_bytes_per_second, byte_rate("line rate").more())
          .add("usable", &P::usable, fraction("of it that storage traffic reaches").more())
          .add("source", &P::source, text("of the line rate"))
          .add("usable_source", &P::usable_source, text("of that share"))
          .derived("carries_bytes_per_second", &P::carries, byte_rate("the two together").more())
          .add("note", &P::note, text("what its figures do not say"));
  return table;
}

const Table<PlanPoint>& table_of(Type<PlanPoint>) {
  using P = PlanPoint;
  static const Table<P> table =
      Rows<P>()
          .add("accelerators", &P::accelerators, number("of --sweep; 0: as each job says"))
          .add("jobs", &P::jobs, things("in the order of the command line"))
          .converted(
              "storage", [](const P& point) { return PlannedUses{point.uses}; },
              [](P& point, PlannedUses uses) { point.uses = std::move(uses.items); },
              things("`train`: training and checkpoints of all jobs; `serve`: inference"));
  return table;
}

const Table<PlanResult>& table_of(Type<PlanResult>) {
  using P = PlanResult;
  static const Table<P> table = report_table<P>(
      Rows<P>()
          .add("sweep", &P::sweep, flag("one point for each number of accelerators"))
          .add("points", &P::points, things("one, but for a sweep"))
          .add("port", &P::port, things("of the network")));
  return table;
}

}  // namespace feedrate
