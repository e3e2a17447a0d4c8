# Arrow comes from a system package where there is one, otherwise from the pinned pyarrow wheel that
# tools/setup put into .venv. Everything else is a Debian package.
find_package(Threads REQUIRED)
find_package(Arrow 26 QUIET)
add_library(laminar_dependencies INTERFACE)

# Static, hidden and ahead of Arrow: the wheel exports symbols of its own, newer RE2, which would take the place of ours.
find_library(RE2_LIBRARY NAMES libre2.a re2 REQUIRED)
add_link_options(-Wl,--exclude-libs,libre2.a)
target_link_libraries(laminar_dependencies INTERFACE ${RE2_LIBRARY})

# Before Arrow: the wheel's libparquet exports a newer simdjson of its own, and what stands first in the link line is what
# calls bind to. Bound to that one, code built with Debian's header would call through the wrong virtual tables.
# (Parquet uses its copy only for encryption keys.)
find_package(simdjson REQUIRED)
target_link_libraries(laminar_dependencies INTERFACE simdjson::simdjson)
if(Arrow_FOUND)
  find_package(Parquet REQUIRED)
  target_link_libraries(laminar_dependencies INTERFACE Arrow::arrow_shared ArrowCompute::arrow_compute_shared Parquet::parquet_shared)
else()
  file(GLOB wheel ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/pyarrow)
  if(NOT wheel)
    message(FATAL_ERROR "Arrow 26 not found: run 'make setup' (installs the pinned wheel into .venv)")
  endif()
  foreach(library arrow arrow_compute parquet)
    file(GLOB found ${wheel}/lib${library}.so.2600)
    if(NOT found)
      message(FATAL_ERROR "${wheel} has no lib${library}.so.2600: remove .venv and run 'make setup'")
    endif()
    target_link_libraries(laminar_dependencies INTERFACE ${found})
  endforeach()
  target_include_directories(laminar_dependencies SYSTEM INTERFACE ${wheel}/include)
  set(CMAKE_BUILD_RPATH ${wheel})
endif()

find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_library(ZSTD_LIBRARY zstd REQUIRED)
find_library(YAML_LIBRARY yaml REQUIRED)  # files of `laminar apply`
# The server's metadata: only src/catalog needs these.
find_library(SOCI_CORE soci_core REQUIRED)
find_library(SOCI_SQLITE3 soci_sqlite3 REQUIRED)
find_library(SOCI_POSTGRESQL soci_postgresql REQUIRED)
find_path(POSTGRESQL_INCLUDE libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
add_library(laminar_metadata INTERFACE)
target_link_libraries(laminar_metadata INTERFACE ${SOCI_CORE} ${SOCI_SQLITE3} ${SOCI_POSTGRESQL})
target_include_directories(laminar_metadata SYSTEM INTERFACE /usr/include/soci ${POSTGRESQL_INCLUDE})
target_link_libraries(laminar_dependencies INTERFACE
  fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json ${ZSTD_LIBRARY} ${YAML_LIBRARY}
  ZLIB::ZLIB OpenSSL::Crypto CURL::libcurl Threads::Threads)
target_compile_definitions(laminar_dependencies INTERFACE SPDLOG_FMT_EXTERNAL XXH_INLINE_ALL)

# Flags of our own code only.
add_library(laminar_options INTERFACE)
target_compile_options(laminar_options INTERFACE -Wall -Wextra -Wno-unused-parameter $<$<BOOL:${LAMINAR_WERROR}>:-Werror>)
if(LAMINAR_SANITIZE)
  # Without checks of each access for null, type and alignment, which double the time to compile; ASan sees a null anyway.
  add_compile_options(-fsanitize=${LAMINAR_SANITIZE} -fno-sanitize=null,vptr,alignment -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${LAMINAR_SANITIZE})
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()
