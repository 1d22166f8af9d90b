# Target `panthalia_cuda_torch`: opset `torch` on CUDA as a shared object of its own beside panthalia_cuda, so that canon-f32-v1
# needs no libtorch for CUDA. There only where LIBTORCH is one.
if(NOT EXISTS "${LIBTORCH}/lib/libtorch_cuda.so")
  return()
endif()
# cuBLASLt comes with libtorch's wheel, as a package beside it, or with the toolkit.
file(GLOB wheel_folders "${LIBTORCH}/../nvidia/cu*" "${LIBTORCH}/../nvidia/cublas")
find_path(CUBLASLT_INCLUDE cublasLt.h HINTS ${wheel_folders} ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
find_library(CUBLASLT_LIBRARY
  NAMES libcublasLt.so.${CUDAToolkit_VERSION_MAJOR} cublasLt
  HINTS ${wheel_folders} ${CUDAToolkit_LIBRARY_DIR} PATH_SUFFIXES lib lib64)
if(NOT CUBLASLT_INCLUDE OR NOT CUBLASLT_LIBRARY)
  # canon-f32-v1 needs neither: only who asks for this target is refused.
  add_custom_target(panthalia_cuda_torch
    COMMAND ${CMAKE_COMMAND} -E echo
      "error: opset torch on CUDA needs cublasLt.h and libcublasLt beside ${LIBTORCH} or in the CUDA toolkit"
    COMMAND ${CMAKE_COMMAND} -E false)
  return()
endif()

set(cuda_torch_kernels cross_entropy elementwise layer_norm optimiser)
list(TRANSFORM cuda_torch_kernels REPLACE "(.+)" "native/kernels/torch/cuda_\\1.cu" OUTPUT_VARIABLE cuda_torch_sources)
add_library(panthalia_cuda_torch_kernels OBJECT EXCLUDE_FROM_ALL ${cuda_torch_sources})
target_include_directories(panthalia_cuda_torch_kernels PRIVATE native)
set_target_properties(panthalia_cuda_torch_kernels PROPERTIES CUDA_VISIBILITY_PRESET hidden)

add_library(panthalia_cuda_torch MODULE EXCLUDE_FROM_ALL
  native/cuda/cuda_torch_entry.cc
  native/cuda/device_memory.cc
  native/cuda/device_slots.cc
  native/kernels/torch/cuda_attention.cc
  native/kernels/torch/cuda_gemm.cc
  native/kernels/torch/cuda_torch_operators.cc
  $<TARGET_OBJECTS:panthalia_cuda_torch_kernels>)
target_include_directories(panthalia_cuda_torch SYSTEM PRIVATE ${CUBLASLT_INCLUDE})
set_target_properties(panthalia_cuda_torch PROPERTIES PREFIX "" SUFFIX ".so")
# Nothing names a symbol of libtorch_cuda, whose initialisers register its kernels: a linker that drops such libraries must not.
target_link_options(panthalia_cuda_torch PRIVATE -Wl,--no-as-needed)
target_link_libraries(panthalia_cuda_torch PRIVATE
  panthalia_engine libtorch CUDA::cudart_static
  "${LIBTORCH}/lib/libtorch_cuda.so" "${LIBTORCH}/lib/libc10_cuda.so" ${CUBLASLT_LIBRARY})
