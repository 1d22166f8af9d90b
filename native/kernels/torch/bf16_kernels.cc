#define PANTHALIA_ISA bf16
#define PANTHALIA_WIDTH 16
#include "kernels/torch/bf16_kernels.h"

#include "kernels/canon/layer_norm.h"
#include "kernels/torch/bf16_attention.h"
#include "kernels/torch/bf16_cross_entropy.h"
#include "kernels/torch/bf16_gemm.h"

namespace panthalia {
namespace canon::bf16 {
namespace {

void layer_norm(const LayerNormCall& call, int64_t begin, int64_t end) {
  Bf16* const out = bf16s(call.out);
  layer_norm_rows(call, begin, end, [&](int64_t from, At at, Floats y) { store_at(out + from, rounded(y), at); });
}

void layer_norm_backward(const LayerNormBackwardCall& call, int64_t begin, int64_t end) {
  const Bf16* const d_out = bf16s(call.d_out);
  const StreamGradient d_x(call.d_x, call.rows * call.columns);
  layer_norm_backward_chunks(
      call, begin, end, [&](int64_t from, At at) { return widened_at(d_out + from, at); },
      [&](int64_t from, At at, Floats d) {
        const Floats sum = add(add(widened_at(d_x.rounded + from, at), widened_at(d_x.rest + from, at)), d);
        const __m256i upper = rounded(sum);
        store_at(d_x.rounded + from, upper, at);
        store_at(d_x.rest + from, rounded(sub(sum, widened(upper))), at);
      });
}

}  // namespace
}  // namespace canon::bf16

using namespace canon::bf16;

canon::Kernels with_bf16_activations(canon::Kernels kernels) {
  kernels.gemm = gemm_kernel<PairTiling>;
  kernels.layer_norm = layer_norm;
  kernels.layer_norm_backward = layer_norm_backward;
  kernels.cross_entropy = pair_cross_entropy;
  kernels.cross_entropy_backward = pair_cross_entropy_backward;
  kernels.attention_scratch = pair_attention_scratch;
  kernels.attention = pair_attention;
  kernels.attention_backward = pair_attention_backward;
  return kernels;
}

void pad_bf16_rows(const Bf16* from, int64_t rows, int64_t columns, float* words) {
  pair_columns(from, columns, rows, columns, words, pairs_of(columns));
}

void round_to_bf16(const float* from, Bf16* to, int64_t n) { round_row(from, n, to); }

void join_bf16(const Bf16* upper, const Bf16* rest, float* to, int64_t n) {
  for_row(n, [&](At at) { store_at(to, add(widened_at(upper, at), widened_at(rest, at)), at); });
}

bool are_bf16_finite(const Bf16* x, int64_t n) {
  Ints largest = broadcast_int(0);
  for_row(n, [&](At at) { largest = greater_int(largest, magnitude_bits(widened_at(x, at))); });
  return are_finite(largest);
}

}  // namespace panthalia
