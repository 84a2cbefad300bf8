#include "feedrate/storage/place.h"

#include <gtest/gtest.h>

namespace feedrate {
namespace {

TEST(Place, ASchemeStandsBeforeTwoSlashes) {
  EXPECT_EQ(scheme_of("s3://bucket/x"), "s3");
  EXPECT_EQ(scheme_of("abfs+tls://a@b/c"), "abfs+tls");
  for (const auto* word : {"", "data", "/data", "./s3://x", "s3:/x", "dlio:FILE", "://x", "a/b://c",
                           "9p://x", "model:nas.yaml", "key=s3://x"})
    EXPECT_EQ(scheme_of(word), "") << word;
}

TEST(Place, ASchemeThatNoBackendKnowsIsAnError) {
  EXPECT_TRUE(check_place("/data", "directory"));
  EXPECT_EQ(check_place("s3://bucket/x", "--data").error().render(),
            "error: --data: no storage is called 's3://' (\"s3://bucket/x\"); known are paths of "
            "this host\nhint:  mount it and name the folder; a local folder of this name is "
            "\"./s3://bucket/x\"\n");
}

}  // namespace
}  // namespace feedrate
