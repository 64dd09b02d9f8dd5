# The Node host: node.so for `iris run`, where libnode is, and the addon of the package, where a node's headers
# are. Without them everything else is still built.
#
#   IRIS_NODE_INCLUDE   headers of the addon: node_api.h (any node from 18 on; Node-API does not change)
#   IRIS_LIBNODE        a prefix with libnode.so and its headers; tools/setup puts one into .libnode/

option(IRIS_NODE "Build the Node host and addon" ON)

function(iris_node_flags target)
  target_compile_definitions(${target} PRIVATE IRIS_VERSION="${PROJECT_VERSION}" NAPI_VERSION=8)
  target_include_directories(${target} PRIVATE ${IRIS_INCLUDE})
endfunction()

# Where the installed host finds libnode. That of the clone is installed along: the clone may go.
function(iris_libnode_for_install rpath library)
  get_filename_component(dir ${library} DIRECTORY)
  string(FIND ${dir} ${PROJECT_SOURCE_DIR}/ at)
  if(at EQUAL 0)
    get_filename_component(file ${library} REALPATH)
    install(FILES ${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/iris/libnode COMPONENT only_here)
    set(dir "$ORIGIN/../libnode")
  elseif(dir MATCHES "^/usr/lib(/|$)")
    set(dir "")
  endif()
  set(${rpath} ${dir} PARENT_SCOPE)
endfunction()

function(iris_node dir)
  iris_sources(sources ${dir})
  if(NOT IRIS_NODE OR NOT sources)
    return()
  endif()
  find_program(IRIS_NODE_PROGRAM node)
  if(NOT IRIS_NODE_INCLUDE AND IRIS_NODE_PROGRAM)
    execute_process(COMMAND ${IRIS_NODE_PROGRAM} -p "path.resolve(process.execPath, '../../include/node')"
                    OUTPUT_VARIABLE beside OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  find_path(IRIS_NODE_INCLUDE node_api.h PATHS ${beside} /usr/include/node /usr/local/include/node
            ${PROJECT_SOURCE_DIR}/.libnode/usr/include/node NO_DEFAULT_PATH)
  if(NOT IRIS_NODE_INCLUDE)
    message(STATUS "no headers of Node 18 or later: no Node host")
    return()
  endif()
  message(STATUS "Node addon: headers of ${IRIS_NODE_INCLUDE}")

  set(common ${sources})
  list(FILTER common EXCLUDE REGEX "/(door_[a-z]+|shim)\\.(c|cc)$")
  set(here ${PROJECT_SOURCE_DIR}/${dir})
  set(package ${PROJECT_BINARY_DIR}/lib/iris/node)

  # The addon leaves napi_* and uv_* undefined (the program has them), and stands on libiris.
  add_library(node_module MODULE ${common} ${here}/door_module.c)
  set_target_properties(node_module PROPERTIES PREFIX "" OUTPUT_NAME iris SUFFIX ".node"
                        BUILD_RPATH "$ORIGIN/../.." INSTALL_RPATH "$ORIGIN/../.." BUILD_WITH_INSTALL_RPATH ON
                        LIBRARY_OUTPUT_DIRECTORY ${package})
  target_include_directories(node_module SYSTEM PRIVATE ${IRIS_NODE_INCLUDE})
  target_compile_definitions(node_module PRIVATE IRIS_EXPORT=)
  target_link_libraries(node_module PRIVATE iris Threads::Threads ${CMAKE_DL_LIBS})
  install(TARGETS node_module LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/iris/node)
  iris_node_flags(node_module)

  # The package's JavaScript: beside the addon.
  file(GLOB files CONFIGURE_DEPENDS ${here}/iris/*.js ${here}/iris/*.mjs ${here}/iris/*.ts ${here}/iris/*.json)
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME)
    configure_file(${file} ${package}/${name} COPYONLY)
  endforeach()
  install(FILES ${files} DESTINATION ${CMAKE_INSTALL_LIBDIR}/iris/node)

  # libnode: of the system, or where tools/setup has put it. Its own headers: they are C++, and of its version.
  set(roots ${IRIS_LIBNODE} ${PROJECT_SOURCE_DIR}/.libnode/usr /usr)
  find_library(IRIS_LIBNODE_FILE node PATHS ${roots} PATH_SUFFIXES lib lib/${CMAKE_LIBRARY_ARCHITECTURE}
               NO_DEFAULT_PATH)
  if(IRIS_LIBNODE_FILE) # else another node's headers would be found, and kept
    find_path(IRIS_LIBNODE_INCLUDE v8-version.h PATHS ${IRIS_LIBNODE}/include/node
              ${PROJECT_SOURCE_DIR}/.libnode/usr/include/node /usr/include/nodejs/src /usr/include/node
              NO_DEFAULT_PATH)
  endif()
  if(IRIS_LIBNODE_FILE AND IRIS_LIBNODE_INCLUDE)
    message(STATUS "Node host: ${IRIS_LIBNODE_FILE}")
    iris_plugin(plugin_node node ${common} ${here}/door_host.c ${here}/shim.cc)
    get_filename_component(libdir ${IRIS_LIBNODE_FILE} DIRECTORY)
    iris_libnode_for_install(rpath ${IRIS_LIBNODE_FILE})
    set_target_properties(plugin_node PROPERTIES BUILD_RPATH ${libdir} INSTALL_RPATH "${rpath}"
                          LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/iris/hosts)
    target_include_directories(plugin_node SYSTEM PRIVATE ${IRIS_LIBNODE_INCLUDE})
    target_link_libraries(plugin_node PRIVATE ${IRIS_LIBNODE_FILE} PkgConfig::uv ${CMAKE_DL_LIBS})
    # Of the C++ too nothing is seen but the one entry.
    target_link_options(plugin_node PRIVATE -Wl,-z,nodelete -Wl,--version-script=${here}/exports.map)
    target_compile_features(plugin_node PRIVATE cxx_std_17)
    if(IRIS_SANITIZE) # libnode has no type information for what it exports
      set_source_files_properties(${here}/shim.cc PROPERTIES COMPILE_OPTIONS -fno-sanitize=vptr)
    endif()
    if(IRIS_LIBNODE_FILE MATCHES "^${PROJECT_SOURCE_DIR}/")
      set(only_here COMPONENT only_here) # no part of a package
    endif()
    install(TARGETS plugin_node LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/iris/hosts ${only_here})
    iris_node_flags(plugin_node)
  else()
    message(STATUS "no libnode (tools/setup brings it): no Node host for iris run, only the addon")
  endif()

  # What `npm run build` builds.
  add_custom_target(package_node DEPENDS node_module)
  cmake_language(DEFER DIRECTORY ${PROJECT_SOURCE_DIR} CALL iris_node_package)
endfunction()

# With all the targets that there are in the end.
function(iris_node_package)
  foreach(target program_iris plugin_native plugin_python plugin_node plugin_mesh plugin_etcd)
    if(TARGET ${target})
      add_dependencies(package_node ${target})
    endif()
  endforeach()
endfunction()
