// A temporary directory for tests, to be filled like /proc or /sys.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "feedrate/host/proc_files.h"

namespace feedrate {

class FakeTree {
 public:
  FakeTree() {
    std::string name = testing::TempDir() + "feedrate_host_XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = std::filesystem::canonical(name).string();
  }
  FakeTree(const FakeTree&) = delete;
  FakeTree& operator=(const FakeTree&) = delete;
  ~FakeTree() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string path(const std::string& name = "") const {
    return name.empty() ? folder_ : folder_ + "/" + name;
  }
  HostRoots roots() const { return {path("proc"), path("sys")}; }
  // Writes a file, and makes the folders above it.
  std::string write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name)) << text;
    return path(name);
  }
  // Makes a link at `name` to `target`, both in the tree.
  void link(const std::string& name, const std::string& target) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::filesystem::create_symlink(path(target), path(name));
  }

 private:
  std::string folder_;
};

}  // namespace feedrate
