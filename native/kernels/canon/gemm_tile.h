// One tile of a product: chains in registers, and what follows the product while it is in the first-level cache.
#pragma once

#include "kernels/canon/gelu.h"
#include "kernels/canon/gemm_pack.h"
#include "kernels/canon/kernels.h"

namespace panthalia::canon::PANTHALIA_ISA {

constexpr int64_t cache_line = 16;  // floats

/** `count` columns of each row of a tile. */
struct Target {
  float* data;
  int64_t width;
  int64_t count;
};

/** The chains of one tile: stored, or added to those of the chunks before.
 *  a: Panel lines wide where it is packed, Panel 0 where it is not: then the terms of a line are adjacent
 *  b: packed, Vectors * W wide */
template <int Rows, int Vectors, int Panel>
static void chain_tile(Lines a, const float* b, int64_t depth, bool is_first, Target target) {
  Floats sums[Rows][Vectors];
  for (int i = 0; i < Rows; ++i) {
    for (int v = 0; v < Vectors; ++v) sums[i][v] = zero();
  }
  // Of C alone: what is read comes in streams that the processor foresees.
  for (int i = 0; i < Rows; ++i) {
    for (int64_t j = 0; j < target.count; j += cache_line) __builtin_prefetch(target.data + i * target.width + j, 1);
  }
#pragma GCC unroll 4
  for (int64_t k = 0; k < depth; ++k) {
    Floats b_k[Vectors];
    for (int v = 0; v < Vectors; ++v) b_k[v] = load(b + (k * Vectors + v) * W);
    for (int i = 0; i < Rows; ++i) {
      const Floats a_ik = broadcast(Panel > 0 ? a.data[k * Panel + i] : a.data[i * a.line_step + k]);
      for (int v = 0; v < Vectors; ++v) sums[i][v] = fma(a_ik, b_k[v], sums[i][v]);
    }
  }
  for (int i = 0; i < Rows; ++i) {
    float* row = target.data + i * target.width;
    for (int v = 0; v < Vectors; ++v) {
      const int64_t left = target.count - v * W;
      if (left <= 0) break;
      const At at{v * W, left < W ? left : W};
      store_at(row, is_first ? sums[i][v] : add(load_at(row, at), sums[i][v]), at);
    }
  }
}

/** rows: 1 to Most. */
template <int Most, int Vectors, int Panel>
static void chain_rows(int64_t rows, Lines a, const float* b, int64_t depth, bool is_first, Target target) {
  if (rows == Most) return chain_tile<Most, Vectors, Panel>(a, b, depth, is_first, target);
  if constexpr (Most > 1) chain_rows<Most - 1, Vectors, Panel>(rows, a, b, depth, is_first, target);
}

/** What follows the product, on elements first .. first + n - 1 of C. */
static void finish(const GemmCall& call, int64_t first, int64_t n) {
  float* out = call.out + first;
  const float* other = call.other + first;
  switch (call.epilogue) {
    case Epilogue::none: return;
    case Epilogue::residual:
      return for_row(n, [&](At at) { store_at(out, add(load_at(other, at), load_at(out, at)), at); });
    case Epilogue::gelu_erf: return gelu_erf_kernel(call.up + first, out, n);
    case Epilogue::gelu_tanh: return gelu_tanh_kernel(call.up + first, out, n);
    case Epilogue::gelu_erf_backward: return gelu_erf_backward_kernel(out, other, out, n);
    case Epilogue::gelu_tanh_backward: return gelu_tanh_backward_kernel(out, other, out, n);
  }
}

}  // namespace panthalia::canon::PANTHALIA_ISA
