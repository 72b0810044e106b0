# onggi_embed_web(module): puts the page of this module (scripts/embed_web.py knows its files of web/) into its library,
# as onggi/<module>/web_files.h gives them out.
function(onggi_embed_web module)
  find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
  set(script ${CMAKE_SOURCE_DIR}/scripts/embed_web.py)
  set(source ${CMAKE_BINARY_DIR}/generated/${module}_web_files.cpp)
  set(web ${CMAKE_SOURCE_DIR}/web)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${web}/src/*.js ${web}/review/*.js)
  list(APPEND files ${web}/index.html ${web}/style.css ${web}/icon.svg ${web}/review/index.html ${web}/review/style.css)
  add_custom_command(OUTPUT ${source} COMMAND Python3::Interpreter ${script} ${module} ${source} DEPENDS ${script} ${files} VERBATIM)
  target_sources(onggi_${module} PRIVATE ${source})
endfunction()
