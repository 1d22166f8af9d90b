// One piece of a product by the GEMM rule, section 2 of docs/opset-canon-f32-v1.md. A tile of C stays in registers for a
// whole chunk of 1024 terms, so the order of additions is the document's for any tile.
#pragma once

#include "kernels/canon/gelu.h"
#include "kernels/canon/kernels.h"

namespace panthalia::canon::PANTHALIA_ISA {

/** How C is cut up: rows and vectors of a tile, columns of B that are packed at a time. Chooses speed, never bits. */
template <int Rows, int Vectors, int Panels>
struct GemmTiling {
  static constexpr int rows = Rows;
  static constexpr int vectors = Vectors;
  static constexpr int64_t columns = Vectors * W;
  static constexpr int64_t block_columns = Panels * columns;
};

#if PANTHALIA_WIDTH == 16
using Tiling = GemmTiling<12, 2, 2>;
#elif PANTHALIA_WIDTH == 8
using Tiling = GemmTiling<6, 2, 4>;
#else
using Tiling = GemmTiling<4, 4, 4>;
#endif

/** Element (row, k) of A lies at data[row * row_step + k * k_step]; B likewise, by columns. */
struct Strided {
  const float* data;
  int64_t step;
  int64_t k_step;

  Strided at(int64_t index, int64_t k) const { return {data + index * step + k * k_step, step, k_step}; }
};

static Strided a_of(const GemmCall& call) {
  return call.layout == GemmLayout::tn ? Strided{call.a, 1, call.m} : Strided{call.a, call.k, 1};
}
static Strided b_of(const GemmCall& call) {
  return call.layout == GemmLayout::nt ? Strided{call.b, call.k, 1} : Strided{call.b, 1, call.n};
}

/** packed[k][j] = source(j, k), zeros from `count` to `width`. */
static void pack(Strided source, int64_t count, int64_t width, int64_t depth, float* packed) {
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t j = 0; j < count; ++j) packed[k * width + j] = source.data[j * source.step + k * source.k_step];
    for (int64_t j = count; j < width; ++j) packed[k * width + j] = 0.0f;
  }
}

/** Part of C: `count` columns of each row. */
struct Target {
  float* data;
  int64_t width;
  int64_t count;
};

/** The chains of one tile: stored, or added to the chunks before. */
template <int Rows, int Vectors>
static void chain_tile(Strided a, const float* b, int64_t depth, bool is_first, Target target) {
  Floats sums[Rows][Vectors];
  for (int i = 0; i < Rows; ++i) {
    for (int v = 0; v < Vectors; ++v) sums[i][v] = zero();
  }
  for (int64_t k = 0; k < depth; ++k) {
    Floats b_k[Vectors];
    for (int v = 0; v < Vectors; ++v) b_k[v] = load(b + (k * Vectors + v) * W);
    for (int i = 0; i < Rows; ++i) {
      const Floats a_ik = broadcast(a.data[i * a.step + k * a.k_step]);
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

template <int Most, int Vectors>
static void chain_rows(int64_t rows, Strided a, const float* b, int64_t depth, bool is_first, Target target) {
  if (rows == Most) return chain_tile<Most, Vectors>(a, b, depth, is_first, target);
  if constexpr (Most > 1) chain_rows<Most - 1, Vectors>(rows, a, b, depth, is_first, target);
}

/** What follows the product, on elements at .. at + n - 1 of a row. */
static void finish_row(const GemmCall& call, int64_t at, int64_t n) {
  float* out = call.out + at;
  const float* other = call.other + at;
  switch (call.epilogue) {
    case Epilogue::none: return;
    case Epilogue::residual:
      return for_row(n, [&](At at) { store_at(out, add(load_at(other, at), load_at(out, at)), at); });
    case Epilogue::gelu_erf: return gelu_erf_kernel(call.up + at, out, n);
    case Epilogue::gelu_tanh: return gelu_tanh_kernel(call.up + at, out, n);
    case Epilogue::gelu_erf_backward: return gelu_erf_backward_kernel(out, other, out, n);
    case Epilogue::gelu_tanh_backward: return gelu_tanh_backward_kernel(out, other, out, n);
  }
}

template <typename Tiling>
static int64_t gemm_scratch(GemmLayout layout, int64_t rows, int64_t columns, int64_t k) {
  const int64_t depth = k < chain_chunk ? k : chain_chunk;
  (void)columns;
  return depth * (Tiling::block_columns + (layout == GemmLayout::tn ? rows : 0));
}

template <typename Tiling>
static void gemm_piece(const GemmCall& call, const GemmPiece& piece, float* scratch) {
  float* product = call.up != nullptr ? call.up : call.out;
  const int64_t row_end = piece.row + piece.rows, column_end = piece.column + piece.columns;
  const bool packs_a = call.layout == GemmLayout::tn;
  int64_t k = 0;
  do {
    const int64_t depth = call.k - k < chain_chunk ? call.k - k : chain_chunk;
    float* packed_a = scratch + depth * Tiling::block_columns;
    for (int64_t i = piece.row; packs_a && i < row_end; i += Tiling::rows) {
      const int64_t rows = row_end - i < Tiling::rows ? row_end - i : Tiling::rows;
      pack(a_of(call).at(i, k), rows, rows, depth, packed_a + (i - piece.row) * depth);
    }
    for (int64_t block = piece.column; block < column_end; block += Tiling::block_columns) {
      const int64_t left = column_end - block, width = left < Tiling::block_columns ? left : Tiling::block_columns;
      for (int64_t j = 0; j < width; j += Tiling::columns) {
        const int64_t count = width - j < Tiling::columns ? width - j : Tiling::columns;
        pack(b_of(call).at(block + j, k), count, Tiling::columns, depth, scratch + j * depth);
      }
      for (int64_t i = piece.row; i < row_end; i += Tiling::rows) {
        const int64_t rows = row_end - i < Tiling::rows ? row_end - i : Tiling::rows;
        const Strided a = packs_a ? Strided{packed_a + (i - piece.row) * depth, 1, rows} : a_of(call).at(i, k);
        for (int64_t j = 0; j < width; j += Tiling::columns) {
          const int64_t count = width - j < Tiling::columns ? width - j : Tiling::columns;
          const int64_t at = i * call.n + block + j;
          chain_rows<Tiling::rows, Tiling::vectors>(rows, a, scratch + j * depth, depth, k == 0,
                                                    {product + at, call.n, count});
          if (k + depth < call.k) continue;
          for (int64_t row = 0; row < rows; ++row) finish_row(call, at + row * call.n, count);
        }
      }
    }
    k += depth;
  } while (k < call.k);
}

template <typename Tiling>
constexpr GemmKernel gemm_kernel = {Tiling::rows, Tiling::columns, gemm_scratch<Tiling>, gemm_piece<Tiling>};

}  // namespace panthalia::canon::PANTHALIA_ISA
