// GELU and its derivative on CUDA, element by element: beside products of fp32 on ordinary cores, an extra pass over
// the elements costs little, and the products' kernels keep their registers.
#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/gelu.cuh"
#include "kernels/canon/launch.h"

namespace panthalia::canon::cuda {
namespace {

constexpr int threads = 256;

template <GeluKind kind>
__global__ void __launch_bounds__(threads) gelu_kernel(const float* x, int64_t length, float* out) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (at >= length) return;
  out[at] = kind == GeluKind::erf ? gelu_erf(x[at]) : gelu_tanh(x[at]);
}

template <GeluKind kind>
__global__ void __launch_bounds__(threads) gelu_backward_kernel(const float* d_out, const float* x, int64_t length,
                                                                float* d_x) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (at >= length) return;
  d_x[at] = kind == GeluKind::erf ? gelu_erf_backward(d_out[at], x[at]) : gelu_tanh_backward(d_out[at], x[at]);
}

}  // namespace

void gelu(const float* x, int64_t length, GeluKind kind, float* out, cudaStream_t stream) {
  launch(stream, blocks_of(length, threads), threads,
         kind == GeluKind::erf ? gelu_kernel<GeluKind::erf> : gelu_kernel<GeluKind::tanh>, x, length, out);
}

void gelu_backward(const float* d_out, const float* x, int64_t length, GeluKind kind, float* d_x, cudaStream_t stream) {
  launch(stream, blocks_of(length, threads), threads,
         kind == GeluKind::erf ? gelu_backward_kernel<GeluKind::erf> : gelu_backward_kernel<GeluKind::tanh>, d_out, x,
         length, d_x);
}

}  // namespace panthalia::canon::cuda
