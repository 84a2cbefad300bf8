#include "feedrate/base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace feedrate {
namespace {

TEST(Error, RendersMessageAndHint) {
  const Error error(ErrorKind::kUsage, "--block-size: 4097 B is not allowed", "use 4KiB");
  EXPECT_EQ(error.render(), "error: --block-size: 4097 B is not allowed\nhint:  use 4KiB\n");
  EXPECT_EQ(Error(ErrorKind::kIo, "it broke").render(), "error: it broke\n");
}

TEST(Error, ExitCodesTellTheKindsApart) {
  EXPECT_EQ(Error(ErrorKind::kUsage, "x").exit_code(), 2);
  EXPECT_EQ(Error(ErrorKind::kInvalidRun, "x").exit_code(), 4);
  EXPECT_EQ(Error(ErrorKind::kCancelled, "x").exit_code(), 130);
  for (const ErrorKind kind :
       {ErrorKind::kEnvironment, ErrorKind::kNotFound, ErrorKind::kPermission, ErrorKind::kNoSpace,
        ErrorKind::kIo, ErrorKind::kShortRead, ErrorKind::kCorrupt, ErrorKind::kUnsupported})
    EXPECT_EQ(Error(kind, "x").exit_code(), 3) << to_string(kind);
}

TEST(Error, EveryKindHasItsOwnName) {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kInvalidRun); ++kind)
    names.insert(to_string(static_cast<ErrorKind>(kind)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorKind::kInvalidRun) + 1);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(Error, KindFollowsTheSystemError) {
  const std::pair<int, ErrorKind> cases[] = {
      {ENOENT, ErrorKind::kNotFound},     {ENOTDIR, ErrorKind::kNotFound},
      {EACCES, ErrorKind::kPermission},   {EPERM, ErrorKind::kPermission},
      {EROFS, ErrorKind::kPermission},    {ENOSPC, ErrorKind::kNoSpace},
      {EDQUOT, ErrorKind::kNoSpace},      {EMFILE, ErrorKind::kEnvironment},
      {ENFILE, ErrorKind::kEnvironment},  {ENOMEM, ErrorKind::kEnvironment},
      {ENOSYS, ErrorKind::kUnsupported},  {EOPNOTSUPP, ErrorKind::kUnsupported},
      {ECANCELED, ErrorKind::kCancelled}, {EIO, ErrorKind::kIo},
      {EISDIR, ErrorKind::kIo},
  };
  for (const auto& [code, kind] : cases) EXPECT_EQ(Error::kind_of(code), kind) << code;
}

TEST(Error, StorageNamesOperationPathOffsetAndCause) {
  const Error error = Error::storage(ErrorKind::kIo, "read", "a\nb", 4096, EIO);
  EXPECT_EQ(error.message(), R"(read "a\x0ab" at offset 4096: Input/output error)");
  EXPECT_EQ(error.path(), "a\nb");
  EXPECT_EQ(error.offset(), 4096U);
  EXPECT_EQ(error.os_error(), EIO);
  EXPECT_EQ(error.kind(), ErrorKind::kIo);
  EXPECT_EQ(error.hint(), "");
  EXPECT_EQ(Error::storage(ErrorKind::kShortRead, "read", "x", 0, 0, "it ended").message(),
            R"(read "x": it ended)");
  EXPECT_EQ(Error::storage(ErrorKind::kNoSpace, "write", "x", 8, ENOSPC, "block 1").message(),
            R"(write "x" at offset 8: block 1: No space left on device)");
}

TEST(Error, TooManyOpenFilesComesWithTheRemedy) {
  EXPECT_EQ(
      Error::storage(ErrorKind::kEnvironment, "open", "x", 0, EMFILE).render(),
      "error: open \"x\": Too many open files\n"
      "hint:  raise the limit of open files with 'ulimit -n 65536', or use fewer --readers\n");
  EXPECT_EQ(Error::storage(ErrorKind::kEnvironment, "open", "x", 0, ENFILE).hint(),
            "raise the host's limit of open files with 'sysctl -w fs.file-max=1000000'");
}

TEST(Error, ContextAndHintLeaveTheOriginalAlone) {
  const Error original = Error::storage(ErrorKind::kNotFound, "open", "x", 7, ENOENT);
  const Error wrapped = original.with_context("rank 3").with_hint("generate the data first");
  EXPECT_EQ(wrapped.render(),
            "error: rank 3: open \"x\" at offset 7: No such file or directory\n"
            "hint:  generate the data first\n");
  EXPECT_EQ(wrapped.path(), "x");
  EXPECT_EQ(wrapped.offset(), 7U);
  EXPECT_EQ(wrapped.os_error(), ENOENT);
  EXPECT_EQ(wrapped.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(original.hint(), "");
}

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorKind::kUsage, "odd");
  return value / 2;
}
Result<int> quarter(int value) {
  FEEDRATE_TRY(const int first, half(value));
  FEEDRATE_CHECK(half(first));
  return half(first);
}

TEST(Result, TryPassesErrorsOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message(), "odd");
  EXPECT_EQ(quarter(5).error().message(), "odd");
}

TEST(ErrorDeathTest, OurOwnBugsAbortAndSayWhere) {
  EXPECT_DEATH(assertion_failed("a == b", "file.cc", 12),
               "feedrate: internal error: a == b \\(file.cc:12\\)");
}

}  // namespace
}  // namespace feedrate
