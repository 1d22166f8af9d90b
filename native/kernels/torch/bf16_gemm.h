// Products of pairs: the tiles of canon-f32-v1 over words. Sums become bf16 before they leave the first-level cache.
#pragma once

#include "kernels/canon/gemm.h"
#include "kernels/torch/bf16_gelu.h"
#include "kernels/torch/bf16_pack.h"

namespace panthalia::canon::bf16 {

/** A, where it is not packed, are words already. */
struct PairTiling : GemmTiling<8, 3, 2> {
  static constexpr int64_t most_rows = 2048;

  static int64_t steps(int64_t terms) { return pairs_of(terms); }
  static Floats multiply_add(Floats a, Floats b, Floats sum) { return PairStep::multiply_add(a, b, sum); }
  static void pack_rows(const GemmCall& call, int64_t row, int64_t count, int64_t k, int64_t depth, float* packed, int64_t step) {
    pack_pairs<rows>(Bf16Lines(rows_of_a(call)).at(row, 2 * k), count, least(call.k - 2 * k, 2 * depth), packed, step);
  }
  static void pack_columns(const GemmCall& call, int64_t column, int64_t count, int64_t k, int64_t depth, float* packed) {
    pack_pairs<columns>(Bf16Lines(columns_of_b(call)).at(column, 2 * k), count, least(call.k - 2 * k, 2 * depth), packed, depth);
  }

  /** One tile where it is finished at once, and all of the piece where chunks are added. */
  static int64_t sum_floats(int64_t piece_rows, int64_t piece_columns, int64_t steps) {
    return steps <= chain_chunk ? rows * columns : piece_rows * sum_width(piece_columns);
  }
  static int64_t sum_width(int64_t piece_columns) { return (piece_columns + columns - 1) / columns * columns; }
  static bool is_fp32(const GemmCall& call) {
    return call.layout == GemmLayout::tn || call.epilogue == Epilogue::residual;
  }

  static Target target(const GemmCall& call, const GemmPiece& piece, int64_t row, int64_t column, int64_t count, float* sums) {
    const bool at_once = steps(call.k) <= chain_chunk;
    const int64_t width = at_once ? columns : sum_width(piece.columns);
    float* const data = at_once ? sums : sums + row * width + column;
    const int64_t first = (piece.row + row) * call.n + piece.column + column, each = is_fp32(call) ? 1 : 2;
    const float* const other = call.up != nullptr ? call.up : call.other;
    return {data, width, count, (other != nullptr ? other : call.out) + first / each, call.out + first / each, call.n / each};
  }

  static void finish(const GemmCall& call, int64_t first, int64_t n, const float* sums) {
    const float* const other = call.other + first;
    auto each = [&](auto* out, auto function) PANTHALIA_INLINED {
      for_row(n, [&](At at) PANTHALIA_INLINED { store_at(out + first, function(rounded(load_at(sums, at)), at), at); });
    };
    auto gelu = [&](const OddPolynomial& cdf) PANTHALIA_INLINED {
      each(bf16s(call.out), [&](__m256i product, At at) PANTHALIA_INLINED {
        store_at(bf16s(call.up) + first, product, at);
        const Floats x = widened(product);
        return rounded(mul(x, around_half(cdf, x)));
      });
    };
    auto gelu_backward = [&](const OddPolynomial& slope) PANTHALIA_INLINED {
      each(bf16s(call.out), [&](__m256i product, At at) PANTHALIA_INLINED {
        return rounded(mul(widened(product), around_half(slope, widened_at(bf16s(call.other) + first, at))));
      });
    };
    switch (call.epilogue) {
      case Epilogue::none:
        if (is_fp32(call)) return each(call.out, [](__m256i product, At) PANTHALIA_INLINED { return widened(product); });
        return each(bf16s(call.out), [](__m256i product, At) PANTHALIA_INLINED { return product; });
      case Epilogue::residual:
        return each(call.out, [&](__m256i product, At at) PANTHALIA_INLINED { return add(load_at(other, at), widened(product)); });
      case Epilogue::gelu_erf: return gelu(erf_cdf);
      case Epilogue::gelu_tanh: return gelu(tanh_cdf);
      case Epilogue::gelu_erf_backward: return gelu_backward(erf_slope);
      case Epilogue::gelu_tanh_backward: return gelu_backward(tanh_slope);
    }
  }
};

}  // namespace panthalia::canon::bf16
