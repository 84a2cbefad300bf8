// The directory that checkpoints lie in. They are added and removed in such an order that a crash
// at any moment leaves only whole ones:
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

  // Makes the directory, or takes one that is ours, claims it for as long as the result lives, and
  // removes what an interrupted writer left. Fails with kUsage for a directory with other files in
  // it, and with kEnvironment while another writes there.
  Task<Result<DirectoryClaim>> prepare();
  // Claims a directory of ours, as one who writes there must.
  Task<Result<DirectoryClaim>> claim();
  // Fails with kNotFound where there is no directory of ours.
  Task<Result<>> require();
  // Returns the steps that are published, ascending.
  Task<Result<std::vector<std::uint64_t>>> steps();

  // Fails with kNoSpace where a new one does not fit beside the older ones, which are kept until it
  // is whole.
  Task<Result<>> check_room(std::uint64_t needed);
  // Makes the directories and the shared files, so that all ranks can write.
  Task<Result<>> begin(std::uint64_t step, const std::vector<RankFiles>& ranks);
  // Makes a folder; does nothing where the storage has no directories.
  Task<Result<>> make_folder(const std::string& path);
  std::string writing_path(std::uint64_t step, const std::string& path) const;
  std::string path(std::uint64_t step, const std::string& path) const;
  // To be called when all data of the step are durable: writes the small files and the manifest,
  // after which the checkpoint is whole.
  Task<Result<>> publish(const CheckpointManifest& manifest, const std::vector<WholeFile>& files);
  Task<Result<CheckpointManifest>> manifest(std::uint64_t step);
  // Replaces the manifest of a published checkpoint. All that the new one names must be durable.
  Task<Result<>> replace(const CheckpointManifest& manifest);
  // Maps each step that is published and not damaged to the step that it builds upon.
  using Parents = std::map<std::uint64_t, std::optional<std::uint64_t>>;
  Task<Result<Parents>> parents();
  // Removes all but the newest `keep` and what those build upon. Nothing goes that is older than a
  // needed step which `parents` lacks. Returns the steps that were removed.
  Task<Result<std::vector<std::uint64_t>>> prune(std::uint64_t keep, const Parents& parents);
  // remove() takes a published step, abandon() one that was being written.
  Task<Result<>> remove(std::uint64_t step);
  Task<Result<>> abandon(std::uint64_t step);

 private:
  // Returns whether the marker is there. Fails with kUsage where the directory is somebody else's.
  Result<bool> is_ours(const std::vector<DirectoryEntry>& entries) const;
  Task<Result<>> write_marker();
  Task<Result<>> remove_left_overs(const std::vector<DirectoryEntry>& entries);
  Task<Result<>> write_text(const std::string& path, const std::string& text);
  Task<Result<std::string>> read_text(const std::string& path);
  bool moves() const { return storage_.facts().atomic_rename; }
  // Returns whether the step has a manifest: one without it is what an interrupted writer left.
  Task<bool> has_manifest(std::uint64_t step);
  // Does nothing where there are no directories.
  Task<Result<>> sync_folder(const std::string& path);
  Task<Result<>> remove_tree(const std::string& path);
  Task<Result<>> sync_tree(const std::string& path);

  // Makes the one buffer that a text goes through. Texts are few and small beside the data, whose
  // own buffers need not exist yet.
  BufferPool text_pool() const;

  Storage& storage_;
  std::string directory_;
};

}  // namespace feedrate
