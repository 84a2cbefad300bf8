// The tables by which results become JSON and are read back: one for each struct, with a row for
// each key. A row says what the value means, its unit, which direction is better, and where its
// definition comes from. JSON out and in, its schema, its page in docs/ and CSV are made of these
// tables; nothing else knows a key. Private to result/.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "feedrate/base/measure.h"

namespace feedrate {

using Json = nlohmann::ordered_json;

enum class Better : std::uint8_t { kNeither, kMore, kLess };

struct Metric {
  std::string meaning;
  Unit unit = Unit::kNone;
  Better better = Better::kNeither;
  std::string source = {};  // Where a definition that is not ours comes from, or the formula.
  std::vector<std::string> words = {};  // The words that a text can be; empty means any text.
  Metric more() && { return better = Better::kMore, std::move(*this); }
  Metric less() && { return better = Better::kLess, std::move(*this); }
  Metric from(std::string where) && { return source = std::move(where), std::move(*this); }
};

// The form of a JSON value, for the schema and the page in docs/.
struct Field;
struct Shape {
  enum class Kind : std::uint8_t { kText, kFlag, kWhole, kNumber, kList, kMap, kTuple, kObject };
  Kind kind = Kind::kText;
  bool nullable = false;
  // The one shape of a list's or a map's items; one for each item of a tuple.
  std::vector<Shape> items = {};
  std::vector<Field> fields = {};  // The keys of an object.
};
struct Field {
  std::string key;
  Metric metric;
  Shape shape;
};

// Knows where in a document a reader is, and the first thing that was wrong.
class JsonPlace {
 public:
  // Returns false, so that a reader can end with `return place.wrong(...)`.
  bool wrong(std::string_view what);
  bool inside(std::string key, const std::function<bool()>& read);
  const std::string& problem() const { return problem_; }

 private:
  std::vector<std::string> keys_;
  std::string problem_;
};

template <class V>
struct Codec;

template <class T>
struct Row {
  Field field;
  std::function<Json(const T&)> write;
  std::function<bool(const Json&, T&, JsonPlace&)> read;
};
template <class T>
using Table = std::vector<Row<T>>;
template <class T>
struct Type {};
// Each struct that is part of a result has its `const Table<T>& table_of(Type<T>)`.
template <class T>
concept Tabled = requires { table_of(Type<T>{}); };

// Returns false and notes it at `place` where a text is none of `words`; without words any text
// will do.
bool read_word(const std::string& value, const std::vector<std::string>& words, JsonPlace& place);
bool read_key(const Json& json, const std::string& key, JsonPlace& place,
              const std::function<bool(const Json&)>& read);

template <>
struct Codec<bool> {
  static Json write(bool value) { return value; }
  static Shape shape() { return {Shape::Kind::kFlag}; }
  static bool read(const Json& json, bool& value, JsonPlace& place) {
    if (!json.is_boolean()) return place.wrong("is not true or false");
    value = json.get<bool>();
    return true;
  }
};

// No number of a result is negative; the schema says so, too.
template <std::integral V>
struct Codec<V> {
  static Json write(V value) { return value; }
  static Shape shape() { return {Shape::Kind::kWhole}; }
  static bool read(const Json& json, V& value, JsonPlace& place) {
    if (!json.is_number_integer()) return place.wrong("is not a whole number");
    if (!json.is_number_unsigned() && json.get<std::int64_t>() < 0)
      return place.wrong("is less than 0");
    const bool fits = json.is_number_unsigned() ? std::in_range<V>(json.get<std::uint64_t>())
                                                : std::in_range<V>(json.get<std::int64_t>());
    if (!fits) return place.wrong("is out of range");
    value = json.get<V>();
    return true;
  }
};

template <>
struct Codec<double> {
  static Json write(double value) { return value; }
  static Shape shape() { return {Shape::Kind::kNumber}; }
  static bool read(const Json& json, double& value, JsonPlace& place) {
    if (!json.is_number()) return place.wrong("is not a number");
    value = json.get<double>();
    if (value < 0) return place.wrong("is less than 0");
    return true;
  }
};

template <>
struct Codec<std::string> {
  static Json write(const std::string& value) { return value; }
  static Shape shape() { return {Shape::Kind::kText}; }
  static bool read(const Json& json, std::string& value, JsonPlace& place) {
    if (!json.is_string()) return place.wrong("is not a text");
    value = json.get<std::string>();
    return true;
  }
};

template <class V>
struct Codec<std::optional<V>> {
  static Json write(const std::optional<V>& value) {
    return value ? Codec<V>::write(*value) : Json(nullptr);
  }
  static Shape shape() {
    Shape shape = Codec<V>::shape();
    shape.nullable = true;
    return shape;
  }
  static bool read(const Json& json, std::optional<V>& value, JsonPlace& place) {
    value.reset();
    return json.is_null() || Codec<V>::read(json, value.emplace(), place);
  }
};

template <class V>
struct Codec<std::vector<V>> {
  static Json write(const std::vector<V>& values) {
    Json json = Json::array();
    for (const V& value : values) json.push_back(Codec<V>::write(value));
    return json;
  }
  static Shape shape() { return {Shape::Kind::kList, false, {Codec<V>::shape()}}; }
  static bool read(const Json& json, std::vector<V>& values, JsonPlace& place) {
    if (!json.is_array()) return place.wrong("is not a list");
    values.clear();
    for (const Json& item : json)
      if (!place.inside(std::to_string(values.size()),
                        [&] { return Codec<V>::read(item, values.emplace_back(), place); }))
        return false;
    return true;
  }
};

template <class V>
struct Codec<std::map<std::string, V>> {
  static Json write(const std::map<std::string, V>& values) {
    Json json = Json::object();
    for (const auto& [key, value] : values) json[key] = Codec<V>::write(value);
    return json;
  }
  static Shape shape() { return {Shape::Kind::kMap, false, {Codec<V>::shape()}}; }
  static bool read(const Json& json, std::map<std::string, V>& values, JsonPlace& place) {
    if (!json.is_object()) return place.wrong("is not an object");
    values.clear();
    for (const auto& [key, value] : json.items())
      if (!place.inside(key, [&] { return Codec<V>::read(value, values[key], place); }))
        return false;
    return true;
  }
};

// Writes a list of a fixed length, which keeps files small where there are thousands of rows of
// numbers.
template <class... Vs>
struct Codec<std::tuple<Vs...>> {
  static Json write(const std::tuple<Vs...>& values) {
    return std::apply([](const Vs&... each) { return Json::array({Codec<Vs>::write(each)...}); },
                      values);
  }
  static Shape shape() { return {Shape::Kind::kTuple, false, {Codec<Vs>::shape()...}}; }
  static bool read(const Json& json, std::tuple<Vs...>& values, JsonPlace& place) {
    if (!json.is_array() || json.size() != sizeof...(Vs))
      return place.wrong("is not a list of " + std::to_string(sizeof...(Vs)));
    std::size_t index = 0;
    return std::apply(
        [&](Vs&... each) { return (Codec<Vs>::read(json[index++], each, place) && ...); }, values);
  }
};

template <class A, class B>
struct Codec<std::pair<A, B>> {
  using Both = std::tuple<A, B>;
  static Json write(const std::pair<A, B>& value) { return Codec<Both>::write(value); }
  static Shape shape() { return Codec<Both>::shape(); }
  static bool read(const Json& json, std::pair<A, B>& value, JsonPlace& place) {
    Both both;
    if (!Codec<Both>::read(json, both, place)) return false;
    value = {std::get<0>(both), std::get<1>(both)};
    return true;
  }
};

template <class T>
Json write_rows(const T& value, const Table<T>& rows) {
  Json json = Json::object();
  for (const Row<T>& row : rows) json[row.field.key] = row.write(value);
  return json;
}
template <class T>
bool read_rows(const Json& json, T& value, JsonPlace& place, const Table<T>& rows) {
  if (!json.is_object()) return place.wrong("is not an object");
  for (const Row<T>& row : rows)
    if (row.read && !read_key(json, row.field.key, place,
                              [&](const Json& inner) { return row.read(inner, value, place); }))
      return false;
  return true;
}
template <class T>
Shape shape_of(const Table<T>& rows) {
  Shape shape{Shape::Kind::kObject};
  for (const Row<T>& row : rows) shape.fields.push_back(row.field);
  return shape;
}

template <Tabled T>
struct Codec<T> {
  static Json write(const T& value) { return write_rows(value, table_of(Type<T>{})); }
  static Shape shape() { return shape_of(table_of(Type<T>{})); }
  static bool read(const Json& json, T& value, JsonPlace& place) {
    return read_rows(json, value, place, table_of(Type<T>{}));
  }
};

template <class T, class V, class Base>
  requires std::derived_from<T, Base>
Row<T> row_of(std::string key, V Base::* member, Metric metric) {
  std::vector<std::string> words = metric.words;
  return {{std::move(key), std::move(metric), Codec<V>::shape()},
          [member](const T& value) { return Codec<V>::write(value.*member); },
          [member, words = std::move(words)](const Json& json, T& value, JsonPlace& place) {
            if (!Codec<V>::read(json, value.*member, place)) return false;
            if constexpr (std::same_as<V, std::string>)
              return read_word(value.*member, words, place);
            return true;
          }};
}

// Builds a table; rows are added in the order that they have in the JSON.
template <class T>
class Rows {
 public:
  template <class V, class Base>
  Rows& add(std::string key, V Base::* member, Metric metric) {
    table_.push_back(row_of<T>(std::move(key), member, std::move(metric)));
    return *this;
  }
  // Adds a value that follows from the other figures: it is written, so that nobody has to compute
  // it, and not read.
  template <class Get>
  Rows& derived(std::string key, Get get, Metric metric) {
    using V = std::remove_cvref_t<std::invoke_result_t<Get, const T&>>;
    table_.push_back({{std::move(key), std::move(metric), Codec<V>::shape()},
                      [get](const T& value) { return Codec<V>::write(std::invoke(get, value)); },
                      nullptr});
    return *this;
  }
  // Adds a value that is written in another form than it is kept in.
  template <class Get, class Set>
  Rows& converted(std::string key, Get get, Set set, Metric metric) {
    using V = std::remove_cvref_t<std::invoke_result_t<Get, const T&>>;
    table_.push_back({{std::move(key), std::move(metric), Codec<V>::shape()},
                      [get](const T& value) { return Codec<V>::write(get(value)); },
                      [set](const Json& json, T& value, JsonPlace& place) {
                        V read{};
                        if (!Codec<V>::read(json, read, place)) return false;
                        set(value, std::move(read));
                        return true;
                      }});
    return *this;
  }
  // Adds keys of this struct that stand together in an object of their own.
  Rows& group(std::string key, std::string meaning, const Rows& rows) {
    const Table<T> inner = rows.table_;
    table_.push_back({{std::move(key), {std::move(meaning)}, shape_of(inner)},
                      [inner](const T& value) { return write_rows(value, inner); },
                      [inner](const Json& json, T& value, JsonPlace& place) {
                        return read_rows(json, value, place, inner);
                      }});
    return *this;
  }
  template <class Base>
  Rows& base() {
    for (const Row<Base>& row : table_of(Type<Base>{}))
      table_.push_back({row.field, row.write, row.read});
    return *this;
  }
  operator Table<T>() const { return table_; }

 private:
  Table<T> table_;
};

// These make a metric of one unit each, so that a row fits on a line.
inline Metric text(std::string meaning) { return {std::move(meaning)}; }
inline Metric flag(std::string meaning) { return {std::move(meaning)}; }
inline Metric things(std::string meaning) { return {std::move(meaning)}; }
inline Metric word(std::string meaning, std::vector<std::string> words) {
  return {std::move(meaning), Unit::kNone, Better::kNeither, {}, std::move(words)};
}
inline Metric number(std::string meaning) { return {std::move(meaning), Unit::kCount}; }
inline Metric fraction(std::string meaning) { return {std::move(meaning), Unit::kFraction}; }
inline Metric ratio(std::string meaning) { return {std::move(meaning), Unit::kRatio}; }
inline Metric bytes(std::string meaning) { return {std::move(meaning), Unit::kBytes}; }
inline Metric byte_rate(std::string meaning) { return {std::move(meaning), Unit::kBytesPerSecond}; }
inline Metric seconds(std::string meaning) { return {std::move(meaning), Unit::kSeconds}; }
inline Metric milliseconds(std::string meaning) {
  return {std::move(meaning), Unit::kMilliseconds};
}
inline Metric nanoseconds(std::string meaning) { return {std::move(meaning), Unit::kNanoseconds}; }
inline Metric per_second(std::string meaning) { return {std::move(meaning), Unit::kPerSecond}; }

}  // namespace feedrate
