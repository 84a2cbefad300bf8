#include "feedrate/format/hdf5/library.h"

#include <new>

namespace feedrate::hdf5 {
namespace {

struct DriverInfo {
  Image* image;
};

// libhdf5 wants its own part at the beginning of the structure.
struct DriverFile {
  H5FD_t shared;
  Image* image;
  haddr_t end_of_allocation;
};

Image* image_of(H5FD_t* file) { return reinterpret_cast<DriverFile*>(file)->image; }

H5FD_t* open_file(const char*, unsigned, hid_t access, haddr_t) {
  const auto* info = static_cast<const DriverInfo*>(H5Pget_driver_info(access));
  if (info == nullptr) return nullptr;
  auto* file = new (std::nothrow) DriverFile{};
  if (file == nullptr) return nullptr;
  file->image = info->image;
  return &file->shared;
}

herr_t close_file(H5FD_t* file) {
  delete reinterpret_cast<DriverFile*>(file);
  return 0;
}

// No flag is set, so that each piece of structure is written by itself, and no values are put in
// between.
herr_t query(const H5FD_t*, unsigned long* flags) {
  *flags = 0;
  return 0;
}

haddr_t get_end_of_allocation(const H5FD_t* file, H5FD_mem_t) {
  return reinterpret_cast<const DriverFile*>(file)->end_of_allocation;
}

herr_t set_end_of_allocation(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  reinterpret_cast<DriverFile*>(file)->end_of_allocation = address;
  return 0;
}

haddr_t get_end_of_file(const H5FD_t* file, H5FD_mem_t) {
  return reinterpret_cast<const DriverFile*>(file)->image->size();
}

herr_t read_bytes(H5FD_t* file, H5FD_mem_t type, hid_t, haddr_t address, std::size_t length,
                  void* out) {
  return image_of(file)->read(type, address, {static_cast<std::byte*>(out), length}) ? 0 : -1;
}

herr_t write_bytes(H5FD_t* file, H5FD_mem_t type, hid_t, haddr_t address, std::size_t length,
                   const void* in) {
  const std::span bytes(static_cast<const std::byte*>(in), length);
  return image_of(file)->write(type, address, bytes) ? 0 : -1;
}

hid_t driver() {
  static const H5FD_class_t driver_class = [] {
    H5FD_class_t result{};
    result.name = "feedrate";
    result.maxaddr = (haddr_t{1} << 62U) - 1;
    result.fc_degree = H5F_CLOSE_STRONG;  // closing a file closes what was opened in it
    result.fapl_size = sizeof(DriverInfo);
    result.open = open_file;
    result.close = close_file;
    result.query = query;
    result.get_eoa = get_end_of_allocation;
    result.set_eoa = set_end_of_allocation;
    result.get_eof = get_end_of_file;
    result.read = read_bytes;
    result.write = write_bytes;
    for (H5FD_mem_t& list : result.fl_map) list = H5FD_MEM_DEFAULT;
    return result;
  }();
  static const hid_t id = H5FDregister(&driver_class);
  return id;
}

Handle access_list(Image& image) {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const DriverInfo info{&image};
  if (access) H5Pset_driver(access.get(), driver(), &info);
  return access;
}

}  // namespace

std::unique_lock<std::mutex> lock_library() {
  static std::mutex mutex;
  std::unique_lock lock(mutex);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // of the calling thread
  return lock;
}

Handle create_image(Image& image) {
  const Handle access = access_list(image);
  return {H5Fcreate("image", H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose};
}

}  // namespace feedrate::hdf5
