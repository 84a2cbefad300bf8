// The one way in which files are made, replaced, moved and removed on a mounted file system.
//
// feedrate writes as root beside other users' files, so a name in its directories may be a trap. A
// directory that is written in is claimed first: it is opened once, as the user named it, and
// locked. What lies below is then reached from that open directory, component by component, and a
// symbolic link on the way is an error. A new file is made exclusively; an older file or link of
// that name is removed and never written through. All functions block and may be called on any
// thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "feedrate/storage/storage.h"

namespace feedrate {

// Closes a file descriptor when it goes.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor();
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

class OwnDirectories : public std::enable_shared_from_this<OwnDirectories> {
 public:
  // As Storage::claim().
  Result<DirectoryClaim> claim(const std::string& directory);
  // Both return a descriptor for writing, which the caller closes.
  Result<int> create(const std::string& path, int flags);
  Result<int> open_to_write(const std::string& path, int flags);
  Result<> rename(const std::string& from, const std::string& to);
  Result<> remove(const std::string& path);  // A file, a link itself or an empty directory.
  // Missing parents are made, too. Outside a claimed directory each new name is made durable.
  Result<> make_directories(const std::string& path);
  Result<> sync_directory(const std::string& path);

 private:
  class Claim;
  // Where a path leads: an open directory and the name in it.
  struct Place {
    Descriptor directory;
    std::string name;
  };
  bool is_claimed(const std::string& path);
  // Makes missing directories on the way below a claimed one where `make` is set.
  Result<Descriptor> open_directory(const std::string& path, bool make = false);
  Result<Place> place_of(const std::string& path);

  std::mutex mutex_;
  std::vector<const Claim*> claims_;
};

}  // namespace feedrate
