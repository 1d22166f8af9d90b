# canon-f32-v1 on CUDA.
set(cuda_kernels attention cross_entropy embedding gelu gemm layer_norm optimiser state_tree)

# The same sources run by the CPU, every thread of a block as a fiber: for tests/engine/cudaKernels.test.ts, where there is no GPU.
foreach(kernel ${cuda_kernels})
  set(source ${CMAKE_BINARY_DIR}/cuda_emulation/${kernel}.cc)
  file(GENERATE OUTPUT ${source} CONTENT "#include \"kernels/canon/${kernel}.cu\"\n")
  list(APPEND emulated_kernels ${source})
endforeach()
add_library(panthalia_cuda_emulated STATIC EXCLUDE_FROM_ALL
  native/cuda/cuda_operators.cc
  native/cuda/device_memory.cc
  native/cuda/device_slots.cc
  native/test/cuda_emulation/cuda_emulation.cc
  ${emulated_kernels})
target_include_directories(panthalia_cuda_emulated BEFORE PUBLIC native/test/cuda_emulation)
target_compile_options(panthalia_cuda_emulated PUBLIC -march=native -Wno-unknown-pragmas)  # fast fma; it runs where it is built
target_link_libraries(panthalia_cuda_emulated PUBLIC panthalia_engine)
# What the addon opens, and the driver that it asks first: tests/engine/cudaDevice.test.ts puts them in their places.
add_library(panthalia_cuda_emulated_object MODULE EXCLUDE_FROM_ALL native/cuda/cuda_entry.cc)
set_target_properties(panthalia_cuda_emulated_object PROPERTIES PREFIX "" SUFFIX ".so")
target_link_libraries(panthalia_cuda_emulated_object PRIVATE panthalia_cuda_emulated)
add_library(panthalia_cuda_emulated_driver MODULE EXCLUDE_FROM_ALL native/test/cuda_emulation/driver.cc)
set_target_properties(panthalia_cuda_emulated_driver PROPERTIES PREFIX "" SUFFIX ".so")
add_executable(panthalia_cuda_emulation_test EXCLUDE_FROM_ALL native/test/cuda_emulation_test.cc)
target_link_libraries(panthalia_cuda_emulation_test PRIVATE panthalia_cuda_emulated panthalia_canon)

# Target `panthalia_cuda`: canon-f32-v1 on CUDA as a shared object of its own, which the addon opens when device cuda is asked for,
# so one build serves machines with and without a driver. Needs nvcc and the CUDA runtime (linked in), no libtorch. Only a
# configuration that asks for it looks for nvcc: src/engine/buildCuda.ts has a build folder for it.
option(PANTHALIA_CUDA "build the CUDA code of canon-f32-v1" OFF)
if(NOT PANTHALIA_CUDA)
  return()
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "PANTHALIA_CUDA needs nvcc on the PATH (or CUDACXX) and a host compiler that it accepts")
endif()
# Machine code for Hopper, and for everything else from Ampere on what the driver compiles. Neither changes a bit: every
# rounding is written out in the kernels.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-virtual 90-real)
endif()
enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 17)  # what CMake 3.18 can ask nvcc for
find_package(CUDAToolkit REQUIRED)
message(STATUS "CUDA: ${CMAKE_CUDA_COMPILER_VERSION}, target panthalia_cuda")

list(TRANSFORM cuda_kernels REPLACE "(.+)" "native/kernels/canon/\\1.cu" OUTPUT_VARIABLE cuda_sources)
add_library(panthalia_cuda_kernels OBJECT EXCLUDE_FROM_ALL ${cuda_sources})
target_include_directories(panthalia_cuda_kernels PRIVATE native)
set_target_properties(panthalia_cuda_kernels PROPERTIES
  COMPILE_OPTIONS "--options-file;${CMAKE_CURRENT_SOURCE_DIR}/native/kernels/canon/nvcc_flags.txt"
  CUDA_VISIBILITY_PRESET hidden)

add_library(panthalia_cuda_operators STATIC EXCLUDE_FROM_ALL
  native/cuda/cuda_operators.cc
  native/cuda/device_memory.cc
  native/cuda/device_slots.cc
  $<TARGET_OBJECTS:panthalia_cuda_kernels>)
target_link_libraries(panthalia_cuda_operators PUBLIC panthalia_engine CUDA::cudart_static)

add_library(panthalia_cuda MODULE EXCLUDE_FROM_ALL native/cuda/cuda_entry.cc)
set_target_properties(panthalia_cuda PROPERTIES PREFIX "" SUFFIX ".so")
target_link_libraries(panthalia_cuda PRIVATE panthalia_cuda_operators)

include(native/cmake/CudaTorch.cmake)
