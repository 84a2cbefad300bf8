// Every message that damage to a file can bring about is seen here, or in the tests of its format.
#include "feedrate/format/format_testing.h"

namespace feedrate::testing {
namespace {

std::shared_ptr<const Format> format_with(std::string_view name,
                                          const FormatOptions& options = {}) {
  return *make_format(name, options);
}

Bytes sample(std::string_view format, std::string_view name) {
  return read_test_file(std::string(format) + "/testdata/" + std::string(name));
}

TEST(Damage, Hdf5) {
  const auto format = format_with("hdf5");
  Damage damage(*format);
  for (const char* name : {"contiguous.h5", "nested_largest.h5", "compact.h5", "fixed_array.h5",
                           "extensible_array.h5", "tree1.h5", "tree2.h5", "single_chunk.h5"})
    damage.of(sample("hdf5", name), 2);
  EXPECT_EQ(damage.lacks({"an array of chunks is cut off",
                          "an array of more chunks than the file has bytes",
                          "an extensible array with absurd sizes",
                          "a fixed array with absurd sizes",
                          "a B-tree node does not fit its dataset",
                          "a B-tree node has more than it can hold",
                          "a B-tree with absurd sizes",
                          "' is not a dataset: a message is missing",
                          "has a type that is stored elsewhere (named)",
                          "dataspace of unknown version",
                          "dataspace is cut off",
                          "datatype without a size",
                          "layout of unknown version",
                          "layout is cut off",
                          "chunks have other dimensions than their dataset",
                          "chunks with absurd dimensions",
                          "chunk index of unknown kind",
                          "copy it with h5repack or h5py into a plain file",
                          "a name does not lie in its local heap",
                          "local heap does not end within the file",
                          "a B-tree node does not fit its group",
                          "a group's leaf is cut off",
                          "a link of a group is cut off",
                          "names of an HDF5 group in a fractal heap",
                          "write it with h5py's libver='earliest', or with at most 8 names a group",
                          "the root group of the HDF5 file holds no dataset with values",
                          "no object header here",
                          "object header does not end within the file",
                          "superblock of version",
                          "does not lie within the file of",
                          "B do not lie within the file of"}),
            "");
}

TEST(Damage, Hdf5WithoutTheDatasetThatWasNamed) {
  const auto format = format_with("hdf5", {{"dataset", "none"}});
  Damage damage(*format);
  damage.look(sample("hdf5", "tree1.h5"));
  EXPECT_EQ(damage.lacks({"there is no dataset 'none' in the HDF5 file",
                          "'h5ls -r FILE' lists them; see dataset.format_options.dataset"}),
            "");
}

TEST(Damage, Hdf5Compressed) {
  const auto format =
      format_with("hdf5", {{"chunk_bytes", "768"}, {"gzip", "on"}, {"shuffle", "on"}});
  EXPECT_EQ(Damage(*format)
                .of(sample("hdf5", "gzip.h5"), 7)
                .lacks({"a chunk of the HDF5 dataset cannot be inflated"}),
            "");
}

// `from` becomes `to`, of the same length, wherever it stands.
Bytes with(Bytes file, std::string_view from, std::string_view to) {
  const auto wanted = std::as_bytes(std::span(from));
  for (auto at = file.begin();;) {
    at = std::search(at, file.end(), wanted.begin(), wanted.end());
    if (at == file.end()) return file;
    at = std::ranges::copy(std::as_bytes(std::span(to)), at).out;
  }
}

TEST(Damage, Npz) {
  const auto format = format_with("npz");
  Damage damage(*format);
  damage.look(with(sample("npz", "zeros_1000_label_7.npz"), ".npy", ".txt"));
  for (const char* name : {"deflated.npz", "no_x.npz", "zeros_1000_label_7.npz"})
    damage.of(sample("npz", name));
  EXPECT_EQ(damage.lacks({
                "local header of the array is not the one indexed",
                "deflated data of the array ends too early",
                "data of the array does not match its CRC-32",
                "the deflated array ends too early",
                "too short for a zip archive",
                "the array in the zip archive is encrypted",
                "zip compression method",
                "of the array is neither stored (0) nor deflated (8)",
                "rewrite it with numpy.savez or numpy.savez_compressed",
                "no local header of a zip member where one must be",
                "zip archive without a .npy member",
                "local header and central directory disagree",
            }),
            "");
}

// A file that we wrote ourselves is compared byte for byte.
TEST(Damage, KnownContent) {
  const auto all_of = [](std::string_view name, const SampleContent& content) {
    const auto format = format_with(name);
    Bytes file = render_all(*format, {content}, 4096);
    Damage damage(*format, {content});
    damage.of(file, 3);
    file.push_back(std::byte{1});
    damage.look(file);
    return damage;
  };
  const SampleContent content{1, 2, 1000, 7, 0.5};
  EXPECT_EQ(all_of("npz", content)
                .lacks({"bytes after the planned end of the file",
                        "zip or npy header differs from what was written",
                        "CRC-32 of x.npy does not match its data"}),
            "");
  EXPECT_EQ(all_of("tfrecord", content)
                .lacks({"bytes after the planned end of the file", "record header differs"}),
            "");
  EXPECT_EQ(all_of("png", content)
                .lacks({"bytes after the planned end of the file",
                        "structure differs from what was written"}),
            "");
  EXPECT_EQ(all_of("file", content).lacks({"bytes after the planned end of the file"}), "");
  EXPECT_EQ(
      all_of("lmdb", content)
          .lacks({"bytes after the planned end of the file", "page differs from what was written"}),
      "");
}

TEST(Damage, Lmdb) {
  const auto format = format_with("lmdb");
  Damage damage(*format);
  damage.of(sample("lmdb", "leaves.lmdb"), 1).of(sample("lmdb", "named.lmdb"), 1);
  EXPECT_EQ(
      damage.lacks({"LMDB file of version", "copy its records into one plain database",
                    "of its page", "on, in a file of", "the meta pages give two sizes of a page"}),
      "");
}

TEST(Damage, Dicom) {
  const auto format = format_with("dicom");
  Damage damage(*format);
  for (const char* name : {"explicit.dcm", "deflated.dcm", "jpeg.dcm", "rle.dcm"})
    damage.of(sample("dicom", name));
  EXPECT_EQ(damage.lacks({"the deflated data set is damaged or too large", "transfer syntax of",
                          "the transfer syntax is not a UID", "the DICOM transfer syntax '"}),
            "");
}

TEST(Damage, Flac) {
  const auto format = format_with("flac");
  Damage damage(*format);
  Bytes file = sample("flac", "mono.flac");
  file[4] = std::byte{0x7F};  // of the first metadata block
  damage.look(file);
  EXPECT_EQ(damage.lacks({"metadata block of type 127, which is invalid"}), "");
}

TEST(Damage, Jpeg) {
  const auto format = format_with("jpeg");
  EXPECT_EQ(
      Damage(*format)
          .of(sample("jpeg", "gray.jpg"))
          .of(sample("jpeg", "progressive.jpg"))
          .lacks({"an image without columns", "the image ends before its scan", "B, at least 2"}),
      "");
}

TEST(Damage, Png) {
  const auto format = format_with("png");
  EXPECT_EQ(Damage(*format)
                .of(sample("png", "gray_16.png"))
                .lacks({"chunk 'IHDR' does not match its CRC-32"}),
            "");
}

TEST(Damage, Parquet) {
  const auto format = format_with("parquet");
  Damage damage(*format);
  damage.look(with(sample("parquet", "hyparquet.parquet"), "PAR1", "PARE"));
  EXPECT_EQ(damage.of(sample("parquet", "hyparquet.parquet"))
                .of(sample("parquet", "arrow_rs.parquet"))
                .lacks({"row group without its number of rows", "column chunk without its metadata",
                        "the footer of the Parquet file is encrypted"}),
            "");
}

TEST(Damage, TfRecord) {
  const auto format = format_with("tfrecord");
  Damage damage(*format);
  Bytes gzip(100);
  gzip[0] = std::byte{0x1F};
  gzip[1] = std::byte{0x8B};
  gzip[2] = std::byte{8};
  damage.look(gzip);
  EXPECT_EQ(damage.of(sample("tfrecord", "three_records.tfrecord"))
                .lacks({"compressed TFRecord file (",
                        "rewrite it without TFRecordOptions(compression_type=...)"}),
            "");
}

TEST(Damage, Wav) {
  const auto format = format_with("wav");
  EXPECT_EQ(Damage(*format)
                .of(sample("wav", "zeros_1000.wav"))
                .lacks({"'fmt ' chunk of", "B, at least 16"}),
            "");
}

}  // namespace
}  // namespace feedrate::testing
