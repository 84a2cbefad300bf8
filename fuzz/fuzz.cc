// One fuzzer for every parser of bytes that others wrote. FEEDRATE_FUZZ names the parser: a format
// ("npz": its index and its verifier), "decode-" and a format (its decoder), or one of kParsers.
// A finding is a crash, a sanitizer's report, or a layout that leaves the file.
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "feedrate/checkpoint/file_bytes.h"
#include "feedrate/checkpoint/manifest.h"
#include "feedrate/dataset/manifest.h"
#include "feedrate/format/format.h"
#include "feedrate/host/block_device.h"
#include "feedrate/host/cgroup.h"
#include "feedrate/host/network_mount.h"
#include "feedrate/host/system.h"
#include "feedrate/plan/storage_profile.h"
#include "feedrate/result/run_result.h"
#include "feedrate/storage/model/model.h"
#include "feedrate/workload/checkpoint_shards.h"
#include "feedrate/workload/dlio.h"
#include "feedrate/workload/inference_shape.h"
#include "feedrate/workload/model_shape.h"
#include "feedrate/workload/workload.h"

namespace feedrate {
namespace {

using Input = std::span<const std::byte>;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

class MemoryFile final : public RandomAccess {
 public:
  explicit MemoryFile(Input bytes) : bytes_(bytes), size_(bytes.size()) {}
  // Zeros of this size, with `companion` beside them.
  MemoryFile(std::uint64_t size, Input companion)
      : size_(size), companion_(std::make_unique<MemoryFile>(companion)) {}
  std::uint64_t size() const override { return size_; }
  RandomAccess* companion() override { return companion_.get(); }
  Result<> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset > size_ || out.size() > size_ - offset)
      return fail(ErrorKind::kShortRead, "read beyond the end of the file");
    if (companion_)
      std::memset(out.data(), 0, out.size());
    else if (!out.empty())
      std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }

 private:
  Input bytes_;
  std::uint64_t size_;
  std::unique_ptr<MemoryFile> companion_;
};

void check_inside(const std::vector<Extent>& extents, std::uint64_t size) {
  for (const Extent& extent : extents)
    require(extent.offset <= size && extent.length <= size - extent.offset,
            "every read lies in the file");
}

void check_layout(const FileIndex& index, std::uint64_t size) {
  constexpr std::uint64_t kLooks = 256;  // samples looked at from each end
  require(index.file_bytes == size, "the index knows the file's size");
  check_inside(index.open_reads, size);
  const std::uint64_t samples = index.sample_count();
  std::vector<Extent> reads;
  for (std::uint64_t i = 0; i < samples;
       i = i == kLooks && samples > 2 * kLooks ? samples - kLooks : i + 1) {
    reads.clear();
    index.locate(i, 1, reads);
    check_inside(reads, size);
  }
}

void fuzz_format(const Format& format, Input input) {
  const bool paired = !format.companion_extension().empty();
  std::uint16_t zeros = 0;
  if (paired && input.size() >= sizeof zeros) {  // the second file is the one with lengths in it
    std::memcpy(&zeros, input.data(), sizeof zeros);
    input = input.subspan(sizeof zeros);
  }
  MemoryFile file = paired ? MemoryFile(zeros, input) : MemoryFile(input);
  auto index = format.index(file);
  if (!index) return;
  check_layout(*index, file.size());
  if (paired) return;
  const auto verifier = format.verifier(std::make_shared<const FileIndex>(std::move(*index)), {});
  for (std::size_t at = 0; verifier != nullptr && at < input.size(); at += 1000)
    if (!verifier->consume(at, input.subspan(at, std::min<std::size_t>(1000, input.size() - at))))
      return;
}

void fuzz_decoder(const Format& format, Input input) {
  static const std::unique_ptr<Decoder> decoder = format.decoder();
  if (decoder != nullptr) (void)decoder->decode(input);
}

void parse_workload_file(std::string_view text) {
  const auto workload = parse_workload(text, "fuzz");
  if (workload) (void)plan_for(*workload, 0, 1, 0);
}
void parse_dlio_file(std::string_view text) { (void)parse_dlio_workload(text, "fuzz", {}); }
void parse_model_file(std::string_view text) { (void)parse_storage_model(text, "fuzz"); }
// What a plan reads beside workloads.
void parse_catalogue(std::string_view text) {
  const auto model = parse_model(text, "fuzz");
  if (model && model->parallelism.pipeline <= 1000)
    require(checkpoint_size(*model, model->parallelism, {}).sum() > Bytes(0),
            "a model has weights");
  (void)parse_inference(text, "fuzz");
  (void)parse_storage_profile(text, "fuzz");
  (void)parse_network_port(text, "fuzz");
}
// The text with a checksum that is right, so that what it says is looked at.
void parse_checkpoint(std::string_view text) {
  (void)checkpoint_from_json(text, "fuzz");
  const std::string body(text.substr(0, text.find('\n')));
  char sum[20];
  std::snprintf(sum, sizeof sum, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(body.data(), body.size())));
  const auto manifest = checkpoint_from_json(body + "\n" + sum + "\n", "fuzz");
  if (!manifest) return;
  const auto again = checkpoint_from_json(checkpoint_to_json(*manifest), "fuzz");
  require(again && again->ranks == manifest->ranks, "a manifest comes back as it was");
  static const std::vector<std::byte> zeros(std::size_t{1} << 16U);
  for (const RankRecord& rank : manifest->ranks)
    for (const FileRecord& file : rank.files) {
      if (file.bytes > 64 * zeros.size()) continue;
      FileChecker checker(file);
      Result<> good;
      for (std::uint64_t at = 0; at < file.bytes && good; at += zeros.size())
        good = checker.consume(
            std::span(zeros).first(std::min<std::uint64_t>(zeros.size(), file.bytes - at)));
      if (good) (void)checker.finish();
    }
}
void parse_manifest(std::string_view text) { (void)manifest_from_json(text, "fuzz"); }
void parse_result(std::string_view text) { (void)run_result_from_json(text); }
// The kernel's own texts: /proc and /sys.
void parse_host(std::string_view text) {
  for (const Mount& mount : parse_mountinfo(text)) (void)option_value(mount.super_options, "addr");
  (void)parse_mountstats(text, "/m");
  (void)parse_block_stat(text);
  (void)parse_cpu_max(text);
  (void)parse_io_max(text);
  (void)parse_io_stat(text);
  (void)parse_cpu_times(text);
  (void)parse_meminfo(text);
  (void)parse_full_pressure(text);
  (void)parse_number_list(text);
  (void)selected_setting(text);
}

struct TextParser {
  const char* name;
  void (*parse)(std::string_view text);
};
constexpr TextParser kParsers[] = {
    {"workload", parse_workload_file}, {"dlio", parse_dlio_file},       {"model", parse_model_file},
    {"manifest", parse_manifest},      {"result", parse_result},        {"host", parse_host},
    {"catalogue", parse_catalogue},    {"checkpoint", parse_checkpoint}};

void fuzz(std::string_view target, Input input) {
  constexpr std::string_view kDecode = "decode-";
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  for (const TextParser& parser : kParsers)
    if (target == parser.name) return parser.parse(text);
  const bool decodes = target.starts_with(kDecode);
  const auto format = find_format(target.substr(decodes ? kDecode.size() : 0));
  require(format.has_value(), "FEEDRATE_FUZZ names a parser");
  decodes ? fuzz_decoder(**format, input) : fuzz_format(**format, input);
}

}  // namespace
}  // namespace feedrate

// FEEDRATE_FUZZ=list prints all targets.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* target = std::getenv("FEEDRATE_FUZZ");
  if (target == nullptr || std::string_view(target) != "list") return 0;
  for (const auto& parser : feedrate::kParsers) std::printf("%s\n", parser.name);
  for (const feedrate::Format* format : feedrate::all_formats()) {
    const std::string name(format->name());
    std::printf("%s\n", name.c_str());
    if (format->decoder() != nullptr) std::printf("decode-%s\n", name.c_str());
  }
  std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string target =
      std::getenv("FEEDRATE_FUZZ") ? std::getenv("FEEDRATE_FUZZ") : "";
  feedrate::fuzz(target, std::as_bytes(std::span(data, size)));
  return 0;
}
