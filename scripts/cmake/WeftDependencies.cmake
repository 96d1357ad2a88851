# Finds the libraries that weft stands on; scripts/setup.sh installs them on Debian.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)
pkg_check_modules(HWLOC REQUIRED IMPORTED_TARGET hwloc)
pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)
pkg_check_modules(LAPACKE REQUIRED IMPORTED_TARGET lapacke)
pkg_check_modules(INIH REQUIRED IMPORTED_TARGET inih)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
if(BUILD_TESTING)
  pkg_check_modules(CUNIT REQUIRED IMPORTED_TARGET cunit)
endif()

find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
add_library(random123 INTERFACE)
target_include_directories(random123 SYSTEM INTERFACE "${RANDOM123_INCLUDE_DIR}")

find_path(UTHASH_INCLUDE_DIR uthash.h REQUIRED)
add_library(uthash INTERFACE)
target_include_directories(uthash SYSTEM INTERFACE "${UTHASH_INCLUDE_DIR}")

# METIS cuts graphs; without it they are cut greedily.
option(WEFT_METIS "Cut graphs with METIS" ON)
add_library(metis INTERFACE)
if(WEFT_METIS)
  find_path(METIS_INCLUDE_DIR metis.h REQUIRED)
  find_library(METIS_LIBRARY metis REQUIRED)
  target_compile_definitions(metis INTERFACE WEFT_HAVE_METIS)
  target_include_directories(metis SYSTEM INTERFACE "${METIS_INCLUDE_DIR}")
  target_link_libraries(metis INTERFACE "${METIS_LIBRARY}")
endif()

# Slurm's PMI-2 is a probe of the launch: its header is used where it is there, its library loaded at run time where it is there.
find_path(PMI2_INCLUDE_DIR slurm/pmi2.h)
add_library(pmi2 INTERFACE)
if(PMI2_INCLUDE_DIR)
  target_compile_definitions(pmi2 INTERFACE WEFT_HAVE_PMI2)
  target_include_directories(pmi2 SYSTEM INTERFACE "${PMI2_INCLUDE_DIR}")
  target_link_libraries(pmi2 INTERFACE ${CMAKE_DL_LIBS})
endif()
