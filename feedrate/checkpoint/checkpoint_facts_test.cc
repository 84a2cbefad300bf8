// Tests checkpoints on a storage that has no directories and renames nothing, like an object store:
// names are just names, and what is written exists once it is closed.
#include "feedrate/checkpoint/checkpoint_testing.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

// Keeps files in the temporary directory. Calls that its facts rule out fail, so that a checkpoint
// that makes such a call fails, too.
class PlainNames final : public ForwardingStorage {
 public:
  PlainNames(std::unique_ptr<Storage> real, bool append)
      : ForwardingStorage{facts_of(*real, append), std::move(real)} {}

  Task<Result<FileHandle>> open(const std::string& path, OpenMode mode) override {
    if (mode == OpenMode::kCreate) fs::create_directories(fs::path(path).parent_path());
    return real().open(path, mode);
  }
  Task<Result<std::vector<DirectoryEntry>>> list(const std::string& path) override {
    if (!fs::exists(path)) co_return std::vector<DirectoryEntry>{};
    co_return co_await real().list(path);
  }
  Task<Result<>> remove(const std::string& path) override {
    Result<> removed = co_await real().remove(path);
    std::error_code not_there;
    for (fs::path folder = fs::path(path).parent_path(); fs::is_empty(folder, not_there);
         folder = folder.parent_path())
      fs::remove(folder);
    co_return removed;
  }
  Task<Result<>> rename(const std::string& from, const std::string&) override {
    co_return unsupported("rename", from);
  }
  Task<Result<>> sync_directory(const std::string& path) override {
    co_return unsupported("sync directory", path);
  }
  Task<Result<>> make_directories(const std::string& path) override {
    co_return unsupported("make directory", path);
  }
  Task<Result<DirectoryClaim>> claim(const std::string& directory) override {
    fs::create_directories(directory);
    co_return co_await real().claim(directory);
  }

 private:
  static StorageFacts facts_of(const Storage& real, bool append) {
    StorageFacts facts = real.facts();
    facts.directories = facts.atomic_rename = false;
    facts.append = append;
    return facts;
  }
  static std::unexpected<Error> unsupported(std::string_view call, const std::string& path) {
    return fail(Error::storage(ErrorKind::kUnsupported, call, path, 0, 0, "there is no such call"));
  }
};

class CheckpointFacts : public CheckpointFiles {
 protected:
  StorageFactory storage() override {
    return [this, real = CheckpointFiles::storage()](Reactor& reactor) {
      return std::make_unique<PlainNames>(real(reactor), append_);
    };
  }
  bool append_ = true;
};

TEST_P(CheckpointFacts, TheManifestMakesAStepWholeWhereNothingIsMoved) {
  job_.count = 3;
  ASSERT_TRUE(write());
  for (const auto& entry : fs::recursive_directory_iterator(job_.directory))
    EXPECT_NE(entry.path().extension(), ".part") << entry.path();
  auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->manifest.step, 3U);
  EXPECT_TRUE(restored->skipped.empty());
  // An interrupted writer has left all but the manifest: the step does not exist.
  fs::remove(folder(3) + "/checkpoint.json");
  restored = restore();
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->manifest.step, 2U);
  EXPECT_TRUE(restored->skipped.empty());
  // The next writer removes that and uses its number again.
  job_.count = 1;
  job_.keep = 2;
  fs::path left = some_file(3) + ".left";
  std::ofstream(left) << "x";
  const auto written = write();
  ASSERT_TRUE(written) << written.error().message();
  EXPECT_EQ(written->written[0].step, 3U);
  EXPECT_FALSE(fs::exists(left));
  EXPECT_FALSE(fs::exists(folder(1)));  // --keep
  EXPECT_TRUE(fs::exists(folder(2)));
  restored = restore();
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->manifest.step, 3U);
}

TEST_P(CheckpointFacts, FilesThatRanksShareNeedPartsThatArePutTogether) {
  append_ = false;
  const auto written = write();
  EXPECT_EQ(written.has_value(), GetParam() != "shared");
  if (written) return;
  EXPECT_EQ(written.error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(
      written.error().message(),
      "--layout: the ranks of 'shared' write into one file, and posix storage takes a file as "
      "a whole only");
  EXPECT_EQ(written.error().hint(), "use another layout, such as safetensors");
}

INSTANTIATE_TEST_SUITE_P(Layouts, CheckpointFacts,
                         testing::Values("raw", "shared", "safetensors", "dcp"), layout_of);

}  // namespace
}  // namespace feedrate
