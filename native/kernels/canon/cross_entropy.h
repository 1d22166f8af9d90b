// Softmax cross-entropy per row of logits.
#pragma once

#include "kernels/canon/kernels.h"
#include "kernels/canon/reduce.h"

namespace panthalia::canon::PANTHALIA_ISA {

PANTHALIA_INLINE float log_of(float x) {
  float lanes[W];
  store(lanes, log(broadcast(x)));
  return lanes[0];
}

/** Logits become e^(logit - greatest); their sums and the losses of the rows are kept. */
static void cross_entropy_kernel(const CrossEntropyCall& call, int64_t begin, int64_t end) {
  const int64_t V = call.columns;
  for (int64_t n = begin; n < end; ++n) {
    float* row = call.logits + n * V;
    const float at_target = row[call.targets[n]];
    const float most = greatest(row, V);
    float sum[1];
    row_rule(V, sum, [&](At at, auto lane) {
      const Floats e = exp(sub(load_at(row, at), broadcast(most)));
      store_at(row, e, at);
      lane(0) = add(lane(0), e);
    });
    call.row_sums[n] = sum[0];
    call.losses[n] = (log_of(sum[0]) + most) - at_target;
  }
}

/** What cross_entropy_kernel left becomes the gradient of the logits. */
static void cross_entropy_backward_kernel(const CrossEntropyCall& call, float share, int64_t begin, int64_t end) {
  const int64_t V = call.columns;
  for (int64_t n = begin; n < end; ++n) {
    float* row = call.logits + n * V;
    const float weight = share / call.row_sums[n];
    const float target = __builtin_fmaf(row[call.targets[n]], weight, -share);
    for_row(V, [&](At at) { store_at(row, mul(load_at(row, at), broadcast(weight)), at); });
    row[call.targets[n]] = target;
  }
}

}  // namespace panthalia::canon::PANTHALIA_ISA
