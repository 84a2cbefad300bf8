// Build-time tool: writes what stands in documents and comes from the program's own tables.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "feedrate/cli/document.h"
#include "feedrate/result/views.h"
#include "feedrate/workload/workload_documents.h"

namespace {

constexpr std::string_view kUsage =
    "usage: feedrate_describe man|completion|results-page|results-schema     to standard output\n"
    "       feedrate_describe workloads DOCS     DOCS/workload.schema.json, and the table of keys\n"
    "                                            in DOCS/workloads.md\n";

bool write_file(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  return static_cast<bool>(file.flush());
}

bool describe_workloads(const std::string& docs) {
  const std::string page_path = docs + "/workloads.md";
  std::ifstream file(page_path, std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::string described = feedrate::with_workload_keys(page);
  if (described.empty()) {
    fmt::print(stderr, "{}: not there, or without the marks of the table of keys\n", page_path);
    return false;
  }
  return write_file(page_path, described) &&
         write_file(docs + "/workload.schema.json", feedrate::workload_schema());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (argc == 3 && what == "workloads") return describe_workloads(argv[2]) ? 0 : 1;
  std::string text;
  if (argc == 2 && what == "man") text = feedrate::man_page();
  if (argc == 2 && what == "completion") text = feedrate::bash_completion();
  if (argc == 2 && what == "results-page") text = feedrate::report_page();
  if (argc == 2 && what == "results-schema") text = feedrate::report_schema();
  if (text.empty()) {
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
