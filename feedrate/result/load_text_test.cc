// Tests every sentence that `load` can print.
#include <gtest/gtest.h>

#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

TEST(LoadText, AllThatALoadCanSay) {
  EXPECT_EQ(to_text(full_load()),
            "2 replicas of llama3-8b are ready after 2.0 s, the first after 1.5 s\n"
            "load llama3-8b: a model\n"
            "  loaded           2 replicas of 100 MiB each, from step 3\n"
            "  replica          4 ranks, tensor-parallel\n"
            "  emulated         the model scaled to 25.0 % of its parameters\n"
            "  through          posix (direct), 16 at once a rank in blocks of 8 MiB, 3 threads\n"
            "  first replica    ready after 1.5 s\n"
            "  last replica     ready after 2.0 s\n"
            "  all together     100 MB/s\n"
            "  from storage     50 MiB of the 191 MiB that were read (process counter)\n"
            "  reads            p50 62.00 ms, p99 64.00 ms, max 66.0 ms (61 of them)\n"
            "  checked          every byte, against what was written\n"
            "  left out         step 20: damaged\n"
            "  error: 2 x io: read \"x\" at offset 3: Input/output error\n"
            "  warning: a warning\n"
            "  warning: another\n");
}

TEST(LoadText, OneReplicaIsTheModelItself) {
  LoadResult result = full_load();
  result.replicas = 1;
  result.ready_seconds = {0.25};
  EXPECT_EQ(verdict_of(result), "llama3-8b is ready after 250.00 ms");
  EXPECT_TRUE(has_line(result, "  loaded           1 replica of 100 MiB each, from step 3"));
}

TEST(LoadText, NothingIsSaidOfWhatThereIsNot) {
  LoadResult result = full_load();
  result.tensor = 1;
  result.scale = 1;
  result.ready_seconds.clear();
  result.verified = false;
  result.skipped.clear();
  result.threads = 1;
  const std::string text = to_text(result);
  EXPECT_EQ(text.find("tensor-parallel"), std::string::npos);
  EXPECT_EQ(text.find("emulated"), std::string::npos);
  EXPECT_EQ(text.find("all together"), std::string::npos) << "nothing took time";
  EXPECT_EQ(text.find("left out"), std::string::npos);
  EXPECT_TRUE(has_line(result, "  checked          nothing"));
  EXPECT_NE(text.find("blocks of 8 MiB, 1 thread\n"), std::string::npos);
}

// On the virtual clock nothing comes from storage, so the bytes are not known and are not printed.
TEST(LoadText, WhereNobodyCanTellTheBytesAreNotKnown) {
  LoadResult result = full_load();
  result.storage_bytes.reset();
  result.storage_basis = "no counter";
  EXPECT_TRUE(has_line(result, "  from storage     not known: no counter"));
  result.place.clock = "virtual";
  EXPECT_EQ(to_text(result).find("from storage"), std::string::npos);
}

TEST(LoadText, AnInvalidOneSaysWhy) {
  LoadResult result = full_load();
  result.valid = false;
  result.invalid_reasons = {"a reason"};
  EXPECT_EQ(verdict_of(result), "INVALID: a reason");
}

TEST(LoadJson, EachKeyHasItsFigure) {
  const TestJson json = json_of(full_load())["result"];
  EXPECT_EQ(json["model"], "llama3-8b");
  EXPECT_EQ(json["title"], "a model");
  EXPECT_EQ(json["source"], "step 3");
  EXPECT_EQ(json["replicas"], 2);
  EXPECT_EQ(json["tensor"], 4);
  EXPECT_EQ(json["scale"], 0.25);
  EXPECT_EQ(json["needed_bytes"], 100 << 20);
  EXPECT_EQ(json["read_bytes"], 200000000);
  EXPECT_EQ(json["storage_bytes"], 50 << 20);
  EXPECT_EQ(json["storage_basis"], "process counter");
  EXPECT_EQ(json["ready_seconds"], (TestJson{2.0, 1.5}));
  EXPECT_EQ(json["first_ready_seconds"], 1.5);
  EXPECT_EQ(json["last_ready_seconds"], 2.0);
  EXPECT_EQ(json["bytes_per_second"], 1e8);
  EXPECT_EQ(json["block_bytes"], 8 << 20);
  EXPECT_EQ(json["at_once"], 16);
  EXPECT_EQ(json["threads"], 3);
  EXPECT_EQ(json["verified"], true);
  EXPECT_EQ(json["read_latency"]["count"], 61);
  EXPECT_EQ(json["skipped"], TestJson({"step 20: damaged"}));
}

}  // namespace
}  // namespace feedrate
