// The GEMM rule for widths that are no multiples of a quad: one float at a time, a block of 64 x 64 elements, a thread 8 x 8 of them.
#pragma once

#include "kernels/canon/gemm_work.cuh"

namespace panthalia::canon::cuda {

struct AnyTile {
  static constexpr int rows = 64, columns = 64, threads = 64, slab = 16;

  struct Buffers {
    float a[slab][rows + 1];  // [k][row]
    float b[slab][columns + 1];
  };
};

/** buffer[k][row] = element (first_row + row, k_begin + k) of the operand, `fill` where there is none. */
__device__ __forceinline__ void fill_slab(const Operand& operand, int64_t first_row, int64_t rows, int k_begin, int k_end,
                                          float fill, float (*buffer)[AnyTile::rows + 1]) {
  for (int at = static_cast<int>(threadIdx.x); at < AnyTile::slab * AnyTile::rows; at += AnyTile::threads) {
    const int k = operand.k_contiguous ? at % AnyTile::slab : at / AnyTile::rows;
    const int row = operand.k_contiguous ? at / AnyTile::slab : at % AnyTile::rows;
    const bool inside = first_row + row < rows && k_begin + k < k_end;
    const int64_t index = operand.k_contiguous ? (first_row + row) * operand.stride + k_begin + k
                                               : (k_begin + k) * operand.stride + first_row + row;
    buffer[k][row] = inside ? operand.data[index] : fill;
  }
}

/** Beyond the end of k, a is filled with +0 and b with -0: the product -0 changes no sum, whatever it is.
 *  A thread's rows and columns are eight apart. */
__global__ void __launch_bounds__(AnyTile::threads) any_kernel(Work work) {
  auto& buffers = shared_memory<AnyTile::Buffers>();
  const Product& product = work.product;
  const Part part = own_part(work, AnyTile::rows, AnyTile::columns);
  const int own_row = static_cast<int>(threadIdx.x) / 8, own_column = static_cast<int>(threadIdx.x) % 8;
  float chain[8][8] = {};

  for (int k = part.k_begin; k < part.k_end; k += AnyTile::slab) {
    __syncthreads();
    fill_slab(product.a, part.first_row, product.rows, k, part.k_end, 0.0f, buffers.a);
    fill_slab(product.b, part.first_column, product.columns, k, part.k_end, -0.0f, buffers.b);
    __syncthreads();
    for (int c = 0; c < AnyTile::slab; ++c) {
#pragma unroll
      for (int i = 0; i < 8; ++i) {
#pragma unroll
        for (int j = 0; j < 8; ++j) {
          chain[i][j] = fma(buffers.a[c][own_row + i * 8], buffers.b[c][own_column + j * 8], chain[i][j]);
        }
      }
    }
    const bool last = k + AnyTile::slab >= part.k_end;
    if (!last && (k + AnyTile::slab) % chain_length != 0) continue;
    const bool continued = k - part.k_begin >= chain_length;  // whether out holds earlier chunks
#pragma unroll
    for (int i = 0; i < 8; ++i) {
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        const int64_t row = part.first_row + own_row + i * 8, column = part.first_column + own_column + j * 8;
        if (row < product.rows && column < product.columns) {
          const int64_t at = row * product.columns + column;
          float value = continued ? add(part.out[at], chain[i][j]) : chain[i][j];
          if (last && part.residual != nullptr) value = add(part.residual[at], value);
          part.out[at] = value;
        }
        chain[i][j] = 0.0f;
      }
    }
  }
}

}  // namespace panthalia::canon::cuda
