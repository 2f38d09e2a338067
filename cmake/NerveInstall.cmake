# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: the libraries with their headers, a CMake package with one component for each
# library, pkg-config metadata, and the command with its completions.
include(CMakePackageConfigHelpers)

set(NERVE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/nerve)

# Each component has an export set of its own, so that a program that asks for one needs the dependencies of that one.
# The component modules is the list of modules together with each of them.
set(NERVE_COMPONENTS core migrations backends backups convert modules workspace)
# Where a component is not in the folder of its name.
set(NERVE_FOLDER_OF_convert tools/convert)
foreach(module IN LISTS NERVE_MODULES)
  install(TARGETS nerve_module_${module}
    EXPORT nerve_modules
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/modules/${module}/include/
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")
endforeach()
foreach(component IN LISTS NERVE_COMPONENTS)
  install(TARGETS nerve_${component}
    EXPORT nerve_${component}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  set(folder ${component})
  if(NERVE_FOLDER_OF_${component})
    set(folder ${NERVE_FOLDER_OF_${component}})
  endif()
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/include/
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")
  install(EXPORT nerve_${component}
    FILE nerve-${component}-targets.cmake
    NAMESPACE nerve::
    DESTINATION ${NERVE_CMAKE_DIR})
endforeach()

configure_package_config_file(cmake/nerveConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/nerveConfig.cmake
  INSTALL_DESTINATION ${NERVE_CMAKE_DIR})
# Until 1.0 a new minor version may change the interface.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/nerveConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    ${CMAKE_CURRENT_BINARY_DIR}/nerveConfig.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/nerveConfigVersion.cmake
    cmake/FindIdn2.cmake
    cmake/FindMd.cmake
    cmake/FindSOCI.cmake
  DESTINATION ${NERVE_CMAKE_DIR})

# Relative, so that the metadata is right wherever `cmake --install --prefix` puts it.
file(RELATIVE_PATH NERVE_PREFIX_FROM_PC ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
list(TRANSFORM NERVE_MODULES PREPEND -lnerve_module_ OUTPUT_VARIABLE NERVE_MODULE_LIBRARIES)
list(REVERSE NERVE_MODULE_LIBRARIES)
list(JOIN NERVE_MODULE_LIBRARIES " " NERVE_MODULE_LIBRARIES)
configure_file(cmake/nerve.pc.in nerve.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/nerve.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS nerve-db RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# nerve_add_completion(<shell> <folder> <file>) lets the command write its own completions, so that they cannot differ
# from what it accepts.
set(NERVE_COMPLETIONS)
function(nerve_add_completion shell folder file)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/completions/${shell}/${file})
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/completions/${shell})
  add_custom_command(
    OUTPUT ${output}
    COMMAND nerve-db completions ${shell} > ${output}
    DEPENDS nerve-db
    COMMENT "Writing completions for ${shell}"
    VERBATIM)
  install(FILES ${output} DESTINATION ${CMAKE_INSTALL_DATADIR}/${folder})
  set(NERVE_COMPLETIONS ${NERVE_COMPLETIONS} ${output} PARENT_SCOPE)
endfunction()

nerve_add_completion(bash bash-completion/completions nerve-db)
nerve_add_completion(zsh zsh/site-functions _nerve-db)
nerve_add_completion(fish fish/vendor_completions.d nerve-db.fish)
add_custom_target(completions ALL DEPENDS ${NERVE_COMPLETIONS})

install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
