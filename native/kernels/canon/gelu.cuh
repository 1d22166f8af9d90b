// GELU, both kinds, and their derivatives: docs/opset-canon-f32-v1.md, section 4.
#pragma once

#include "kernels/canon/math.cuh"

namespace panthalia::canon::cuda {

__device__ __forceinline__ float gelu_erf(float x) {
  const float half = mul(0.5f, x);
  return fma(half, erf(mul(x, gelu_sqrt_half)), half);
}

__device__ __forceinline__ float gelu_tanh_inner(float x, float square) {
  return tanh(mul(mul(gelu_k0, x), fma(gelu_k1, square, 1.0f)));
}

__device__ __forceinline__ float gelu_tanh(float x) {
  const float half = mul(0.5f, x);
  return fma(half, gelu_tanh_inner(x, mul(x, x)), half);
}

/** d_out * gelu'(x) */
__device__ __forceinline__ float gelu_erf_backward(float d_out, float x) {
  const float cdf = fma(0.5f, erf(mul(x, gelu_sqrt_half)), 0.5f);
  const float density = exp(mul(mul(x, -0.5f), x));
  return mul(d_out, fma(mul(x, gelu_density), density, cdf));
}

__device__ __forceinline__ float gelu_tanh_backward(float d_out, float x) {
  const float square = mul(x, x), half = mul(0.5f, x);
  const float t = gelu_tanh_inner(x, square);
  const float slope = mul(gelu_k0, fma(gelu_k3, square, 1.0f));
  return mul(d_out, fma(mul(half, fma(-t, t, 1.0f)), slope, fma(0.5f, t, 0.5f)));
}

}  // namespace panthalia::canon::cuda
