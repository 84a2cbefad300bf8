// A tool for the build: writes the parts of documents that come from the program's own tables.
//   describe man|bash|zsh|fish|catalogue|options|list|results-page|results-schema
//     writes that document to standard output.
//   describe no-values VERB
//     reads lines "OPTION<tab>VALUE" and writes those that are no option of the verb, or no value
//     of it: for the test of what reports tell of settings.
//   describe workloads DOCS
//     writes DOCS/workload.schema.json and the table of keys in DOCS/workloads.md.
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <string>

#include "feedrate/cli/commands.h"
#include "feedrate/options/completion.h"
#include "feedrate/options/document.h"
#include "feedrate/options/option_parser.h"
#include "feedrate/options/settings.h"
#include "feedrate/result/views.h"
#include "feedrate/workload/workload_documents.h"

namespace {

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  return static_cast<bool>(file.flush());
}

// Returns false where the page does not exist, or lacks the marks between which the table stands.
bool describe_workloads(const std::string& docs) {
  const std::string page_path = docs + "/workloads.md";
  std::ifstream file(page_path, std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::string described = feedrate::with_workload_keys(page);
  return !described.empty() && write_file(page_path, described) &&
         write_file(docs + "/workload.schema.json", feedrate::workload_schema());
}

// Returns false where there is no such verb.
bool describe_no_values(const std::string& verb) {
  for (const feedrate::CommandEntry& entry : feedrate::commands()) {
    if (entry.name != verb) continue;
    const feedrate::VerbTable verb_table(entry);
    for (std::string line; std::getline(std::cin, line);) {
      const std::string name = line.substr(0, line.find('\t'));
      const feedrate::OptionEntry* option = verb_table.table.find("--" + name);
      if (option == nullptr) option = verb_table.table.find(name);
      if (option == nullptr || !feedrate::is_value(*option, line.substr(line.find('\t') + 1)))
        std::puts(line.c_str());
    }
    return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::function<std::string()>> documents{
      {"man", [] { return feedrate::man_page(feedrate::commands()); }},
      {"bash", [] { return feedrate::bash_completion(feedrate::commands()); }},
      {"zsh", [] { return feedrate::zsh_completion(feedrate::commands()); }},
      {"fish", [] { return feedrate::fish_completion(feedrate::commands()); }},
      {"catalogue", feedrate::catalogue_page},
      {"options", [] { return feedrate::options_page(feedrate::commands()); }},
      {"list", [] { return feedrate::option_list(feedrate::commands()); }},
      {"results-page", feedrate::report_page},
      {"results-schema", feedrate::report_schema}};
  const std::string what = argc > 1 ? argv[1] : "";
  if (argc == 3 && what == "workloads") return describe_workloads(argv[2]) ? 0 : 1;
  if (argc == 3 && what == "no-values") return describe_no_values(argv[2]) ? 0 : 1;
  const auto found = documents.find(argc == 2 ? what : "");
  if (found == documents.end()) return 2;
  const std::string text = found->second();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
