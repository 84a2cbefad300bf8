// The archive that torch.save writes: a zip of stored records, of which data.pkl is a pickle that
// names the others by number, and archive/data/N are the tensors' storages, 64-byte aligned by a
// field "FB" of padding in the header before them.
//
// Byte for byte what PyTorchFileWriter of torch 1.13 writes for the same records (its miniz leaves
// CRC and sizes in local headers 0 and puts a data descriptor behind each record, and it always
// writes the zip64 end records). tests/interop/check_checkpoints.py compares the two.
//   - A record "byteorder" stands between data.pkl and the storages, as torch 2.1 and later have
//     it: they copy a storage straight to where it belongs only when it is there.
//   - What later versions added beside it (.data/serialization_id, .format_version,
//     .storage_alignment) is left out: no version needs them to read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "feedrate/checkpoint/pickle.h"
#include "feedrate/workload/checkpoint_tensors.h"

namespace feedrate {

// Plans an archive; offsets count from its first byte.
class TorchZip {
 public:
  struct Storage {
    std::uint64_t header_offset = 0;
    std::string header;
    std::uint64_t bytes = 0;
    std::uint64_t data_offset() const { return header_offset + header.size(); }
  };

  // `pickle` is the content of data.pkl, in which the storages have the numbers 0, 1, ...
  TorchZip(const std::string& pickle, std::span<const std::uint64_t> storage_bytes);

  // Returns everything before the first storage's header.
  const std::string& head() const { return head_; }
  const std::vector<Storage>& storages() const { return storages_; }
  // Returns the offset behind the last storage and its descriptor.
  std::uint64_t trailer_offset() const { return trailer_offset_; }
  // Returns what stands from there to the archive's end. `crc32` has one value for each storage.
  std::string trailer(std::span<const std::uint32_t> crc32) const;

  // Returns what stands behind the data of a record, which is nothing when the record has no data.
  static std::string descriptor(std::uint64_t header_offset, std::uint64_t bytes,
                                std::uint32_t crc32);

 private:
  struct Entry {
    std::string name;
    std::uint64_t header_offset, bytes;
    std::uint32_t crc32;
  };
  static void append_small(std::string& out, std::vector<Entry>& entries, std::uint64_t base,
                           std::string_view name, std::string_view data);
  static std::string central(const Entry& entry);

  std::string head_;
  std::vector<Entry> head_entries_;
  std::vector<Storage> storages_;
  std::uint64_t trailer_offset_ = 0;
};

// Appends the value of a contiguous tensor with the piece's shape, whose data is storage `number`.
void append_tensor(Pickle& pickle, const TensorPiece& piece, std::uint64_t number);

}  // namespace feedrate
