// Cross-entropy on CUDA: one warp takes a row, so that its 32 lanes are those of the row rule.
#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/device.cuh"
#include "kernels/canon/launch.h"
#include "kernels/canon/math.cuh"

namespace panthalia::canon::cuda {
namespace {

constexpr int threads = 128;
constexpr int rows_per_block = threads / warp_lanes;

__global__ void __launch_bounds__(threads) cross_entropy_kernel(const float* logits, const int64_t* targets, int64_t rows,
                                                                int vocabulary, float* greatest_out,
                                                                float* row_sums, float* losses) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * rows_per_block + threadIdx.x / warp_lanes;
  if (row >= rows) return;
  const float* const z = logits + row * vocabulary;
  float greatest = z[0];
#pragma unroll 8
  for (int v = lane_index(); v < vocabulary; v += warp_lanes) greatest = z[v] > greatest ? z[v] : greatest;
  greatest = lane_greatest(greatest);
  float lane = 0.0f;
#pragma unroll 8
  for (int v = lane_index(); v < vocabulary; v += warp_lanes) lane = add(lane, exp(sub(z[v], greatest)));
  const float sum = lane_tree(lane);
  if (lane_index() == 0) {
    greatest_out[row] = greatest;
    row_sums[row] = sum;
    losses[row] = sub(add(log(sum), greatest), z[targets[row]]);
  }
}

/** One warp. */
__global__ void __launch_bounds__(warp_lanes) mean_kernel(const float* losses, int64_t rows, float* loss) {
  float lane = 0.0f;
  for (int64_t n = lane_index(); n < rows; n += warp_lanes) lane = add(lane, losses[n]);
  const float sum = lane_tree(lane);
  if (lane_index() == 0) *loss = div(sum, static_cast<float>(rows));
}

constexpr int elements_per_thread = 16;

__global__ void __launch_bounds__(threads) cross_entropy_backward_kernel(float* logits, const int64_t* targets,
                                                                         int64_t vocabulary, const float* greatest,
                                                                         const float* row_sums, float share) {
  const int64_t row = blockIdx.x, target = targets[row];
  const float weight = div(share, row_sums[row]), most = greatest[row];
  float* const z = logits + row * vocabulary;
  const int64_t first = static_cast<int64_t>(blockIdx.y) * (threads * elements_per_thread) + threadIdx.x;
#pragma unroll 8
  for (int i = 0; i < elements_per_thread; ++i) {
    const int64_t v = first + i * threads;
    if (v >= vocabulary) break;
    const float e = exp(sub(z[v], most));
    z[v] = v == target ? fma(e, weight, -share) : mul(e, weight);
  }
}

}  // namespace

void cross_entropy(const float* logits, const int64_t* targets, int64_t rows, int64_t vocabulary, float* greatest,
                   float* row_sums, float* losses, float* loss, cudaStream_t stream) {
  launch(stream, blocks_of(rows, rows_per_block), threads, cross_entropy_kernel, logits, targets, rows, vocabulary,
         greatest, row_sums, losses);
  launch(stream, 1, warp_lanes, mean_kernel, losses, rows, loss);
}

void cross_entropy_backward(float* logits, const int64_t* targets, int64_t rows, int64_t vocabulary,
                            const float* greatest, const float* row_sums, float share, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(rows), blocks_of(vocabulary, threads * elements_per_thread));
  launch(stream, grid, threads, cross_entropy_backward_kernel, logits, targets, vocabulary, greatest, row_sums, share);
}

}  // namespace panthalia::canon::cuda
