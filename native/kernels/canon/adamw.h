// AdamW over a slice of the arenas; the formula stands in engine/adamw.h.
#pragma once

#include "kernels/canon/kernels.h"
#include "kernels/canon/reduce.h"

namespace panthalia::canon::PANTHALIA_ISA {

static bool adamw_kernel(const AdamwSlices& slices, const InnerConstants& constants, const StepScalars& scalars,
                         float decay, float gradient_scale) {
  Ints largest = broadcast_int(0);
  for_row(slices.length, [&](At at) {
    const Floats g = mul(load_at(slices.gradients, at), broadcast(gradient_scale));
    const Floats decayed = mul(load_at(slices.parameters, at), broadcast(decay));
    const Floats new_m = mul(broadcast(constants.one_minus_beta1), g);
    const Floats new_v = mul(mul(broadcast(constants.one_minus_beta2), g), g);
    const Floats m = fma(broadcast(constants.beta1), load_at(slices.m, at), new_m);
    const Floats v = fma(broadcast(constants.beta2), load_at(slices.v, at), new_v);
    const Floats denominator =
        add(mul(sqrt(v), broadcast(scalars.second_moment_scale)), broadcast(constants.epsilon));
    const Floats p = fnma(broadcast(scalars.step_size), div(m, denominator), decayed);
    store_at(slices.m, m, at);
    store_at(slices.v, v, at);
    store_at(slices.parameters, p, at);
    // Lanes beyond the slice were loaded as zeros: epsilon may be zero too, and 0 / 0 is a NaN.
    const Ints worst = greater_int(greater_int(magnitude_bits(m), magnitude_bits(v)), magnitude_bits(p));
    largest = greater_int(largest, bits(select(first_lanes(at.count), floats(worst), zero())));
  });
  return are_finite(largest);
}

}  // namespace panthalia::canon::PANTHALIA_ISA
