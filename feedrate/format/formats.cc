#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/format/dicom/dicom.h"
#include "feedrate/format/file/file.h"
#include "feedrate/format/flac/flac.h"
#include "feedrate/format/format.h"
#include "feedrate/format/hdf5/hdf5.h"
#include "feedrate/format/jpeg/jpeg.h"
#include "feedrate/format/lmdb/lmdb.h"
#include "feedrate/format/megatron/megatron.h"
#include "feedrate/format/npy/npy.h"
#include "feedrate/format/npz/npz.h"
#include "feedrate/format/parquet/parquet.h"
#include "feedrate/format/png/png.h"
#include "feedrate/format/raw/raw.h"
#include "feedrate/format/safetensors/safetensors.h"
#include "feedrate/format/tfrecord/tfrecord.h"
#include "feedrate/format/wav/wav.h"
#include "feedrate/format/webdataset/webdataset.h"

namespace feedrate {

// The order is that in which a file is recognised: `file` comes last, as it takes whatever is left.
std::span<const Format* const> all_formats() {
  static const Format* const formats[] = {
      &tfrecord_format(), &npz_format(),         &npy_format(),        &hdf5_format(),
      &lmdb_format(),     &parquet_format(),     &webdataset_format(), &raw_format(),
      &megatron_format(), &safetensors_format(), &jpeg_format(),       &png_format(),
      &wav_format(),      &flac_format(),        &dicom_format(),      &file_format()};
  return formats;
}

Result<const Format*> find_format(std::string_view name) {
  std::vector<std::string> names;
  for (const Format* format : all_formats()) {
    if (format->name() == name) return format;
    names.emplace_back(format->name());
  }
  return fail(ErrorKind::kUsage,
              "unknown format '" + std::string(name) + "'" + did_you_mean(name, names),
              "known formats: " + join(names, ", "));
}

Result<std::shared_ptr<const Format>> make_format(std::string_view name,
                                                  const FormatOptions& options) {
  FEEDRATE_TRY(const Format* format, find_format(name));
  if (!options.empty()) return format->with_options(options);
  return std::shared_ptr<const Format>(std::shared_ptr<void>(), format);  // never destroyed
}

Result<std::shared_ptr<const Format>> Format::with_options(const FormatOptions& options) const {
  return fail(ErrorKind::kUsage,
              fmt::format("format '{}' has no option '{}'", name(), options.begin()->first),
              "remove it from dataset.format_options");
}

std::unique_ptr<Renderer> Format::render_companion(const SampleSizes&) const {
  FEEDRATE_ASSERT(companion_extension().empty());
  return nullptr;
}

std::uint64_t Format::companion_bytes(const SampleSizes&) const { return 0; }

std::string companion_path(const std::string& path, const Format& format) {
  const std::size_t slash = path.rfind('/'), dot = path.rfind('.');
  const bool has_extension =
      dot != std::string::npos && (slash == std::string::npos || dot > slash + 1);
  return path.substr(0, has_extension ? dot : path.size()) +
         std::string(format.companion_extension());
}

const Format& recognise_format(std::string_view file_name, std::span<const std::byte> head) {
  for (const Format* format : all_formats())
    if (format->recognises(file_name, head)) return *format;
  return file_format();
}

}  // namespace feedrate
