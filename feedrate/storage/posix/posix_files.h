// Blocking file-system calls of the posix backend, for worker threads. Private to storage/.
#pragma once

#include <string>
#include <vector>

#include "feedrate/storage/storage.h"

namespace feedrate {

Result<std::vector<DirectoryEntry>> list_directory(const std::string& path);
Result<FileStatus> stat_file(const std::string& path);
Result<> rename_file(const std::string& from, const std::string& to);
Result<> sync_directory_entries(const std::string& path);
Result<std::uint64_t> free_space(
    const std::string& path);  // The bytes free for unprivileged users; UINT64_MAX when unknown.
Result<> remove_file(const std::string& path);
Result<> make_directory_tree(const std::string& path);

}  // namespace feedrate
