// `--with`: jobs that run beside the one that is measured.
#pragma once

#include <string>
#include <vector>

#include "feedrate/cli/command.h"
#include "feedrate/experiment/together.h"

namespace feedrate {

// Cuts a line into words as a shell does: at spaces, but for those in quotes or behind a backslash.
// kUsage for a quote that is not closed.
Result<std::vector<std::string>> split_words(const std::string& line, std::string_view flag);

// What each line, "train unet3d DIR --accelerators 4" or "checkpoint llama3-8b DIR --every 5m",
// asks for. kUsage names the line.
Result<std::vector<JobSetup>> resolve_beside(const std::vector<std::string>& lines,
                                             const CommandContext& context);

}  // namespace feedrate
