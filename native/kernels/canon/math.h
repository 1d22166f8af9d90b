// exp, log, erf and tanh: section 3 of docs/opset-canon-f32-v1.md, operation by operation.
#pragma once

#include "kernels/canon/math_constants.h"
#include "kernels/canon/simd.h"

namespace panthalia::canon::PANTHALIA_ISA {

/** x = n ln 2 + r with |r| <= ln 2 / 2, and p = e^r - 1. */
struct Reduced {
  Floats n;
  Ints n_int;
  Floats p;
};

/** x must be inside (-2^21, 2^21) or NaN. */
PANTHALIA_INLINE Reduced reduce_exp(Floats x) {
  const Floats magic = broadcast(round_magic);
  const Floats shifted = fma(x, broadcast(log2_e), magic);
  const Floats n = sub(shifted, magic);
  const Floats r = fnma(n, broadcast(ln2_low), fnma(n, broadcast(ln2_high), x));
  Floats q = broadcast(exp_q[4]);
  for (int i = 3; i >= 0; --i) q = fma(q, r, broadcast(exp_q[i]));
  return {n, sub_int(bits(shifted), bits(magic)), fma(mul(r, r), q, r)};
}

PANTHALIA_INLINE Floats exp(Floats x) {
  // lesser and greater give their second operand where one is NaN.
  const Floats clamped = greater(broadcast(exp_lowest), lesser(broadcast(exp_highest), x));
  const Reduced e = reduce_exp(clamped);
  return scale(add(e.p, broadcast(1.0f)), e.n, e.n_int);
}

/** e^x - 1 for |x| < 64: exact to the last bits near zero, where e^x would lose them. */
PANTHALIA_INLINE Floats exp_minus_one(Floats x) {
  const Reduced e = reduce_exp(x);
  const Floats power = floats(shift_left<23>(add_int(e.n_int, broadcast_int(127))));
  return fma(e.p, power, sub(power, broadcast(1.0f)));
}

PANTHALIA_INLINE Floats magnitude(Floats x) { return floats(and_int(bits(x), broadcast_int(0x7fffffff))); }
PANTHALIA_INLINE Floats with_sign(Floats positive, Floats x) {
  return floats(or_int(bits(positive), and_int(bits(x), broadcast_int(INT32_MIN))));
}

PANTHALIA_INLINE Floats erf(Floats x) {
  const Floats a = lesser(broadcast(erf_highest), magnitude(x));
  Floats q = broadcast(erf_q[8]);
  for (int i = 7; i >= 0; --i) q = fma(q, a, broadcast(erf_q[i]));
  return with_sign(magnitude(exp_minus_one(fma(a, q, sub(zero(), a)))), x);
}

PANTHALIA_INLINE Floats tanh(Floats x) {
  const Floats a = lesser(broadcast(tanh_highest), magnitude(x));
  const Floats e = exp_minus_one(add(a, a));
  return with_sign(div(e, add(e, broadcast(2.0f))), x);
}

PANTHALIA_INLINE Floats log(Floats x) {
  const Mask subnormal = less(x, broadcast(0x1p-126f));
  const Ints i = bits(select(subnormal, mul(x, broadcast(0x1p23f)), x));
  const Ints e = shift_right<23>(sub_int(i, broadcast_int(log_split)));
  const Floats f = sub(floats(sub_int(i, shift_left<23>(e))), broadcast(1.0f));
  const Floats k = sub(floats(add_int(e, bits(broadcast(round_magic)))), broadcast(round_magic));
  const Floats n = select(subnormal, sub(k, broadcast(23.0f)), k);
  const Floats z = mul(f, f);
  Floats p = broadcast(log_p[8]);
  for (int j = 7; j >= 0; --j) p = fma(p, f, broadcast(log_p[j]));
  const Floats low = fma(n, broadcast(log_ln2_low), fma(mul(f, z), p, mul(z, broadcast(-0.5f))));
  const Floats value = fma(n, broadcast(log_ln2_high), add(f, low));
  const Floats infinity = broadcast(__builtin_inff());
  // NaN for what is neither positive nor zero, x itself for +inf and NaN
  const Floats at_edge = select(less(x, zero()), broadcast(__builtin_nanf("")), sub(zero(), infinity));
  return select(less(zero(), x), select(less(x, infinity), value, x), select(less(x, infinity), at_edge, x));
}

}  // namespace panthalia::canon::PANTHALIA_ISA
