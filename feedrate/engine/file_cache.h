// Open files of one reactor, shared by its loaders: files with many samples stay open while they
// are in use, and some longer.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>

#include "feedrate/dataset/dataset.h"
#include "feedrate/runtime/sync.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

class FileCache {
 public:
  struct Entry {
    std::uint64_t number = 0;
    FileHandle file;
    std::shared_ptr<const FileIndex> index;
    std::unique_ptr<Verifier> verifier;  // when the run verifies
    std::uint32_t users = 0;
    bool opening = true;
    bool fresh = true;  // its metadata and side file are still to be read, by whoever clears this
    std::list<Entry*>::iterator idle_position;
  };
  using OpenObserver = std::function<void(Duration)>;

  FileCache(Storage& storage, const Dataset& dataset, bool verify, std::size_t idle_limit,
            OpenObserver on_open);
  FileCache(const FileCache&) = delete;
  ~FileCache();

  // The open file, opened now if need be. Each success must be paired with release().
  Task<Result<Entry*>> acquire(std::uint64_t number);
  void release(Entry& entry);
  // Closes all files; nobody may use any.
  Task<> close_all();

 private:
  Task<> close_entry(std::unique_ptr<Entry> entry);

  Storage& storage_;
  const Dataset& dataset_;
  bool verify_;
  std::size_t idle_limit_;
  OpenObserver on_open_;
  Event opened_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Entry>> entries_;
  std::list<Entry*> idle_;  // least recently used first
};

}  // namespace feedrate
