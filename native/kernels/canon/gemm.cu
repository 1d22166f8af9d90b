// The GEMM rule on CUDA. A block owns a tile of the result, a thread 8 x 8 of its elements; slabs of 16 k travel through two
// buffers of shared memory. A chain never leaves its thread. Chunks of 1,024 k are added to what the result already holds,
// by the thread that owns it, or taken side by side by different blocks and added afterwards, ascending.
#include <algorithm>

#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/device.cuh"
#include "kernels/canon/launch.h"

namespace panthalia::canon::cuda {
namespace {

constexpr int slab = 16;
constexpr int own = 8;  // a thread owns 8 x 8

/** Warps of 64 rows and 32 columns. */
template <int warp_rows, int warp_columns>
struct Tile {
  static constexpr int rows = 64 * warp_rows;
  static constexpr int columns = 32 * warp_columns;
  static constexpr int threads = warp_lanes * warp_rows * warp_columns;

  struct Buffers {
    alignas(16) float a[2][slab][rows + 4];
    alignas(16) float b[2][slab][columns + 4];
  };
};

/** A thread's share of one slab of an operand, between device memory and shared memory.
 *  Beyond the end of k, a is filled with +0 and b with -0: the product -0 changes no sum, whatever it is. */
template <int width, int threads, bool k_contiguous, bool quads>
class Share {
 public:
  __device__ Share(const Operand& operand, int64_t first_row, int64_t rows, int64_t k_begin, float fill)
      : fill_(fill),
        stride_(static_cast<int>(operand.stride)),
        rows_left_(static_cast<int>(rows - first_row < width ? rows - first_row : width)) {
    const int thread = static_cast<int>(threadIdx.x);
    k_ = k_contiguous ? thread % (slab / 4) * 4 : thread / (width / 4);
    row_ = k_contiguous ? thread / (slab / 4) : thread % (width / 4) * 4;
    from_ = operand.data + (k_contiguous ? (first_row + row_) * operand.stride + k_begin + k_
                                         : (k_begin + k_) * operand.stride + first_row + row_);
  }

  /** Reads the slab that begins where the last one ended; k_left of its k are in range. */
  __device__ __forceinline__ void load(int k_left) {
#pragma unroll
    for (int part = 0; part < parts; ++part) {
      const float* const from = from_ + part * part_step * stride_;
      if constexpr (quads) {
        const bool inside = row(part) < rows_left_ && k(part) < k_left;
        held_[part] = inside ? *reinterpret_cast<const float4*>(from) : make_float4(fill_, fill_, fill_, fill_);
      } else {
        float* const held = &held_[part].x;
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          const bool inside = row(part) + (k_contiguous ? 0 : c) < rows_left_ && k(part) + (k_contiguous ? c : 0) < k_left;
          held[c] = inside ? from[c] : fill_;
        }
      }
    }
    from_ += k_contiguous ? slab : slab * stride_;
  }

  __device__ __forceinline__ void store(float (*buffer)[width + 4]) const {
#pragma unroll
    for (int part = 0; part < parts; ++part) {
      if constexpr (k_contiguous) {
        buffer[k(part) + 0][row(part)] = held_[part].x;
        buffer[k(part) + 1][row(part)] = held_[part].y;
        buffer[k(part) + 2][row(part)] = held_[part].z;
        buffer[k(part) + 3][row(part)] = held_[part].w;
      } else {
        *reinterpret_cast<float4*>(&buffer[k(part)][row(part)]) = held_[part];
      }
    }
  }

 private:
  static constexpr int parts = width * slab / 4 / threads;
  static constexpr int part_step = k_contiguous ? threads / (slab / 4) : threads / (width / 4);
  static_assert(parts * threads * 4 == width * slab && parts * part_step == (k_contiguous ? width : slab));

  __device__ __forceinline__ int row(int part) const { return k_contiguous ? row_ + part * part_step : row_; }
  __device__ __forceinline__ int k(int part) const { return k_contiguous ? k_ : k_ + part * part_step; }

  float fill_;
  int stride_;
  int rows_left_;
  int k_, row_;
  const float* from_;
  float4 held_[parts];
};

/** Where a kernel's blocks find their tiles and chunks, and what they write. */
struct Work {
  Product product;
  int64_t row_tiles;
  int64_t column_tiles;
  int64_t first_chunk;  // of the chunks taken side by side
  float* chains;        // their chains, each (rows, columns); null: a block takes all chunks, one after the other
};

/** Consecutive blocks walk down eight tiles of rows before they step to the next columns: what they read stays in the cache. */
__device__ __forceinline__ void find_tile(const Work& work, int64_t& row_tile, int64_t& column_tile) {
  constexpr int64_t band = 8;
  const int64_t block = blockIdx.x;
  const int64_t first = block / (band * work.column_tiles) * band;
  const int64_t height = work.row_tiles - first < band ? work.row_tiles - first : band;
  const int64_t within = block - first * work.column_tiles;
  row_tile = first + within % height;
  column_tile = within / height;
}

/** A thread's element (i, j) is at row (i / 4) * 32 + i % 4 and column (j / 4) * 16 + j % 4 from its first: a warp's reads of
 *  shared memory are then neighbours of 16 bytes. */
template <typename TileShape, bool a_by_k, bool b_by_k, bool quads>
__global__ void __launch_bounds__(TileShape::threads, 512 / TileShape::threads) product_kernel(Work work) {
  auto& buffers = shared_memory<typename TileShape::Buffers>();
  const Product& product = work.product;
  int64_t row_tile, column_tile;
  find_tile(work, row_tile, column_tile);
  const int64_t first_row = row_tile * TileShape::rows, first_column = column_tile * TileShape::columns;
  const bool side_by_side = work.chains != nullptr;
  const int k_begin = side_by_side ? (static_cast<int>(work.first_chunk) + static_cast<int>(blockIdx.z)) * chain_length : 0;
  const int depth = static_cast<int>(product.depth);
  const int k_end = side_by_side && depth - k_begin > chain_length ? k_begin + chain_length : depth;
  float* const out = side_by_side ? work.chains + blockIdx.z * product.rows * product.columns : product.out;
  const float* const residual = side_by_side ? nullptr : product.residual;

  const int lane = lane_index(), warp = static_cast<int>(threadIdx.x) / warp_lanes;
  constexpr int column_warps = TileShape::columns / 32;
  const int own_row = warp / column_warps * 64 + lane / 4 * 4;
  const int own_column = warp % column_warps * 32 + lane % 4 * 4;

  Share<TileShape::rows, TileShape::threads, a_by_k, quads> a(product.a, first_row, product.rows, k_begin, 0.0f);
  Share<TileShape::columns, TileShape::threads, b_by_k, quads> b(product.b, first_column, product.columns, k_begin,
                                                                 -0.0f);
  float chain[own][own] = {};
  bool continued = false;  // whether out holds earlier chunks

  auto put = [&](bool last) {
    // Else the compiler computes sixteen addresses before the loop over k, and has no registers left for it.
    const int row_here = computed_here(own_row), column_here = computed_here(own_column);
#pragma unroll
    for (int i = 0; i < own; ++i) {
      const int64_t row = first_row + row_here + i / 4 * 32 + i % 4;
      if (row >= product.rows) continue;
#pragma unroll
      for (int j = 0; j < own; j += 4) {
        const int64_t column = first_column + column_here + j / 4 * 16;
        const int64_t at = row * product.columns + column;
        const bool plus_residual = last && residual != nullptr;
        if constexpr (quads) {
          if (column >= product.columns) continue;
          float4 value = make_float4(chain[i][j], chain[i][j + 1], chain[i][j + 2], chain[i][j + 3]);
          if (continued) value = add(*reinterpret_cast<const float4*>(out + at), value);
          if (plus_residual) value = add(*reinterpret_cast<const float4*>(residual + at), value);
          *reinterpret_cast<float4*>(out + at) = value;
        } else {
#pragma unroll
          for (int c = 0; c < 4; ++c) {
            if (column + c >= product.columns) continue;
            float value = chain[i][j + c];
            if (continued) value = add(out[at + c], value);
            if (plus_residual) value = add(residual[at + c], value);
            out[at + c] = value;
          }
        }
      }
    }
    continued = true;
#pragma unroll
    for (int i = 0; i < own; ++i) {
#pragma unroll
      for (int j = 0; j < own; ++j) chain[i][j] = 0.0f;
    }
  };

  a.load(k_end - k_begin);
  b.load(k_end - k_begin);
  a.store(buffers.a[0]);
  b.store(buffers.b[0]);
  __syncthreads();
  int buffer = 0;
  for (int next = k_begin + slab;; next += slab) {
    if (next < k_end) {
      a.load(k_end - next);
      b.load(k_end - next);
    }
#pragma unroll
    for (int k = 0; k < slab; ++k) {
      float left[own], right[own];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        *reinterpret_cast<float4*>(left + half * 4) =
            *reinterpret_cast<const float4*>(&buffers.a[buffer][k][own_row + half * 32]);
        *reinterpret_cast<float4*>(right + half * 4) =
            *reinterpret_cast<const float4*>(&buffers.b[buffer][k][own_column + half * 16]);
      }
#pragma unroll
      for (int i = 0; i < own; ++i) {
#pragma unroll
        for (int j = 0; j < own; ++j) chain[i][j] = fma(left[i], right[j], chain[i][j]);
      }
    }
    buffer ^= 1;
    if (next < k_end) {
      a.store(buffers.a[buffer]);
      b.store(buffers.b[buffer]);
    }
    if (next >= k_end || next % chain_length == 0) {
      put(next >= k_end);
      if (next >= k_end) return;
    }
    __syncthreads();
  }
}

/** Adds `count` chains, ascending, to what out holds of the chunks before them. */
__global__ void __launch_bounds__(256) add_chains_kernel(Work work, int64_t count, bool last) {
  const Product& product = work.product;
  const int64_t length = product.rows * product.columns;
  const int64_t at = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x;
  if (at >= length) return;
  float value = work.chains[at];
  if (work.first_chunk > 0) value = add(product.out[at], value);
  for (int64_t i = 1; i < count; ++i) value = add(value, work.chains[i * length + at]);
  if (last && product.residual != nullptr) value = add(product.residual[at], value);
  product.out[at] = value;
}

using Kernel = void (*)(Work);

template <typename TileShape>
Kernel kernel_for(bool a_by_k, bool b_by_k, bool quads) {
  if (a_by_k && b_by_k) {
    return quads ? product_kernel<TileShape, true, true, true> : product_kernel<TileShape, true, true, false>;
  }
  if (a_by_k) {
    return quads ? product_kernel<TileShape, true, false, true> : product_kernel<TileShape, true, false, false>;
  }
  return quads ? product_kernel<TileShape, false, false, true> : product_kernel<TileShape, false, false, false>;
}

bool in_quads(const Operand& operand, int64_t rows, int64_t depth) {
  return operand.stride % 4 == 0 && reinterpret_cast<uintptr_t>(operand.data) % 16 == 0 &&
         (operand.k_contiguous ? depth : rows) % 4 == 0;
}

bool in_quads(const float* data) { return reinterpret_cast<uintptr_t>(data) % 16 == 0; }

bool in_quads(const Product& product) {
  return in_quads(product.a, product.rows, product.depth) && in_quads(product.b, product.columns, product.depth) &&
         product.columns % 4 == 0 && in_quads(product.out) && in_quads(product.residual);
}

int64_t tiles(int64_t length, int64_t size) { return (length + size - 1) / size; }

template <typename TileShape>
void launch_product(const Product& product, const ProductResources& resources, int64_t side_by_side,
                    cudaStream_t stream) {
  Work work{product, tiles(product.rows, TileShape::rows), tiles(product.columns, TileShape::columns), 0, nullptr};
  const auto blocks = static_cast<unsigned>(work.row_tiles * work.column_tiles);
  const Kernel kernel =
      kernel_for<TileShape>(product.a.k_contiguous, product.b.k_contiguous, in_quads(product));
  const int64_t chunks = tiles(product.depth, chain_length);
  const int64_t length = product.rows * product.columns;
  if (chunks < 2 || side_by_side < 2) {
    launch(stream, blocks, TileShape::threads, kernel, work);
    return;
  }
  work.chains = resources.chains;
  for (; work.first_chunk < chunks; work.first_chunk += side_by_side) {
    const int64_t count = std::min(side_by_side, chunks - work.first_chunk);
    launch(stream, dim3(blocks, 1, static_cast<unsigned>(count)), TileShape::threads, kernel, work);
    launch(stream, blocks_of(length, 256), 256, add_chains_kernel, work, count,
           work.first_chunk + count == chunks);
  }
}

}  // namespace

void product(const Product& product, const ProductResources& resources, cudaStream_t stream, Tiling tiling) {
  using Large = Tile<2, 4>;  // 128 x 128
  using Small = Tile<1, 2>;  // 64 x 64
  // Two blocks of the large tile fit on a processor; fewer than one for each leaves processors idle.
  const int64_t large_tiles = tiles(product.rows, Large::rows) * tiles(product.columns, Large::columns);
  const int64_t chunks = tiles(product.depth, chain_length);
  const int64_t fitting = resources.floats / std::max<int64_t>(1, product.rows * product.columns);
  const int64_t wanted = tiles(2 * resources.processors, large_tiles);
  const int64_t chosen = tiling.chunks_side_by_side > 0 ? tiling.chunks_side_by_side : wanted;
  const int64_t side_by_side = std::min<int64_t>({chosen, chunks, fitting, 65535});
  const bool large = tiling.block_rows > 0 ? tiling.block_rows == Large::rows
                                           : large_tiles * std::max<int64_t>(1, side_by_side) >= resources.processors;
  if (large) {
    launch_product<Large>(product, resources, side_by_side, stream);
  } else {
    launch_product<Small>(product, resources, side_by_side, stream);
  }
}

}  // namespace panthalia::canon::cuda
