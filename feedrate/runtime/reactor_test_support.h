// Helpers for tests: one of each kind of reactor, and a temporary directory.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "feedrate/runtime/reactor.h"

namespace feedrate {

enum class ReactorKind : std::uint8_t { kVirtual, kUring, kThreads };

inline std::string reactor_name(ReactorKind kind) {
  switch (kind) {
    case ReactorKind::kVirtual:
      return "virtual";
    case ReactorKind::kUring:
      return "uring";
    case ReactorKind::kThreads:
      return "threads";
  }
  return "unknown";
}

inline Result<std::unique_ptr<Reactor>> make_reactor(ReactorKind kind, OffloadPool& pool) {
  RealReactorOptions options;
  options.pool = &pool;
  if (kind == ReactorKind::kVirtual) return make_virtual_reactor();
  if (kind == ReactorKind::kThreads) return make_thread_reactor(options);
  return make_uring_reactor(options);
}

// A test that runs once on each kind of reactor. It is skipped, with the reason, where there is no
// io_uring.
class EveryReactor : public testing::TestWithParam<ReactorKind> {
 protected:
  void SetUp() override {
    auto made = make_reactor(GetParam(), pool_);
    if (!made) GTEST_SKIP() << made.error().message();
    owned_ = std::move(*made);
  }
  Reactor& reactor() { return *owned_; }
  bool is_virtual() const { return GetParam() == ReactorKind::kVirtual; }
  void run(Task<> task) {
    reactor().spawn(std::move(task));
    reactor().run();
  }

 private:
  OffloadPool pool_{4};
  std::unique_ptr<Reactor> owned_;
};

inline auto every_reactor() {
  return testing::Values(ReactorKind::kVirtual, ReactorKind::kUring, ReactorKind::kThreads);
}
inline std::string name_of_param(const testing::TestParamInfo<ReactorKind>& info) {
  return reactor_name(info.param);
}

class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string pattern = parent / "feedrate_test_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

 private:
  std::string path_;
};

}  // namespace feedrate
