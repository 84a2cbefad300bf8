// The rows of options that several verbs have: one row each, so that the same option means the same
// everywhere. An option of one verb only stands in that verb's own table.
#pragma once

#include "feedrate/base/option_row.h"

namespace feedrate::rows {

using enum OptionType;

// Options of every verb.
inline constexpr OptionRow kHelp{"-h,--help", kFlag, "", "", "this help"};
inline constexpr OptionRow kQuiet{"--quiet", kFlag, "", "", "no progress on standard error"};

// Options of the workload and its data set.
inline constexpr OptionRow kWorkloadName{"workload", kWorkload, "", "",
                                         "a name of 'feedrate workloads', a YAML file, or "
                                         "dlio:FILE, a workload file of DLIO (words like "
                                         "++workload.train.epochs=3 change it)"};
inline constexpr OptionRow kSet{"--set", kText, "", "KEY=VALUE",
                                "change a key of the workload, e.g. dataset.files=5000"};
inline constexpr OptionRow kDatasetSize{
    "--size,--dataset-size", OptionType::kSize, "published", "",
    "size of the data set that is made or described: 20GiB, or 1% of the published size"};
inline constexpr OptionRow kData{"--data", kDirectory, "", "",
                                 "your own folder or file, instead of a data set that feedrate "
                                 "wrote"};
inline constexpr OptionRow kJobs{"--jobs", kCount, "0", "0 to 1024",
                                 "files that are written at once; 0 chooses"};

// Options of the job.
inline constexpr OptionRow kAccelerators{"-n,--accelerators", kCount, "", "1 to 1000000",
                                         "how many accelerators"};
inline constexpr OptionRow kAcceleratorType{
    "--accelerator,--type", kText, "h100", "TYPE",
    "type of the accelerators: v100, a100, h100, b200; where the workload has no step time for an "
    "h100, the default is the first type that it has one for"};
inline constexpr OptionRow kTiming{
    "--timing", kText, "", "SET",
    "set of step times: storage-benchmark (published emulation), measured (from training logs) or "
    "your own; default: your own, else storage-benchmark, else what there is"};
inline constexpr OptionRow kBatch{"--batch", kCount, "published", "1 to 16777216",
                                  "samples of a step of one accelerator, or of one replica"};
inline constexpr OptionRow kStepTime{"--step-time", kDuration, "published", "at least 1us",
                                     "compute time of a step"};
inline constexpr OptionRow kAu{"--au", kFraction, "the workload's", "0.01 to 1",
                               "accelerator utilisation from which accelerators count as fed"};
inline constexpr OptionRow kEpochs{"--epochs", kCount, "the workload's", "1 to 1000000",
                                   "passes over the data set"};
inline constexpr OptionRow kTransfer{"--transfer", kBytes, "", "512 to 1GiB",
                                     "largest single read, and in a plan the largest write of a "
                                     "checkpoint"};
inline constexpr OptionRow kTime{"--time", kDuration, "", "more than 0", "how long the run lasts"};

// Options of a model, and of how it is spread over accelerators.
inline constexpr OptionRow kModelName{"--model", kModel, "", "",
                                      "a model of the catalogue, or its YAML file"};
inline constexpr OptionRow kRanks{"-n,--ranks", kCount, "", "1 to 10000000",
                                  "accelerators of the job, one rank each"};
inline constexpr OptionRow kTensorParallel{"--tensor-parallel", kCount, "published", "1 to 1000000",
                                           "accelerators that share each layer of one replica"};
inline constexpr OptionRow kPipelineParallel{"--pipeline-parallel", kCount, "published",
                                             "1 to 1000000",
                                             "stages of layers that one replica is cut into"};
inline constexpr OptionRow kDataParallel{"--data-parallel", kCount, "", "1 to 10000000",
                                         "replicas; default: accelerators / (tensor x pipeline)"};
inline constexpr OptionRow kZero{
    "--zero", kCount, "published", "0 to 3",
    "what is sharded over the replicas: 0 nothing, 1 optimizer, 2 gradients too, 3 weights too"};
inline constexpr OptionRow kScale{"--scale", kFraction, "1", "1e-9 to 1",
                                  "share of the model's parameters, for small machines: 0.01"};
inline constexpr OptionRow kBytesPerParameter{
    "--bytes-per-parameter", kNumber, "", "0.125 to 64",
    "of a checkpoint; default: its published size, else 14, which are 2 of weights and 12 of Adam "
    "in mixed precision"};
inline constexpr OptionRow kWeightBytes{"--weight-bytes", kNumber, "2", "0.125 to 16",
                                        "bytes of one weight, in checkpoints and when it serves"};
inline constexpr OptionRow kReplicas{"--replicas", kCount, "", "1 to 100000",
                                     "replicas that load the model at once"};

// Options of checkpoints.
inline constexpr OptionRow kLayout{"--layout", kWords, "safetensors",
                                   "safetensors|torch|dcp|raw|shared",
                                   "files of a checkpoint: those of safetensors, torch.save or "
                                   "PyTorch DCP, raw bytes, or all ranks in one shared file"};
inline constexpr OptionRow kKeep{"--keep", kCount, "all", "1 to 1000000",
                                 "newest checkpoints that are kept, older ones are removed"};
inline constexpr OptionRow kChanged{"--changed", kFraction, "100%", "0.001 to 1",
                                    "share of the blocks that are new in each checkpoint"};
inline constexpr OptionRow kMtbf{
    "--mtbf", kDuration, "", "",
    "mean time between failures of one accelerator, e.g. 50000h; the job's is that / ranks"};
inline constexpr OptionRow kRestartTime{"--restart-time", kDuration, "5m", "at least 1ms",
                                        "from a failure to the first read of the checkpoint"};
inline constexpr OptionRow kSnapshotBandwidth{
    "--snapshot-bandwidth", kRate, "", "",
    "asynchronous checkpoints: from each accelerator to host memory; default: 26.4GiB/s, or as "
    "fast as this host copies where data are moved"};
inline constexpr OptionRow kStep{"--step", kCount, "newest whole", "0 to 18446744073709551615",
                                 "the checkpoint of this step"};
inline constexpr OptionRow kLocal{"--local", kDirectory, "", "",
                                  "two levels: node-local directory, written first and read first"};

// Options of storage and host.
inline constexpr OptionRow kStorage{
    "--storage", kText, "posix", "posix|null|model:FILE",
    "posix is a file system, null takes no time (which measures feedrate itself), model:FILE is "
    "described in YAML"};
inline constexpr OptionRow kIo{"--io", kWords, "auto", "auto|direct|buffered",
                               "around the page cache or through it; auto: direct where it works"};
inline constexpr OptionRow kIoEngine{"--io-engine", kWords, "auto", "auto|uring|threads",
                                     "auto: io_uring where it works"};
inline constexpr OptionRow kClock{"--clock", kWords, "real", "real|virtual",
                                  "virtual simulates, on --storage=null or model:FILE"};
inline constexpr OptionRow kThreads{"--threads", kCount, "one a core", "1 to 1024",
                                    "reactor threads; the virtual clock runs on one"};
inline constexpr OptionRow kSeed{"--seed", kCount, "1", "0 to 18446744073709551615",
                                 "of all that is drawn at random: order, content, models"};
inline constexpr OptionRow kJson{"--json", kFile, "", "",
                                 "write the result as JSON to a file, or - for standard output"};

inline constexpr OptionRow kCsv{"--csv", kFile, "", "",
                                "write the figures as CSV to a file, or - for standard output"};
inline constexpr OptionRow kExplain{"--explain", kFlag, "", "",
                                    "with all formulas and sources of a plan"};

}  // namespace feedrate::rows
