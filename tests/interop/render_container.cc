// Writes one file with our writer and says where we think that its samples are, for
// check_containers.py to compare with foreign readers.
//   render_container FORMAT OUT_FILE SEED SAMPLES PAYLOAD_BYTES [OPTION=VALUE...]
//   render_container FORMAT --index FILE [OPTION=VALUE...]
//   render_container FORMAT --content SEED SAMPLE PAYLOAD_BYTES
// Samples 0, 1, ... have equal payloads; sample i has label i. Where they are is printed a line a
// read, "open OFFSET LENGTH" and "SAMPLE OFFSET LENGTH"; content goes to standard output.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/format/format.h"

namespace {

using namespace feedrate;

class FileAccess : public RandomAccess {
 public:
  explicit FileAccess(const char* path) : file_(path, std::ios::binary | std::ios::ate) {
    if (file_) size_ = static_cast<std::uint64_t>(file_.tellg());
  }
  std::uint64_t size() const override { return size_; }
  Result<> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
    if (file_) return {};
    file_.clear();
    return fail(ErrorKind::kShortRead, "the file ended");
  }

 private:
  std::ifstream file_;
  std::uint64_t size_ = 0;
};

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

FormatOptions options_of(int argc, char** argv, int first) {
  FormatOptions options;
  for (int i = first; i < argc; ++i) {
    const std::string_view text = argv[i];
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      options[std::string(text.substr(0, equals))] = text.substr(equals + 1);
  }
  return options;
}

void print_index(const FileIndex& index) {
  for (const Extent& read : index.open_reads)
    std::printf("open %llu %llu\n", static_cast<unsigned long long>(read.offset),
                static_cast<unsigned long long>(read.length));
  for (std::uint64_t i = 0; i < index.sample_count(); ++i) {
    std::vector<Extent> reads;
    index.locate(i, 1, reads);
    for (const Extent& read : reads)
      std::printf("%llu %llu %llu\n", static_cast<unsigned long long>(i),
                  static_cast<unsigned long long>(read.offset),
                  static_cast<unsigned long long>(read.length));
  }
}

int fail_with(const Error& error) {
  std::fputs(error.render().c_str(), stderr);
  return error.exit_code();
}

bool write_file(const Format& format, std::vector<SampleContent> samples, const char* path) {
  std::ofstream out(path, std::ios::binary);
  const auto renderer = format.render(std::move(samples));
  std::vector<std::byte> chunk(std::size_t{1} << 20U);
  while (const std::size_t length = renderer->next(chunk))
    out.write(reinterpret_cast<const char*>(chunk.data()), static_cast<std::streamsize>(length));
  out.close();
  return !out.fail();
}

void print_content(const SampleContent& content) {
  std::vector<std::byte> bytes(content.bytes);
  fill_content(content, 0, bytes);
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view second = argc > 2 ? argv[2] : "";
  if (argc < 4 || (second != "--index" && argc < 6)) {
    std::fprintf(stderr, "usage: see the top of render_container.cc\n");
    return 2;
  }
  if (second == "--content") {
    print_content({number(argv[3]), number(argv[4]), number(argv[5]), 0, 0});
    return 0;
  }
  const bool index_only = second == "--index";
  const auto format = make_format(argv[1], options_of(argc, argv, index_only ? 4 : 6));
  if (!format) return fail_with(format.error());
  const char* path = index_only ? argv[3] : argv[2];
  if (!index_only) {
    const std::uint64_t seed = number(argv[3]), count = number(argv[4]), bytes = number(argv[5]);
    std::vector<SampleContent> samples;
    if ((*format)->one_content_per_file())
      samples.push_back({seed, 0, count * bytes, 0, 0, count});
    else
      for (std::uint64_t i = 0; i < count; ++i)
        samples.push_back({seed, i, bytes, static_cast<std::uint32_t>(i), 0});
    if (!write_file(**format, std::move(samples), path)) return 3;
  }
  FileAccess file(path);
  const auto index = (*format)->index(file);
  if (!index) return fail_with(index.error());
  print_index(*index);
  return 0;
}
