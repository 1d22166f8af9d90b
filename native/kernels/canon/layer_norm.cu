// LayerNorm on CUDA: one warp takes a row, so that its 32 lanes are those of the row rule.
#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/device.cuh"
#include "kernels/canon/launch.h"

namespace panthalia::canon::cuda {
namespace {

constexpr int threads = 128;
constexpr int rows_per_block = threads / warp_lanes;
constexpr int64_t column_chunk = 64;  // rows of one chunk of the column rule

__device__ __forceinline__ int64_t row_of_warp() {
  return static_cast<int64_t>(blockIdx.x) * rows_per_block + threadIdx.x / warp_lanes;
}

__global__ void __launch_bounds__(threads) layer_norm_kernel(const float* x, const float* gain, int64_t rows, int width,
                                                             float* out, float* mean_out, float* deviation_out) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  const float* const from = x + row * width;
  float lane = 0.0f;
  for (int c = lane_index(); c < width; c += warp_lanes) lane = add(lane, from[c]);
  const float mean = div(lane_tree(lane), static_cast<float>(width));
  lane = 0.0f;
  for (int c = lane_index(); c < width; c += warp_lanes) {
    const float d = sub(from[c], mean);
    lane = fma(d, d, lane);
  }
  const float variance = div(lane_tree(lane), static_cast<float>(width));
  const float r = div(1.0f, root(add(variance, 1e-5f)));
  for (int c = lane_index(); c < width; c += warp_lanes) {
    out[row * width + c] = mul(mul(sub(from[c], mean), r), gain[c]);
  }
  if (lane_index() == 0) {
    mean_out[row] = mean;
    deviation_out[row] = r;
  }
}

__global__ void __launch_bounds__(threads) layer_norm_backward_kernel(const float* d_out, const float* x,
                                                                      const float* gain, const float* mean_in,
                                                                      const float* deviation_in, int64_t rows,
                                                                      int width, float* d_x) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  const float* const from = x + row * width;
  const float* const gradient = d_out + row * width;
  const float mean = mean_in[row], r = deviation_in[row];
  float sum = 0.0f, product = 0.0f;
  for (int c = lane_index(); c < width; c += warp_lanes) {
    const float g = mul(gradient[c], gain[c]), xhat = mul(sub(from[c], mean), r);
    sum = add(sum, g);
    product = fma(g, xhat, product);
  }
  const float a = div(lane_tree(sum), static_cast<float>(width));
  const float b = div(lane_tree(product), static_cast<float>(width));
  for (int c = lane_index(); c < width; c += warp_lanes) {
    const float g = mul(gradient[c], gain[c]), xhat = mul(sub(from[c], mean), r);
    float* const stream = d_x + row * width + c;
    *stream = add(*stream, mul(r, fma(-xhat, b, sub(g, a))));
  }
}

/** One thread sums one column over one chunk of rows. */
__global__ void __launch_bounds__(threads) gain_chunks_kernel(const float* d_out, const float* x, const float* mean,
                                                              const float* deviation, int64_t rows, int width,
                                                              float* chunk_sums) {
  const int c = static_cast<int>(blockIdx.y) * threads + static_cast<int>(threadIdx.x);
  if (c >= width) return;
  const int64_t begin = blockIdx.x * column_chunk, end = begin + column_chunk < rows ? begin + column_chunk : rows;
  float sum = 0.0f;
  for (int64_t row = begin; row < end; ++row) {
    const float xhat = mul(sub(x[row * width + c], mean[row]), deviation[row]);
    sum = fma(d_out[row * width + c], xhat, sum);
  }
  chunk_sums[blockIdx.x * static_cast<int64_t>(width) + c] = sum;
}

__global__ void __launch_bounds__(threads) gain_sums_kernel(const float* chunk_sums, int64_t chunks, int width,
                                                            float* gain_gradient) {
  const int c = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (c >= width) return;
  float sum = chunk_sums[c];
#pragma unroll 8
  for (int64_t chunk = 1; chunk < chunks; ++chunk) sum = add(sum, chunk_sums[chunk * width + c]);
  gain_gradient[c] = sum;
}

}  // namespace

void layer_norm(const float* x, const float* gain, int64_t rows, int64_t width, float* out, float* mean,
                float* reciprocal_deviation, cudaStream_t stream) {
  launch(stream, blocks_of(rows, rows_per_block), threads, layer_norm_kernel, x, gain, rows, width, out, mean,
         reciprocal_deviation);
}

void layer_norm_backward(const float* d_out, const float* x, const float* gain, const float* mean,
                         const float* reciprocal_deviation, int64_t rows, int64_t width, float* d_x,
                         float* gain_gradient, float* chunk_sums, cudaStream_t stream) {
  launch(stream, blocks_of(rows, rows_per_block), threads, layer_norm_backward_kernel, d_out, x, gain, mean,
         reciprocal_deviation, rows, width, d_x);
  const int64_t chunks = (rows + column_chunk - 1) / column_chunk;
  const unsigned column_blocks = blocks_of(width, threads);
  launch(stream, dim3(static_cast<unsigned>(chunks), column_blocks), threads, gain_chunks_kernel, d_out, x, mean,
         reciprocal_deviation, rows, width, chunk_sums);
  launch(stream, column_blocks, threads, gain_sums_kernel, chunk_sums, chunks, width, gain_gradient);
}

}  // namespace panthalia::canon::cuda
