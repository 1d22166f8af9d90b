// exp, log, erf and tanh: section 3 of docs/opset-canon-f32-v1.md, operation by operation.
#pragma once

#include "kernels/canon/math_constants.h"
#include "kernels/canon/simd.h"

namespace panthalia::canon::PANTHALIA_ISA {

/** x = n ln 2 + r with |r| <= ln 2 / 2, and q = (e^r - 1 - r) / r^2. */
struct Reduced {
  Floats n;
  Ints n_int;
  Floats r;
  Floats q;
};

/** x must be inside (-2^21, 2^21) or NaN. */
PANTHALIA_INLINE Reduced reduce_exp(Floats x) {
  const Floats magic = broadcast(round_magic);
  const Floats shifted = fma(x, broadcast(log2_e), magic);
  const Floats n = sub(shifted, magic);
  const Floats r = fnma(n, broadcast(ln2_low), fnma(n, broadcast(ln2_high), x));
  Floats q = broadcast(exp_q[4]);
  for (int i = 3; i >= 0; --i) q = fma(q, r, broadcast(exp_q[i]));
  return {n, sub_int(bits(shifted), bits(magic)), r, q};
}

/** 2^n, a normal number. */
PANTHALIA_INLINE Floats power_of_two(Ints n) { return floats(shift_left<23>(add_int(n, broadcast_int(127)))); }

PANTHALIA_INLINE Floats exp(Floats x) {
  // lesser and greater give their second operand where one is NaN.
  const Reduced e = reduce_exp(greater(broadcast(exp_lowest), lesser(broadcast(exp_highest), x)));
  const Floats one = broadcast(1.0f);
  return scale(fma(fma(e.q, e.r, one), e.r, one), e.n, e.n_int);
}

PANTHALIA_INLINE Floats magnitude(Floats x) { return floats(and_int(bits(x), broadcast_int(0x7fffffff))); }
PANTHALIA_INLINE Floats with_sign_of(Floats x, Floats y) {
  const Ints sign = broadcast_int(INT32_MIN);
  return floats(or_int(and_int(bits(x), sign), and_int(bits(y), broadcast_int(0x7fffffff))));
}

/** 1 - e^t with t = -a + a Q(a), of which t_low is what rounding t left out. */
PANTHALIA_INLINE Floats erf(Floats x) {
  const Floats a = lesser(broadcast(erf_highest), magnitude(x)), minus_a = sub(zero(), a);
  Floats q = broadcast(erf_q[8]);
  for (int i = 7; i >= 0; --i) q = fma(q, a, broadcast(erf_q[i]));
  const Floats t = fma(a, q, minus_a), t_low = fma(a, q, sub(minus_a, t));
  const Reduced e = reduce_exp(t);
  const Floats p = add(e.r, fma(mul(e.r, e.r), e.q, t_low));
  const Floats power = power_of_two(e.n_int);
  return with_sign_of(x, fma(p, power, sub(power, broadcast(1.0f))));
}

/** e / (e + 2) with e = e^2a - 1; what is called low is what rounding left out, and corrects the quotient once. */
PANTHALIA_INLINE Floats tanh(Floats x) {
  const Floats a = lesser(broadcast(tanh_highest), magnitude(x)), one = broadcast(1.0f), two = broadcast(2.0f);
  const Reduced reduced = reduce_exp(add(a, a));
  const Floats square = mul(reduced.r, reduced.r);
  const Floats p = fma(square, reduced.q, reduced.r), p_low = fma(square, reduced.q, sub(reduced.r, p));
  const Floats power = power_of_two(reduced.n_int), above = sub(power, one);
  const Floats e = fma(p, power, above), e_low = fma(p_low, power, fma(p, power, sub(above, e)));
  const Floats d = add(e, two), d_low = sub(e, sub(d, two));
  const Floats reciprocal = div(one, d), quotient = mul(e, reciprocal);
  const Floats rest = fma(e_low, sub(one, quotient), fnma(quotient, d_low, fnma(quotient, d, e)));
  return with_sign_of(x, fma(rest, reciprocal, quotient));
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
