// Build-time tool: describe man|completion|results-page|results-schema.
#include <cstdio>
#include <string>
#include <string_view>

#include "feedrate/cli/document.h"
#include "feedrate/result/views.h"

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  std::string text;
  if (what == "man")
    text = feedrate::man_page();
  else if (what == "completion")
    text = feedrate::bash_completion();
  else if (what == "results-page")
    text = feedrate::report_page();
  else if (what == "results-schema")
    text = feedrate::report_schema();
  else
    return 2;
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
