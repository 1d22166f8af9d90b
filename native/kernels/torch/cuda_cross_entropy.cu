// The loss and its gradient at once: the logits are read from memory and written once, their second reading comes from the cache.
#include "kernels/canon/launch.h"
#include "kernels/torch/cuda_element.cuh"

namespace panthalia::torch_cuda {
namespace {

using canon::cuda::launch;

constexpr int threads = 1024;
constexpr int warps = threads / warp_lanes;
constexpr float log2_e = 1.4426950408889634f;

/** The greatest of what was seen, and the sum of exp(value - greatest). */
struct Weight {
  float greatest;
  float sum;
};

__device__ __forceinline__ Weight merged(Weight a, Weight b) {
  const float greatest = fmaxf(a.greatest, b.greatest);
  if (greatest == -INFINITY) return {greatest, a.sum + b.sum};
  return {greatest, a.sum * power_of_two((a.greatest - greatest) * log2_e) + b.sum * power_of_two((b.greatest - greatest) * log2_e)};
}

__device__ __forceinline__ Weight warp_merged(Weight weight) {
#pragma unroll
  for (int step = warp_lanes / 2; step > 0; step /= 2) {
    weight = merged(weight, {__shfl_xor_sync(0xffffffffu, weight.greatest, step),
                             __shfl_xor_sync(0xffffffffu, weight.sum, step)});
  }
  return weight;
}

/** A block takes a row; the second reading goes backwards, so that it meets what was read last. */
template <typename Element, int Count>
__global__ void __launch_bounds__(threads, 2) cross_entropy_kernel(Element* logits, const int64_t* targets, int vocabulary,
                                                                float* losses) {
  __shared__ Weight weights[warps];
  const int64_t row = blockIdx.x;
  Element* const values = logits + row * vocabulary;
  const int target = static_cast<int>(targets[row]);
  const float target_logit = to_float(values[target]);
  const int packs = vocabulary / Count;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % warp_lanes;
  Weight weight{-INFINITY, 0.0f};
  for (int pack = thread; pack < packs; pack += threads) {
    float part[Count];
    load(values + pack * Count, part);
    float greatest = part[0];
#pragma unroll
    for (int i = 1; i < Count; ++i) greatest = fmaxf(greatest, part[i]);
    if (!(greatest <= weight.greatest)) {
      weight.sum *= power_of_two((weight.greatest - greatest) * log2_e);
      weight.greatest = greatest;
    }
    const float offset = -weight.greatest * log2_e;
#pragma unroll
    for (int i = 0; i < Count; ++i) weight.sum += power_of_two(fmaf(part[i], log2_e, offset));
  }
  weight = warp_merged(weight);
  if (lane == 0) weights[thread / warp_lanes] = weight;
  __syncthreads();
  weight = warp_merged(weights[lane]);
  const float offset = -weight.greatest * log2_e;
  const float scale = 1.0f / weight.sum;
  if (thread == 0) losses[row] = logf(weight.sum) + weight.greatest - target_logit;
  const int last = (packs - 1 - thread) / threads;
  for (int round = packs > thread ? last : -1; round >= 0; --round) {
    const int at = (thread + round * threads) * Count;
    float part[Count];
    load(values + at, part);
#pragma unroll
    for (int i = 0; i < Count; ++i) part[i] = power_of_two(fmaf(part[i], log2_e, offset)) * scale;
    if (at <= target && target < at + Count) {
#pragma unroll
      for (int i = 0; i < Count; ++i) part[i] -= at + i == target ? 1.0f : 0.0f;
    }
    store(values + at, part);
  }
}

__global__ void __launch_bounds__(threads) mean_kernel(const float* values, int64_t count, float* mean) {
  __shared__ double sums[threads];
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += threads) sum += values[i];
  sums[threadIdx.x] = sum;
  __syncthreads();
  for (unsigned half = threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) *mean = static_cast<float>(sums[0] / static_cast<double>(count));
}

}  // namespace

template <typename Element>
void cross_entropy(Element* logits, const int64_t* targets, int64_t rows, int64_t vocabulary, float* losses, float* loss,
                   cudaStream_t stream) {
  constexpr int count = 16 / sizeof(Element);
  const bool packed = vocabulary % count == 0 && are_aligned(16, logits);
  launch(stream, static_cast<unsigned>(rows), threads,
         packed ? cross_entropy_kernel<Element, count> : cross_entropy_kernel<Element, 1>, logits, targets, vocabulary,
         losses);
  launch(stream, 1, threads, mean_kernel, losses, rows, loss);
}

template void cross_entropy(float*, const int64_t*, int64_t, int64_t, float*, float*, cudaStream_t);
template void cross_entropy(Bf16*, const int64_t*, int64_t, int64_t, float*, float*, cudaStream_t);

}  // namespace panthalia::torch_cuda
