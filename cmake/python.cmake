# The Python host: pyhost.so for `iris run`, and the extension module of the package. Debian's own Python,
# unless Python3_EXECUTABLE or Python3_ROOT_DIR says another (3.11 or later); version managers' shims on
# the PATH are not asked. Without its headers everything else is still built.

set(IRIS_PYTHON ON CACHE STRING "ON, OFF, or which Python the host and the module are for, as 3.12")

# -DIRIS_PYTHON=3.12: that one, or an error that says what is missing.
function(iris_choose_python)
  if(IRIS_PYTHON VERSION_LESS 3.11)
    message(FATAL_ERROR "IRIS_PYTHON=${IRIS_PYTHON}: the Python host needs 3.11 or later")
  endif()
  find_program(program python${IRIS_PYTHON} NO_CACHE)
  if(program) # it may be a version manager's shim, which works where that version is chosen
    execute_process(COMMAND ${program} -c "import sys; print(sys.executable)" OUTPUT_VARIABLE real
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  if(NOT real)
    message(FATAL_ERROR "IRIS_PYTHON=${IRIS_PYTHON}: there is no python${IRIS_PYTHON} on the PATH that runs; install it "
                        "with its headers (python${IRIS_PYTHON}-dev), name it by -DPython3_EXECUTABLE=FILE, or leave "
                        "IRIS_PYTHON out for the system's own")
  endif()
  set(Python3_EXECUTABLE ${real} CACHE FILEPATH "" FORCE)
endfunction()

# CPython's own headers and slots cast functions; unused slots are left out of initialisers.
function(iris_python_flags target)
  target_compile_definitions(${target} PRIVATE IRIS_VERSION="${PROJECT_VERSION}")
  # Its few thread-locals lie beside the program's own: no call for each look at them.
  target_compile_options(${target} PRIVATE -ftls-model=initial-exec
                         -Wmissing-prototypes -Wno-missing-field-initializers
                         -Wno-cast-function-type)
endfunction()

function(iris_python dir)
  iris_sources(sources ${dir})
  if(NOT IRIS_PYTHON OR NOT sources)
    return()
  endif()
  if(IRIS_PYTHON MATCHES "^[0-9]" AND NOT Python3_EXECUTABLE)
    iris_choose_python()
  endif()
  if(NOT DEFINED Python3_ROOT_DIR AND NOT DEFINED Python3_EXECUTABLE)
    set(Python3_ROOT_DIR /usr)
  endif()
  set(Python3_FIND_STRATEGY LOCATION)
  find_package(Python3 3.11 QUIET COMPONENTS Interpreter Development.Module
               OPTIONAL_COMPONENTS Development.Embed)
  if(IRIS_PYTHON MATCHES "^[0-9]" AND NOT (Python3_FOUND AND "${Python3_VERSION}." MATCHES "^${IRIS_PYTHON}[.]"))
    message(FATAL_ERROR "IRIS_PYTHON=${IRIS_PYTHON}: ${Python3_EXECUTABLE} ${Python3_VERSION} has no headers, or is "
                        "another version; install python${IRIS_PYTHON}-dev, or leave IRIS_PYTHON out")
  endif()
  if(NOT Python3_FOUND)
    message(STATUS "no Python 3.11 or later with its headers (python3-dev): no Python host")
    return()
  endif()
  message(STATUS "Python host: ${Python3_EXECUTABLE}, ${Python3_VERSION}")
  set(IRIS_PYTHON_PROGRAM ${Python3_EXECUTABLE} CACHE INTERNAL "what tests of the Python host run")

  set(common ${sources})
  list(FILTER common EXCLUDE REGEX "/door_[a-z]+\\.c$")
  set(host ${PROJECT_SOURCE_DIR}/${dir}/door_host.c)
  set(module ${PROJECT_SOURCE_DIR}/${dir}/door_module.c)

  # The extension leaves Py* undefined (the program has them), and stands on libiris: of the build or
  # installed tree, or (in a wheel) inside the package.
  add_library(python_module MODULE ${common} ${module})
  set_target_properties(python_module PROPERTIES
                        PREFIX "" OUTPUT_NAME _iris SUFFIX ".${Python3_SOABI}.so"
                        BUILD_RPATH "$ORIGIN/../../..;$ORIGIN/lib"
                        INSTALL_RPATH "$ORIGIN/../../..;$ORIGIN/lib" BUILD_WITH_INSTALL_RPATH ON
                        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/iris/python/iris)
  target_include_directories(python_module PRIVATE ${IRIS_INCLUDE})
  target_include_directories(python_module SYSTEM PRIVATE ${Python3_INCLUDE_DIRS})
  target_compile_definitions(python_module PRIVATE IRIS_EXPORT=)
  target_link_libraries(python_module PRIVATE iris Threads::Threads ${CMAKE_DL_LIBS})
  install(TARGETS python_module LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/iris/python/iris)
  iris_python_flags(python_module)

  # The package's Python files: beside the module, so that PYTHONPATH is all that is needed.
  file(GLOB package CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${dir}/iris/*.py
       ${PROJECT_SOURCE_DIR}/${dir}/iris/*.pyi ${PROJECT_SOURCE_DIR}/${dir}/iris/py.typed)
  foreach(file IN LISTS package)
    get_filename_component(name ${file} NAME)
    configure_file(${file} ${PROJECT_BINARY_DIR}/lib/iris/python/iris/${name} COPYONLY)
  endforeach()
  install(FILES ${package} DESTINATION ${CMAKE_INSTALL_LIBDIR}/iris/python/iris)

  if(NOT Python3_Development.Embed_FOUND)
    message(STATUS "this Python has no libpython: no Python host for iris run, only the module")
    return()
  endif()
  # A language cannot be unloaded. Its libpython may have a namesake elsewhere: the path is recorded.
  iris_plugin(plugin_python python ${common} ${host})
  get_filename_component(libdir "${Python3_LIBRARIES}" DIRECTORY)
  set_target_properties(plugin_python PROPERTIES
                        BUILD_RPATH "${libdir}" INSTALL_RPATH "${libdir}"
                        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/iris/hosts)
  target_link_libraries(plugin_python PRIVATE Python3::Python ${CMAKE_DL_LIBS})
  target_link_options(plugin_python PRIVATE -Wl,-z,nodelete)
  target_compile_definitions(plugin_python PRIVATE IRIS_PYTHON="${Python3_EXECUTABLE}")
  install(TARGETS plugin_python LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/iris/hosts)
  iris_python_flags(plugin_python)
endfunction()
