# What the program says of itself, as files: completion for three shells, the schema of manifests, and (by
# scdoc) manual pages. All of it comes from the tables of verbs and of keys, through the program just built.

function(iris_manuals)
  if(NOT TARGET program_iris OR IRIS_SANITIZE OR CMAKE_CROSSCOMPILING)
    return()
  endif()
  set(share ${PROJECT_BINARY_DIR}/share)
  iris_said(completion\ bash bash-completion/completions/iris)
  iris_said(completion\ zsh zsh/site-functions/_iris)
  # Debian's zsh looks there, below /usr.
  install(FILES ${share}/zsh/site-functions/_iris DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  iris_said(completion\ fish fish/vendor_completions.d/iris.fish)
  iris_said(schema iris/app.schema.json)
  find_program(IRIS_SCDOC scdoc)
  if(IRIS_SCDOC)
    iris_said(help\ --manual man/man1/iris.1 | ${IRIS_SCDOC})
    iris_said(schema\ --manual man/man5/iris-app.json.5 | ${IRIS_SCDOC})
  else()
    message(STATUS "no scdoc: the manual pages iris(1) and iris-app.json(5) are left out")
  endif()
  add_custom_target(manuals ALL DEPENDS ${files})
endfunction()

# What `iris WORDS` prints (through a filter), installed as share/FILE.
macro(iris_said words file)
  separate_arguments(said UNIX_COMMAND "${words}")
  get_filename_component(directory ${file} DIRECTORY)
  file(MAKE_DIRECTORY ${share}/${directory})
  add_custom_command(OUTPUT ${share}/${file}
                     COMMAND $<TARGET_FILE:program_iris> ${said} ${ARGN} > ${share}/${file}.new
                     COMMAND ${CMAKE_COMMAND} -E rename ${share}/${file}.new ${share}/${file}
                     DEPENDS program_iris VERBATIM)
  install(FILES ${share}/${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/${directory})
  list(APPEND files ${share}/${file})
endmacro()
