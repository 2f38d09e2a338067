# SPDX-License-Identifier: Apache-2.0
# Language level, warnings, hardening and sanitizers: the same for every target.
option(NERVE_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(NERVE_BUILD_BENCHMARKS "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(NERVE_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(NERVE_WERROR "Treat compiler warnings as errors" ${PROJECT_IS_TOP_LEVEL})

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
                    -Wimplicit-fallthrough -fstack-protector-strong)
# GCC 12 sees overlaps in std::string's operator+ that are none (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict)
endif()
if(NERVE_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT NERVE_SANITIZE)
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()
if(NERVE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -Og)
  # A program that can be loaded anywhere has a million addresses to be corrected at each start, with sanitizers.
  add_link_options(-fsanitize=address,undefined -no-pie)
  # GCC 12 reports uninitialized reads inside code that the sanitizers inserted themselves.
  add_compile_options(-Wno-maybe-uninitialized)
endif()
add_link_options(-Wl,-z,relro,-z,now)
