#define PANTHALIA_ISA bf16
#define PANTHALIA_WIDTH 16
#include "kernels/torch/bf16_kernels.h"

#include "kernels/canon/gemm.h"
#include "kernels/torch/bf16_attention.h"
#include "kernels/torch/bf16_pairs.h"

namespace panthalia {
namespace canon::bf16 {
namespace {

struct PairTiling : GemmTiling<8, 3, 2> {
  static Floats multiply_add(Floats a, Floats b, Floats sum) { return PairStep::multiply_add(a, b, sum); }
  static void finish(const GemmCall& call, int64_t first, int64_t n) {
    float* product = (call.up != nullptr ? call.up : call.out) + first;
    round_row(product, n, product);
    finish_product(call, first, n);
  }
};

void pair_columns_kernel(const float* from, int64_t columns, float* words, int64_t begin, int64_t end) {
  const int64_t pairs = pairs_of(columns);
  pair_columns(from + begin * columns, columns, end - begin, columns, words + begin * pairs, pairs);
}

void pair_rows_kernel(const float* from, int64_t rows, int64_t columns, float* words, int64_t begin, int64_t end) {
  const int64_t last = least(2 * end, rows);
  pair_rows(from + 2 * begin * columns, columns, last - 2 * begin, columns, words + begin * columns, columns);
}

}  // namespace
}  // namespace canon::bf16

const Bf16Kernels bf16_kernels = {
    .gemm = canon::bf16::gemm_kernel<canon::bf16::PairTiling>,
    .pair_columns = canon::bf16::pair_columns_kernel,
    .pair_rows = canon::bf16::pair_rows_kernel,
    .attention_scratch = canon::bf16::pair_attention_scratch,
    .attention = canon::bf16::pair_attention,
    .attention_backward = canon::bf16::pair_attention_backward,
};

}  // namespace panthalia
