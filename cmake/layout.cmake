# The build tree has the shape of the installed one, and everything in it is found relative to the
# program: bin/iris, lib/libiris.so.0, lib/iris/hosts/, lib/iris/behaviours/.

if(NOT DEFINED CMAKE_INSTALL_LIBDIR)
  set(CMAKE_INSTALL_LIBDIR lib CACHE PATH "") # no multiarch directory: the program looks in ../lib
endif()
include(GNUInstallDirs)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)

install(DIRECTORY include/iris DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(DIRECTORY examples/logwatch examples/embed examples/mesh examples/hello examples/python examples/node DESTINATION ${CMAKE_INSTALL_DATADIR}/iris/examples)

# A target of all that this directory builds so far: neither tests, which are another directory's, nor what CTest
# calls targets.
function(iris_programs)
  get_property(targets DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
  add_custom_target(programs)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type MATCHES "EXECUTABLE|LIBRARY" OR target STREQUAL manuals)
      add_dependencies(programs ${target})
    endif()
  endforeach()
endfunction()
