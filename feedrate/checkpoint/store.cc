#include "feedrate/checkpoint/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <set>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr std::string_view kPart = ".part";
constexpr std::string_view kStep = "step-";
// The manifest of 1,024 ranks has a few megabytes, so a larger file is damaged. The limit keeps it
// from taking all memory.
constexpr std::uint64_t kManifestBytesMax = std::uint64_t{1} << 30U;
constexpr std::size_t kTextBlock = std::size_t{1} << 20U;

// Returns the step of "step-0000000100" or "step-0000000100.part", whose tail must be `tail`.
std::optional<std::uint64_t> step_of(std::string_view name, std::string_view tail) {
  if (!name.starts_with(kStep) || !name.ends_with(tail)) return std::nullopt;
  name.remove_prefix(kStep.size());
  name.remove_suffix(tail.size());
  std::uint64_t step = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (code != std::errc{} || end != name.data() + name.size() || name.size() < 10)
    return std::nullopt;
  return step;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

std::string CheckpointStore::writing_path(std::uint64_t step, const std::string& path) const {
  return fmt::format("{}/{}{}/{}", directory_, step_folder(step), moves() ? kPart : "", path);
}
std::string CheckpointStore::path(std::uint64_t step, const std::string& path) const {
  return fmt::format("{}/{}/{}", directory_, step_folder(step), path);
}

Task<Result<>> CheckpointStore::require() {
  const std::string marker = fmt::format("{}/{}", directory_, kCheckpointsMarker);
  const Result<FileStatus> status = co_await storage_.stat(marker);
  if (!status && status.error().kind() == ErrorKind::kNotFound)
    co_return fail(ErrorKind::kNotFound,
                   fmt::format("{} holds no checkpoints of ours: there is no {}",
                               quote_path(directory_), kCheckpointsMarker),
                   "name the directory that 'feedrate checkpoint' wrote to");
  if (!status) co_return fail(status.error());
  co_return Result<>{};
}

Task<bool> CheckpointStore::has_manifest(std::uint64_t step) {
  const std::string manifest = path(step, std::string(kCheckpointManifest));
  const Result<FileStatus> status = co_await storage_.stat(manifest);
  co_return status || status.error().kind() != ErrorKind::kNotFound;
}

Task<Result<>> CheckpointStore::make_folder(const std::string& path) {
  if (!storage_.facts().directories) co_return Result<>{};
  co_return co_await storage_.make_directories(path);
}

Task<Result<>> CheckpointStore::sync_folder(const std::string& path) {
  if (!storage_.facts().directories) co_return Result<>{};
  co_return co_await storage_.sync_directory(path);
}

Result<bool> CheckpointStore::is_ours(const std::vector<DirectoryEntry>& entries) const {
  const std::string marker = std::string(kCheckpointsMarker);
  if (std::ranges::find(entries, marker, &DirectoryEntry::name) != entries.end()) return true;
  // A directory without the marker might be anybody's, so it must be empty, but for the lost+found
  // of a file system's root, for the lock, and for a marker that was not finished.
  for (const DirectoryEntry& entry : entries)
    if (entry.name != "lost+found" && entry.name != kLockName &&
        entry.name != marker + std::string(kPart))
      return fail(ErrorKind::kUsage,
                  fmt::format("{} is not empty and has no {} of ours, so nothing is written "
                              "there",
                              quote_path(directory_), kCheckpointsMarker),
                  "choose a new directory");
  return false;
}

Task<Result<DirectoryClaim>> CheckpointStore::claim() { return storage_.claim(directory_); }

Task<Result<DirectoryClaim>> CheckpointStore::prepare() {
  Result<> done = co_await make_folder(directory_);
  if (!done) co_return fail(done.error());
  auto entries = co_await storage_.list(directory_);
  if (!entries) co_return fail(entries.error());
  // Not even a lock is put into a directory that is somebody else's.
  Result<bool> ours = is_ours(*entries);
  if (!ours) co_return fail(ours.error());
  Result<DirectoryClaim> claimed = co_await claim();
  if (!claimed) co_return claimed;
  // Until the claim was there, another writer may have worked here.
  entries = co_await storage_.list(directory_);
  if (!entries) co_return fail(entries.error());
  ours = is_ours(*entries);
  if (!ours) co_return fail(ours.error());
  if (*ours)
    done = co_await remove_left_overs(*entries);
  else
    done = co_await write_marker();
  if (!done) co_return fail(done.error());
  co_return claimed;
}

Task<Result<>> CheckpointStore::write_marker() {
  const std::string path = fmt::format("{}/{}", directory_, kCheckpointsMarker);
  const std::string text = "{\"feedrate_checkpoints\": 1}\n";
  const Result<> done = co_await write_text(path, text);
  if (!done) co_return done;
  co_return co_await sync_folder(directory_);
}

Task<Result<>> CheckpointStore::remove_left_overs(const std::vector<DirectoryEntry>& entries) {
  for (const DirectoryEntry& entry : entries) {
    bool left_over = step_of(entry.name, kPart).has_value();
    const std::optional<std::uint64_t> step = step_of(entry.name, "");
    if (step && !moves()) {
      const bool published = co_await has_manifest(*step);
      left_over = !published;
    }
    if (!left_over) continue;
    const std::string path = fmt::format("{}/{}", directory_, entry.name);
    Result<> done;
    // A link goes by itself, and what it leads to stays.
    if (entry.kind == EntryKind::kDirectory)
      done = co_await remove_tree(path);
    else
      done = co_await storage_.remove(path);
    if (!done) co_return done;
  }
  co_return Result<>{};
}

Task<Result<std::vector<std::uint64_t>>> CheckpointStore::steps() {
  const auto entries = co_await storage_.list(directory_);
  if (!entries) co_return fail(entries.error());
  std::vector<std::uint64_t> found;
  for (const DirectoryEntry& entry : *entries) {
    const auto step = step_of(entry.name, "");
    if (!step) continue;
    bool published = moves();
    if (!published) published = co_await has_manifest(*step);
    if (published) found.push_back(*step);
  }
  std::ranges::sort(found);
  co_return found;
}

Task<Result<>> CheckpointStore::begin(std::uint64_t step, const std::vector<RankFiles>& ranks) {
  std::set<std::string> folders, shared;
  const std::string any = writing_path(step, "x");
  folders.insert(parent_of(any));
  for (const RankFiles& rank : ranks)
    for (const FilePlan& file : rank.files) {
      const std::string path = writing_path(step, file.path);
      folders.insert(parent_of(path));
      if (file.shared) shared.insert(path);
    }
  for (const std::string& folder : folders) {
    const Result<> made = co_await make_folder(folder);
    if (!made) co_return made;
  }
  // A shared file is created once here, because ranks that created it would empty it for each
  // other.
  for (const std::string& path : shared) {
    Result<FileHandle> file = co_await storage_.open(path, OpenMode::kCreate);
    if (!file) co_return fail(file.error());
    const Result<> closed = co_await storage_.close(std::move(*file));
    if (!closed) co_return closed;
  }
  co_return Result<>{};
}

Task<Result<>> CheckpointStore::check_room(std::uint64_t needed) {
  const auto free = co_await storage_.free_bytes(directory_);
  if (!free) co_return fail(free.error());
  if (needed <= *free) co_return Result<>{};
  co_return fail(ErrorKind::kNoSpace,
                 fmt::format("a checkpoint takes {}, {} has {} free", format_bytes(needed),
                             quote_path(directory_), format_bytes(*free)),
                 "use fewer ranks (--subset), a smaller --scale, --keep fewer, or another file "
                 "system");
}

Task<Result<>> CheckpointStore::publish(const CheckpointManifest& manifest,
                                        const std::vector<WholeFile>& files) {
  Result<> done;
  for (const WholeFile& file : files) {
    const std::string path = writing_path(manifest.step, file.path);
    done = co_await write_text(path, file.bytes);
    if (!done) co_return done;
  }
  const std::string path = writing_path(manifest.step, std::string(kCheckpointManifest));
  const std::string text = checkpoint_to_json(manifest);
  done = co_await write_text(path, text);
  if (!done || !moves()) co_return done;
  const std::string folder = parent_of(path);
  done = co_await sync_tree(folder);
  if (!done) co_return done;
  const std::string final_folder = fmt::format("{}/{}", directory_, step_folder(manifest.step));
  done = co_await storage_.rename(folder, final_folder);
  if (!done) co_return done;
  co_return co_await sync_folder(directory_);
}

Task<Result<CheckpointManifest>> CheckpointStore::manifest(std::uint64_t step) {
  const std::string file = path(step, std::string(kCheckpointManifest));
  const Result<std::string> text = co_await read_text(file);
  if (!text) co_return fail(text.error());
  Result<CheckpointManifest> manifest = checkpoint_from_json(*text, file);
  if (manifest && manifest->step != step)
    co_return fail(ErrorKind::kCorrupt,
                   fmt::format("{}: it is of step {}", quote_path(file), manifest->step));
  co_return manifest;
}

Task<Result<>> CheckpointStore::replace(const CheckpointManifest& manifest) {
  const std::string file = path(manifest.step, std::string(kCheckpointManifest));
  const std::string folder = parent_of(file);
  Result<> done = co_await sync_tree(folder);
  if (!done) co_return done;
  const std::string text = checkpoint_to_json(manifest);
  done = co_await write_text(file, text);
  if (!done) co_return done;
  co_return co_await sync_folder(folder);
}

Task<Result<CheckpointStore::Parents>> CheckpointStore::parents() {
  const auto published = co_await steps();
  if (!published) co_return fail(published.error());
  Parents found;
  for (const std::uint64_t step : *published) {
    const Result<CheckpointManifest> one = co_await manifest(step);
    if (one) found[step] = one->parent;
  }
  co_return found;
}

Task<Result<std::vector<std::uint64_t>>> CheckpointStore::prune(std::uint64_t keep,
                                                                const Parents& parents) {
  const auto published = co_await steps();
  if (!published) co_return fail(published.error());
  // What a kept one builds upon is needed as well, however old it is. Where that cannot be read,
  // everything older may be what it builds upon.
  std::set<std::uint64_t> needed;
  std::uint64_t unknown_below = 0;
  const std::size_t first = published->size() - std::min<std::size_t>(keep, published->size());
  for (std::size_t index = first; index < published->size(); ++index)
    for (std::optional<std::uint64_t> step = (*published)[index];
         step && !needed.contains(*step);) {
      needed.insert(*step);
      const auto found = parents.find(*step);
      if (found == parents.end()) unknown_below = std::max(unknown_below, *step);
      step = found == parents.end() ? std::nullopt : found->second;
    }
  std::vector<std::uint64_t> removed;
  for (const std::uint64_t step : *published) {
    if (needed.contains(step) || step < unknown_below) continue;
    const Result<> done = co_await remove(step);
    if (!done) co_return fail(done.error());
    removed.push_back(step);
  }
  co_return removed;
}

Task<Result<>> CheckpointStore::remove(std::uint64_t step) {
  const std::string folder = fmt::format("{}/{}", directory_, step_folder(step));
  if (!moves()) {
    const std::string manifest = path(step, std::string(kCheckpointManifest));
    // Without its manifest the step does not exist, whatever is left of it after a crash.
    const Result<> hidden = co_await storage_.remove(manifest);
    if (!hidden) co_return hidden;
    co_return co_await remove_tree(folder);
  }
  const std::string leaving = folder + std::string(kPart);
  Result<> done = co_await storage_.rename(folder, leaving);
  if (!done) co_return done;
  done = co_await sync_folder(directory_);
  if (!done) co_return done;
  // A step that a user has moved elsewhere is a link here: the link goes, and its target stays.
  // This fails for a directory with anything in it.
  const Result<> gone = co_await storage_.remove(leaving);
  if (gone) co_return Result<>{};
  co_return co_await remove_tree(leaving);
}

Task<Result<>> CheckpointStore::abandon(std::uint64_t step) {
  const std::string any = writing_path(step, "x");
  const std::string folder = parent_of(any);
  co_return co_await remove_tree(folder);
}

BufferPool CheckpointStore::text_pool() const {
  return BufferPool(
      storage_.reactor(),
      {.block_bytes = kTextBlock + storage_.slack_bytes(), .blocks = 1, .will_carry_data = false});
}

Task<Result<>> CheckpointStore::write_text(const std::string& path, const std::string& text) {
  // Where the storage renames, that comes last, so that a reader finds the old text or the new one,
  // but never a part.
  const std::string temporary = path + std::string(moves() ? kPart : "");
  Result<FileHandle> file = co_await storage_.open(temporary, OpenMode::kCreate);
  if (!file) co_return fail(file.error());
  BufferPool pool = text_pool();
  Buffer buffer = co_await pool.acquire();
  Result<> outcome;
  for (std::size_t at = 0; at < text.size() && outcome; at += kTextBlock) {
    const std::size_t count = std::min(kTextBlock, text.size() - at);
    std::memcpy(buffer.bytes().data(), text.data() + at, count);
    outcome = co_await storage_.write(**file, at, count, buffer);
  }
  if (outcome) outcome = co_await storage_.sync(**file);
  const Result<> closed = co_await storage_.close(std::move(*file));
  if (outcome) outcome = closed;
  if (outcome && moves()) outcome = co_await storage_.rename(temporary, path);
  co_return outcome;
}

Task<Result<std::string>> CheckpointStore::read_text(const std::string& path) {
  const Result<FileStatus> status = co_await storage_.stat(path);
  if (!status) co_return fail(status.error());
  if (status->bytes > kManifestBytesMax)
    co_return fail(ErrorKind::kCorrupt, fmt::format("{}: {} are too many for a manifest",
                                                    quote_path(path), format_bytes(status->bytes)));
  Result<FileHandle> file = co_await storage_.open(path, OpenMode::kRead);
  if (!file) co_return fail(file.error());
  BufferPool pool = text_pool();
  Buffer buffer = co_await pool.acquire();
  std::string text;
  std::optional<Error> error;
  while (text.size() < status->bytes && !error) {
    const std::size_t count = std::min<std::uint64_t>(kTextBlock, status->bytes - text.size());
    const Result<ReadOutcome> read = co_await storage_.read(**file, text.size(), count, buffer);
    if (!read)
      error = read.error();
    else
      text.append(reinterpret_cast<const char*>(read->bytes.data()), read->bytes.size());
  }
  const Result<> closed = co_await storage_.close(std::move(*file));
  if (error) co_return fail(*error);
  if (!closed) co_return fail(closed.error());
  co_return text;
}

Task<Result<>> CheckpointStore::remove_tree(const std::string& path) {
  const auto entries = co_await storage_.list(path);
  if (!entries && entries.error().kind() == ErrorKind::kNotFound) co_return Result<>{};
  if (!entries) co_return fail(entries.error());
  for (const DirectoryEntry& entry : *entries) {
    const std::string child = fmt::format("{}/{}", path, entry.name);
    Result<> done;
    if (entry.kind == EntryKind::kDirectory)
      done = co_await remove_tree(child);
    else
      done = co_await storage_.remove(child);
    if (!done) co_return done;
  }
  if (!storage_.facts().directories) co_return Result<>{};
  co_return co_await storage_.remove(path);
}

Task<Result<>> CheckpointStore::sync_tree(const std::string& path) {
  if (!storage_.facts().directories) co_return Result<>{};
  const auto entries = co_await storage_.list(path);
  if (!entries) co_return fail(entries.error());
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind != EntryKind::kDirectory) continue;
    const std::string child = fmt::format("{}/{}", path, entry.name);
    const Result<> done = co_await sync_tree(child);
    if (!done) co_return done;
  }
  co_return co_await sync_folder(path);
}

}  // namespace feedrate
