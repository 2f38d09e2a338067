# SPDX-License-Identifier: Apache-2.0
# Finds SOCI, whose Debian package ships no CMake configuration.
#
#   find_package(SOCI REQUIRED COMPONENTS sqlite3 postgresql)
#
# makes SOCI::core and one target for each component (SOCI::sqlite3, SOCI::postgresql), which bring the client library
# they stand on. The static libraries are taken where they are there: they start faster, and a program that defines libpq's
# functions itself needs no libpq for them.
include(CMakeFindDependencyMacro)
include(FindPackageHandleStandardArgs)

find_path(SOCI_INCLUDE_DIR soci/soci.h)
find_library(SOCI_core_FILE NAMES libsoci_core.a soci_core)
mark_as_advanced(SOCI_INCLUDE_DIR SOCI_core_FILE)

if(SOCI_INCLUDE_DIR)
  file(STRINGS ${SOCI_INCLUDE_DIR}/soci/version.h _soci_version_line REGEX "define SOCI_LIB_VERSION ")
  string(REGEX REPLACE ".*\"([0-9]+)_([0-9]+)_?([0-9]*)\".*" "\\1.\\2.\\3" SOCI_VERSION "${_soci_version_line}")
endif()

if(SOCI_core_FILE AND NOT TARGET SOCI::core)
  find_dependency(Threads)
  add_library(SOCI::core UNKNOWN IMPORTED)
  set_target_properties(SOCI::core PROPERTIES
    IMPORTED_LOCATION "${SOCI_core_FILE}"
    INTERFACE_INCLUDE_DIRECTORIES "${SOCI_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS}")
endif()

set(_soci_client_sqlite3 SQLite3)
set(_soci_client_postgresql PostgreSQL)
foreach(_component IN LISTS SOCI_FIND_COMPONENTS)
  find_library(SOCI_${_component}_FILE NAMES libsoci_${_component}.a soci_${_component})
  mark_as_advanced(SOCI_${_component}_FILE)
  if(SOCI_${_component}_FILE)
    set(SOCI_${_component}_FOUND TRUE)
    set(_client ${_soci_client_${_component}})
    if(NOT TARGET SOCI::${_component})
      find_dependency(${_client})
      if(_component STREQUAL "sqlite3")
        set(_client_target SQLite::SQLite3)
      else()
        set(_client_target PostgreSQL::PostgreSQL)
      endif()
      add_library(SOCI::${_component} UNKNOWN IMPORTED)
      set_target_properties(SOCI::${_component} PROPERTIES
        IMPORTED_LOCATION "${SOCI_${_component}_FILE}"
        INTERFACE_INCLUDE_DIRECTORIES "${SOCI_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES "SOCI::core;${_client_target}")
    endif()
  endif()
endforeach()

find_package_handle_standard_args(SOCI
  REQUIRED_VARS SOCI_core_FILE SOCI_INCLUDE_DIR
  VERSION_VAR SOCI_VERSION
  HANDLE_COMPONENTS)
