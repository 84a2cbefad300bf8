// The kernel's text files below /proc and /sys: their places, and how to read them. Every function
// of host/ takes the roots, so that a test can put a tree of its own there. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace feedrate {

struct HostRoots {
  std::string proc = "/proc";
  std::string sys = "/sys";
};

// Returns the whole text; nullopt when it cannot be read.
std::optional<std::string> read_host_file(const std::string& path);
// Returns the text without white space at its ends; "" when it cannot be read.
std::string read_host_word(const std::string& path);
std::optional<std::uint64_t> read_host_number(const std::string& path);

std::optional<std::uint64_t> parse_host_number(std::string_view text);
std::vector<std::string_view> lines_of(std::string_view text);
// Returns the parts between white space; several spaces count as one.
std::vector<std::string_view> words_of(std::string_view text);
// Returns the value of "key=value" in a list with commas ("rw,vers=4.2"); "" for a key without one.
std::optional<std::string> option_value(std::string_view options, std::string_view key);

}  // namespace feedrate
