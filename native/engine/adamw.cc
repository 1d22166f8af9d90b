#include "engine/adamw.h"

#include <bit>
#include <cmath>

#include "engine/vectorised.h"

namespace panthalia {

bool adamw(const AdamwSlices& slices, const InnerConstants& constants, const StepScalars& scalars, float decay,
           float gradient_scale) {
  float* const parameters = slices.parameters;
  float* const first = slices.m;
  float* const second = slices.v;
  const float* const gradients = slices.gradients;
  const int64_t length = slices.length;
  const InnerConstants inner = constants;
  const float step_size = scalars.step_size, scale = scalars.second_moment_scale;

  return vectorised([=] PANTHALIA_LOOP() {
    uint32_t largest = 0;  // NaN and Inf have the largest magnitudes as integers
    for (int64_t i = 0; i < length; ++i) {
      const float g = gradients[i] * gradient_scale;
      const float decayed = parameters[i] * decay;
      const float m = std::fma(inner.beta1, first[i], inner.one_minus_beta1 * g);
      const float v = std::fma(inner.beta2, second[i], (inner.one_minus_beta2 * g) * g);
      const float denominator = std::sqrt(v) * scale + inner.epsilon;
      const float p = std::fma(-step_size, m / denominator, decayed);
      first[i] = m;
      second[i] = v;
      parameters[i] = p;
      const uint32_t bits_m = std::bit_cast<uint32_t>(m) & 0x7fffffffu;
      const uint32_t bits_v = std::bit_cast<uint32_t>(v) & 0x7fffffffu;
      const uint32_t bits_p = std::bit_cast<uint32_t>(p) & 0x7fffffffu;
      const uint32_t bits_mv = bits_m > bits_v ? bits_m : bits_v;
      const uint32_t bits = bits_mv > bits_p ? bits_mv : bits_p;
      largest = largest > bits ? largest : bits;
    }
    return largest < 0x7f800000u;
  });
}

std::optional<size_t> adamw(const Layout& layout, const AdamwArenas& arenas, const InnerConstants& constants,
                            const StepScalars& scalars, float gradient_scale) {
  std::optional<size_t> bad;
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    const TensorSlot& slot = layout.tensors()[t];
    const AdamwSlices slices{arenas.parameters + slot.offset, arenas.m + slot.offset, arenas.v + slot.offset,
                             arenas.gradients + slot.offset, slot.length};
    const float decay = slot.shape.size() >= 2 ? scalars.decay : 1.0f;
    if (!adamw(slices, constants, scalars, decay, gradient_scale) && !bad) bad = t;
  }
  return bad;
}

float clip_factor(float norm, float clip_norm) {
  const float factor = clip_norm / (norm + 1e-6f);
  return factor < 1.0f ? factor : 1.0f;
}

}  // namespace panthalia
