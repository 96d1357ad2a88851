# What `cmake --install` puts where (library, public headers, package files).
install(TARGETS weft LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
