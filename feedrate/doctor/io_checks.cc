#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "feedrate/base/text.h"
#include "feedrate/doctor/checks.h"

namespace feedrate {
namespace {

constexpr std::size_t kTriedBytes = std::size_t{64} << 10U;  // of a temporary file
constexpr std::size_t kMemoryAlignment = 4096;
constexpr std::uint64_t kOpenFilesWanted = 4096;
constexpr std::uint64_t kOpenFilesNeeded = 256;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

struct Block {
  std::unique_ptr<void, decltype(&std::free)> memory{
      std::aligned_alloc(kMemoryAlignment, kTriedBytes), &std::free};
  void* bytes() const { return memory.get(); }
};

// The trial of direct I/O, and its outcome.
struct DirectTrial {
  std::string file;  // in words: "part-0001", or "a temporary file"
  bool opened = false, reads_512 = false, reads_4096 = false;
  int code = 0;                                              // errno of the call that failed
  std::uint32_t memory_alignment = 0, offset_alignment = 0;  // 0: the kernel does not say
};

void try_reads(int file, DirectTrial& trial) {
  trial.opened = true;
  const Block block;
  trial.reads_512 = pread(file, block.bytes(), 512, 512) >= 0;
  trial.reads_4096 = pread(file, block.bytes(), 4096, 0) >= 0;
  if (!trial.reads_4096) trial.code = errno;
  struct statx status{};
  if (statx(file, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 &&
      (status.stx_mask & STATX_DIOALIGN) != 0) {
    trial.memory_alignment = status.stx_dio_mem_align;
    trial.offset_alignment = status.stx_dio_offset_align;
  }
}

// Returns a nameless file, which is gone when it is closed, whatever happens.
Descriptor temporary_file(const std::string& folder) {
  Descriptor file(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return file;
  const std::vector<char> bytes(kTriedBytes, 'x');
  if (pwrite(file.number(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()) ||
      fsync(file.number()) != 0)
    return Descriptor(-1);
  return file;
}

DirectTrial try_direct(const Examined& host) {
  DirectTrial trial;
  const std::string example = host.subject.example();
  if (!example.empty()) {
    trial.file = quote_path(example);
    const Descriptor file(open(example.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
    trial.code = errno;
    if (file) try_reads(file.number(), trial);
    return trial;
  }
  trial.file = "a temporary file";
  const Descriptor plain = temporary_file(host.subject.looked_at);
  trial.code = errno;
  if (!plain) return trial;
  // It is opened again by its number: O_TMPFILE and O_DIRECT at once would make the write direct,
  // too.
  const std::string again = fmt::format("/proc/self/fd/{}", plain.number());
  const Descriptor file(open(again.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  trial.code = errno;
  if (file) try_reads(file.number(), trial);
  return trial;
}

// Some file systems accept O_DIRECT and go through the page cache all the same (ext4 with
// data=journal or encryption, btrfs with compression). Returns whether this one was seen to do so.
bool direct_fills_cache(const Examined& host) {
  if (!host.subject.writable) return false;
  const Descriptor plain = temporary_file(host.subject.looked_at);
  if (!plain) return false;
  const std::string again = fmt::format("/proc/self/fd/{}", plain.number());
  const Descriptor file(open(again.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!file || posix_fadvise(plain.number(), 0, 0, POSIX_FADV_DONTNEED) != 0) return false;
  const auto before = file_residency(again);
  const Block block;
  if (!before || before->resident_bytes > 0 ||
      pread(file.number(), block.bytes(), kTriedBytes, 0) < 0)
    return false;
  const auto after = file_residency(again);
  return after && after->resident_bytes > 0;
}

std::string alignment_text(const DirectTrial& trial) {
  std::string text = fmt::format("blocks of {}", trial.reads_512 ? "512 B" : "4 KiB");
  if (trial.offset_alignment > 0)
    text += fmt::format("; the kernel says {} at offsets, {} in memory",
                        format_bytes(trial.offset_alignment), format_bytes(trial.memory_alignment));
  return text;
}

std::string limit_text(rlim_t limit) {
  return limit == RLIM_INFINITY ? "unlimited" : std::to_string(limit);
}

}  // namespace

Checked check_direct_io(const Examined& host) {
  constexpr std::string_view kCheck = "direct I/O";
  constexpr std::string_view kWhy =
      "reads go through the page cache: they take more CPU time, and what is read twice comes from "
      "memory, not from storage";
  const std::string remedy =
      "use a data set of twice this host's memory, and 'feedrate drop-caches' before each run";
  const DirectTrial trial = try_direct(host);
  if (!trial.opened || !trial.reads_4096) {
    const bool asked = trial.code == EINVAL || trial.code == EOPNOTSUPP;
    const std::string what = fmt::format("{} with O_DIRECT: {}", trial.opened ? "read" : "open",
                                         std::strerror(trial.code));
    if (!asked) return unknown(kCheck, fmt::format("{}: {}", trial.file, what));
    return warn(kCheck, fmt::format("does not work ({})", what), std::string(kWhy), remedy);
  }
  const std::string found = fmt::format("works, {}", alignment_text(trial));
  if (direct_fills_cache(host))
    return warn(kCheck, found + "; but it fills the page cache all the same", std::string(kWhy),
                remedy + "; data=journal, compression and encryption do that");
  return ok(kCheck, found);
}

Checked check_io_uring(const Examined& host) {
  constexpr std::string_view kCheck = "io_uring";
  if (host.ring_error) {
    const std::string& reason = host.ring_error->message();
    const std::string status = read_host_file(host.roots.proc + "/self/status").value_or("");
    // A filter may be in force and yet not be the reason: the errors of the sysctl and of memory
    // name themselves.
    const bool filtered =
        status.find("Seccomp:\t2") != std::string::npos && reason.ends_with(std::strerror(EPERM));
    return warn(kCheck, reason + (filtered ? " (a seccomp filter is in force)" : ""),
                "reads are made by a pool of threads instead: fewer in flight, about twice the CPU "
                "time",
                filtered ? "allow io_uring_setup, io_uring_enter and io_uring_register in the "
                           "container's profile, or 'docker run --security-opt seccomp=unconfined'"
                         : host.ring_error->hint());
  }
  if (!host.ring) return std::nullopt;
  const std::string shortfall = host.ring->group().reactor(0).io().shortfall();
  if (!shortfall.empty())
    return warn(kCheck, "works, but " + shortfall, "fewer files are read with one call each",
                "raise it with 'ulimit -n 65536'");
  return ok(kCheck, "works: a ring was set up");
}

Checked check_open_files(const Examined& host) {
  constexpr std::string_view kCheck = "open files";
  const std::string found =
      fmt::format("{} now, up to {} (RLIMIT_NOFILE)", limit_text(host.open_files_now),
                  limit_text(host.open_files_max));
  const std::string remedy =
      "'ulimit -n 65536', or LimitNOFILE= of the service, or 'docker run --ulimit nofile=65536'";
  if (host.open_files_max < kOpenFilesNeeded)
    return bad(kCheck, found, "runs with a few dozen readers will fail with 'Too many open files'",
               remedy);
  if (host.open_files_max < kOpenFilesWanted)
    return warn(kCheck, found, "runs with hundreds of readers may fail with 'Too many open files'",
                remedy);
  return ok(kCheck, found);
}

}  // namespace feedrate
