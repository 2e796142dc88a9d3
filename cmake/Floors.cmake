# A room is a folder compiled once, as objects; a floor is a static library made of rooms. Tests
# of a room link its objects without waiting for the rest of the house.

# Every unit precompiles the same small header.
function(postern_precompile target)
  if(TARGET postern_pch AND NOT target STREQUAL postern_pch)
    target_precompile_headers(${target} REUSE_FROM postern_pch)
  endif()
endfunction()

# postern_room(core_http core/http USES core_base … LIBS OpenSSL::SSL … ALSO core/http/more …)
# The room's target is an object library of every .cpp in its folder and those named by ALSO.
function(postern_room name folder)
  cmake_parse_arguments(ROOM "" "" "USES;LIBS;ALSO" ${ARGN})
  set(sources "")
  foreach(each ${folder} ${ROOM_ALSO})
    file(GLOB found CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${each}/*.cpp)
    list(APPEND sources ${found})
  endforeach()
  if(NOT sources)
    add_library(${name} INTERFACE)
    set_property(TARGET ${name} PROPERTY POSTERN_USES ${ROOM_USES})
    return()
  endif()
  add_library(${name} OBJECT ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PUBLIC Threads::Threads Boost::headers ${ROOM_LIBS})
  set_property(TARGET ${name} PROPERTY POSTERN_USES ${ROOM_USES})
  postern_precompile(${name})
endfunction()

# The rooms and all rooms that they use, each once.
function(postern_closure out)
  set(found "")
  set(queue ${ARGN})
  while(queue)
    list(POP_FRONT queue room)
    if(NOT room IN_LIST found)
      list(APPEND found ${room})
      get_property(uses TARGET ${room} PROPERTY POSTERN_USES)
      list(APPEND queue ${uses})
    endif()
  endwhile()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# postern_floor(core core_base core_async …): libpostern_core.a
function(postern_floor name)
  set(objects "")
  foreach(room ${ARGN})
    get_target_property(kind ${room} TYPE)
    if(kind STREQUAL "OBJECT_LIBRARY")
      list(APPEND objects $<TARGET_OBJECTS:${room}>)
    endif()
  endforeach()
  if(objects)
    add_library(postern_${name} STATIC ${objects})
    set_target_properties(postern_${name} PROPERTIES LINKER_LANGUAGE CXX)
  endif()
endfunction()

# postern_unit_tests(crypto tests/unit/crypto core_crypto …): one Boost.Test executable
function(postern_unit_tests name folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  if(NOT sources)
    return()
  endif()
  # core_async holds Asio's compiled part, which the precompiled header refers to.
  postern_closure(rooms ${ARGN} core_async)
  add_executable(test_${name} ${sources} ${CMAKE_SOURCE_DIR}/tests/main.cpp
                              ${CMAKE_SOURCE_DIR}/src/app/program/no_fail_points.cpp)
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
  target_link_libraries(test_${name} PRIVATE ${rooms} Boost::unit_test_framework)
  target_compile_definitions(test_${name} PRIVATE BOOST_TEST_DYN_LINK
    POSTERN_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data" POSTERN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  postern_precompile(test_${name})
  # What tests call is optimized; their own code, a third of all, is only compiled faster. -O1 still takes the precompiled header.
  target_compile_options(test_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
