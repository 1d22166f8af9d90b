// Softmax cross-entropy per row of logits in bf16. Exponentials are taken in both directions: in bf16 they could not be kept.
#pragma once

#include "kernels/canon/cross_entropy.h"
#include "kernels/torch/bf16_pairs.h"

namespace panthalia::canon::bf16 {

PANTHALIA_INLINE float as_float(Bf16 x) { return __builtin_bit_cast(float, static_cast<uint32_t>(x) << 16); }

static void pair_cross_entropy(const CrossEntropyCall& call, int64_t begin, int64_t end) {
  const int64_t V = call.columns;
  for (int64_t n = begin; n < end; ++n) {
    const Bf16* const row = bf16s(call.logits) + n * V;
    Floats best = broadcast(-__builtin_inff());
    for_row(V, [&](At at) { best = select(first_lanes(at.count), greater(widened_at(row, at), best), best); });
    const float most = _mm512_reduce_max_ps(best);
    float sum[1];
    row_rule(V, sum, [&](At at, auto lane) {
      lane(0) = add(lane(0), exp(sub(widened_at(row, at), broadcast(most))));
    });
    call.row_sums[n] = log_of(sum[0]) + most;
    call.losses[n] = call.row_sums[n] - as_float(row[call.targets[n]]);
  }
}

static void pair_cross_entropy_backward(const CrossEntropyCall& call, float share, int64_t begin, int64_t end) {
  const int64_t V = call.columns;
  for (int64_t n = begin; n < end; ++n) {
    Bf16* const row = bf16s(call.logits) + n * V;
    const Floats log_sum = broadcast(call.row_sums[n]), factor = broadcast(share);
    for_row(V, [&](At at) {
      const Floats p = exp(sub(widened_at(row, at), log_sum));
      const auto lane = static_cast<uint64_t>(call.targets[n] - at.i);
      const Mask is_target = lane < W ? 1u << lane : 0;
      store_at(row, rounded(mul(select(is_target, sub(p, broadcast(1.0f)), p), factor)), at);
    });
  }
}

}  // namespace panthalia::canon::bf16
