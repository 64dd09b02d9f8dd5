# What the core stands on. tools/setup installs all of it on Debian.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(uv REQUIRED IMPORTED_TARGET libuv>=1.44)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(fyaml REQUIRED IMPORTED_TARGET libfyaml>=0.7)
pkg_check_modules(crypto REQUIRED IMPORTED_TARGET libcrypto>=3.0) # the mesh: HMAC
pkg_check_modules(openssl REQUIRED IMPORTED_TARGET openssl>=3.0) # the mesh: TLS
pkg_check_modules(curl IMPORTED_TARGET libcurl>=7.85) # the mesh's engine etcd; without it there is none
pkg_check_modules(ncurses REQUIRED IMPORTED_TARGET ncursesw>=6.0) # iris top
find_path(UTHASH_INCLUDE uthash.h REQUIRED)

# Debian ships llhttp as C sources, in node-llhttp.
find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp REQUIRED)
find_path(LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp REQUIRED)
add_library(llhttp STATIC ${LLHTTP_SOURCE}/llhttp.c ${LLHTTP_SOURCE}/api.c ${LLHTTP_SOURCE}/http.c)
target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
target_compile_options(llhttp PRIVATE -w)

# Lines of source of a native fault. GCC brings libbacktrace along (Debian: libgcc-12-dev) in directories of its own, which
# clang knows for libraries alone: its header is copied, for beside it are those of GCC's that are not to be clang's.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libbacktrace.a
                OUTPUT_VARIABLE gcc_backtrace OUTPUT_STRIP_TRAILING_WHITESPACE)
get_filename_component(gcc_directory ${gcc_backtrace} DIRECTORY)
find_library(BACKTRACE_LIBRARY backtrace HINTS ${gcc_directory} REQUIRED)
find_file(BACKTRACE_HEADER backtrace.h HINTS ${gcc_directory}/include PATHS /usr/include REQUIRED)
configure_file(${BACKTRACE_HEADER} ${PROJECT_BINARY_DIR}/backtrace/backtrace.h COPYONLY)
add_library(backtrace INTERFACE)
target_include_directories(backtrace SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/backtrace)
target_link_libraries(backtrace INTERFACE ${BACKTRACE_LIBRARY})
