#include "feedrate/format/hdf5/locate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "feedrate/format/hdf5/chunks.h"
#include "feedrate/format/hdf5/group.h"
#include "feedrate/format/wire.h"

namespace feedrate::hdf5 {
namespace {

// The datasets that hold the samples: their rows are samples, or each is one sample itself.
struct Choice {
  std::vector<std::string> datasets;
  bool rows = false;  // of the only one
};

// A file with its root group open.
struct File {
  Source& source;
  Group root;
};

Result<File> open_root(Source& source) {
  FEEDRATE_TRY(ObjectHeader header, read_object(source, source.root));
  FEEDRATE_TRY(Group root, Group::open(source, std::move(header)));
  return File{source, std::move(root)};
}

// Finds an object by its path from the root group. A soft or external link on the way is an error
// that names it.
Result<std::optional<ObjectHeader>> find_object(File& file, const std::string& path) {
  std::optional<ObjectHeader> object;
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view name = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (name.empty()) continue;
    Group group = file.root;
    if (object) {
      FEEDRATE_TRY(group, Group::open(file.source, *std::move(object)));
    }
    FEEDRATE_TRY(const std::optional<Link> link, group.find(name));
    if (!link) return std::optional<ObjectHeader>();
    if (link->type != LinkType::kHard)
      return unsupported(path, link->type == LinkType::kExternal
                                   ? "is an external link to another file"
                                   : "is a soft link");
    FEEDRATE_TRY(object, read_object(file.source, link->address));
  }
  return object;
}

bool is_dataset(const std::optional<ObjectHeader>& object) {
  return object && object->find(MessageType::kLayout) != nullptr;
}

Result<bool> has_dataset(File& file, const std::string& path) {
  FEEDRATE_TRY(const std::optional<ObjectHeader> object, find_object(file, path));
  return is_dataset(object);
}

Result<Dataset> open_dataset(File& file, const std::string& path) {
  FEEDRATE_TRY(const std::optional<ObjectHeader> object, find_object(file, path));
  if (!object)
    return fail(ErrorKind::kUsage, fmt::format("there is no dataset '{}' in the HDF5 file", path),
                "'h5ls -r FILE' lists them; see dataset.format_options.dataset");
  return describe(file.source, *object, path);
}

Result<std::string> largest_dataset(File& file) {
  FEEDRATE_TRY(const std::vector<std::string> names, file.root.names());
  std::string largest;
  std::uint64_t bytes = 0;
  std::optional<Error> trouble;
  for (const std::string& name : names) {
    FEEDRATE_TRY(const std::optional<ObjectHeader> object, find_object(file, name));
    if (!is_dataset(object)) continue;
    const auto dataset = describe(file.source, *object, name);
    // A dataset that cannot be read does not matter where another one can be.
    if (!dataset) {
      trouble = dataset.error();
    } else if (dataset->bytes > bytes) {
      largest = name;
      bytes = dataset->bytes;
    }
  }
  if (!largest.empty()) return largest;
  if (trouble) return fail(*trouble);
  return corrupt_at(file.source.offset_of(file.source.root),
                    "the root group of the HDF5 file holds no dataset with values");
}

// Returns whether `labels` exists and holds one label for each of `rows`.
Result<bool> labels_rows(File& file, std::uint64_t rows) {
  const auto labelled = has_dataset(file, kLabelsName);
  if (!labelled || !*labelled) return false;  // a link, or damaged: the samples do not depend on it
  const auto labels = open_dataset(file, kLabelsName);
  if (!labels || labels->dims.size() != 1 || labels->dims[0] != rows) return false;
  return labels->bytes <= file.source.size();
}

Result<Choice> choose(File& file, const Options& options) {
  Choice choice;
  if (!options.dataset.empty()) {
    choice.datasets = {options.dataset};
  } else {
    FEEDRATE_TRY(const bool plain, has_dataset(file, kSamplesName));
    if (plain) choice.datasets = {kSamplesName};
  }
  if (choice.datasets.empty()) {
    for (std::uint64_t i = 0; i < file.source.size(); ++i) {
      FEEDRATE_TRY(const bool next, has_dataset(file, sample_name(i)));
      if (!next) break;
      choice.datasets.push_back(sample_name(i));
    }
    if (!choice.datasets.empty()) return choice;
    FEEDRATE_TRY(std::string largest, largest_dataset(file));
    choice.datasets = {std::move(largest)};
  }
  FEEDRATE_TRY(const Dataset samples, open_dataset(file, choice.datasets.front()));
  if (samples.dims.empty()) return choice;
  FEEDRATE_TRY(choice.rows, labels_rows(file, samples.dims[0]));
  return choice;
}

// Adds the chunks of a dataset: each row of chunks becomes a block, or all chunks become one.
Result<> add_chunks(Source& source, const Dataset& dataset, bool rows, SampleBlocks& blocks) {
  FEEDRATE_TRY(const std::vector<Chunk> chunks, find_chunks(source, dataset));
  const std::vector<std::uint64_t> counts = chunk_counts(dataset);
  std::uint64_t total = 1;
  for (const std::uint64_t count : counts) total *= count;
  const std::uint64_t block_count = rows ? counts.front() : 1;
  // A damaged file may claim any number of rows, and each would take memory here.
  if (block_count > source.size())
    return corrupt_at(source.offset_of(0), "dataset with more rows than the file has bytes");
  std::vector<Extent> reads;
  auto next = chunks.begin();
  for (std::uint64_t block = 0; block < block_count; ++block) {
    reads.clear();
    // Chunks that were never written are missing in the list, so a block may have fewer reads.
    for (; next != chunks.end() && next->number / (total / block_count) == block; ++next)
      reads.push_back(next->extent);
    blocks.add(reads);
  }
  blocks.samples += rows ? dataset.dims.front() : 1;
  if (rows) blocks.samples_per_block = dataset.chunk.front();
  return {};
}

Result<> add_samples(File& file, const Choice& choice, FileIndex& index) {
  Source& source = file.source;
  for (const std::string& name : choice.datasets) {
    FEEDRATE_TRY(const Dataset dataset, open_dataset(file, name));
    if (dataset.bytes == 0) continue;
    if (!dataset.chunk.empty()) {
      FEEDRATE_CHECK(add_chunks(source, dataset, choice.rows, index.blocks));
      continue;
    }
    if (!source.defined(dataset.address))
      return corrupt_at(source.offset_of(0),
                        fmt::format("no values were ever written to dataset '{}'", name));
    FEEDRATE_TRY(const Extent extent, source.values(dataset.address, dataset.bytes));
    if (choice.rows)
      index.records = {extent.offset, extent.length / dataset.dims.front(), dataset.dims.front()};
    else
      index.samples.push_back(extent);
  }
  // An index has exactly one form for all its samples.
  if (index.blocks.samples > 0 && !index.samples.empty())
    return fail(ErrorKind::kUnsupported,
                "some samples of the HDF5 file are chunked, others contiguous");
  std::ranges::sort(index.samples, {}, &Extent::offset);
  return {};
}

// Leaves out reads that lie in an earlier one, since libhdf5 takes them from its cache.
std::vector<Extent> first_reads(const std::vector<Extent>& reads) {
  std::vector<Extent> first;
  std::map<std::uint64_t, std::uint64_t> ends;  // by offset
  for (const Extent& read : reads) {
    std::uint64_t& end = ends[read.offset];
    if (end < read.end()) first.push_back(read);
    end = std::max(end, read.end());
  }
  return first;
}

}  // namespace

std::string sample_name(std::uint64_t number) {
  return fmt::format("{}_{:06}", kSamplesName, number);
}

Result<FileIndex> locate(RandomAccess& file, const Options& options) {
  FEEDRATE_TRY(Source source, Source::open(file));
  const std::vector<Extent> superblock = source.reads;
  FEEDRATE_TRY(File searched, open_root(source));
  FEEDRATE_TRY(const Choice choice, choose(searched, options));
  // The structure is read again as somebody reads it who knows the name, so that only those reads
  // are recorded.
  source.reads = superblock;
  FEEDRATE_TRY(File known, open_root(source));
  FileIndex index;
  index.file_bytes = file.size();
  FEEDRATE_CHECK(add_samples(known, choice, index));
  index.open_reads = first_reads(source.reads);
  return index;
}

}  // namespace feedrate::hdf5
