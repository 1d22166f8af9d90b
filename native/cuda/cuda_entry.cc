// What panthalia_cuda.so shows to the addon: cuda_loader.cc looks these names up.
#include <cstdio>

#include "cuda/cuda_operators.h"

extern "C" __attribute__((visibility("default"))) panthalia::Operators* panthalia_cuda_operators(int device) {
  return new panthalia::CudaOperators(std::make_unique<panthalia::CudaDevice>(device));
}

extern "C" __attribute__((visibility("default"))) void panthalia_cuda_device_name(int device, char* name, size_t size) {
  std::snprintf(name, size, "%s", panthalia::CudaDevice(device).name().c_str());
}
