// Build-time tool: describe man|completion|options|list|results-page|results-schema.
#include <cstdio>
#include <functional>
#include <map>
#include <string>

#include "feedrate/cli/document.h"
#include "feedrate/result/views.h"

int main(int argc, char** argv) {
  const std::map<std::string, std::function<std::string()>> documents{
      {"man", feedrate::man_page},
      {"completion", feedrate::bash_completion},
      {"options", feedrate::options_page},
      {"list", feedrate::option_list},
      {"results-page", feedrate::report_page},
      {"results-schema", feedrate::report_schema}};
  const auto found = documents.find(argc == 2 ? argv[1] : "");
  if (found == documents.end()) return 2;
  const std::string text = found->second();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
