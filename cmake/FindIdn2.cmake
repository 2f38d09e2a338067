# SPDX-License-Identifier: Apache-2.0
# Finds libidn2, whose Debian package ships pkg-config metadata only, and makes the target Idn2::idn2.
include(FindPackageHandleStandardArgs)

find_package(PkgConfig QUIET)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(PC_IDN2 QUIET libidn2)
endif()

find_path(IDN2_INCLUDE_DIR idn2.h HINTS ${PC_IDN2_INCLUDE_DIRS})
find_library(IDN2_LIBRARY idn2 HINTS ${PC_IDN2_LIBRARY_DIRS})
mark_as_advanced(IDN2_INCLUDE_DIR IDN2_LIBRARY)

if(IDN2_INCLUDE_DIR)
  file(STRINGS ${IDN2_INCLUDE_DIR}/idn2.h _idn2_version_line REGEX "define IDN2_VERSION \"")
  string(REGEX REPLACE ".*\"([0-9.]+)\".*" "\\1" IDN2_VERSION "${_idn2_version_line}")
endif()

find_package_handle_standard_args(Idn2
  REQUIRED_VARS IDN2_LIBRARY IDN2_INCLUDE_DIR
  VERSION_VAR IDN2_VERSION)

if(Idn2_FOUND AND NOT TARGET Idn2::idn2)
  add_library(Idn2::idn2 UNKNOWN IMPORTED)
  set_target_properties(Idn2::idn2 PROPERTIES
    IMPORTED_LOCATION "${IDN2_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${IDN2_INCLUDE_DIR}")
endif()
