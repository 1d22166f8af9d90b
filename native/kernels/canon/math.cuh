// exp, log, erf and tanh on CUDA: section 3 of docs/opset-canon-f32-v1.md, operation by operation.  twin: math.h
#pragma once

#include <type_traits>

#include "kernels/canon/device.cuh"
#include "kernels/canon/math_constants.h"

namespace panthalia::canon::cuda {

__device__ __forceinline__ int bits(float x) { return __float_as_int(x); }
__device__ __forceinline__ float value(int bits) { return __int_as_float(bits); }
/** Modulo 2^32, as shifts of negative numbers are not in C++17. */
__device__ __forceinline__ int to_exponent(int n) { return static_cast<int>(static_cast<unsigned>(n) << 23); }

// Both give b where one is NaN.
__device__ __forceinline__ float lesser(float a, float b) { return a < b ? a : b; }
__device__ __forceinline__ float greater(float a, float b) { return a > b ? a : b; }

__device__ __forceinline__ float magnitude(float x) { return value(bits(x) & 0x7fffffff); }
__device__ __forceinline__ float with_sign_of(float x, float y) {
  return value((bits(x) & static_cast<int>(0x80000000u)) | (bits(y) & 0x7fffffff));
}

/** Horner's rule, the last coefficient first. Each becomes an operand of its instruction. */
template <const auto& coefficients, int i = 0>
__device__ __forceinline__ float horner(float t) {
  constexpr float coefficient = coefficients[i];
  if constexpr (i + 1 == std::extent_v<std::remove_reference_t<decltype(coefficients)>>) {
    return coefficient;
  } else {
    return fma(horner<coefficients, i + 1>(t), t, coefficient);
  }
}

/** x = n ln 2 + r with |r| <= ln 2 / 2, and q = (e^r - 1 - r) / r^2. */
struct Reduced {
  int n;
  float r;
  float q;
};

/** x must be inside (-2^21, 2^21) or NaN. */
__device__ __forceinline__ Reduced reduce_exp(float x) {
  const float shifted = fma(x, log2_e, round_magic);
  const float n = sub(shifted, round_magic);
  const float r = fma(-n, ln2_low, fma(-n, ln2_high, x));
  return {bits(shifted) - bits(round_magic), r, horner<exp_q>(r)};
}

/** 2^n, a normal number. */
__device__ __forceinline__ float power_of_two(int n) { return value(to_exponent(n + 127)); }

__device__ __forceinline__ float exp(float x) {
  const Reduced e = reduce_exp(greater(exp_lowest, lesser(exp_highest, x)));
  const int half = e.n >> 1;
  return mul(mul(fma(fma(e.q, e.r, 1.0f), e.r, 1.0f), power_of_two(half)), power_of_two(e.n - half));
}

/** 1 - e^t with t = -a + a Q(a), of which t_low is what rounding t left out. */
__device__ __forceinline__ float erf(float x) {
  const float a = lesser(erf_highest, magnitude(x)), minus_a = sub(0.0f, a);
  const float q = horner<erf_q>(a);
  const float t = fma(a, q, minus_a), t_low = fma(a, q, sub(minus_a, t));
  const Reduced e = reduce_exp(t);
  const float p = add(e.r, fma(mul(e.r, e.r), e.q, t_low));
  const float power = power_of_two(e.n);
  return with_sign_of(x, fma(p, power, sub(power, 1.0f)));
}

/** e / (e + 2) with e = e^2a - 1; what is called low is what rounding left out, and corrects the quotient once. */
__device__ __forceinline__ float tanh(float x) {
  const float a = lesser(tanh_highest, magnitude(x));
  const Reduced reduced = reduce_exp(add(a, a));
  const float square = mul(reduced.r, reduced.r);
  const float p = fma(square, reduced.q, reduced.r), p_low = fma(square, reduced.q, sub(reduced.r, p));
  const float power = power_of_two(reduced.n), above = sub(power, 1.0f);
  const float e = fma(p, power, above), e_low = fma(p_low, power, fma(p, power, sub(above, e)));
  const float d = add(e, 2.0f), d_low = sub(e, sub(d, 2.0f));
  const float inverse = div(1.0f, d), quotient = mul(e, inverse);
  const float rest = fma(e_low, sub(1.0f, quotient), fma(-quotient, d_low, fma(-quotient, d, e)));
  return with_sign_of(x, fma(rest, inverse, quotient));
}

__device__ __forceinline__ float log(float x) {
  const bool subnormal = x < 0x1p-126f;
  const int i = bits(subnormal ? mul(x, 0x1p23f) : x);
  const int k = static_cast<int>(static_cast<unsigned>(i) - static_cast<unsigned>(log_split)) >> 23;
  const float f = sub(value(static_cast<int>(static_cast<unsigned>(i) - static_cast<unsigned>(to_exponent(k)))), 1.0f);
  const float exponent = sub(value(k + bits(round_magic)), round_magic);
  const float n = subnormal ? sub(exponent, 23.0f) : exponent;
  const float z = mul(f, f);
  const float low = fma(n, log_ln2_low, fma(mul(f, z), horner<log_p>(f), mul(z, -0.5f)));
  const float result = fma(n, log_ln2_high, add(f, low));
  const float infinity = value(0x7f800000);
  if (!(x < infinity)) return x;  // +infinity or NaN
  if (x > 0.0f) return result;
  return x < 0.0f ? value(0x7fc00000) : -infinity;
}

}  // namespace panthalia::canon::cuda
