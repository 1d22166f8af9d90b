#include "kernels/canon/parallel_gemm.h"

#include <algorithm>
#include <tuple>

namespace panthalia::canon {
namespace {

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t round_up(int64_t a, int64_t b) { return divide_up(a, b) * b; }

/** C in a grid of pieces, all of one size but for those at the lower and the right edge. */
struct Grid {
  int64_t rows = 0, columns = 0;  // of a piece
  int64_t down = 0, across = 0;   // pieces
  int64_t pieces() const { return down * across; }
};

Grid grid_of(const GemmKernel& kernel, int64_t m, int64_t n, int64_t down, int64_t across) {
  const int64_t rows = round_up(divide_up(m, down), kernel.tile_rows);
  const int64_t columns = round_up(divide_up(n, across), kernel.tile_columns);
  return {rows, columns, divide_up(m, rows), divide_up(n, columns)};
}

/** Of a piece, as kernel.most_rows. */
constexpr int64_t most_columns = 1536;
/** What it costs to pack a column of B, in rows of C, and a row of A, in columns: only `tn` packs A. */
constexpr int64_t column_packing = 12, row_packing = 8, row_reading = 1;

/** The time that the busiest thread needs, in elements of C. */
int64_t cost(const Grid& grid, GemmLayout layout, int threads) {
  const int64_t rows = grid.rows + column_packing;
  const int64_t columns = grid.columns + (layout == GemmLayout::tn ? row_packing : row_reading);
  return divide_up(grid.pieces(), threads) * rows * columns;
}

Grid plan(const GemmKernel& kernel, GemmLayout layout, int64_t m, int64_t n, int threads) {
  const int64_t least_down = divide_up(m, kernel.most_rows), least_across = divide_up(n, most_columns);
  const int64_t most_pieces = 4 * threads;
  Grid best = grid_of(kernel, m, n, least_down, least_across);
  for (int64_t down = 1; down <= most_pieces; ++down) {
    for (int64_t across = 1; down * across <= most_pieces; ++across) {
      const Grid grid = grid_of(kernel, m, n, least_down * down, least_across * across);
      if (cost(grid, layout, threads) < cost(best, layout, threads)) best = grid;
    }
  }
  return best;
}

}  // namespace

GemmPieces::GemmPieces(const GemmKernel& kernel, const GemmCall& call, int threads)
    : kernel_(kernel), call_(call), threads_(threads) {
  const Grid grid = call.m == 0 || call.n == 0 ? Grid{} : plan(kernel, call.layout, call.m, call.n, threads);
  std::tie(rows_, columns_, down_, across_) = std::tie(grid.rows, grid.columns, grid.down, grid.across);
  scratch_ = round_up(kernel.scratch(call.layout, rows_, columns_, call.k), 16);  // no two threads share a cache line
}

void GemmPieces::run(int64_t piece, int thread, float* workspace) const {
  const int64_t row = piece % down_ * rows_, column = piece / down_ * columns_;
  kernel_.piece(call_, {row, std::min(rows_, call_.m - row), column, std::min(columns_, call_.n - column)},
                workspace + thread * scratch_);
}

int64_t gemm_workspace(const Kernels& kernels, GemmLayout layout, int64_t m, int64_t n, int64_t k, int threads) {
  return GemmPieces(kernels.gemm, {.layout = layout, .m = m, .n = n, .k = k, .a = nullptr, .b = nullptr, .out = nullptr},
                    threads)
      .workspace();
}

void gemm(ThreadPool& pool, const Kernels& kernels, const GemmCall& call, float* workspace) {
  const GemmPieces pieces(kernels.gemm, call, pool.threads());
  pool.run(pieces.count(), [&](int64_t piece, int thread) { pieces.run(piece, thread, workspace); });
}

}  // namespace panthalia::canon
