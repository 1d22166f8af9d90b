// LayerNorm: one warp takes a row and keeps it in registers.
#include <type_traits>

#include "kernels/canon/launch.h"
#include "kernels/torch/cuda_element.cuh"

namespace panthalia::torch_cuda {
namespace {

using canon::cuda::blocks_of;
using canon::cuda::launch;

constexpr float epsilon = 1e-5f;
constexpr int threads = 256;
constexpr int warps = threads / warp_lanes;
constexpr int most_packs = 16;  // of eight neighbours: 4096 channels; wider rows do not fit in a warp's registers
constexpr int most_single = 32;

__device__ __forceinline__ int lane_index() { return static_cast<int>(threadIdx.x) % warp_lanes; }
__device__ __forceinline__ int warp_index() { return static_cast<int>(threadIdx.x) / warp_lanes; }

/** The columns of a lane: `Packs` packs of `Count` neighbours, one every 32 packs. */
template <int Count, typename Function>
__device__ __forceinline__ void for_column(int pack, int width, Function function) {
  const int column = (pack * warp_lanes + lane_index()) * Count;
  if (column < width) function(column);
}

template <typename Element, int Count, int Packs>
__global__ void __launch_bounds__(threads) layer_norm_kernel(const float* x, const float* gain, int64_t rows, int width,
                                                             Element* out, float* means, float* deviations) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * warps + warp_index();
  if (row >= rows) return;
  x += row * width;
  out += row * width;
  float values[Packs][Count] = {};
  float sum = 0;
#pragma unroll
  for (int p = 0; p < Packs; ++p) {
    for_column<Count>(p, width, [&](int column) { load(x + column, values[p]); });
#pragma unroll
    for (int i = 0; i < Count; ++i) sum += values[p][i];
  }
  const float mean = warp_sum(sum) / static_cast<float>(width);
  float squares = 0;
#pragma unroll
  for (int p = 0; p < Packs; ++p) {
    for_column<Count>(p, width, [&](int) {
#pragma unroll
      for (int i = 0; i < Count; ++i) squares += (values[p][i] - mean) * (values[p][i] - mean);
    });
  }
  const float deviation = rsqrtf(warp_sum(squares) / static_cast<float>(width) + epsilon);
#pragma unroll
  for (int p = 0; p < Packs; ++p) {
    for_column<Count>(p, width, [&](int column) {
      float gains[Count], normed[Count];
      load(gain + column, gains);
#pragma unroll
      for (int i = 0; i < Count; ++i) normed[i] = (values[p][i] - mean) * deviation * gains[i];
      store(out + column, normed);
    });
  }
  if (lane_index() == 0) {
    means[row] = mean;
    deviations[row] = deviation;
  }
}

/** A block takes every gridDim.x-th group of rows and leaves its part of the gain's gradient in partials. */
template <typename Element, int Count, int Packs>
__global__ void __launch_bounds__(threads, Packs <= 4 ? 2 : 1)
    layer_norm_backward_kernel(const Element* d_out, const float* x, const float* gain, const float* means,
                               const float* deviations, int64_t rows, int width, StreamGradient<Element> d_x,
                               float* partials) {
  extern __shared__ float sums[];  // (C)
  float gain_sums[Packs][Count] = {};
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * warps + warp_index(); row < rows;
       row += static_cast<int64_t>(gridDim.x) * warps) {
    const int64_t at = row * width;
    const float mean = means[row], deviation = deviations[row];
    float normed[Packs][Count] = {}, through[Packs][Count] = {};
    float sum = 0, product = 0;
#pragma unroll
    for (int p = 0; p < Packs; ++p) {
      for_column<Count>(p, width, [&](int column) {
        load(x + at + column, normed[p]);
        load(d_out + at + column, through[p]);
      });
    }
#pragma unroll
    for (int p = 0; p < Packs; ++p) {
      for_column<Count>(p, width, [&](int column) {
        float gains[Count];
        load(gain + column, gains);
#pragma unroll
        for (int i = 0; i < Count; ++i) {
          normed[p][i] = (normed[p][i] - mean) * deviation;
          gain_sums[p][i] += through[p][i] * normed[p][i];
          through[p][i] *= gains[i];
          sum += through[p][i];
          product += through[p][i] * normed[p][i];
        }
      });
    }
    sum = warp_sum(sum) / static_cast<float>(width);
    product = warp_sum(product) / static_cast<float>(width);
#pragma unroll
    for (int p = 0; p < Packs; ++p) {
      for_column<Count>(p, width, [&](int column) {
        float total[Count];
        load(d_x, at + column, total);
#pragma unroll
        for (int i = 0; i < Count; ++i) total[i] += deviation * (through[p][i] - sum - normed[p][i] * product);
        store(d_x, at + column, total);
      });
    }
  }
  for (int warp = 0; warp < warps; ++warp) {
    if (warp == warp_index()) {
#pragma unroll
      for (int p = 0; p < Packs; ++p) {
        for_column<Count>(p, width, [&](int column) {
#pragma unroll
          for (int i = 0; i < Count; ++i) {
            sums[column + i] = warp == 0 ? gain_sums[p][i] : sums[column + i] + gain_sums[p][i];
          }
        });
      }
    }
    __syncthreads();
  }
  for (int column = static_cast<int>(threadIdx.x); column < width; column += threads) {
    partials[static_cast<int64_t>(blockIdx.x) * width + column] = sums[column];
  }
}

/** A block of 32 x 32 threads takes 32 columns. */
__global__ void __launch_bounds__(1024) column_sums_kernel(const float* partials, int64_t rows, int width, float* out) {
  __shared__ float sums[32][33];
  const int column = static_cast<int>(blockIdx.x) * 32 + lane_index();
  float sum = 0;
  if (column < width) {
    for (int64_t row = warp_index(); row < rows; row += 32) sum += partials[row * width + column];
  }
  sums[warp_index()][lane_index()] = sum;
  __syncthreads();
  const float total = warp_sum(sums[lane_index()][warp_index()]);
  const int summed = static_cast<int>(blockIdx.x) * 32 + warp_index();
  if (lane_index() == 0 && summed < width) out[summed] = total;
}

/** function(Count, Packs) for the fewest packs of a lane that hold a row. */
template <int Count, int Packs = 1, typename Function>
void with_packs(int64_t width, Function function) {
  if (width <= Packs * Count * warp_lanes) {
    function(std::integral_constant<int, Count>{}, std::integral_constant<int, Packs>{});
  } else if constexpr (Packs < 4) {
    with_packs<Count, Packs + 1>(width, function);
  } else if constexpr (Packs < (Count == 8 ? most_packs : most_single)) {
    with_packs<Count, Packs * 2>(width, function);
  }
}

template <typename Function>
void with_shape(int64_t width, bool aligned, Function function) {
  if (aligned && width % 8 == 0) {
    with_packs<8>(width, function);
  } else {
    with_packs<1>(width, function);
  }
}

}  // namespace

bool is_norm_width(int64_t width) {
  return width <= (width % 8 == 0 ? 8 * most_packs : most_single) * warp_lanes;
}

template <typename Element>
void layer_norm(const float* x, const float* gain, int64_t rows, int64_t width, Element* out, float* mean,
                float* reciprocal_deviation, cudaStream_t stream) {
  with_shape(width, are_aligned(16, x, gain, out), [&](auto count, auto packs) {
    constexpr int Count = decltype(count)::value, Packs = decltype(packs)::value;
    launch(stream, blocks_of(rows, warps), threads, layer_norm_kernel<Element, Count, Packs>, x, gain, rows, width, out,
           mean, reciprocal_deviation);
  });
}

template <typename Element>
void layer_norm_backward(const Element* d_out, const float* x, const float* gain, const float* mean,
                         const float* reciprocal_deviation, int64_t rows, int64_t width, StreamGradient<Element> d_x,
                         float* gain_gradient, NormPartials partials, cudaStream_t stream) {
  with_shape(width, are_aligned(16, d_out, x, gain) && is_aligned(16, d_x), [&](auto count, auto packs) {
    constexpr int Count = decltype(count)::value, Packs = decltype(packs)::value;
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(static_cast<unsigned>(partials.blocks));
    config.blockDim = dim3(threads);
    config.dynamicSmemBytes = static_cast<size_t>(width) * sizeof(float);
    config.stream = stream;
    canon::cuda::check(cudaLaunchKernelEx(&config, layer_norm_backward_kernel<Element, Count, Packs>, d_out, x, gain, mean,
                                          reciprocal_deviation, rows, static_cast<int>(width), d_x, partials.data),
                       "start a kernel");
  });
  launch(stream, blocks_of(width, 32), 1024, column_sums_kernel, partials.data, partials.blocks, width, gain_gradient);
}

#define PANTHALIA_INSTANTIATE(Element)                                                                                 \
  template void layer_norm(const float*, const float*, int64_t, int64_t, Element*, float*, float*, cudaStream_t);      \
  template void layer_norm_backward(const Element*, const float*, const float*, const float*, const float*, int64_t,   \
                                    int64_t, StreamGradient<Element>, float*, NormPartials, cudaStream_t);
PANTHALIA_INSTANTIATE(float)
PANTHALIA_INSTANTIATE(Bf16)

}  // namespace panthalia::torch_cuda
