#include "feedrate/format/dicom/decoder.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/oflog/oflog.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "feedrate/format/dicom/data_set.h"
#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate::dicom {
namespace {

class Stored : public RandomAccess {
 public:
  explicit Stored(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    FEEDRATE_ASSERT(offset <= bytes_.size() && out.size() <= bytes_.size() - offset);
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }

 private:
  std::span<const std::byte> bytes_;
};

// Sets what DCMTK has once in a process: where it prints, and the codecs.
void prepare_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    DcmRLEDecoderRegistration::registerCodecs();
  });
}

std::unexpected<Error> trouble(const OFCondition& condition) {
  return corrupt_at(0, std::string("DCMTK: ") + condition.text());
}

std::uint64_t number(DcmDataset& data, const DcmTagKey& tag, std::uint64_t otherwise) {
  Uint16 value = 0;
  return data.findAndGetUint16(tag, value).good() ? value : otherwise;
}

// Returns the bytes that the pixels of all frames take, as the elements claim.
std::uint64_t claimed_bytes(DcmDataset& data) {
  Sint32 frames = 1;
  data.findAndGetSint32(DCM_NumberOfFrames, frames);
  const std::uint64_t pixels = number(data, DCM_Rows, 0) * number(data, DCM_Columns, 0) *
                               number(data, DCM_SamplesPerPixel, 1);
  std::uint64_t bytes = 0;
  const auto frame_count = static_cast<std::uint64_t>(std::max<Sint32>(frames, 1));
  const std::uint64_t pixel_bytes = (number(data, DCM_BitsAllocated, 16) + 7) / 8;
  if (__builtin_mul_overflow(pixels * pixel_bytes, frame_count, &bytes)) return UINT64_MAX;
  return bytes;
}

class DicomDecoder : public Decoder {
 public:
  DicomDecoder() { prepare_library(); }

  Result<std::uint64_t> decode(std::span<const std::byte> stored) override {
    // DCMTK makes room for a value before it looks whether its bytes are there, so the elements are
    // checked first.
    Stored bytes(stored);
    FEEDRATE_TRY(const DataSetPlace place, check_elements(bytes));
    // DCMTK is told where the data set begins and how it is written. Left to itself it guesses, and
    // where its guess differs from what was checked, it makes room for what no element has.
    const E_TransferSyntax syntax = DcmXfer(place.transfer_syntax.c_str()).getXfer();
    if (syntax == EXS_Unknown)
      return fail(
          ErrorKind::kUnsupported,
          fmt::format("the DICOM transfer syntax '{}' is not known", place.transfer_syntax));
    const std::span<const std::byte> elements = stored.subspan(place.begin);
    DcmInputBufferStream stream;
    stream.setBuffer(elements.data(), static_cast<offile_off_t>(elements.size()));
    stream.setEos();
    DcmDataset data;
    data.transferInit();
    const OFCondition read = data.read(stream, syntax);
    data.transferEnd();
    if (read.bad()) return trouble(read);
    return pixels(data);
  }

 private:
  static Result<std::uint64_t> pixels(DcmDataset& data) {
    const DcmXfer syntax(data.getOriginalXfer());
    if (syntax.isEncapsulated()) {
      if (syntax.getXfer() != EXS_RLELossless)
        return fail(ErrorKind::kUnsupported,
                    std::string("DICOM pixels in ") + syntax.getXferName() + " are not decoded");
      FEEDRATE_CHECK(check_decoded_bytes(claimed_bytes(data)));
      const OFCondition changed = data.chooseRepresentation(EXS_LittleEndianExplicit, nullptr);
      if (changed.bad()) return trouble(changed);
    }
    DcmElement* element = nullptr;
    const OFCondition found = data.findAndGetElement(DCM_PixelData, element);
    if (found.bad() || element == nullptr) return trouble(found);
    Uint16* words = nullptr;
    Uint8* bytes = nullptr;
    if (element->getUint16Array(words).bad() && element->getUint8Array(bytes).bad())
      return corrupt_at(0, "DCMTK: the pixels are no array");
    return element->getLength();
  }
};

}  // namespace

std::unique_ptr<Decoder> make_decoder() { return std::make_unique<DicomDecoder>(); }

}  // namespace feedrate::dicom
