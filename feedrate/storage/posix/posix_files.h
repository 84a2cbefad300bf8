// Blocking file-system calls of the posix backend, for worker threads. Private to storage/.
#pragma once

#include <string>
#include <vector>

#include "feedrate/storage/storage.h"

namespace feedrate {

Result<std::vector<DirectoryEntry>> list_directory(const std::string& path);
Result<FileStatus> stat_file(const std::string& path);
Result<std::uint64_t> free_space(
    const std::string& path);  // The bytes free for unprivileged users; UINT64_MAX when unknown.

}  // namespace feedrate
