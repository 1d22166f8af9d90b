// Tiles of 64 x 64 of the attention's products, as a block of 128 threads makes them: slabs of both factors travel through two
// buffers of shared memory, and every chain is a thread's own. For attention.cu alone.
#pragma once

#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/device.cuh"

namespace panthalia::canon::cuda {
namespace {

constexpr int tile = 64;  // J(i) of the text steps by this
constexpr int slab = 8;  // of d, i or j; the next one is copied while this one is multiplied
constexpr int threads = 128;
constexpr int pitch = tile + 4;  // floats from row to row of a tile: 16-byte aligned, and columns fall into different banks
constexpr float beside_a = 0.0f, beside_b = -0.0f;  // fills beyond the end of k: their product -0 changes no sum

struct Slabs {
  alignas(16) float a[slab][pitch];  // [k][row]
  alignas(16) float b[slab][pitch];
};
/** Two, of which one is read. Who fills the other one needs no barrier: since everybody passed the last one, nobody reads it. */
struct TwoSlabs {
  Slabs slabs[2];
};

/** A thread owns rows row + {0..3, 16..19} and columns column + {0..3} of a tile. */
struct Place {
  int row;
  int column;
};

__device__ __forceinline__ Place own_place() {
  const int thread = computed_here(static_cast<int>(threadIdx.x));
  const int lane = thread % warp_lanes, warp = thread / warp_lanes;
  // Lanes that are neighbours share a row or a column: see gemm_quads.cuh.
  return {warp / 2 * 32 + (lane / 16 * 2 + lane % 2) * 4, warp % 2 * 32 + lane / 2 % 8 * 4};
}

__device__ __forceinline__ int own_row(Place place, int i) { return place.row + i / 4 * 16 + i % 4; }

using Elements = float[8][4];

__device__ __forceinline__ void clear(Elements& elements) {
#pragma unroll
  for (int i = 0; i < 8; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) elements[i][j] = 0.0f;
  }
}

/** elements = fma(a(k, row), b(k, column), elements) for the k of a slab, ascending; to and fro, see gemm_quads.cuh. */
__device__ __forceinline__ void multiply(const float (*a)[pitch], const float (*b)[pitch], Place place,
                                         Elements& elements) {
#pragma unroll
  for (int k = 0; k < slab; ++k) {
    float left[8], right[4];
    *reinterpret_cast<float4*>(left) = *reinterpret_cast<const float4*>(&a[k][place.row]);
    *reinterpret_cast<float4*>(left + 4) = *reinterpret_cast<const float4*>(&a[k][place.row + 16]);
    *reinterpret_cast<float4*>(right) = *reinterpret_cast<const float4*>(&b[k][place.column]);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
#pragma unroll
      for (int step = 0; step < 4; ++step) {
        const int j = i % 2 == 0 ? step : 3 - step;
        elements[i][j] = fma(left[i], right[j], elements[i][j]);
      }
    }
  }
}

/** Rows of a matrix from `data` on, `stride` floats apart. Only rows x columns of it may be read. */
struct Block {
  const float* data;
  int stride;
  int rows;
  int columns;
  bool in_quads;  // whether every fourth column of every row is at a multiple of 16 bytes
};

/** Begins into[k][column] = from(first + k, column): 8 rows, 64 of their columns. */
__device__ __forceinline__ void fill_from_rows(const Block& from, int first, float fill, float (*into)[pitch]) {
  const int thread = computed_here(static_cast<int>(threadIdx.x));  // no addresses kept from slab to slab
  if (from.columns == tile && from.in_quads) {
    const int column = thread % (tile / 4) * 4, k = thread / (tile / 4);
    static_assert(slab * tile / 4 == threads);
    if (first + k < from.rows) {
      copy_ahead<4>(&into[k][column], from.data + static_cast<int64_t>(first + k) * from.stride + column);
    } else {
      *reinterpret_cast<float4*>(&into[k][column]) = make_float4(fill, fill, fill, fill);
    }
    return;
  }
  for (int part = 0; part < tile * slab / threads; ++part) {
    const int index = part * threads + thread;
    const int column = index % tile, k = index / tile;
    if (first + k < from.rows && column < from.columns) {
      copy_ahead<1>(&into[k][column], from.data + static_cast<int64_t>(first + k) * from.stride + column);
    } else {
      into[k][column] = fill;
    }
  }
}

/** The slabs of k in 0 .. end - 1, one after the other: `fill(k, slabs)` begins to fill one, `use(k, slabs)` finds it filled.
 *  buffer: which of the two was used last, kept from one run to the next. */
template <typename Fill, typename Use>
__device__ __forceinline__ void for_slabs(int end, TwoSlabs& two, int& buffer, Fill fill, Use use) {
  buffer ^= 1;
  fill(0, two.slabs[buffer]);
  for (int k = 0; k < end; k += slab) {
    await_copies();
    __syncthreads();
    if (k + slab < end) fill(k + slab, two.slabs[buffer ^ 1]);
    use(k, two.slabs[buffer]);
    if (k + slab < end) buffer ^= 1;
  }
}

/** elements = gemm(d; a(d, row), b(d, column)) of two turned blocks. kept: a tile of shared memory in which
 *  a thread touches its own elements only, for heads of more than 1,024 channels. */
__device__ __forceinline__ void inner_products(const Block& a, const Block& b, Place place, TwoSlabs& two, int& buffer,
                                               float (*kept)[pitch], Elements& elements) {
  clear(elements);
  const auto fill = [&](int d, Slabs& slabs) {
    fill_from_rows(a, d, beside_a, slabs.a);
    fill_from_rows(b, d, beside_b, slabs.b);
  };
  for_slabs(a.rows, two, buffer, fill, [&](int d, Slabs& slabs) {
    multiply(slabs.a, slabs.b, place, elements);
    const bool last = d + slab >= a.rows;
    if (a.rows <= chain_length || ((d + slab) % chain_length != 0 && !last)) return;
    const Place here = own_place();
#pragma unroll
    for (int i = 0; i < 8; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        float& sum = kept[own_row(here, i)][here.column + j];
        const float value = d < chain_length ? elements[i][j] : add(sum, elements[i][j]);
        sum = value;
        elements[i][j] = last ? value : 0.0f;
      }
    }
  });
}

/** A tile of a result in device memory, of which rows x columns exist, and whether it holds earlier chunks. */
struct Target {
  float* data;
  int stride;
  int rows;
  int columns;
  bool continued = false;

  /** Adds a chunk's chains, and clears them for the next chunk. */
  __device__ __forceinline__ void put(Elements& elements) {
    const Place place = own_place();
#pragma unroll
    for (int i = 0; i < 8; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const int row = own_row(place, i), column = place.column + j;
        if (row < rows && column < columns) {
          float* const at = data + row * stride + column;
          *at = continued ? add(*at, elements[i][j]) : elements[i][j];
        }
      }
    }
    continued = true;
    clear(elements);
  }
};

}  // namespace
}  // namespace panthalia::canon::cuda
