// The tables of the options that train and find have in common.
#include "feedrate/options/option_rows.h"
#include "feedrate/request/run_options.h"

namespace feedrate {

void RunOptions::declare(OptionTable& table, const LoaderDefaults& usual) {
  table_ = &table;
  workload.declare(table, rows::kWorkloadName);
  declare_job(table);
  declare_loader(table, usual);
  declare_system(table);
}

void RunOptions::declare_job(OptionTable& table) {
  using enum OptionType;
  constexpr std::string_view kOwn = "--data=DIR";
  table.add("",
            {{{"[directory]", kDirectory, "", "", "a data set that feedrate wrote"}, directory}});
  table.add("What is read",
            {{rows::kData, data},
             {{"--format", kText, "recognised", "NAME",
               "format of your own files, of 'feedrate workloads --formats'", kOwn},
              format},
             {{"--labels", kFile, "", "",
               "a folder with a label file for each sample, or one file for all", kOwn},
              labels},
             {{"--index-dir", kDirectory, "the folder itself", "",
               "where the index of your own files is kept", kOwn},
              index_directory},
             {{"--order", kWords, "the workload's", "sequential|random",
               "files from front to back, or sample by sample"},
              order}});
  table.add("The job",
            {{rows::kAcceleratorType, accelerator},
             {rows::kTiming, timing},
             {rows::kBatch, batch},
             {rows::kStepTime, compute_time},
             {rows::kTensorParallel.usually("1"), tensor_parallel},
             {rows::kPipelineParallel.usually("1"), pipeline_parallel},
             {{"--micro-batches", kCount, "1", "1 to the batch",
               "parts of a replica's batch that go through its stages one after the other; a step "
               "begins with the first"},
              micro_batches},
             {{"--slow-rank", kText, "", "RANK=FACTOR",
               "a straggler: the steps of this accelerator take so many times as long"},
              slow_ranks}});
}

void RunOptions::declare_loader(OptionTable& table, const LoaderDefaults& usual) {
  using enum OptionType;
  table.add(
      "The loader",
      {{{"--client", kWords, "native", "native|faithful", "deep queues, or the framework's habits"},
        client},
       {{"--readers", kCount, usual.readers, "0 to 4096",
         "samples that each accelerator's loader reads at once; 0, with the faithful client: the "
         "training process reads by itself, and computes on nothing meanwhile"},
        readers},
       {{"--prefetch", kCount, usual.prefetch, "1 to 1024",
         "batches (or micro-batches) that the loader may run ahead"},
        prefetch},
       {rows::kTransfer.usually(usual.transfer), transfer},
       {{"--shuffle-buffer", kCount, "the workload's", "0 to 1099511627776",
         "samples that are held back for shuffling, in sequential order"},
        shuffle_buffer},
       {{"--hold", kFlag, "", "", "keep whole batches in memory as a real job does"}, hold},
       {{"--verify", kFlag, "", "", "check every byte that was read; short for --decode=verify"},
        verify},
       {{"--decode", kWords, "raw", "raw|verify|decode",
         "count the bytes, check them, or decode them as a job would (JPEG, inflate, ...); what "
         "that costs in CPU time is in the result"},
        decode},
       {{"--decode-time", kDuration, "", "",
         "null and described storage: what decoding a sample would take, e.g. 2ms"},
        decode_time}});
}

void RunOptions::declare_system(OptionTable& table) {
  using enum OptionType;
  table.add("Storage and host",
            {{rows::kStorage, storage},
             {rows::kIo, io},
             {{"--cache", kWords, "drop", "drop|keep|measure",
               "buffered I/O: drop the data set from the page cache before the run, and again once "
               "it is read; keep it there; or measure the page cache itself"},
              cache},
             {rows::kIoEngine, io_engine},
             {rows::kClock, clock},
             {rows::kThreads, threads},
             {{"--buffer-memory", kBytes, "256MiB, 16MiB for the page cache", "1MiB to 1GiB",
               "I/O buffers of each reactor"},
              buffer_memory}});
  table.add("Output", {{rows::kSeed, seed}, {rows::kJson, json}});
}

}  // namespace feedrate
