# SPDX-License-Identifier: Apache-2.0
# Finds libmd, whose Debian package ships pkg-config metadata only, and makes the target Md::md. The static library comes
# first: what uses it must start fast.
include(FindPackageHandleStandardArgs)

find_path(MD_INCLUDE_DIR sha2.h)
find_library(MD_LIBRARY NAMES libmd.a md)
mark_as_advanced(MD_INCLUDE_DIR MD_LIBRARY)

find_package_handle_standard_args(Md REQUIRED_VARS MD_LIBRARY MD_INCLUDE_DIR)

if(Md_FOUND AND NOT TARGET Md::md)
  add_library(Md::md UNKNOWN IMPORTED)
  set_target_properties(Md::md PROPERTIES
    IMPORTED_LOCATION "${MD_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${MD_INCLUDE_DIR}")
endif()
