# SPDX-License-Identifier: Apache-2.0
# Writes the migrations of all modules into one source file:
#
#   cmake -DFOLDER=migrations -DOUTPUT=embedded_migrations.cpp -P cmake/EmbedMigrations.cmake
#
# A module is a folder of FOLDER with .sql files. A raw literal is kept far below the 64 kB that compilers must accept;
# neighbouring literals are one text.
cmake_minimum_required(VERSION 3.25)
set(literal_bytes_max 16000)

file(GLOB files LIST_DIRECTORIES false RELATIVE ${FOLDER} ${FOLDER}/*/*.sql)
list(SORT files)

set(entries "")
foreach(file IN LISTS files)
  get_filename_component(module ${file} DIRECTORY)
  get_filename_component(name ${file} NAME)
  file(READ ${FOLDER}/${file} content)
  string(LENGTH "${content}" length)
  set(literals "")
  set(begin 0)
  while(begin LESS length)
    string(SUBSTRING "${content}" ${begin} ${literal_bytes_max} part)
    string(APPEND literals "\n        R\"nerve_sql(${part})nerve_sql\"")
    math(EXPR begin "${begin} + ${literal_bytes_max}")
  endwhile()
  string(APPEND entries "    {\"${module}\", \"${name}\",${literals}},\n")
endforeach()

file(WRITE ${OUTPUT}.new "// Made by cmake/EmbedMigrations.cmake from the .sql files of migrations/.
#include \"embedded_migrations.h\"

namespace nerve {

namespace {

constexpr migrations::EmbeddedFile files[] = {
${entries}};

}  // namespace

std::span<const migrations::EmbeddedFile> embedded_migrations() {
  return files;
}

}  // namespace nerve
")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
file(REMOVE ${OUTPUT}.new)
