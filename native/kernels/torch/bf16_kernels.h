// What opset `torch` does in bf16 on a processor with instructions for it: two terms at a time, sums in fp32, what comes out
// rounded. Products, those of attention among them, are canon-f32-v1's in all but the step, over words of two terms each.
//
// Factors of products are `Bf16`s, dense and row-major, whatever the type of a call's pointers: activations, their gradients and a
// rounded copy of the parameters. The residual stream and the gradients of parameters are fp32, the gradient of the stream is a
// StreamGradient. Only for a processor that has_bf16_instructions().
#pragma once

#include "kernels/canon/kernels.h"
#include "kernels/torch/bf16.h"

namespace panthalia {

/** A zero is paired with the last of an odd number. */
constexpr int64_t pairs_of(int64_t terms) { return (terms + 1) / 2; }

/** The gradient of the residual stream in a matrix of as many floats: all of it rounded to bf16, which is what products read, and
 *  then what that rounded off. */
struct StreamGradient {
  Bf16* rounded;
  Bf16* rest;

  StreamGradient(float* data, int64_t elements) : rounded(reinterpret_cast<Bf16*>(data)), rest(rounded + elements) {}
};

/** Those of products, attention, layer norms and the loss in place of canon-f32-v1's.
 *  gemm: A is words where it is not `tn`, (M, pairs_of(K)); out is fp32 where it is `tn` or has a residual
 *  cross_entropy leaves the logits, and in row_sums the logarithms of the sums of their exponentials */
canon::Kernels with_bf16_activations(canon::Kernels kernels);

/** Rows of `columns` elements to rows of pairs_of(columns) words. */
void pad_bf16_rows(const Bf16* from, int64_t rows, int64_t columns, float* words);
void round_to_bf16(const float* from, Bf16* to, int64_t n);
/** to = rounded + rest */
void join_bf16(const Bf16* rounded, const Bf16* rest, float* to, int64_t n);
bool are_bf16_finite(const Bf16* x, int64_t n);

}  // namespace panthalia
