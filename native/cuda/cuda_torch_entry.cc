// What panthalia_cuda_torch.so shows to the addon: cuda_loader.cc looks this name up.
#include "kernels/torch/cuda_torch_operators.h"
#include "kernels/torch/torch_runtime.h"

extern "C" __attribute__((visibility("default"))) panthalia::Operators* panthalia_cuda_torch_operators(
    int device, panthalia::Precision precision) {
  using namespace panthalia;
  auto on = std::make_unique<CudaDevice>(device);
  const auto exact = torch_cuda::Fp32Products::exact;
  if (precision == Precision::bf16) return new CudaTorchOperators<torch_cuda::Bf16>(std::move(on), exact);
  return new CudaTorchOperators<float>(std::move(on), exact);
}
