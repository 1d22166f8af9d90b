// One tile of a product: chains in registers, and what follows the product while it is in the first-level cache.
#pragma once

#include "kernels/canon/gelu.h"
#include "kernels/canon/gemm_pack.h"
#include "kernels/canon/kernels.h"

namespace panthalia::canon::PANTHALIA_ISA {

constexpr int64_t cache_line = 16;  // floats

/** `count` columns of each row of a tile, and where the same elements of what the epilogue reads and writes are. */
struct Target {
  float* data;
  int64_t width;
  int64_t count;
  const float* other = data;
  const float* out = data;
  int64_t met_width = width;  // of the matrices that these two are in
};

/** The chains of one tile: stored, or added to those of the chunks before. Loops over rows and vectors are unrolled: sums stay in
 *  registers only where every index is a constant.
 *  a: Panel lines wide where it is packed, Panel 0 where it is not: then the terms of a line are adjacent
 *  b: packed, Tiling::vectors * W wide; the first Vectors are multiplied, of which the last may be partly beyond the target */
template <typename Tiling, int Rows, int Vectors, int Panel>
static void chain_tile(Lines a, const float* b, int64_t depth, bool is_first, Target target) {
  Floats sums[Rows][Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) sums[i][v] = zero();
  }
  for (int64_t line = 0; line < depth; line += cache_line) {
    // A row for each line of terms. Of C and what meets it alone: what is multiplied comes in streams that the processor foresees.
    if (const int64_t row = line / cache_line; row < Rows) {
      for (int v = 0; v < Vectors; ++v) {
        __builtin_prefetch(target.data + row * target.width + v * W, 1);
        __builtin_prefetch(target.out + row * target.met_width + v * W, 1);
        __builtin_prefetch(target.other + row * target.met_width + v * W);
      }
    }
    const int64_t end = line + cache_line < depth ? line + cache_line : depth;
#pragma GCC unroll 4
    for (int64_t k = line; k < end; ++k) {
      Floats b_k[Vectors];
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) b_k[v] = load(b + (k * Tiling::vectors + v) * W);
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
        const Floats a_ik = broadcast(Panel > 0 ? a.data[k * Panel + i] : a.data[i * a.line_step + k]);
#pragma GCC unroll 8
        for (int v = 0; v < Vectors; ++v) sums[i][v] = Tiling::multiply_add(a_ik, b_k[v], sums[i][v]);
      }
    }
  }
  const int64_t last = target.count - (Vectors - 1) * W;
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
    float* row = target.data + i * target.width;
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      const At at{v * W, v + 1 < Vectors ? W : last};
      store_at(row, is_first ? sums[i][v] : add(load_at(row, at), sums[i][v]), at);
    }
  }
}

/** The tile of the rows and vectors that there are: 1 to Rows, 1 to Vectors. */
template <typename Tiling, int Panel, int Rows = Tiling::rows, int Vectors = Tiling::vectors>
static void chain_part(int64_t rows, Lines a, const float* b, int64_t depth, bool is_first, Target target) {
  if constexpr (Vectors > 1) {
    if (target.count <= (Vectors - 1) * W) {
      return chain_part<Tiling, Panel, Rows, Vectors - 1>(rows, a, b, depth, is_first, target);
    }
  }
  if constexpr (Rows > 1) {
    if (rows < Rows) return chain_part<Tiling, Panel, Rows - 1, Vectors>(rows, a, b, depth, is_first, target);
  }
  chain_tile<Tiling, Rows, Vectors, Panel>(a, b, depth, is_first, target);
}

/** What follows the product, on elements first .. first + n - 1 of C. */
static void finish_product(const GemmCall& call, int64_t first, int64_t n) {
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
