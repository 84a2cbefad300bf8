#include "feedrate/format/hdf5/hdf5.h"

#include <algorithm>
#include <mutex>

#include "feedrate/format/hdf5/inflate.h"
#include "feedrate/format/hdf5/locate.h"
#include "feedrate/format/hdf5/planned.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

using namespace hdf5;

class Hdf5Format : public Format {
 public:
  explicit Hdf5Format(Options options) : options_(std::move(options)) {}

  std::string_view name() const override { return "hdf5"; }
  std::string_view extension() const override { return ".h5"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    const std::string base = lower_base_name(file_name);
    return base.ends_with(".h5") || base.ends_with(".hdf5") ||
           as_text(head).starts_with(kSignature);
  }

  Result<std::shared_ptr<const Format>> with_options(const FormatOptions& options) const override {
    FEEDRATE_TRY(Options parsed, parse_options(options));
    return std::make_shared<const Hdf5Format>(std::move(parsed));
  }

  std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const override {
    std::uint64_t fits = 0, too_large = stored_bytes + 1;  // payloads; what is stored only grows
    while (too_large - fits > 1) {
      const std::uint64_t middle = fits + (too_large - fits) / 2;
      (Row(middle, options_).stored_bytes() <= stored_bytes ? fits : too_large) = middle;
    }
    return fits;
  }

  FileIndex layout(const SampleSizes& payload_bytes) const override {
    return plan(payload_bytes)->index;
  }
  std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const override {
    return render_pieces(pieces(samples));
  }
  Result<FileIndex> index(RandomAccess& file) const override { return locate(file, options_); }

  std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex>,
                                     std::vector<SampleContent> samples) const override {
    if (samples.empty()) return accept_anything();
    return verify_pieces(pieces(samples));
  }
  bool has_checksums() const override { return false; }
  // libhdf5 reads a row or a chunk at once, whatever its size. Cutting it into transfers for the
  // faithful client is our choice.
  std::uint64_t reference_transfer_bytes() const override { return std::uint64_t{1} << 20U; }
  std::unique_ptr<Decoder> decoder() const override {
    return options_.gzip ? make_inflater(options_.shuffle) : nullptr;
  }
  std::uint64_t samples_per_file_max() const override { return 1'000'000; }

 private:
  FilePieces pieces(const std::vector<SampleContent>& samples) const {
    std::vector<std::uint64_t> each;
    each.reserve(samples.size());
    for (const SampleContent& sample : samples) each.push_back(sample.bytes);
    return pieces_of(*plan(SampleSizes(each)), samples, options_);
  }

  // The files of a data set mostly have one layout, so the last plan is kept.
  std::shared_ptr<const PlannedFile> plan(const SampleSizes& sizes) const {
    std::vector<std::uint64_t> each(sizes.size());
    for (std::uint64_t i = 0; i < sizes.size(); ++i) each[i] = sizes[i];
    const std::lock_guard lock(mutex_);
    if (plan_ == nullptr || each != each_) {
      plan_ = std::make_shared<const PlannedFile>(plan_file(sizes, options_));
      each_ = std::move(each);
    }
    return plan_;
  }

  const Options options_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const PlannedFile> plan_;
  mutable std::vector<std::uint64_t> each_;  // that it was made for
};

}  // namespace

const Format& hdf5_format() {
  static const Hdf5Format format{Options{}};
  return format;
}

}  // namespace feedrate
