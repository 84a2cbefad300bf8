// Checks the records of a TFRecord file. Private to tfrecord/.
#pragma once

#include <array>
#include <unordered_map>
#include <vector>

#include "feedrate/format/format.h"
#include "feedrate/format/tfrecord/record.h"

namespace feedrate::tfrecord {

// Checks records. Where they are known, every byte in front of the foot is compared, in any order
// of calls. Of all records, both checksums are checked if the record's bytes come in order, also
// when several records are read in turns. It keeps a few dozen bytes for each record that was begun
// and not finished.
class RecordVerifier : public Verifier {
 public:
  RecordVerifier(std::shared_ptr<const FileIndex> index, std::vector<SampleContent> samples);
  Result<> consume(std::uint64_t offset, std::span<const std::byte> bytes) override;

 private:
  struct Progress {
    std::uint64_t next = 0;  // position in the record
    std::uint32_t checksum = 0;
    std::array<std::byte, kHeadBytes> head{};
    std::array<std::byte, kFootBytes> foot{};
  };

  std::size_t record_at(std::uint64_t offset);
  Result<> check_slice(std::size_t record, std::uint64_t position,
                       std::span<const std::byte> bytes);
  Result<> compare(std::size_t record, std::uint64_t position, std::span<const std::byte> bytes);
  Result<> check_sums(std::size_t record, std::uint64_t position, std::span<const std::byte> bytes);
  Result<> check_head(std::size_t record, const Progress& progress) const;

  const std::shared_ptr<const FileIndex> index_;
  const std::vector<SampleContent> samples_;
  std::size_t last_record_ = 0;
  std::size_t start_of_ = SIZE_MAX;  // the record that start_ belongs to
  std::vector<std::byte> start_;
  std::unordered_map<std::size_t, Progress> in_progress_;
};

}  // namespace feedrate::tfrecord
