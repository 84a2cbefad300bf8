#include "feedrate/checkpoint/data_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

Task<Result<>> collect(Storage& storage, const std::string& directory, const std::string& below,
                       std::vector<FilePlan>& files) {
  const std::string path = below.empty() ? directory : fmt::format("{}/{}", directory, below);
  const auto entries = co_await storage.list(path);
  if (!entries) co_return fail(entries.error());
  for (const DirectoryEntry& entry : *entries) {
    const std::string name = below.empty() ? entry.name : fmt::format("{}/{}", below, entry.name);
    const std::string full = fmt::format("{}/{}", directory, name);
    if (entry.kind == EntryKind::kDirectory) {
      const Result<> done = co_await collect(storage, directory, name, files);
      if (!done) co_return done;
      continue;
    }
    const Result<FileStatus> status = co_await storage.stat(full);
    if (!status) co_return fail(status.error());
    if (status->kind != EntryKind::kFile) continue;
    FilePlan& file = files.emplace_back();
    file.path = fmt::format("files/{}", name);
    file.bytes = file.trailer_offset = status->bytes;
    if (file.bytes > 0)
      file.pieces.push_back({{name, Dtype::kU8, {file.bytes}, {0}, {file.bytes}}, 0});
  }
  co_return Result<>{};
}

}  // namespace

Task<Result<std::vector<RankFiles>>> plan_data_files(Storage& storage, const std::string& directory,
                                                     std::uint64_t ranks) {
  std::vector<FilePlan> files;
  const std::string top;
  const Result<> collected = co_await collect(storage, directory, top, files);
  if (!collected) co_return fail(collected.error());
  if (files.empty())
    co_return fail(ErrorKind::kUsage, fmt::format("{} has no files", quote_path(directory)),
                   "name a model, or a directory with the files of one");
  // The largest come first, because then the ranks end up almost equal; paths decide between equal
  // sizes, so that every run deals alike.
  std::ranges::sort(files, [](const FilePlan& a, const FilePlan& b) {
    return std::tie(b.bytes, a.path) < std::tie(a.bytes, b.path);
  });
  std::vector<RankFiles> dealt(ranks);
  std::vector<std::uint64_t> bytes(ranks, 0);
  for (std::uint64_t rank = 0; rank < ranks; ++rank) dealt[rank].rank = rank;
  for (FilePlan& file : files) {
    const auto least = static_cast<std::size_t>(std::ranges::min_element(bytes) - bytes.begin());
    bytes[least] += file.bytes;
    dealt[least].files.push_back(std::move(file));
  }
  co_return dealt;
}

}  // namespace feedrate
