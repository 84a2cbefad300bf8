// Reads `--with`: the jobs that run beside the one that is measured.
#pragma once

#include <string>
#include <vector>

#include "feedrate/experiment/together.h"
#include "feedrate/options/command.h"

namespace feedrate {

// Returns the job that each line asks for, such as "train unet3d DIR --accelerators 4" or
// "checkpoint llama3-8b DIR --every 5m". An error is kUsage and names the line.
Result<std::vector<JobSetup>> resolve_beside(const std::vector<std::string>& lines,
                                             const CommandContext& context);

}  // namespace feedrate
