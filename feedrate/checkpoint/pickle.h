// Writes a Python pickle of protocol 2, op by op. torch.save uses this protocol, and only those of
// its ops are used that torch.load(weights_only=True) takes. The caller writes values in the order
// in which the stack machine wants them: a tuple's items, then tuple(); a callable, its arguments,
// reduce(). https://docs.python.org/3/library/pickletools.html
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace feedrate {

class Pickle {
 public:
  Pickle();

  // Texts and names are written once and later uses refer to the first, because most of an index is
  // names.
  void text(std::string_view value);
  void global(std::string_view module, std::string_view name);
  void integer(std::uint64_t value);
  void boolean(bool value) { op(value ? '\x88' : '\x89'); }
  void integers(std::span<const std::uint64_t> values);  // Written as a tuple.

  void mark() { op('('); }
  void tuple() { op('t'); }  // Makes a tuple of everything since the mark.
  void empty_tuple() { op(')'); }
  void empty_dict() { op('}'); }
  void empty_list() { op(']'); }
  void set_items() { op('u'); }  // Puts the keys and values since the mark into the dict below it.
  void append_items() { op('e'); }  // Appends the items since the mark to the list below it.
  void reduce() { op('R'); }        // Calls what lies below the tuple, with the tuple as arguments.
  void persistent_id() { op('Q'); }  // Turns the tuple into the object that the reader finds by it.

  // Writes a reference to the object `key` and returns true if it was kept before. Otherwise the
  // caller writes the object and calls keep().
  bool recall(const std::string& key);
  void keep(const std::string& key);

  std::string finish() &&;

 private:
  void op(char code) { bytes_ += code; }
  void little(std::uint64_t value, int bytes);

  std::string bytes_;
  std::unordered_map<std::string, std::uint64_t> kept_;
};

}  // namespace feedrate
