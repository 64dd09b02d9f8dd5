# How tests are found. Adding a file (or an IRIS_TEST to one) is enough: cmake runs again by itself.

set(IRIS_TEST_TIMEOUT 120)
if(IRIS_SANITIZE)
  set(IRIS_TEST_TIMEOUT 300)
endif()
math(EXPR IRIS_SCRIPT_TIMEOUT "3 * ${IRIS_TEST_TIMEOUT}") # some start hundreds of programs

set(IRIS_TEST_ENV
    "IRIS_STATE_DIR=${PROJECT_BINARY_DIR}/tests/state" # private copies: not in the user's home
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
    "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/lsan.supp:print_suppressions=0"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=second_deadlock_stack=1:suppressions=${CMAKE_CURRENT_SOURCE_DIR}/tsan.supp")

function(iris_add_test name)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${IRIS_TEST_TIMEOUT} SKIP_RETURN_CODE 77
                       ENVIRONMENT "${IRIS_TEST_ENV}")
endfunction()

# What tests of the core see: its internals, and where the tree is.
function(iris_test_program target output dir)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${output}
                        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/${dir})
  target_link_libraries(${target} PRIVATE iris_static mesh_pure)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests) # "otp/table.h"
  target_compile_definitions(${target} PRIVATE IRIS_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             IRIS_BUILD_DIR="${PROJECT_BINARY_DIR}")
endfunction()

# dir/NAME_test.c: one cmocka program each, one ctest case per IRIS_TEST("name", ...) in it.
# The other *.c of dir are helpers that every one of these programs is linked with. mesh_X_test.c also sees
# what needs OpenSSL.
function(iris_unit_tests dir)
  file(GLOB tests CONFIGURE_DEPENDS ${dir}/*_test.c)
  file(GLOB helpers CONFIGURE_DEPENDS ${dir}/*.c)
  list(REMOVE_ITEM helpers ${tests})
  if(NOT tests OR NOT TARGET iris_static)
    return()
  endif()
  if(helpers)
    add_library(unit_helpers OBJECT ${helpers})
    target_link_libraries(unit_helpers PRIVATE iris_static PkgConfig::cmocka)
    set(helpers $<TARGET_OBJECTS:unit_helpers>)
  endif()
  foreach(source IN LISTS tests)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source} ${helpers})
    iris_test_program(${name} ${name} unit)
    target_link_libraries(${name} PRIVATE PkgConfig::cmocka)
    if(name MATCHES "^mesh_")
      target_link_libraries(${name} PRIVATE mesh_tls mesh_cert mesh_net mesh_agree)
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(READ ${source} text)
    string(REGEX MATCHALL "IRIS_TEST[A-Z_]*\\(\"[^\"]+" cases "${text}")
    foreach(case IN LISTS cases)
      string(REGEX REPLACE "^.*\"" "" case "${case}")
      iris_add_test(${case} ${name} ${case})
      if(text MATCHES "(scene_play(_seeds)?|PULLERS?)\\(")
        set_tests_properties(${case} PROPERTIES LABELS seeds)
      endif()
    endforeach()
  endforeach()
  # The behaviours are loaded at run time, so nothing else orders them before the tests.
  get_property(behaviours GLOBAL PROPERTY iris_test_behaviours)
  foreach(source IN LISTS tests)
    get_filename_component(name ${source} NAME_WE)
    if(behaviours)
      add_dependencies(${name} ${behaviours})
    endif()
  endforeach()
endfunction()

# dir/NAME.c (or .cc): a loadable file for tests, build/<preset>/tests/behaviours/NAME.so.
function(iris_test_behaviours dir)
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.c ${dir}/*.cc)
  foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    iris_plugin(behaviour_${name} ${name} ${source})
    set_target_properties(behaviour_${name} PROPERTIES
                          LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/behaviours)
    set_property(GLOBAL APPEND PROPERTY iris_test_behaviours behaviour_${name})
  endforeach()
endfunction()

# dir/NAME_fuzz.c: a libFuzzer target. ctest replays dir/corpus/NAME/ in every preset; without
# libFuzzer a small main() feeds the files.
function(iris_fuzz_targets dir)
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*_fuzz.c)
  if(NOT TARGET iris_static)
    return()
  endif()
  add_custom_target(fuzzers) # all of them and nothing else, for `make fuzz`
  foreach(source IN LISTS sources)
    get_filename_component(target ${source} NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" name ${target})
    set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/${dir}/corpus/${name})
    add_executable(${target} ${source})
    iris_test_program(${target} ${target} fuzz)
    add_dependencies(fuzzers ${target})
    if(IRIS_SANITIZE STREQUAL "fuzzer")
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      iris_add_test(p10.fuzz_corpus_${name} ${target} -runs=0 ${corpus})
    else()
      target_sources(${target} PRIVATE ${dir}/replay.c)
      iris_add_test(p10.fuzz_corpus_${name} ${target} ${corpus})
    endif()
  endforeach()
endfunction()

# dir/NAME.sh: drives whole programs. Its ctest name is on its line "# ctest: NAME", else dir.NAME.
function(iris_script_tests dir)
  file(GLOB scripts CONFIGURE_DEPENDS ${dir}/*.sh)
  foreach(script IN LISTS scripts)
    get_filename_component(name ${script} NAME_WE)
    file(STRINGS ${script} line REGEX "^# ctest: " LIMIT_COUNT 1)
    string(REGEX REPLACE "^# ctest: *([^ ]+).*" "\\1" case "${line}")
    if(NOT case)
      set(case ${dir}.${name})
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
    iris_add_test(${case} ${CMAKE_CURRENT_SOURCE_DIR}/run_script ${script})
    # COST: these begin first, so that no long one is what all wait for at the end.
    set_tests_properties(${case} PROPERTIES TIMEOUT ${IRIS_SCRIPT_TIMEOUT} COST 1)
    set(labels ${dir}) # `ctest -L docs`, `ctest -L python`
    if(name MATCHES "^python")
      list(APPEND labels python)
    endif()
    set_tests_properties(${case} PROPERTIES LABELS "${labels}")
    set_property(TEST ${case} APPEND PROPERTY ENVIRONMENT
                 "IRIS=${PROJECT_BINARY_DIR}/bin/iris" "SRC=${PROJECT_SOURCE_DIR}"
                 "BUILD=${PROJECT_BINARY_DIR}" "CC=${CMAKE_C_COMPILER}" "CXX=${CMAKE_CXX_COMPILER}")
  endforeach()
endfunction()

# dir/valid/CASE/app.json, dir/invalid/CASE/{app.json,expected}: what `iris check` says to each.
function(iris_manifest_tests dir)
  file(GLOB manifests CONFIGURE_DEPENDS ${dir}/valid/*/app.json ${dir}/invalid/*/app.json)
  foreach(manifest IN LISTS manifests)
    string(REGEX REPLACE "^.*/(valid|invalid)/([^/]+)/app.json$" "\\1.\\2" case ${manifest})
    get_filename_component(where ${manifest} DIRECTORY)
    iris_add_test(manifest.${case} ${CMAKE_CURRENT_SOURCE_DIR}/manifest_case ${where})
    set_property(TEST manifest.${case} APPEND PROPERTY ENVIRONMENT "IRIS=${PROJECT_BINARY_DIR}/bin/iris")
  endforeach()
endfunction()

# dir/*.c: one program for what runs for minutes, build/<preset>/tests/dir/churn. Its script is for `make soak`.
function(iris_soak_program name dir)
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.c)
  add_executable(${name} ${sources})
  iris_test_program(${name} ${name} ${dir})
endfunction()

# A program of a language was built without a sanitizer: its runtime must come first (gcc's only).
function(iris_preload_sanitizer test asan_options tsan_options)
  if(NOT IRIS_SANITIZE)
    return()
  endif()
  set(runtime libtsan.so)
  if(IRIS_SANITIZE STREQUAL "address")
    set(runtime libasan.so)
  endif()
  execute_process(COMMAND gcc -print-file-name=${runtime} OUTPUT_VARIABLE preload
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "LD_PRELOAD=${preload}"
               "ASAN_OPTIONS=${asan_options}" "TSAN_OPTIONS=${tsan_options}")
  if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    set_tests_properties(${test} PROPERTIES DISABLED TRUE)
  endif()
endfunction()

# dir/NAME_test.py: unittest, by the Python that the module was built for; each file is a ctest case.
function(iris_python_tests dir)
  if(NOT TARGET python_module)
    return()
  endif()
  file(GLOB tests CONFIGURE_DEPENDS ${dir}/*_test.py)
  foreach(source IN LISTS tests)
    get_filename_component(name ${source} NAME_WE)
    iris_add_test(python.${name} ${IRIS_PYTHON_PROGRAM} ${source} -q)
    set_tests_properties(python.${name} PROPERTIES LABELS python)
    set_property(TEST python.${name} APPEND PROPERTY ENVIRONMENT
                 "PYTHONPATH=${PROJECT_BINARY_DIR}/lib/iris/python" "PYTHONDONTWRITEBYTECODE=1"
                 "IRIS=${PROJECT_BINARY_DIR}/bin/iris" "SRC=${PROJECT_SOURCE_DIR}")
    iris_preload_sanitizer(python.${name} "detect_leaks=0:allocator_may_return_null=1"
                           "allocator_may_return_null=1:die_after_fork=0:suppressions=${CMAKE_CURRENT_SOURCE_DIR}/tsan.supp")
  endforeach()
endfunction()

# dir/NAME_test.mjs: node --test, by the node whose headers the addon was built with; each file is a ctest case.
function(iris_node_tests dir)
  if(NOT TARGET node_module OR NOT IRIS_NODE_PROGRAM)
    return()
  endif()
  file(GLOB tests CONFIGURE_DEPENDS ${dir}/*_test.mjs)
  foreach(source IN LISTS tests)
    get_filename_component(name ${source} NAME_WE)
    iris_add_test(node.${name} ${IRIS_NODE_PROGRAM} --expose-gc --test ${source})
    set_property(TEST node.${name} PROPERTY LABELS node)
    set_property(TEST node.${name} APPEND PROPERTY ENVIRONMENT
                 "IRIS_NODE=${PROJECT_BINARY_DIR}/lib/iris/node"
                 "IRIS=${PROJECT_BINARY_DIR}/bin/iris" "SRC=${PROJECT_SOURCE_DIR}")
    iris_preload_sanitizer(node.${name} "detect_leaks=0"
                           "second_deadlock_stack=1:suppressions=${CMAKE_CURRENT_SOURCE_DIR}/node/tsan.supp")
  endforeach()
endfunction()
