// The settings that a plan was made with, by option, for its report.
#pragma once

#include "feedrate/options/settings.h"
#include "feedrate/plan/plan.h"

namespace feedrate {

// Where there are several jobs, the name of the job precedes each of its settings: "resnet50
// batch".
Settings settings_of(const PlanRequest& request);

}  // namespace feedrate
