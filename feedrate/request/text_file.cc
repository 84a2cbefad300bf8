#include "feedrate/request/text_file.h"

#include <fmt/format.h>

#include <fstream>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_reader.h"

namespace feedrate {

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

}  // namespace feedrate
