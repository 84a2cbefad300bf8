// What a plan was made with, by option, for its report to tell.
#pragma once

#include "feedrate/cli/settings.h"
#include "feedrate/plan/plan.h"

namespace feedrate {

// Of several jobs each one's settings have its name before them: "resnet50 batch".
Settings settings_of(const PlanRequest& request);

}  // namespace feedrate
