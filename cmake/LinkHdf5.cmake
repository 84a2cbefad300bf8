# HDF5's shared library brings 35 others (libcurl, Kerberos, LDAP, ...) for a driver that is not used
# here; loading them took most of the program's start. Its archive does without them. Where there is
# no archive the shared library stays.
function(feedrate_link_hdf5_archive)
  find_library(FEEDRATE_HDF5_ARCHIVE NAMES libhdf5_serial.a)
  find_library(FEEDRATE_SZIP_ARCHIVE NAMES libsz.a)
  find_library(FEEDRATE_AEC_ARCHIVE NAMES libaec.a)
  if(FEEDRATE_HDF5_ARCHIVE AND FEEDRATE_SZIP_ARCHIVE AND FEEDRATE_AEC_ARCHIVE)
    set_target_properties(PkgConfig::hdf5 PROPERTIES
      INTERFACE_LINK_DIRECTORIES ""
      INTERFACE_LINK_OPTIONS ""
      INTERFACE_LINK_LIBRARIES
        "${FEEDRATE_HDF5_ARCHIVE};${FEEDRATE_SZIP_ARCHIVE};${FEEDRATE_AEC_ARCHIVE};ZLIB::ZLIB;m;${CMAKE_DL_LIBS}")
  endif()
endfunction()
