// GELU and its slope as 1/2 + x P(x^2) up to |x| = 4, beyond which they keep their values there: errors of at most 5e-5 and 4e-4, where
// bf16 has steps of 4e-3.
#pragma once

#include "kernels/torch/bf16_pairs.h"

namespace panthalia::canon::bf16 {

using OddPolynomial = float[8];
/** Least maximal errors over [0, 4], found by iterated weighted least squares; of cdfs, relative to 1 / max(1, x). */
constexpr OddPolynomial erf_cdf = {3.987656746e-01f, -6.600451064e-02f, 9.559527889e-03f, -1.018935460e-03f,
                                   7.642708064e-05f, -3.768214096e-06f, 1.083143057e-07f, -1.363688837e-09f};
constexpr OddPolynomial erf_slope = {7.967216395e-01f, -2.620298403e-01f, 5.591482221e-02f, -7.687440390e-03f,
                                     6.876452037e-04f, -3.845954979e-05f, 1.213805185e-06f, -1.641976975e-08f};
constexpr OddPolynomial tanh_cdf = {3.987283673e-01f, -6.623906625e-02f, 9.719564023e-03f, -1.058321211e-03f,
                                    8.132048565e-05f, -4.099976800e-06f, 1.200583594e-07f, -1.533936067e-09f};
constexpr OddPolynomial tanh_slope = {7.964878055e-01f, -2.625838123e-01f, 5.659718644e-02f, -7.912923891e-03f,
                                      7.217163371e-04f, -4.112275315e-05f, 1.318902709e-06f, -1.807983828e-08f};

/** Around one half. NaN stays NaN. */
PANTHALIA_INLINE Floats around_half(const OddPolynomial& p, Floats x) {
  const Floats inside = greater(broadcast(-4.0f), lesser(broadcast(4.0f), x)), square = mul(inside, inside);
  Floats sum = broadcast(p[7]);
#pragma GCC unroll 8
  for (int i = 6; i >= 0; --i) sum = fma(sum, square, broadcast(p[i]));
  return fma(sum, inside, broadcast(0.5f));
}

}  // namespace panthalia::canon::bf16
