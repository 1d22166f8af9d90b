// The terms of AdamW and its formula, every rounding written out: the kernels of each opset compute it.
#pragma once

#include <cstdint>

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

/** One tensor's slices of the arenas. For each element, in fp32, one rounding per operation written, decay being 1 for tensors of
 *  one dimension:
 *
 *    g = gradient * gradient_scale
 *    p = p * decay
 *    m = fma(beta1, m, (1 - beta1) * g)
 *    v = fma(beta2, v, ((1 - beta2) * g) * g)
 *    d = sqrt(v) * second_moment_scale + epsilon
 *    p = fma(-step_size, m / d, p)
 *
 *  source: Loshchilov & Hutter 2019, algorithm 2; docs/protocol.md, run, round, task */
struct AdamwSlices {
  float* parameters;
  float* m;
  float* v;
  const float* gradients;
  int64_t length;
};

}  // namespace panthalia
