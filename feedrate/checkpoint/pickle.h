// Writes a Python pickle of protocol 2, op by op: the protocol that torch.save uses, and the ops
// among it that torch.load(weights_only=True) takes. The caller writes values in the order in which
// the stack machine wants them: a tuple's items, then tuple(); a callable, its arguments, reduce().
// https://docs.python.org/3/library/pickletools.html
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

  // Texts and names are written once, later uses refer to the first: most of an index is names.
  void text(std::string_view value);
  void global(std::string_view module, std::string_view name);
  void integer(std::uint64_t value);
  void boolean(bool value) { op(value ? '\x88' : '\x89'); }
  void integers(std::span<const std::uint64_t> values);  // as a tuple

  void mark() { op('('); }
  void tuple() { op('t'); }  // of everything since the mark
  void empty_tuple() { op(')'); }
  void empty_dict() { op('}'); }
  void empty_list() { op(']'); }
  void set_items() { op('u'); }      // keys and values since the mark, in the dict below it
  void append_items() { op('e'); }   // items since the mark, to the list below it
  void reduce() { op('R'); }         // calls what lies below the tuple with it
  void persistent_id() { op('Q'); }  // the tuple is a name that the reader resolves

  // If the object `key` was kept before, refers to it. Else its caller writes it and keep()s it.
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
