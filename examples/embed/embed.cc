// Eight emulated accelerators of ResNet-50 for 100 steps, on the virtual clock and storage that
// answers at once. Prints the accelerator utilisation.
#include <cstdio>

#include "feedrate/engine/train.h"

int main() {
  using namespace feedrate;
  const auto workload = find_workload("resnet50");
  if (!workload) return 1;
  const auto timing = workload->timing("h100");
  const auto shape = plan_for(*workload, 0, 1, 0);
  const auto dataset = Dataset::from_plan(*shape, "(described)");
  TrainingPlan plan = default_training_plan(*workload, *timing, *dataset, ClientKind::kNative);
  plan.replicas = 8;
  plan.steps_max = 100;
  const auto group = ReactorGroup::make(ClockKind::kVirtual, IoEngine::kAuto, 1);
  const auto storage = make_storage_factory(costs_nothing(), IoMode::kBuffered, ".", 1);
  TrainingProgress progress;
  const RunResult result =
      summarise_training(plan, run_training(**group, storage, plan, nullptr, progress, {}));
  std::printf("AU %.3f over %d steps\n", result.accelerator_utilisation,
              static_cast<int>(result.steps));
  return result.valid ? 0 : 1;
}
