# Embeds src/store/migrations/<engine>/V0001__name.sql … as <engine>_migrations() of
# store/migrations.hpp. This file is both the module and the script that writes the unit at build time.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  # postern_migrations(store_sqlite sqlite)
  function(postern_migrations target engine)
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/store/migrations/${engine}/*.sql)
    set(out ${CMAKE_BINARY_DIR}/generated/${engine}_migrations.cpp)
    set(script ${CMAKE_SOURCE_DIR}/cmake/Migrations.cmake)
    add_custom_command(OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -D ENGINE=${engine} -D "FILES=${files}" -D OUT=${out} -P ${script}
      DEPENDS ${files} ${script} COMMENT "Embedding the ${engine} migrations" VERBATIM)
    target_sources(${target} PRIVATE ${out})
  endfunction()
  return()
endif()

list(SORT FILES)
set(steps "")
set(number 0)
foreach(file IN LISTS FILES)
  math(EXPR number "${number} + 1")
  get_filename_component(stem ${file} NAME)
  if(NOT stem MATCHES "^V([0-9][0-9][0-9][0-9])__([a-z0-9_]+)\\.sql$")
    message(FATAL_ERROR "${file}: migrations are named V0001__name.sql")
  endif()
  set(name ${CMAKE_MATCH_2})
  math(EXPR found "1${CMAKE_MATCH_1} - 10000")
  if(NOT found EQUAL number)
    message(FATAL_ERROR "${file}: numbers run without a gap, ${number} was expected")
  endif()
  file(READ ${file} sql)
  string(APPEND steps "    {${number}, \"${name}\", R\"sql(${sql})sql\"},\n")
endforeach()
if(number EQUAL 0)
  message(FATAL_ERROR "There are no migrations for ${ENGINE}")
endif()
file(WRITE ${OUT} "// Made by cmake/Migrations.cmake.
#include \"store/migrations.hpp\"

namespace postern::store {

namespace {
constexpr Migration steps[] = {
${steps}};
}  // namespace

std::span<const Migration> ${ENGINE}_migrations() noexcept { return steps; }

}  // namespace postern::store
")
