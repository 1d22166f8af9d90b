// Vectors of W floats for the instruction set this file is compiled for: PANTHALIA_ISA is scalar, avx2 or avx512. Every
// function is one IEEE operation per lane, so a kernel written over them gives the same bits at any W.
//
// Nothing here may have external linkage: the linker would keep one copy for all three instruction sets.
#pragma once

#include <cstdint>
#include <cstring>

#if PANTHALIA_WIDTH > 1
#include <immintrin.h>
#endif

#include "engine/exact_arithmetic.h"

#define PANTHALIA_INLINE static inline __attribute__((always_inline))
/** Of a lambda. */
#define PANTHALIA_INLINED __attribute__((always_inline))

namespace panthalia::canon::PANTHALIA_ISA {

#if PANTHALIA_WIDTH == 16

constexpr int64_t W = 16;
using Floats = __m512;
using Ints = __m512i;
using Mask = __mmask16;

PANTHALIA_INLINE __mmask16 first(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
PANTHALIA_INLINE Floats load(const float* p) { return _mm512_loadu_ps(p); }
PANTHALIA_INLINE Floats load_first(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
PANTHALIA_INLINE void store(float* p, Floats x) { _mm512_storeu_ps(p, x); }
PANTHALIA_INLINE void store_first(float* p, Floats x, int64_t n) { _mm512_mask_storeu_ps(p, first(n), x); }
PANTHALIA_INLINE Floats broadcast(float x) { return _mm512_set1_ps(x); }
PANTHALIA_INLINE Ints broadcast_int(int32_t x) { return _mm512_set1_epi32(x); }
PANTHALIA_INLINE Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
PANTHALIA_INLINE Floats sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
PANTHALIA_INLINE Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
PANTHALIA_INLINE Floats div(Floats a, Floats b) { return _mm512_div_ps(a, b); }
PANTHALIA_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
PANTHALIA_INLINE Floats fnma(Floats a, Floats b, Floats c) { return _mm512_fnmadd_ps(a, b, c); }
PANTHALIA_INLINE Floats sqrt(Floats a) { return _mm512_sqrt_ps(a); }
PANTHALIA_INLINE Mask less(Floats a, Floats b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
PANTHALIA_INLINE Mask first_lanes(int64_t n) { return n >= W ? 0xffff : first(n); }
PANTHALIA_INLINE Floats select(Mask m, Floats yes, Floats no) { return _mm512_mask_blend_ps(m, no, yes); }
PANTHALIA_INLINE Floats lesser(Floats a, Floats b) { return _mm512_min_ps(a, b); }
PANTHALIA_INLINE Floats greater(Floats a, Floats b) { return _mm512_max_ps(a, b); }
PANTHALIA_INLINE Ints bits(Floats x) { return _mm512_castps_si512(x); }
PANTHALIA_INLINE Floats floats(Ints x) { return _mm512_castsi512_ps(x); }
PANTHALIA_INLINE Ints add_int(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
PANTHALIA_INLINE Ints sub_int(Ints a, Ints b) { return _mm512_sub_epi32(a, b); }
PANTHALIA_INLINE Ints and_int(Ints a, Ints b) { return _mm512_and_si512(a, b); }
PANTHALIA_INLINE Ints or_int(Ints a, Ints b) { return _mm512_or_si512(a, b); }
PANTHALIA_INLINE Ints greater_int(Ints a, Ints b) { return _mm512_max_epi32(a, b); }
template <int N>
PANTHALIA_INLINE Ints shift_left(Ints a) { return _mm512_slli_epi32(a, N); }
template <int N>
PANTHALIA_INLINE Ints shift_right(Ints a) { return _mm512_srai_epi32(a, N); }
/** x * 2^n for |n| < 300, rounded once. */
PANTHALIA_INLINE Floats scale(Floats x, Floats n, Ints) { return _mm512_scalef_ps(x, n); }
/** lane_l + lane_(l+s) for s = W / 2 .. 1; lane 0 of what remains. */
PANTHALIA_INLINE float fold(Floats x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

#elif PANTHALIA_WIDTH == 8

constexpr int64_t W = 8;
using Floats = __m256;
using Ints = __m256i;
using Mask = __m256;

PANTHALIA_INLINE __m256i first(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
PANTHALIA_INLINE Floats load(const float* p) { return _mm256_loadu_ps(p); }
PANTHALIA_INLINE Floats load_first(const float* p, int64_t n) { return _mm256_maskload_ps(p, first(n)); }
PANTHALIA_INLINE void store(float* p, Floats x) { _mm256_storeu_ps(p, x); }
PANTHALIA_INLINE void store_first(float* p, Floats x, int64_t n) { _mm256_maskstore_ps(p, first(n), x); }
PANTHALIA_INLINE Floats broadcast(float x) { return _mm256_set1_ps(x); }
PANTHALIA_INLINE Ints broadcast_int(int32_t x) { return _mm256_set1_epi32(x); }
PANTHALIA_INLINE Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
PANTHALIA_INLINE Floats sub(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
PANTHALIA_INLINE Floats mul(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
PANTHALIA_INLINE Floats div(Floats a, Floats b) { return _mm256_div_ps(a, b); }
PANTHALIA_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
PANTHALIA_INLINE Floats fnma(Floats a, Floats b, Floats c) { return _mm256_fnmadd_ps(a, b, c); }
PANTHALIA_INLINE Floats sqrt(Floats a) { return _mm256_sqrt_ps(a); }
PANTHALIA_INLINE Mask less(Floats a, Floats b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
PANTHALIA_INLINE Mask first_lanes(int64_t n) { return _mm256_castsi256_ps(first(n)); }
PANTHALIA_INLINE Floats select(Mask m, Floats yes, Floats no) { return _mm256_blendv_ps(no, yes, m); }
PANTHALIA_INLINE Floats lesser(Floats a, Floats b) { return _mm256_min_ps(a, b); }
PANTHALIA_INLINE Floats greater(Floats a, Floats b) { return _mm256_max_ps(a, b); }
PANTHALIA_INLINE Ints bits(Floats x) { return _mm256_castps_si256(x); }
PANTHALIA_INLINE Floats floats(Ints x) { return _mm256_castsi256_ps(x); }
PANTHALIA_INLINE Ints add_int(Ints a, Ints b) { return _mm256_add_epi32(a, b); }
PANTHALIA_INLINE Ints sub_int(Ints a, Ints b) { return _mm256_sub_epi32(a, b); }
PANTHALIA_INLINE Ints and_int(Ints a, Ints b) { return _mm256_and_si256(a, b); }
PANTHALIA_INLINE Ints or_int(Ints a, Ints b) { return _mm256_or_si256(a, b); }
PANTHALIA_INLINE Ints greater_int(Ints a, Ints b) { return _mm256_max_epi32(a, b); }
template <int N>
PANTHALIA_INLINE Ints shift_left(Ints a) { return _mm256_slli_epi32(a, N); }
template <int N>
PANTHALIA_INLINE Ints shift_right(Ints a) { return _mm256_srai_epi32(a, N); }
/** lane_l + lane_(l+s) for s = W / 2 .. 1; lane 0 of what remains. */
PANTHALIA_INLINE float fold(Floats x) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

#else

constexpr int64_t W = 1;
using Floats = float;
using Ints = int32_t;
using Mask = bool;

PANTHALIA_INLINE Floats load(const float* p) { return *p; }
PANTHALIA_INLINE Floats load_first(const float* p, int64_t n) { return n > 0 ? *p : 0.0f; }
PANTHALIA_INLINE void store(float* p, Floats x) { *p = x; }
PANTHALIA_INLINE void store_first(float* p, Floats x, int64_t n) {
  if (n > 0) *p = x;
}
PANTHALIA_INLINE Floats broadcast(float x) { return x; }
PANTHALIA_INLINE Ints broadcast_int(int32_t x) { return x; }
PANTHALIA_INLINE Floats add(Floats a, Floats b) { return a + b; }
PANTHALIA_INLINE Floats sub(Floats a, Floats b) { return a - b; }
PANTHALIA_INLINE Floats mul(Floats a, Floats b) { return a * b; }
PANTHALIA_INLINE Floats div(Floats a, Floats b) { return a / b; }
PANTHALIA_INLINE Floats fma(Floats a, Floats b, Floats c) { return __builtin_fmaf(a, b, c); }
PANTHALIA_INLINE Floats fnma(Floats a, Floats b, Floats c) { return __builtin_fmaf(-a, b, c); }
PANTHALIA_INLINE Floats sqrt(Floats a) { return __builtin_sqrtf(a); }
PANTHALIA_INLINE Mask less(Floats a, Floats b) { return a < b; }
PANTHALIA_INLINE Mask first_lanes(int64_t n) { return n > 0; }
PANTHALIA_INLINE Floats select(Mask m, Floats yes, Floats no) { return m ? yes : no; }
PANTHALIA_INLINE Floats lesser(Floats a, Floats b) { return a < b ? a : b; }
PANTHALIA_INLINE Floats greater(Floats a, Floats b) { return a > b ? a : b; }
PANTHALIA_INLINE Ints bits(Floats x) { return __builtin_bit_cast(Ints, x); }
PANTHALIA_INLINE Floats floats(Ints x) { return __builtin_bit_cast(Floats, x); }
PANTHALIA_INLINE Ints wrapped(uint32_t x) { return static_cast<Ints>(x); }
PANTHALIA_INLINE Ints add_int(Ints a, Ints b) { return wrapped(static_cast<uint32_t>(a) + static_cast<uint32_t>(b)); }
PANTHALIA_INLINE Ints sub_int(Ints a, Ints b) { return wrapped(static_cast<uint32_t>(a) - static_cast<uint32_t>(b)); }
PANTHALIA_INLINE Ints and_int(Ints a, Ints b) { return a & b; }
PANTHALIA_INLINE Ints or_int(Ints a, Ints b) { return a | b; }
PANTHALIA_INLINE Ints greater_int(Ints a, Ints b) { return a > b ? a : b; }
template <int N>
PANTHALIA_INLINE Ints shift_left(Ints a) { return wrapped(static_cast<uint32_t>(a) << N); }
template <int N>
PANTHALIA_INLINE Ints shift_right(Ints a) { return a >> N; }
PANTHALIA_INLINE float fold(Floats x) { return x; }

#endif

PANTHALIA_INLINE Floats zero() { return broadcast(0.0f); }

#if PANTHALIA_WIDTH != 16
/** x * 2^n for |n| < 300, rounded once: in two steps, of which the first is exact. */
PANTHALIA_INLINE Floats scale(Floats x, Floats, Ints n) {
  const Ints half = shift_right<1>(n), rest = sub_int(n, half), bias = broadcast_int(127);
  const Floats first = floats(shift_left<23>(add_int(half, bias)));
  const Floats second = floats(shift_left<23>(add_int(rest, bias)));
  return mul(mul(x, first), second);
}
#endif

}  // namespace panthalia::canon::PANTHALIA_ISA
