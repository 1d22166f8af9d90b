#define PANTHALIA_ISA bf16
#define PANTHALIA_WIDTH 16
#include "kernels/torch/bf16_kernels.h"

#include "kernels/canon/gemm.h"
#include "kernels/torch/bf16_attention.h"
#include "kernels/torch/bf16_gelu.h"
#include "kernels/torch/bf16_pack.h"

namespace panthalia {
namespace canon::bf16 {
namespace {

/** A, where it is not packed, are words already. */
struct PairTiling : GemmTiling<8, 3, 2> {
  static int64_t steps(int64_t terms) { return pairs_of(terms); }
  static Floats multiply_add(Floats a, Floats b, Floats sum) { return PairStep::multiply_add(a, b, sum); }
  static void pack_rows(const GemmCall& call, int64_t row, int64_t count, int64_t k, int64_t depth, float* packed, int64_t step) {
    pack_pairs<rows>(rows_of_a(call).at(row, 2 * k), count, least(call.k - 2 * k, 2 * depth), packed, step);
  }
  static void pack_columns(const GemmCall& call, int64_t column, int64_t count, int64_t k, int64_t depth, float* packed) {
    pack_pairs<columns>(columns_of_b(call).at(column, 2 * k), count, least(call.k - 2 * k, 2 * depth), packed, depth);
  }

  static void finish(const GemmCall& call, int64_t first, int64_t n) {
    float* const out = call.out + first;
    const float* const other = call.other + first;
    float* const up = call.up + first;
    auto each = [&](float* product, auto function) PANTHALIA_INLINED {
      for_row(n, [&](At at) PANTHALIA_INLINED { function(floats(rounded(load_at(product, at))), at); });
    };
    auto gelu = [&](const OddPolynomial& cdf) PANTHALIA_INLINED {
      each(up, [&](Floats x, At at) PANTHALIA_INLINED {
        store_at(up, x, at);
        store_at(out, mul(x, around_half(cdf, x)), at);
      });
    };
    auto gelu_backward = [&](const OddPolynomial& slope) PANTHALIA_INLINED {
      each(out, [&](Floats x, At at) PANTHALIA_INLINED {
        store_at(out, mul(x, around_half(slope, load_at(other, at))), at);
      });
    };
    switch (call.epilogue) {
      case Epilogue::none: return each(out, [&](Floats x, At at) PANTHALIA_INLINED { store_at(out, x, at); });
      case Epilogue::residual:
        return each(out, [&](Floats x, At at) PANTHALIA_INLINED { store_at(out, add(load_at(other, at), x), at); });
      case Epilogue::gelu_erf: return gelu(erf_cdf);
      case Epilogue::gelu_tanh: return gelu(tanh_cdf);
      case Epilogue::gelu_erf_backward: return gelu_backward(erf_slope);
      case Epilogue::gelu_tanh_backward: return gelu_backward(tanh_slope);
    }
  }
};

void pair_columns_kernel(const float* from, int64_t columns, float* words, int64_t begin, int64_t end) {
  const int64_t pairs = pairs_of(columns);
  pair_columns(from + begin * columns, columns, end - begin, columns, words + begin * pairs, pairs);
}

}  // namespace
}  // namespace canon::bf16

const Bf16Kernels bf16_kernels = {
    .gemm = canon::bf16::gemm_kernel<canon::bf16::PairTiling>,
    .pair_columns = canon::bf16::pair_columns_kernel,
    .attention_scratch = canon::bf16::pair_attention_scratch,
    .attention = canon::bf16::pair_attention,
    .attention_backward = canon::bf16::pair_attention_backward,
};

}  // namespace panthalia
