// One piece of a product by the GEMM rule, section 2 of docs/opset-canon-f32-v1.md. A tile of C stays in registers for a
// whole chunk of 1024 terms, so the order of additions is the document's for any tile.
#pragma once

#include "kernels/canon/gemm_tile.h"

namespace panthalia::canon::PANTHALIA_ISA {

PANTHALIA_INLINE Lines rows_of_a(const GemmCall& call) {
  return call.layout == GemmLayout::tn ? Lines{call.a, 1, call.m} : Lines{call.a, call.k, 1};
}
PANTHALIA_INLINE Lines columns_of_b(const GemmCall& call) {
  return call.layout == GemmLayout::nt ? Lines{call.b, call.k, 1} : Lines{call.b, 1, call.n};
}

/** How C is cut up: rows and vectors of a tile, and tiles beside each other whose part of B is packed at a time, to stay in
 *  the second-level cache for all rows of a piece. Chooses speed, never bits. An opset with other steps, of several terms each,
 *  hides the functions below with its own. */
template <int Rows, int Vectors, int Tiles>
struct GemmTiling {
  static constexpr int rows = Rows;
  static constexpr int vectors = Vectors;
  static constexpr int columns = Vectors * W;
  static constexpr int block_columns = Tiles * columns;
  /** Of a piece: 1024 terms of so many rows stay in a shared third-level cache. */
  static constexpr int64_t most_rows = 1536;

  static int64_t steps(int64_t terms) { return terms; }
  static Floats multiply_add(Floats a, Floats b, Floats sum) { return fma(a, b, sum); }
  /** Steps k .. k + depth - 1 of rows of A, or of columns of B, in panels: pack() in gemm_pack.h. */
  static void pack_rows(const GemmCall& call, int64_t row, int64_t count, int64_t k, int64_t depth, float* packed, int64_t step) {
    pack<rows>(rows_of_a(call).at(row, k), count, depth, packed, step);
  }
  static void pack_columns(const GemmCall& call, int64_t column, int64_t count, int64_t k, int64_t depth, float* packed) {
    pack<columns>(columns_of_b(call).at(column, k), count, depth, packed, depth);
  }
  /** Floats for the sums of a piece, where they have no place in C. */
  static int64_t sum_floats(int64_t, int64_t, int64_t) { return 0; }
  /** Of the tile at a row and a column of the piece, with so many columns. */
  static Target target(const GemmCall& call, const GemmPiece& piece, int64_t row, int64_t column, int64_t count, float*) {
    const int64_t first = (piece.row + row) * call.n + piece.column + column;
    float* const product = (call.up != nullptr ? call.up : call.out) + first;
    return {product, call.n, count, call.other != nullptr ? call.other + first : product, call.out + first};
  }
  /** Elements first .. first + n - 1 of the product are complete: these sums. */
  static void finish(const GemmCall& call, int64_t first, int64_t n, const float*) { finish_product(call, first, n); }
};

#if PANTHALIA_WIDTH == 16
using Tiling = GemmTiling<8, 3, 2>;
#elif PANTHALIA_WIDTH == 8
using Tiling = GemmTiling<6, 2, 4>;
#else
using Tiling = GemmTiling<4, 4, 4>;
#endif

PANTHALIA_INLINE int64_t at_most(int64_t x, int64_t most) { return x < most ? x : most; }

/** The terms of a row of A must be adjacent or packed. */
PANTHALIA_INLINE bool packs_a(GemmLayout layout) { return layout == GemmLayout::tn; }
/** Terms from one panel of A to the next, for each of its rows: an odd number of cache lines more than a chunk, which would put
 *  all panels into the same sets of the caches. */
PANTHALIA_INLINE int64_t panel_step(int64_t depth) { return depth + cache_line; }

template <typename Tiling>
static int64_t gemm_scratch(GemmLayout layout, int64_t rows, int64_t columns, int64_t k) {
  const int64_t depth = at_most(Tiling::steps(k), chain_chunk), panels = (rows + Tiling::rows - 1) / Tiling::rows;
  return depth * Tiling::block_columns + (packs_a(layout) ? panels * Tiling::rows * panel_step(depth) : 0) +
         Tiling::sum_floats(rows, columns, Tiling::steps(k));
}

/** Rows of A over a chunk of steps as tiles read them: panels, or what lies there already.
 *  returns where the tile that begins at row i finds them: at(i, 0) */
template <typename Tiling>
static Lines ready_rows(const GemmCall& call, int64_t row, int64_t count, int64_t k, int64_t depth, float* scratch) {
  if (!packs_a(call.layout)) return Lines{call.a, Tiling::steps(call.k), 1}.at(row, k);
  Tiling::pack_rows(call, row, count, k, depth, scratch, panel_step(depth));
  return {scratch, panel_step(depth), 1};
}

/** Chunks of terms, blocks of columns, rows of tiles, tiles: each loop within the one before. */
template <typename Tiling>
static void gemm_piece(const GemmCall& call, const GemmPiece& piece, float* scratch) {
  const int64_t steps = Tiling::steps(call.k);
  float* const sums = scratch + gemm_scratch<Tiling>(call.layout, piece.rows, piece.columns, call.k) -
                      Tiling::sum_floats(piece.rows, piece.columns, steps);
  const auto tile = packs_a(call.layout) ? chain_part<Tiling, Tiling::rows> : chain_part<Tiling, 0>;
  int64_t k = 0, depth;
  do {
    depth = at_most(steps - k, chain_chunk);
    float* packed_b = scratch;
    const Lines ready_a =
        ready_rows<Tiling>(call, piece.row, piece.rows, k, depth, scratch + depth * Tiling::block_columns);
    for (int64_t block = 0; block < piece.columns; block += Tiling::block_columns) {
      const int64_t block_columns = at_most(piece.columns - block, Tiling::block_columns);
      Tiling::pack_columns(call, piece.column + block, block_columns, k, depth, packed_b);
      for (int64_t i = 0; i < piece.rows; i += Tiling::rows) {
        const int64_t rows = at_most(piece.rows - i, Tiling::rows);
        for (int64_t j = 0; j < block_columns; j += Tiling::columns) {
          const int64_t count = at_most(block_columns - j, Tiling::columns);
          const Target target = Tiling::target(call, piece, i, block + j, count, sums);
          tile(rows, ready_a.at(i, 0), packed_b + j * depth, depth, k == 0, target);
          if (k + depth < steps) continue;
          const int64_t first = (piece.row + i) * call.n + piece.column + block + j;
          for (int64_t row = 0; row < rows; ++row) {
            Tiling::finish(call, first + row * call.n, count, target.data + row * target.width);
          }
        }
      }
    }
    k += depth;
  } while (k < steps);
}

template <typename Tiling>
constexpr GemmKernel gemm_kernel = {Tiling::rows, Tiling::columns, Tiling::most_rows, gemm_scratch<Tiling>, gemm_piece<Tiling>};

}  // namespace panthalia::canon::PANTHALIA_ISA
