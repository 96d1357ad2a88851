# Compiler settings, and the functions that declare a layer, a program and a test in one line each.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")

option(WEFT_WERROR "Treat warnings as errors" OFF)
set(WEFT_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")

add_library(weft_flags INTERFACE)
target_compile_definitions(weft_flags INTERFACE _GNU_SOURCE "WEFT_VERSION=\"${PROJECT_VERSION}\"")
target_compile_options(weft_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wformat=2 -Wundef -Wvla
  -Wnull-dereference -Wdouble-promotion -fno-omit-frame-pointer
  # Error records carry "layer/file.c", not a path of the build machine.
  "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=" "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/runtime/=") # the last that fits counts
if(WEFT_WERROR)
  target_compile_options(weft_flags INTERFACE -Werror)
endif()
if(WEFT_SANITIZE)
  target_compile_options(weft_flags INTERFACE -fsanitize=${WEFT_SANITIZE} -fno-sanitize-recover=all -g)
  target_link_options(weft_flags INTERFACE -fsanitize=${WEFT_SANITIZE})
endif()

# weft_layer(NAME [LINK library...]): one OBJECT library of every .c file of the folder. Which layers a file may include is checked by
# scripts/check_layers.sh.
function(weft_layer name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c")
  if(NOT sources)
    return()
  endif()
  add_library(weft_${name} OBJECT ${sources})
  target_include_directories(weft_${name} PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}/include")
  target_link_libraries(weft_${name} PUBLIC weft_flags ${arg_LINK})
  set_property(GLOBAL APPEND PROPERTY WEFT_LAYERS weft_${name})
  set_property(GLOBAL APPEND PROPERTY WEFT_LAYER_LIBRARIES ${arg_LINK})
endfunction()

# weft_program(NAME SOURCES file...): an installed program built on the public library alone.
function(weft_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE weft_flags weft ${arg_LINK})
  set_target_properties(${name} PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()

# What the sanitizers' run-time libraries need beside Open MPI, in the environment of every test.
set(WEFT_TEST_ENVIRONMENT
  "ASAN_OPTIONS=fast_unwind_on_malloc=0" # the suppressions are matched against whole stacks
  "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/suppressions/lsan.txt:print_suppressions=0"
  "UBSAN_OPTIONS=print_stacktrace=1"
  # Libraries built without instrumentation look like races; a called_from_lib rule aborts when its library is loaded twice.
  "TSAN_OPTIONS=ignore_noninstrumented_modules=1")

# weft_unit_test(layer/test_file [library...]): tests/unit/layer/test_file.c against the open library, run by ctest as unit.layer.test_file.
function(weft_unit_test path)
  string(REPLACE "/" "." name "unit.${path}")
  add_executable(${name} "unit/${path}.c")
  target_link_libraries(${name} PRIVATE weft_flags ${ARGN} weft_open weft_test)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS unit ENVIRONMENT "${WEFT_TEST_ENVIRONMENT}")
endfunction()

# weft_mpi_test(NAME NP count... [LINK library...] [TIMEOUT seconds]): tests/mpi/NAME.c against the open library, run with each number of
# ranks, by ctest as mpi.NAME.np3 and so on. Rank 0 alone prints the cases.
function(weft_mpi_test path)
  cmake_parse_arguments(arg "" "TIMEOUT" "NP;LINK" ${ARGN})
  string(REPLACE "/" "." name "mpi.${path}")
  add_executable(${name} "mpi/${path}.c")
  target_link_libraries(${name} PRIVATE weft_flags weft_open weft_test ${arg_LINK})
  weft_mpi_run(${name} NP ${arg_NP} TIMEOUT ${arg_TIMEOUT} COMMAND "$<TARGET_FILE:${name}>")
endfunction()

# weft_mpi_run(NAME NP count... [TIMEOUT seconds] COMMAND program argument...): runs any program with each number of ranks, as NAME.npN.
function(weft_mpi_run name)
  cmake_parse_arguments(arg "" "TIMEOUT" "NP;COMMAND" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  math(EXPR last_resort "${arg_TIMEOUT} + 30") # run_ranks.sh ends the ranks cleanly before
  foreach(np IN LISTS arg_NP)
    add_test(NAME ${name}.np${np} COMMAND "${PROJECT_SOURCE_DIR}/tests/harness/run_ranks.sh" ${np} ${arg_TIMEOUT} ${arg_COMMAND})
    set_tests_properties(${name}.np${np} PROPERTIES
      TIMEOUT ${last_resort} LABELS mpi PROCESSORS ${np} ENVIRONMENT "${WEFT_TEST_ENVIRONMENT}")
  endforeach()
endfunction()
