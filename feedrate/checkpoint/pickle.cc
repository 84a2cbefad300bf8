#include "feedrate/checkpoint/pickle.h"

#include <array>
#include <bit>

namespace feedrate {

Pickle::Pickle() : bytes_("\x80\x02") {}

void Pickle::text(std::string_view value) {
  std::string key = "s";
  key += value;
  if (recall(key)) return;
  op('X');
  little(value.size(), 4);
  bytes_ += value;
  keep(key);
}

void Pickle::global(std::string_view module, std::string_view name) {
  std::string key = "c";
  key.append(module).append("\n").append(name).append("\n");
  if (recall(key)) return;
  bytes_ += key;
  keep(key);
}

void Pickle::integer(std::uint64_t value) {
  if (value < 0x100) {
    op('K');
    little(value, 1);
  } else if (value < 0x10000) {
    op('M');
    little(value, 2);
  } else if (value < 0x80000000) {
    op('J');
    little(value, 4);
    // In two's complement the highest bit is the sign, so a full byte needs another one after it.
  } else {
    const int bytes = static_cast<int>(std::bit_width(value)) / 8 + 1;
    op('\x8a');
    little(static_cast<std::uint64_t>(bytes), 1);
    little(value, bytes);
  }
}

void Pickle::integers(std::span<const std::uint64_t> values) {
  static constexpr std::array kShort = {')', '\x85', '\x86', '\x87'};
  if (values.size() >= kShort.size()) mark();
  for (const std::uint64_t value : values) integer(value);
  op(values.size() < kShort.size() ? kShort[values.size()] : 't');
}

bool Pickle::recall(const std::string& key) {
  const auto found = kept_.find(key);
  if (found == kept_.end()) return false;
  const bool near = found->second < 0x100;
  op(near ? 'h' : 'j');
  little(found->second, near ? 1 : 4);
  return true;
}

void Pickle::keep(const std::string& key) {
  const std::uint64_t index = kept_.size();
  const bool near = index < 0x100;
  kept_.emplace(key, index);
  op(near ? 'q' : 'r');
  little(index, near ? 1 : 4);
}

std::string Pickle::finish() && {
  op('.');
  return std::move(bytes_);
}

void Pickle::little(std::uint64_t value, int bytes) {
  for (int byte = 0; byte < bytes; ++byte)
    bytes_ += byte < 8 ? static_cast<char>(value >> (8 * byte)) : '\0';
}

}  // namespace feedrate
