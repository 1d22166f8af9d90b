// The end of a step on CUDA: accumulation, the gradient norm, AdamW, and the search for NaN and infinities.
#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/device.cuh"
#include "kernels/canon/launch.h"
#include "kernels/canon/slots.cuh"

namespace panthalia::canon::cuda {
namespace {

constexpr int threads = 256;
constexpr int chunks_per_block = threads / warp_lanes;

__global__ void __launch_bounds__(threads) accumulate_kernel(const float* addend, float* total, int64_t length) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (at < length) total[at] = add(total[at], addend[at]);
}

/** One warp takes a chunk. */
__global__ void __launch_bounds__(threads) square_chunks_kernel(Slots slots, const float* gradients, float* chunk_sums) {
  const int64_t chunk = static_cast<int64_t>(blockIdx.x) * chunks_per_block + threadIdx.x / warp_lanes;
  if (chunk >= slots.chunks) return;
  const Range range = chunk_range(slots.slots[tensor_of(slots, chunk)], chunk, norm_chunk);
  const float* const from = gradients + range.begin;
  float lane = 0.0f;
#pragma unroll 8
  for (int i = lane_index(); i < range.count; i += warp_lanes) lane = fma(from[i], from[i], lane);
  const float sum = lane_tree(lane);
  if (lane_index() == 0) chunk_sums[chunk] = sum;
}

struct SomeSums {
  float values[1024];
};

/** A block takes a tensor: all of it fetch the chunks' sums, one adds them. */
__global__ void __launch_bounds__(threads) square_tensors_kernel(Slots slots, const float* chunk_sums,
                                                                 float* tensor_sums) {
  auto& [values] = shared_memory<SomeSums>();
  constexpr int some = 1024;
  const int tensor = static_cast<int>(blockIdx.x), thread = static_cast<int>(threadIdx.x);
  const int64_t begin = slots.slots[tensor].first_chunk;
  const int64_t end = tensor + 1 < slots.count ? slots.slots[tensor + 1].first_chunk : slots.chunks;
  float sum = 0.0f;
  for (int64_t first = begin; first < end; first += some) {
    const int count = static_cast<int>(end - first < some ? end - first : some);
    for (int i = thread; i < count; i += threads) values[i] = chunk_sums[first + i];
    __syncthreads();
    if (thread == 0) {
      if (first == begin) sum = values[0];
#pragma unroll 16
      for (int i = first == begin ? 1 : 0; i < count; ++i) sum = add(sum, values[i]);
    }
    __syncthreads();
  }
  if (thread == 0) tensor_sums[tensor] = sum;
}

__global__ void norm_kernel(const float* tensor_sums, int count, float* norm) {
  float total = tensor_sums[0];
  for (int tensor = 1; tensor < count; ++tensor) total = add(total, tensor_sums[tensor]);
  *norm = root(total);
}

/** A block takes a chunk of a tensor. */
__global__ void __launch_bounds__(threads) adamw_kernel(Slots slots, AdamwConstants with, const float* gradients,
                                                        float* theta, float* first, float* second,
                                                        int32_t* first_bad) {
  const int tensor = tensor_of(slots, blockIdx.x);
  const Slot& slot = slots.slots[tensor];
  const Range range = chunk_range(slot, blockIdx.x, norm_chunk);
  const float decay = slot.decayed ? with.decay : 1.0f;
  bool finite = true;
#pragma unroll 4
  for (int i = static_cast<int>(threadIdx.x); i < range.count; i += threads) {
    const int64_t at = range.begin + i;
    const float g = mul(gradients[at], with.gradient_scale);
    const float p = mul(theta[at], decay);
    const float m = fma(with.beta1, first[at], mul(with.one_minus_beta1, g));
    const float v = fma(with.beta2, second[at], mul(mul(with.one_minus_beta2, g), g));
    const float denominator = add(mul(root(v), with.second_moment_scale), with.epsilon);
    const float updated = fma(-with.step_size, div(m, denominator), p);
    first[at] = m;
    second[at] = v;
    theta[at] = updated;
    finite = finite && is_finite(m) && is_finite(v) && is_finite(updated);
  }
  if (!finite) atomicMin(first_bad, tensor);
}

__global__ void __launch_bounds__(threads) find_non_finite_kernel(const float* values, int64_t length, int32_t* bad) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (at < length && !is_finite(values[at])) *bad = 1;
}

}  // namespace

void accumulate(const float* addend, float* total, int64_t length, cudaStream_t stream) {
  launch(stream, blocks_of(length, threads), threads, accumulate_kernel, addend, total, length);
}

void gradient_norm(const Slots& slots, const float* gradients, float* chunk_sums, float* tensor_sums, float* norm,
                   cudaStream_t stream) {
  launch(stream, blocks_of(slots.chunks, chunks_per_block), threads, square_chunks_kernel, slots, gradients, chunk_sums);
  launch(stream, static_cast<unsigned>(slots.count), threads, square_tensors_kernel, slots, chunk_sums, tensor_sums);
  launch(stream, 1, 1, norm_kernel, tensor_sums, slots.count, norm);
}

void adamw(const Slots& slots, const AdamwConstants& constants, const float* gradients, float* theta, float* m, float* v,
           int32_t* first_bad, cudaStream_t stream) {
  launch(stream, static_cast<unsigned>(slots.chunks), threads, adamw_kernel, slots, constants, gradients, theta, m, v,
         first_bad);
}

void find_non_finite(const float* values, int64_t length, int32_t* bad, cudaStream_t stream) {
  launch(stream, blocks_of(length, threads), threads, find_non_finite_kernel, values, length, bad);
}

}  // namespace panthalia::canon::cuda
