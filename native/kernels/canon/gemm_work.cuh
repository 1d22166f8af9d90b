// What both kernels of gemm.cu share: where a block finds its tile and its chunks, and where its chains go.
#pragma once

#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/device.cuh"

namespace panthalia::canon::cuda {

/** Where a kernel's blocks find their tiles and chunks, and what they write. */
struct Work {
  Product product;
  int64_t row_tiles;
  int64_t column_tiles;
  int64_t first_chunk;  // of the chunks taken side by side
  float* chains;        // their chains, each (rows, columns); null: a block takes all chunks, one after the other
};

/** What one block computes. */
struct Part {
  int64_t first_row;
  int64_t first_column;
  int k_begin;
  int k_end;
  float* out;
  const float* residual;  // null: none, or not yet
};

/** Consecutive blocks walk down eight tiles of rows before they step to the next columns: what they read stays in the cache. */
__device__ __forceinline__ Part own_part(const Work& work, int tile_rows, int tile_columns) {
  constexpr int64_t band = 8;
  const Product& product = work.product;
  const int64_t block = blockIdx.x;
  const int64_t first = block / (band * work.column_tiles) * band;
  const int64_t height = work.row_tiles - first < band ? work.row_tiles - first : band;
  const int64_t within = block - first * work.column_tiles;
  const bool side_by_side = work.chains != nullptr;
  const int depth = static_cast<int>(product.depth);
  const int begin = side_by_side ? (static_cast<int>(work.first_chunk) + static_cast<int>(blockIdx.z)) * chain_length : 0;
  return {(first + within % height) * tile_rows,
          within / height * tile_columns,
          begin,
          side_by_side && depth - begin > chain_length ? begin + chain_length : depth,
          side_by_side ? work.chains + blockIdx.z * product.rows * product.columns : product.out,
          side_by_side ? nullptr : product.residual};
}

}  // namespace panthalia::canon::cuda
