// Reads the small files of text in which users describe workloads, models and storage.
#pragma once

#include <string>
#include <string_view>

#include "feedrate/base/error.h"

namespace feedrate {

// Reads a small text file. At most one byte more than kYamlBytesMax is read: the parsers then see
// that it is too large and name the limit. The error names `what`.
Result<std::string> read_text_file(const std::string& path, std::string_view what,
                                   std::string_view hint);

// Reads a report that --json wrote. The error is kUsage for what is no regular file, and for more
// than any report can have.
Result<std::string> read_report_file(const std::string& path);

}  // namespace feedrate
