#include "feedrate/cli/commands.h"

#include <array>

namespace feedrate {

Verbs commands() {
  static const std::array<CommandEntry, 12> kCommands{{
      {"find", "how many accelerators can this storage keep fed, and why not more",
       "  feedrate find resnet50 ./feedrate-data --accelerator h100\n"
       "  feedrate find unet3d ./unet-data --size 8GiB --budget 1m --json result.json\n",
       make_find_command},
      {"train", "run emulated training with a given number of accelerators",
       "  feedrate train resnet50 ./feedrate-data --accelerators 4 --epochs 1\n"
       "  feedrate train resnet50 --data ~/photos --batch 32 --time 10s\n",
       make_train_command},
      {"plan",
       "what storage a job needs, before there is any: bandwidth, files, checkpoints, drives",
       "  feedrate plan resnet50 --accelerators 64 --type h100\n"
       "  feedrate plan llama3-70b --stall-budget 30s --storage-type nvme-gen5 --explain\n",
       make_plan_command},
      {"checkpoint",
       "write checkpoints of a model as its ranks do, and say for how long no step is made",
       "  feedrate checkpoint llama3-8b ./checkpoints --scale 0.01 --count 10 --keep 3\n"
       "  feedrate checkpoint llama3-70b /mnt/ckpt --ranks 64 --subset 8 --layout safetensors\n",
       make_checkpoint_command},
      {"restore", "read the newest whole checkpoint back, check every byte, say what was left out",
       "  feedrate restore ./checkpoints\n"
       "  feedrate restore /mnt/ckpt --step 20 --json restore.json\n",
       make_restore_command},
      {"compact", "make an incremental checkpoint whole from what it builds upon",
       "  feedrate compact ./checkpoints --keep 1\n", make_compact_command},
      {"load", "load a model's weights with one or many replicas at once: first and last ready",
       "  feedrate checkpoint llama3-8b ./model --weights-only --scale 0.1\n"
       "  feedrate load llama3-8b ./model --replicas 8\n",
       make_load_command},
      {"datagen", "write a data set in the workload's real format, to be read by find and train",
       "  feedrate datagen resnet50 ./feedrate-data --size 20GiB\n"
       "  feedrate datagen cosmoflow ./cosmo-data --size 4GiB --subfolders 16\n",
       make_datagen_command},
      {"doctor", "what about this host or a directory will spoil a measurement",
       "  feedrate doctor ./feedrate-data\n"
       "  feedrate doctor /mnt/data --json findings.json\n",
       make_doctor_command},
      {"drop-caches", "have this host forget a data set, so that the next read comes from storage",
       "  feedrate drop-caches ./feedrate-data\n"
       "  feedrate drop-caches --data ~/photos\n",
       make_drop_caches_command},
      {"workloads", "list the built-in workloads",
       "  feedrate workloads\n"
       "  feedrate workloads --formats --json formats.json\n",
       make_workloads_command},
      {"show", "print a workload with its sources, or a report that --json of any verb wrote",
       "  feedrate show resnet50\n"
       "  feedrate show resnet50 --yaml > mine.yaml\n"
       "  feedrate plan resnet50 --json plan.json && feedrate show plan.json --explain\n",
       make_show_command},
  }};
  return kCommands;
}

}  // namespace feedrate
