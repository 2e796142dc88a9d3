find_package(Threads REQUIRED)
find_package(Boost 1.81.0 EXACT CONFIG REQUIRED COMPONENTS headers url unit_test_framework)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CURL 7.88 REQUIRED)

# Found by name: prometheus-cpp's own package file drags in curl and zlib for its push client, and
# libunbound's pkg-config file asks for libevent, which only its event API needs.
function(postern_library target library header)
  find_library(${target}_LIBRARY ${library} REQUIRED)
  find_path(${target}_INCLUDE ${header} REQUIRED)
  add_library(${target} UNKNOWN IMPORTED)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${target}_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${${target}_INCLUDE})
endfunction()
postern_library(prometheus_core prometheus-cpp-core prometheus/registry.h)
postern_library(unbound unbound unbound.h)
postern_library(pq pq postgresql/libpq-fe.h)
postern_library(systemd systemd systemd/sd-daemon.h)
postern_library(idn2 idn2 idn2.h)
postern_library(unistring unistring unictype.h)
postern_library(psl psl libpsl.h)
find_path(RAPIDJSON_INCLUDE rapidjson/document.h REQUIRED)
find_path(CLI11_INCLUDE CLI/CLI.hpp REQUIRED)
# The allocator of the server: a sixth less CPU an issuance than the C library's (bench/run acme).
# Sanitizers bring their own.
if(NOT POSTERN_SANITIZE)
  find_package(mimalloc REQUIRED)
endif()
