# Compilers, warnings, sanitizers: every flag of the build is in this file.

option(IRIS_WERROR "Warnings are errors" ON)
option(IRIS_DEBUG "Check who calls what (thread tags) and other costly invariants" OFF)
set(IRIS_SANITIZE "" CACHE STRING "address, thread, fuzzer or empty")

set(CMAKE_C_STANDARD 17)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# assert() stays in a release: a broken invariant must stop the process, not corrupt it. What costs
# too much for that is behind IRIS_DEBUG.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g3 -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g3 -fno-omit-frame-pointer")

add_compile_options(-Wall -Wextra $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> -Wvla)
if(IRIS_WERROR)
  add_compile_options(-Werror)
endif()
add_compile_definitions($<$<COMPILE_LANGUAGE:C>:_GNU_SOURCE> $<$<BOOL:${IRIS_DEBUG}>:IRIS_DEBUG=1>)

# assert() prints __FILE__: relative to the clone, so that a binary names nobody's home directory.
add_compile_options(-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)

# At most x86-64-v2: machines since 2009, and valgrind, understand it.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$" AND CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-march=x86-64-v2)
endif()

if(IRIS_SANITIZE STREQUAL "address")
  set(sanitizers address,undefined)
elseif(IRIS_SANITIZE STREQUAL "thread")
  set(sanitizers thread)
elseif(IRIS_SANITIZE STREQUAL "fuzzer")
  set(sanitizers fuzzer-no-link,address,undefined)
elseif(IRIS_SANITIZE)
  message(FATAL_ERROR "IRIS_SANITIZE=${IRIS_SANITIZE}: expected address, thread or fuzzer")
endif()

if(IRIS_SANITIZE)
  add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${sanitizers})
  # A report about code that was closed has no symbols: plugins stay loaded under a sanitizer.
  add_compile_definitions(IRIS_NO_DLCLOSE=1)
endif()

# A missing symbol must fail here and not at a user's site. clang links its sanitizer runtime into
# programs only, so a library is bound to have undefined symbols there.
if(NOT (IRIS_SANITIZE AND CMAKE_C_COMPILER_ID MATCHES "Clang"))
  set(IRIS_NO_UNDEFINED -Wl,--no-undefined)
endif()

# A program that says how it was built: IRIS_BUILD_FLAGS, without anybody's paths.
function(iris_tell_flags target)
  if(NOT TARGET ${target})
    return()
  endif()
  get_directory_property(flags COMPILE_OPTIONS)
  list(FILTER flags INCLUDE REGEX "^-(march|fsanitize)=")
  string(TOUPPER "CMAKE_C_FLAGS_${CMAKE_BUILD_TYPE}" type)
  list(PREPEND flags ${${type}})
  list(JOIN flags " " flags)
  target_compile_definitions(${target} PRIVATE "IRIS_BUILD_FLAGS=\"${flags}\"")
endfunction()
