# Target `libtorch`: libtorch_cpu and libc10 by full path, from LIBTORCH and nowhere else.
set(LIBTORCH "" CACHE PATH "folder that holds libtorch's lib/ and include/")
foreach(needed lib/libtorch_cpu.so lib/libc10.so include/ATen/ATen.h)
  if(NOT EXISTS "${LIBTORCH}/${needed}")
    message(FATAL_ERROR "LIBTORCH=${LIBTORCH} lacks ${needed}; build with `npm run build`, which finds libtorch")
  endif()
endforeach()

add_library(libtorch INTERFACE)
target_include_directories(libtorch SYSTEM INTERFACE
  "${LIBTORCH}/include" "${LIBTORCH}/include/torch/csrc/api/include")
target_link_libraries(libtorch INTERFACE "${LIBTORCH}/lib/libtorch_cpu.so" "${LIBTORCH}/lib/libc10.so")

# DT_RPATH, not DT_RUNPATH: it is searched before LD_LIBRARY_PATH, so another libtorch can never be taken instead.
set(CMAKE_BUILD_RPATH "${LIBTORCH}/lib")
set(CMAKE_SKIP_BUILD_RPATH OFF)
add_link_options(-Wl,--disable-new-dtags)
