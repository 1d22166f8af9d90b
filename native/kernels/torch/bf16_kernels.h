// Products of bf16 factors by a processor's instruction for them: two terms at a time, sums in fp32, the product rounded to bf16.
// They, and attention's, are products of canon-f32-v1 in all but the step, over 32-bit words that hold a pair of terms each.
#pragma once

#include "kernels/canon/kernels.h"

namespace panthalia {

struct Bf16Kernels {
  /** A is fp32 where it is `tn`, and words else: (M, pairs_of(K)). */
  canon::GemmKernel gemm;
  /** Rows [begin, end) of `columns` floats, rounded, to rows of pairs_of(columns) words: each of two columns. */
  void (*pair_columns)(const float* from, int64_t columns, float* words, int64_t begin, int64_t end);

  /** As those of canon::Kernels. What they write is rounded. */
  int64_t (*attention_scratch)(int64_t time, int64_t head_width);
  void (*attention)(const canon::AttentionCall& call, float* scratch, int64_t begin, int64_t end);  // query blocks of one head
  void (*attention_backward)(const canon::AttentionBackwardCall& call, float* scratch, int64_t begin, int64_t end);  // heads
};

/** A zero is paired with the last of an odd number. */
constexpr int64_t pairs_of(int64_t terms) { return (terms + 1) / 2; }

/** Only for a processor that has_bf16_instructions(). */
extern const Bf16Kernels bf16_kernels;

}  // namespace panthalia
