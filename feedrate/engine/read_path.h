// Reads the bytes of a piece of work from storage. Files that are samples are opened, read and
// closed; others stay open in the reactor's cache. Large pieces come in several transfers, which
// the native client has in flight at once. There is one per loader, on its reactor's thread.
#pragma once

#include <string>
#include <vector>

#include "feedrate/engine/loader_context.h"
#include "feedrate/engine/processing.h"
#include "feedrate/engine/work_source.h"

namespace feedrate {

std::uint64_t total_length(const std::vector<Extent>& extents);

class ReadPath {
 public:
  ReadPath(LoaderContext& context, Processing& processing)
      : context_(context), processing_(processing) {}

  // Reads all of a piece of work with what the job reads beside it, and processes the bytes.
  Task<Result<>> read_item(WorkItem item, StallTrace& trace);
  // Reads the metadata of a file once after it was opened, and the file beside it.
  Task<Result<>> read_metadata(FileCache::Entry& entry, StallTrace& trace);
  Task<Result<>> read_whole_file(const std::string& path, std::uint64_t bytes, Sink sink);
  // Reads the extents in order.
  Task<Result<>> read_extents(StorageFile& file, const std::vector<Extent>& reads, Sink sink);
  Task<Result<>> read_piece(StorageFile& file, Extent piece, Sink sink);
  // Lets no further transfer begin; what is in flight goes on.
  void close() { closed_ = true; }

 private:
  struct ParallelRead;

  Reactor& reactor() const { return context_.storage.reactor(); }
  Task<Result<>> read_cached_file(WorkItem item, FileCache::Entry& entry, StallTrace& trace);
  Task<Result<>> read_own_file(WorkItem item, StallTrace& trace);
  Task<Result<>> read_own_bytes(WorkItem item, Sink sink, const FileIndex* index);
  Task<Result<>> read_opened_file(StorageFile& file, const FileIndex& index, Sink sink);
  Task<Result<>> read_side_file(std::uint64_t file, StallTrace& trace);
  Task<Result<>> read_whole(StorageFile& file, std::uint64_t bytes, Sink sink);
  Task<> read_lane(ParallelRead& shared, StorageFile& file, StallTrace& trace);
  Result<> account(const std::string& path, const ReadOutcome& outcome, Instant begin,
                   std::uint64_t offset, const Sink& sink);
  Instant first_byte(const ReadOutcome& outcome, Instant now) const;
  void count_located(const WorkItem& item, const FileIndex* index);

  LoaderContext& context_;
  Processing& processing_;
  bool closed_ = false;
};

}  // namespace feedrate
