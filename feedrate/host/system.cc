#include "feedrate/host/system.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kListMax = 1U << 16U;  // processors

std::uint64_t grown(std::uint64_t after, std::uint64_t before) {
  return after > before ? after - before : 0;
}

// Returns the numbers of the entries below `folder` whose names are `prefix` and a number, sorted.
std::vector<unsigned> numbered(const std::string& folder, std::string_view prefix) {
  std::vector<unsigned> numbers;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    if (const auto number = parse_host_number(std::string_view(name).substr(prefix.size())))
      numbers.push_back(static_cast<unsigned>(*number));
  }
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace

std::optional<CpuTimes> parse_cpu_times(std::string_view text) {
  // The line is "cpu user nice system idle iowait irq softirq steal guest guest_nice"; user
  // includes guests.
  const auto words = words_of(text.substr(0, text.find('\n')));
  if (words.size() < 9 || words[0] != "cpu") return std::nullopt;
  std::uint64_t ticks[9] = {};
  for (std::size_t i = 1; i < 9; ++i) {
    const auto number = parse_host_number(words[i]);
    if (!number) return std::nullopt;
    ticks[i] = *number;
  }
  return CpuTimes{ticks[1] + ticks[2] + ticks[3] + ticks[6] + ticks[7], ticks[4] + ticks[5],
                  ticks[8]};
}

CpuTimes operator-(const CpuTimes& after, const CpuTimes& before) {
  return {grown(after.busy, before.busy), grown(after.idle, before.idle),
          grown(after.steal, before.steal)};
}

std::optional<MemoryFacts> parse_meminfo(std::string_view text) {
  MemoryFacts facts;
  const auto kib = [](std::string_view number) {
    return parse_host_number(number).value_or(0) * 1024;
  };
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() < 2) continue;
    if (words[0] == "MemTotal:") facts.total_bytes = kib(words[1]);
    if (words[0] == "MemAvailable:") facts.available_bytes = kib(words[1]);
    if (words[0] == "Dirty:" || words[0] == "Writeback:") facts.dirty_bytes += kib(words[1]);
    if (words[0] == "Hugepagesize:") facts.huge_page_bytes = kib(words[1]);
    if (words[0] == "HugePages_Total:") facts.huge_pages = kib(words[1]) / 1024;
    if (words[0] == "HugePages_Free:") facts.huge_pages_free = kib(words[1]) / 1024;
  }
  if (facts.total_bytes == 0) return std::nullopt;
  return facts;
}

std::string selected_setting(std::string_view text) {
  const std::size_t begin = text.find('[');
  const std::size_t end = text.find(']');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
  return std::string(text.substr(begin + 1, end - begin - 1));
}

std::optional<double> parse_full_pressure(std::string_view text) {
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() < 2 || words[0] != "full" || !words[1].starts_with("avg10=")) continue;
    double percent = 0;
    const std::string_view number = words[1].substr(6);
    const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), percent);
    if (code == std::errc{} && end == number.data() + number.size()) return percent / 100;
  }
  return std::nullopt;
}

GovernorFacts read_governors(const HostRoots& roots) {
  GovernorFacts facts;
  const std::string folder = roots.sys + "/devices/system/cpu";
  for (const unsigned number : numbered(folder, "cpu")) {
    const std::string control = folder + "/cpu" + std::to_string(number) + "/cpufreq";
    const std::string governor = read_host_word(control + "/scaling_governor");
    if (governor.empty()) continue;
    if (facts.driver.empty()) facts.driver = read_host_word(control + "/scaling_driver");
    if (std::ranges::find(facts.governors, governor) == facts.governors.end())
      facts.governors.push_back(governor);
  }
  return facts;
}

std::vector<NumaNode> read_numa_nodes(const HostRoots& roots) {
  std::vector<NumaNode> nodes;
  const std::string folder = roots.sys + "/devices/system/node";
  for (const unsigned number : numbered(folder, "node"))
    nodes.push_back({number, parse_number_list(read_host_word(
                                 folder + "/node" + std::to_string(number) + "/cpulist"))});
  return nodes;
}

std::vector<unsigned> parse_number_list(std::string_view text) {
  std::vector<unsigned> numbers;
  for (const std::string& part : split(text, ',')) {
    const std::size_t dash = part.find('-');
    const auto first = parse_host_number(trim(std::string_view(part).substr(0, dash)));
    const auto last = dash == std::string::npos
                          ? first
                          : parse_host_number(trim(std::string_view(part).substr(dash + 1)));
    if (!first || !last || *last > kListMax) continue;
    for (std::uint64_t number = *first; number <= *last; ++number)
      numbers.push_back(static_cast<unsigned>(number));
  }
  return numbers;
}

std::optional<unsigned> device_numa_node(const std::string& folder, const HostRoots& roots) {
  for (fs::path at = folder; at.string().size() > roots.sys.size(); at = at.parent_path())
    for (const auto* name : {"/numa_node", "/device/numa_node"})
      if (const auto node = read_host_number(at.string() + name))  // -1, no number: none
        return static_cast<unsigned>(*node);
  return std::nullopt;
}

}  // namespace feedrate
