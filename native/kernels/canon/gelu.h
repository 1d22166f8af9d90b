// GELU of both kinds. Products that come before or after it may call the vector functions on a tile in registers.
#pragma once

#include "kernels/canon/reduce.h"

namespace panthalia::canon::PANTHALIA_ISA {

PANTHALIA_INLINE Floats gelu_erf(Floats x) {
  const Floats half = mul(broadcast(0.5f), x);
  return fma(half, erf(mul(x, broadcast(gelu_sqrt_half))), half);
}

PANTHALIA_INLINE Floats gelu_erf_slope(Floats x) {
  const Floats cdf = fma(broadcast(0.5f), erf(mul(x, broadcast(gelu_sqrt_half))), broadcast(0.5f));
  const Floats density = exp(mul(mul(x, broadcast(-0.5f)), x));
  return fma(mul(x, broadcast(gelu_density)), density, cdf);
}

PANTHALIA_INLINE Floats gelu_tanh_inner(Floats x, Floats x2) {
  return tanh(mul(mul(broadcast(gelu_k0), x), fma(broadcast(gelu_k1), x2, broadcast(1.0f))));
}

PANTHALIA_INLINE Floats gelu_tanh(Floats x) {
  const Floats half = mul(broadcast(0.5f), x);
  return fma(half, gelu_tanh_inner(x, mul(x, x)), half);
}

PANTHALIA_INLINE Floats gelu_tanh_slope(Floats x) {
  const Floats x2 = mul(x, x), t = gelu_tanh_inner(x, x2), one = broadcast(1.0f), half = broadcast(0.5f);
  const Floats inner_slope = mul(broadcast(gelu_k0), fma(broadcast(gelu_k3), x2, one));
  return fma(mul(mul(half, x), fnma(t, t, one)), inner_slope, fma(half, t, half));
}

static void gelu_erf_kernel(const float* x, float* out, int64_t n) {
  for_row(n, [&](At at) { store_at(out, gelu_erf(load_at(x, at)), at); });
}
static void gelu_tanh_kernel(const float* x, float* out, int64_t n) {
  for_row(n, [&](At at) { store_at(out, gelu_tanh(load_at(x, at)), at); });
}
/** d_x = d_out * gelu'(x); d_x may be d_out. */
static void gelu_erf_backward_kernel(const float* d_out, const float* x, float* d_x, int64_t n) {
  for_row(n, [&](At at) { store_at(d_x, mul(load_at(d_out, at), gelu_erf_slope(load_at(x, at))), at); });
}
static void gelu_tanh_backward_kernel(const float* d_out, const float* x, float* d_x, int64_t n) {
  for_row(n, [&](At at) { store_at(d_x, mul(load_at(d_out, at), gelu_tanh_slope(load_at(x, at))), at); });
}

}  // namespace panthalia::canon::PANTHALIA_ISA
