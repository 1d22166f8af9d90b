// What panthalia_cuda.so shows to the addon: cuda_loader.cc looks this name up.
#include "cuda/cuda_operators.h"

extern "C" __attribute__((visibility("default"))) panthalia::Operators* panthalia_cuda_operators(int device) {
  return new panthalia::CudaOperators(std::make_unique<panthalia::CudaDevice>(device));
}
