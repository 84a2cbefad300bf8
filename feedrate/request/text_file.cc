#include "feedrate/request/text_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/base/yaml_reader.h"

namespace feedrate {
namespace {

// Even a run of a million accelerators writes less.
constexpr std::uint64_t kReportBytesMax = std::uint64_t{1} << 28U;

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::string_view what,
                                   std::string_view hint) {
  std::ifstream file(path, std::ios::binary);
  // One byte more than the parsers take, so that they name the limit.
  std::string text(kYamlBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad())
    return fail(ErrorKind::kUsage, fmt::format("cannot read the {} {}", what, quote_path(path)),
                std::string(hint));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Result<std::string> read_report_file(const std::string& path) {
  // Only regular files are opened, because opening a pipe would wait for a writer.
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    return fail(ErrorKind::kUsage, fmt::format("{} is not a regular file", quote_path(path)),
                "give the path of a file that --json wrote");
  const std::uintmax_t bytes = std::filesystem::file_size(path, ignored);
  if (!ignored && bytes > kReportBytesMax)
    return fail(ErrorKind::kUsage,
                fmt::format("{} has {}, and a report of more than {} is not read", quote_path(path),
                            format_bytes(bytes), format_bytes(kReportBytesMax)),
                "give the path of a file that --json wrote");
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file.is_open()) text << file.rdbuf();
  if (!file.is_open() || file.bad())
    return fail(ErrorKind::kUsage, fmt::format("cannot read the report {}", quote_path(path)),
                "give the path of a file that --json wrote");
  return std::move(text).str();
}

}  // namespace feedrate
