// The GEMM rule where everything comes in quads of floats. A block owns a tile of the result, a thread 12 x 8 or 8 x 8 of its elements;
// slabs of 16 k travel through two buffers of shared memory, the next one while this one is multiplied. A chain never leaves
// its thread. Chunks of 1,024 k are added to what the result already holds, by the thread that owns it.
#pragma once

#include "kernels/canon/gemm_work.cuh"

namespace panthalia::canon::cuda {

constexpr int slab = 16;  // k of a buffer; every product's depth here is a multiple of it

/** A row of four warps of 8 x 4 lanes, threads of own_rows x 8 elements. */
template <int own_rows_>
struct Tile {
  static constexpr int column_warps = 4;
  static constexpr int own_rows = own_rows_, own_columns = 8;
  static constexpr int rows = 8 * own_rows;
  static constexpr int columns = 4 * own_columns * column_warps;
  static constexpr int threads = warp_lanes * column_warps;
  static constexpr int blocks = 512 * 64 / (threads * own_rows * own_columns);  // on a processor, by their registers
  static constexpr int padding = 4;  // k contiguous: eight k of four rows then fall into 32 banks

  struct Buffers {
    alignas(16) float a[2][slab][rows + padding];  // [k][row]
    alignas(16) float b[2][slab][columns + padding];
  };
};

/** A thread's share of the way of one operand from device memory to shared memory. */
template <int width, int pitch, int threads, bool k_contiguous>
class Share {
 public:
  __device__ Share(const Operand& operand, int64_t first_row, int64_t rows, int64_t k_begin)
      : stride_(static_cast<int>(operand.stride)),
        rows_left_(static_cast<int>(rows - first_row < width ? rows - first_row : width)) {
    const int thread = static_cast<int>(threadIdx.x);
    if (!k_contiguous && thread >= k_together * (width / 4)) rows_left_ = 0;  // the threads that are left over
    k_ = k_contiguous ? thread % 8 : thread / (width / 4);
    row_ = k_contiguous ? thread / 8 : thread % (width / 4) * 4;
    from_ = operand.data + (k_contiguous ? (first_row + row_) * operand.stride + k_begin + k_
                                         : (k_begin + k_) * operand.stride + first_row + row_);
  }

  /** Begins to copy one of four parts of the next slab. Rows that do not exist keep what the buffer holds. */
  __device__ __forceinline__ void copy(float (*buffer)[pitch], int fourth) const {
#pragma unroll
    for (int i = 0; i < (steps + 3) / 4; ++i) {
      const int step = fourth * ((steps + 3) / 4) + i;
      if (step >= steps) continue;
      if constexpr (k_contiguous) {
        const int row = step * (threads / 8);
        if (row_ + row >= rows_left_) continue;
#pragma unroll
        for (int k = 0; k < slab; k += 8) copy_ahead<1>(&buffer[k_ + k][row_ + row], from_ + row * stride_ + k);
      } else {
        const int k = step * (threads / (width / 4));
        if (k_ + k < slab && row_ < rows_left_) copy_ahead<4>(&buffer[k_ + k][row_], from_ + k * stride_);
      }
    }
  }
  __device__ __forceinline__ void advance() { from_ += k_contiguous ? slab : slab * stride_; }

 private:
  static constexpr int rows_together = k_contiguous ? threads / 8 : 1;
  static constexpr int k_together = k_contiguous ? slab : threads / (width / 4);
  static constexpr int steps = k_contiguous ? width / rows_together : (slab + k_together - 1) / k_together;
  static_assert(!k_contiguous || width % rows_together == 0);

  int stride_;
  int rows_left_;
  int k_, row_;
  const float* from_;
};

/** chain[i][j] = fma(left[i], right[j], chain[i][j]). Rows go to and fro, so that each operation shares an operand with the one
 *  before it: the registers' two banks give two operands at a time, and a third would cost a turn. */
template <int rows, int columns>
__device__ __forceinline__ void outer_product(const float (&left)[rows], const float (&right)[columns],
                                              float (&chain)[rows][columns]) {
#pragma unroll
  for (int i = 0; i < rows; ++i) {
#pragma unroll
    for (int step = 0; step < columns; ++step) {
      const int j = i % 2 == 0 ? step : columns - 1 - step;
      chain[i][j] = fma(left[i], right[j], chain[i][j]);
    }
  }
}

/** A thread's element (i, j) is at row (i / 4) * 32 + i % 4 and column (j / 4) * 16 + j % 4 from its first: a warp's reads of
 *  shared memory are then neighbours of 16 bytes. */
template <typename TileShape, bool a_by_k, bool b_by_k>
__global__ void __launch_bounds__(TileShape::threads, TileShape::blocks) quads_kernel(Work work) {
  constexpr int own_rows = TileShape::own_rows, own_columns = TileShape::own_columns, threads = TileShape::threads;
  constexpr int rows_pitch = TileShape::rows + TileShape::padding, columns_pitch = TileShape::columns + TileShape::padding;
  auto& buffers = shared_memory<typename TileShape::Buffers>();
  const Product& product = work.product;
  const Part part = own_part(work, TileShape::rows, TileShape::columns);

  // Lanes that are neighbours share a row or a column: the processor then reads both halves of a warp's quads at once.
  const int lane = lane_index(), warp = static_cast<int>(threadIdx.x) / warp_lanes;
  const int own_row = (lane / 8 * 2 + lane % 2) * 4;
  const int own_column = warp * (4 * own_columns) + lane / 2 % 4 * 4;
  Share<TileShape::rows, rows_pitch, threads, a_by_k> a(product.a, part.first_row, product.rows, part.k_begin);
  Share<TileShape::columns, columns_pitch, threads, b_by_k> b(product.b, part.first_column, product.columns, part.k_begin);
  float chain[own_rows][own_columns] = {};
  bool continued = false;  // whether out holds earlier chunks

  auto put = [&](bool last) {
    // Else the compiler computes sixteen addresses before the loop over k, and has no registers left for it.
    const int row_here = computed_here(own_row), column_here = computed_here(own_column);
#pragma unroll
    for (int i = 0; i < own_rows; ++i) {
      const int64_t row = part.first_row + row_here + i / 4 * 32 + i % 4;
      if (row >= product.rows) continue;
#pragma unroll
      for (int j = 0; j < own_columns; j += 4) {
        const int64_t column = part.first_column + column_here + j / 4 * 16;
        if (column >= product.columns) continue;
        const int64_t at = row * product.columns + column;
        float4 value = make_float4(chain[i][j], chain[i][j + 1], chain[i][j + 2], chain[i][j + 3]);
        if (continued) value = add(*reinterpret_cast<const float4*>(part.out + at), value);
        if (last && part.residual != nullptr) value = add(*reinterpret_cast<const float4*>(part.residual + at), value);
        *reinterpret_cast<float4*>(part.out + at) = value;
      }
    }
    continued = true;
#pragma unroll
    for (int i = 0; i < own_rows; ++i) {
#pragma unroll
      for (int j = 0; j < own_columns; ++j) chain[i][j] = 0.0f;
    }
  };

#pragma unroll
  for (int fourth = 0; fourth < 4; ++fourth) {
    a.copy(buffers.a[0], fourth);
    b.copy(buffers.b[0], fourth);
  }
  int buffer = 0;
  for (int k = part.k_begin;;) {
    await_copies();
    __syncthreads();  // this buffer is filled, and nobody reads the other one any more
    const bool more = k + slab < part.k_end;
    a.advance();
    b.advance();
#pragma unroll
    for (int fourth = 0; fourth < 4; ++fourth) {
      if (more) {  // beside the arithmetic, not all at once
        a.copy(buffers.a[buffer ^ 1], fourth);
        b.copy(buffers.b[buffer ^ 1], fourth);
      }
#pragma unroll
      for (int c = fourth * (slab / 4); c < (fourth + 1) * (slab / 4); ++c) {
        float left[own_rows], right[own_columns];
#pragma unroll
        for (int i = 0; i < own_rows; i += 4) {
          *reinterpret_cast<float4*>(left + i) = *reinterpret_cast<const float4*>(&buffers.a[buffer][c][own_row + i * 8]);
        }
#pragma unroll
        for (int j = 0; j < own_columns; j += 4) {
          *reinterpret_cast<float4*>(right + j) =
              *reinterpret_cast<const float4*>(&buffers.b[buffer][c][own_column + j * 4]);
        }
        outer_product(left, right, chain);
      }
    }
    buffer ^= 1;
    k += slab;
    if (k >= part.k_end || k % chain_length == 0) {
      put(k >= part.k_end);
      if (k >= part.k_end) return;
    }
  }
}

}  // namespace panthalia::canon::cuda
