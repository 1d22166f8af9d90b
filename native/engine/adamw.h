// AdamW over flat memory, every rounding written out: the same bits on any machine, any opset.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/model.h"

namespace panthalia {

struct InnerConstants {
  float beta1;
  float one_minus_beta1;
  float beta2;
  float one_minus_beta2;
  float epsilon;
  float clip_norm;
};

/** source: src/protocol/task.ts, StepScalars */
struct StepScalars {
  float step_size;            // lr_k / (1 - beta1^k)
  float second_moment_scale;  // 1 / sqrt(1 - beta2^k)
  float decay;                // 1 - lr_k * weightDecay
};

/** Laid out as theta. */
struct AdamwArenas {
  float* parameters;
  float* m;
  float* v;
  const float* gradients;
};

/** One tensor's slices of the arenas. */
struct AdamwSlices {
  float* parameters;
  float* m;
  float* v;
  const float* gradients;
  int64_t length;
};

/** For each element, in fp32, one rounding per operation written:
 *
 *    g = gradient * gradient_scale
 *    p = p * decay
 *    m = fma(beta1, m, (1 - beta1) * g)
 *    v = fma(beta2, v, ((1 - beta2) * g) * g)
 *    d = sqrt(v) * second_moment_scale + epsilon
 *    p = fma(-step_size, m / d, p)
 *
 *  returns whether every p, m and v is finite.
 *  source: Loshchilov & Hutter 2019, algorithm 2; docs/protocol.md, run, round, task */
bool adamw(const AdamwSlices& slices, const InnerConstants& constants, const StepScalars& scalars, float decay,
           float gradient_scale);

/** All tensors of a layout; decay is 1 for tensors of one dimension.  returns the first one left with NaN or Inf, if any */
std::optional<size_t> adamw(const Layout& layout, const AdamwArenas& arenas, const InnerConstants& constants,
                            const StepScalars& scalars, float gradient_scale);

/** min(1, clip_norm / (norm + 1e-6)), the factor every gradient is multiplied by. */
float clip_factor(float norm, float clip_norm);

}  // namespace panthalia
