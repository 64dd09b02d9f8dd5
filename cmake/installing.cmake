# What is installed beside programs and libraries, for those who build on Iris and those who run it: pkg-config,
# the CMake package, the unit of systemd; and the Debian package (cpack -G DEB).

include(CMakePackageConfigHelpers)

# `pkg-config --cflags --libs iris`, wherever it was installed to.
file(RELATIVE_PATH IRIS_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" IRIS_PC_PREFIX ${IRIS_PC_PREFIX})
configure_file(${PROJECT_SOURCE_DIR}/cmake/iris.pc.in ${PROJECT_BINARY_DIR}/iris.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/iris.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# find_package(Iris)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Iris)
configure_package_config_file(cmake/IrisConfig.cmake.in ${PROJECT_BINARY_DIR}/package/IrisConfig.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/IrisConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/IrisConfig.cmake ${PROJECT_BINARY_DIR}/package/IrisConfigVersion.cmake
        DESTINATION ${package})
if(TARGET iris)
  install(EXPORT IrisTargets NAMESPACE Iris:: DESTINATION ${package})
endif()

# The unit names the program by its whole path, which is known when it is installed.
file(READ cmake/iris@.service.in unit)
string(REPLACE "@BINDIR@" "\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}" unit "${unit}")
install(CODE "file(WRITE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/iris@.service\" \"${unit}\")")

# The Debian package. Its files are laid out by DESTDIR, so that the unit names /usr/bin/iris.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME iris)
set(CPACK_PACKAGE_VENDOR Iris)
set(CPACK_PACKAGE_CONTACT "Iris developers <iris@example.org>")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "actor runtime whose actors are swapped while they run")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Actors in C, Python and JavaScript, supervised by path.
The program iris runs an app from its manifest and talks to it; libiris embeds actors into other programs.")
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# A libnode of this clone alone (.libnode/) is nobody else's: its host is no part of the package.
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};iris;Unspecified;/")
include(CPack)
