set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# One code model everywhere, so that libraries and executables share the precompiled header.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE "-fPIC")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -D_FORTIFY_SOURCE=2 -fstack-protector-strong")

# Both macros in every unit, or the one-definition rule breaks: the implementations are in
# src/core/http/separate_compilation.cpp.
add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
                        BOOST_ASIO_NO_DEPRECATED)
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wswitch-enum -Werror
                    -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports faults inside coroutine frames and inlined strings that are none.
  add_compile_options(-fcoroutines -Wno-maybe-uninitialized -Wno-dangling-pointer -Wno-mismatched-new-delete
                      -Wno-stringop-overread -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict)
else()
  # Clang 14 counts structured bindings captured by Asio's headers and our own defaulted operators.
  add_compile_options(-Wno-unused-private-field)
endif()
add_link_options(-Wl,-z,relro,-z,now)

set(POSTERN_SANITIZE "" CACHE STRING "Value of -fsanitize, empty for none")
if(POSTERN_SANITIZE)
  add_compile_options(-fsanitize=${POSTERN_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${POSTERN_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-fno-sanitize=function -fno-sanitize-recover=undefined
                        -fsanitize-ignorelist=${CMAKE_SOURCE_DIR}/cmake/sanitizer-ignorelist.txt)
  elseif(POSTERN_SANITIZE STREQUAL "thread")
    add_compile_options(-Wno-tsan)  # Asio's fences, which GCC's thread sanitizer does not model
  endif()
endif()

find_program(POSTERN_CCACHE ccache)
if(POSTERN_CCACHE)
  # ccache needs these to accept precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${POSTERN_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()
find_program(POSTERN_MOLD mold)
if(POSTERN_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Sanitised transport units need 2 GB each.
set_property(GLOBAL PROPERTY JOB_POOLS heavy=2)
