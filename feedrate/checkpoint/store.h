// The directory that checkpoints lie in, and how one comes and goes so that a crash at any moment
// leaves whole ones only:
//
//   DIR/feedrate-checkpoints.json          the directory is ours
//   DIR/step-0000000100.part/...           being written, or on its way out: does not exist
//   DIR/step-0000000100/checkpoint.json    whole
//
// Files are written and synced below .part, then the manifest, then every directory is synced, then
// one rename publishes it. Removing goes the other way: the rename to .part comes first. Where the
// storage moves no directory whole, there is no .part, and the manifest decides: it is written
// last, removed first, and a step without one does not exist. All functions run on the storage's
// reactor.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/checkpoint/layout.h"
#include "feedrate/checkpoint/manifest.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

class CheckpointStore {
 public:
  CheckpointStore(Storage& storage, std::string directory)
      : storage_(storage), directory_(std::move(directory)) {}
  Storage& storage() { return storage_; }
  const std::string& directory() const { return directory_; }

  // Makes the directory, or takes one that is ours; kUsage for one with other files in it. Removes
  // what an interrupted writer left.
  Task<Result<>> prepare();
  // kNotFound where there is no directory of ours.
  Task<Result<>> require();
  // Steps that are published, ascending.
  Task<Result<std::vector<std::uint64_t>>> steps();

  // Directories and shared files, so that all ranks can write.
  Task<Result<>> begin(std::uint64_t step, const std::vector<RankFiles>& ranks);
  // Nothing where the storage has no directories.
  Task<Result<>> make_folder(const std::string& path);
  std::string writing_path(std::uint64_t step, const std::string& path) const;
  std::string path(std::uint64_t step, const std::string& path) const;
  // All data of the step are durable. Small files and the manifest are written, then it is whole.
  Task<Result<>> publish(const CheckpointManifest& manifest, const std::vector<WholeFile>& files);
  Task<Result<CheckpointManifest>> manifest(std::uint64_t step);
  // Puts another manifest in the place of a published one's, when all that it names is durable.
  Task<Result<>> replace(const CheckpointManifest& manifest);
  // Of all that are published and not damaged: what each builds upon.
  using Parents = std::map<std::uint64_t, std::optional<std::uint64_t>>;
  Task<Result<Parents>> parents();
  // Removes all but the newest `keep` and what those build upon; returns which.
  Task<Result<std::vector<std::uint64_t>>> prune(std::uint64_t keep, const Parents& parents);
  // A published one, or one that was being written.
  Task<Result<>> remove(std::uint64_t step);
  Task<Result<>> abandon(std::uint64_t step);

 private:
  Task<Result<>> write_text(const std::string& path, const std::string& text);
  Task<Result<std::string>> read_text(const std::string& path);
  bool moves() const { return storage_.facts().atomic_rename; }
  // A step that is published, or of which an interrupted writer left something.
  Task<bool> has_manifest(std::uint64_t step);
  Task<Result<>> sync_folder(const std::string& path);  // nothing where there are none
  Task<Result<>> remove_tree(const std::string& path);
  Task<Result<>> sync_tree(const std::string& path);

  // The one block that a text goes through. Texts are few and small beside the data, whose own
  // buffers need not be there yet.
  BufferPool text_pool() const;

  Storage& storage_;
  std::string directory_;
};

}  // namespace feedrate
