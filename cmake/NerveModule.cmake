# SPDX-License-Identifier: Apache-2.0
# nerve_add_module(<name> <source>... [DEPENDS <module>...]) makes nerve::module_<name> from a folder under modules/. A
# module sees core and the public headers of the modules it depends on, and nothing else.
function(nerve_add_module name)
  cmake_parse_arguments(PARSE_ARGV 1 module "" "" "DEPENDS")
  set(target nerve_module_${name})
  add_library(${target} STATIC ${module_UNPARSED_ARGUMENTS})
  add_library(nerve::module_${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME module_${name})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC nerve::core PRIVATE fmt::fmt)
  foreach(other IN LISTS module_DEPENDS)
    target_link_libraries(${target} PUBLIC nerve::module_${other})
  endforeach()
endfunction()
