#include "feedrate/format/lmdb/lmdb.h"

#include <algorithm>
#include <cstring>

#include "feedrate/format/lmdb/page.h"
#include "feedrate/format/lmdb/plan.h"
#include "feedrate/format/lmdb/tree.h"
#include "feedrate/format/pieces.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

using namespace lmdb;

class LmdbRenderer : public Renderer {
 public:
  LmdbRenderer(Plan plan, const SampleContent& content)
      : plan_(std::move(plan)), content_(content), page_(kPageBytes) {}

  std::size_t next(std::span<std::byte> out) override {
    std::size_t written = 0;
    while (written < out.size() && position_ < plan_.pages() * kPageBytes) {
      const std::uint64_t within = position_ % kPageBytes;
      const std::size_t length = std::min<std::uint64_t>(out.size() - written, kPageBytes - within);
      if (length == kPageBytes) {
        plan_.fill_page(position_ / kPageBytes, content_, out.subspan(written, kPageBytes));
      } else {
        if (within == 0) plan_.fill_page(position_ / kPageBytes, content_, page_);
        std::memcpy(out.data() + written, page_.data() + within, length);
      }
      written += length;
      position_ += length;
    }
    return written;
  }

 private:
  const Plan plan_;
  const SampleContent content_;
  std::vector<std::byte> page_;  // that is given out in parts
  std::uint64_t position_ = 0;
};

class LmdbVerifier : public Verifier {
 public:
  LmdbVerifier(Plan plan, const SampleContent& content)
      : plan_(std::move(plan)), content_(content), page_(kPageBytes) {}

  Result<> consume(std::uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const std::uint64_t page = offset / kPageBytes, within = offset % kPageBytes;
      if (page >= plan_.pages())
        return corrupt_at(offset, "bytes after the planned end of the file");
      if (page != number_) plan_.fill_page(page, content_, page_);
      number_ = page;
      const auto actual = bytes.first(std::min<std::uint64_t>(bytes.size(), kPageBytes - within));
      const auto expected = std::span<const std::byte>(page_).subspan(within, actual.size());
      if (const auto wrong = first_mismatch(actual, expected))
        return corrupt_at(offset + *wrong, "page differs from what was written");
      bytes = bytes.subspan(actual.size());
      offset += actual.size();
    }
    return {};
  }

 private:
  const Plan plan_;
  const SampleContent content_;
  std::vector<std::byte> page_;
  std::uint64_t number_ = kNoPage;  // of page_
};

class LmdbFormat : public Format {
 public:
  std::string_view name() const override { return "lmdb"; }
  std::string_view extension() const override { return ".lmdb"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    const std::string base = lower_base_name(file_name);
    if (base.ends_with(".lmdb") || base == "data.mdb") return true;
    return head.size() >= kPageHeadBytes + 4 &&
           load_little<std::uint32_t>(head.data() + kPageHeadBytes) == kMagic;
  }

  std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const override {
    return Plan::value_for_stored(stored_bytes);
  }
  FileIndex layout(const SampleSizes& payload_bytes) const override {
    FEEDRATE_ASSERT(payload_bytes.equal());
    return Plan(payload_bytes.size(), payload_bytes[0]).index();
  }
  bool one_content_per_file() const override { return true; }
  std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const override {
    FEEDRATE_ASSERT(samples.size() == 1);
    return std::make_unique<LmdbRenderer>(plan_for(samples[0]), samples[0]);
  }

  Result<FileIndex> index(RandomAccess& file) const override { return walk_tree(file); }

  std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex>,
                                     std::vector<SampleContent> samples) const override {
    if (samples.empty()) return accept_anything();
    return std::make_unique<LmdbVerifier>(plan_for(samples[0]), samples[0]);
  }
  bool has_checksums() const override { return false; }
  std::uint64_t reference_transfer_bytes() const override { return kPageBytes; }
  std::uint64_t samples_per_file_max() const override { return 9'999'999'999; }  // ten digits

 private:
  static Plan plan_for(const SampleContent& content) {
    return {content.samples, content.bytes / content.samples};
  }
};

}  // namespace

const Format& lmdb_format() {
  static const LmdbFormat format;
  return format;
}

}  // namespace feedrate
