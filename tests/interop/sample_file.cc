// Writes files with our writer for foreign readers to open, and says what our index finds in files.
//   sample_file render FORMAT[,OPTION=VALUE...] OUT_FILE SEED LABEL PAYLOAD_BYTES...
//       Sample i of the file has label LABEL + i. Writes the companion too, where there is one.
//   sample_file locate FORMAT[,OPTION=VALUE...] FILE
//       Prints "OFFSET LENGTH" of each piece that a reader touches, those of opening first.
#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/format/format.h"

namespace {

using feedrate::Format;

class FileOnDisk : public feedrate::RandomAccess {
 public:
  explicit FileOnDisk(const std::string& path) : file_(path, std::ios::binary | std::ios::ate) {
    if (file_) size_ = static_cast<std::uint64_t>(file_.tellg());
  }
  std::uint64_t size() const override { return size_; }
  feedrate::Result<> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    file_.seekg(static_cast<std::streamoff>(offset));
    if (file_.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size())))
      return {};
    return feedrate::fail(feedrate::ErrorKind::kIo, "cannot be read");
  }
  RandomAccess* companion() override { return companion_.get(); }
  void open_companion(const std::string& path) { companion_ = std::make_unique<FileOnDisk>(path); }

 private:
  std::ifstream file_;
  std::uint64_t size_ = 0;
  std::unique_ptr<FileOnDisk> companion_;
};

int say(const feedrate::Error& error) {
  std::fputs(error.render().c_str(), stderr);
  return error.exit_code();
}

feedrate::Result<std::shared_ptr<const Format>> parse_format(std::string_view spec) {
  const auto take = [&spec] {
    const std::string part(spec.substr(0, spec.find(',')));
    spec.remove_prefix(std::min(part.size() + 1, spec.size()));
    return part;
  };
  const std::string name = take();
  feedrate::FormatOptions options;
  while (!spec.empty()) {
    const std::string option = take();
    const std::size_t equals = std::min(option.find('='), option.size());
    options.emplace(option.substr(0, equals), option.substr(std::min(equals + 1, option.size())));
  }
  return feedrate::make_format(name, options);
}

bool write_all(const std::unique_ptr<feedrate::Renderer>& renderer, const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  std::vector<std::byte> chunk(std::size_t{1} << 20U);
  while (const std::size_t length = renderer->next(chunk))
    out.write(reinterpret_cast<const char*>(chunk.data()), static_cast<std::streamsize>(length));
  out.close();
  return !out.fail();
}

// As many contents as the format wants for samples of these sizes.
std::vector<feedrate::SampleContent> contents(const Format& format, std::uint64_t seed,
                                              std::uint64_t label,
                                              std::span<const std::uint64_t> sizes) {
  if (format.one_content_per_file())
    return {{seed, 0, sizes.front() * sizes.size(), static_cast<std::uint32_t>(label), 0,
             sizes.size()}};
  std::vector<feedrate::SampleContent> all;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    all.push_back({seed, i, sizes[i], static_cast<std::uint32_t>(label + i), 0});
  return all;
}

int render(const Format& format, const std::string& path, std::span<const std::uint64_t> numbers) {
  const auto sizes = numbers.subspan(2);
  if (sizes.size() > format.samples_per_file_max()) {
    std::fprintf(stderr, "error: a file of ours holds one sample of this format\n");
    return 2;
  }
  if (!write_all(format.render(contents(format, numbers[0], numbers[1], sizes)), path)) return 3;
  if (format.companion_extension().empty()) return 0;
  const feedrate::SampleSizes each = format.one_content_per_file()
                                         ? feedrate::SampleSizes(sizes.size(), sizes.front())
                                         : feedrate::SampleSizes(sizes);
  const auto companion = format.render_companion(each);
  return write_all(companion, feedrate::companion_path(path, format)) ? 0 : 3;
}

int locate(const Format& format, const std::string& path) {
  FileOnDisk file(path);
  if (!format.companion_extension().empty())
    file.open_companion(feedrate::companion_path(path, format));
  const auto index = format.index(file);
  if (!index) return say(index.error());
  std::vector<feedrate::Extent> reads = index->open_reads;
  index->locate(0, index->sample_count(), reads);
  for (const feedrate::Extent& read : reads)
    std::printf("%" PRIu64 " %" PRIu64 "\n", read.offset, read.length);
  return 0;
}

std::optional<std::vector<std::uint64_t>> parse_numbers(std::span<char* const> texts) {
  std::vector<std::uint64_t> numbers;
  for (const std::string_view text : texts) {
    const auto [end, trouble] =
        std::from_chars(text.data(), text.data() + text.size(), numbers.emplace_back());
    if (trouble != std::errc() || end != text.data() + text.size()) return std::nullopt;
  }
  return numbers;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char* const> words(argv, static_cast<std::size_t>(argc));
  const std::string_view verb = words.size() < 4 ? "" : words[1];
  const auto numbers = parse_numbers(words.subspan(std::min<std::size_t>(4, words.size())));
  const bool renders = verb == "render" && numbers && numbers->size() > 2;
  if (!renders && !(verb == "locate" && words.size() == 4)) {
    std::fprintf(stderr,
                 "usage: sample_file render FORMAT[,OPTION=VALUE...] OUT_FILE SEED LABEL "
                 "PAYLOAD_BYTES...\n"
                 "       sample_file locate FORMAT[,OPTION=VALUE...] FILE\n");
    return 2;
  }
  const auto format = parse_format(words[2]);
  if (!format) return say(format.error());
  return renders ? render(**format, words[3], *numbers) : locate(**format, words[3]);
}
