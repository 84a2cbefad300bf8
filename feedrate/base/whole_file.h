// Reads and writes a small file whole or not at all.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace feedrate {

// Writes and syncs a new file beside `path`, then gives it that name, so that a reader finds the
// older file or the new one. The new file is made exclusively under a name that nobody can foresee,
// so no link that another user left there is followed; a link called `path` is replaced and not
// written through. It has the owner and the permissions of the older file. Returns 0 or errno; the
// older file is then as it was. May be called on any thread.
int write_whole_file(const std::string& path, std::string_view bytes);

// Reads a regular file. Fails with errno; with EINVAL for what is none (a pipe would be waited for,
// a device may have no end) and with EFBIG for one of more than `bytes_max`. May be called on any
// thread.
std::expected<std::string, int> read_whole_file(const std::string& path, std::uint64_t bytes_max);

}  // namespace feedrate
