// The end of a step: the gradient's norm, AdamW, and the search for NaN and infinities.
#include "kernels/canon/launch.h"
#include "kernels/canon/slots.cuh"
#include "kernels/torch/cuda_element.cuh"

namespace panthalia::torch_cuda {
namespace {

using canon::cuda::blocks_of;
using canon::cuda::launch;
using canon::cuda::Slot;
using canon::cuda::Slots;

constexpr int threads = 256;

template <unsigned Threads>
__device__ double block_sum(double value) {
  __shared__ double sums[Threads];
  sums[threadIdx.x] = value;
  __syncthreads();
  for (unsigned half = Threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
  }
  return sums[0];
}

/** Each thread adds few enough squares in fp32, and they in double. */
template <int Count>
__global__ void __launch_bounds__(threads) square_sums_kernel(const float* values, int64_t packs, double* sums) {
  double total = 0;
  const int64_t all = static_cast<int64_t>(gridDim.x) * threads;
  for (int64_t at = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x; at < packs; at += 4 * all) {
    float sum = 0;
#pragma unroll
    for (int unrolled = 0; unrolled < 4; ++unrolled) {
      if (at + unrolled * all >= packs) continue;
      float part[Count];
      load(values + (at + unrolled * all) * Count, part);
#pragma unroll
      for (int i = 0; i < Count; ++i) sum = fmaf(part[i], part[i], sum);
    }
    total += sum;
  }
  total = block_sum<threads>(total);
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}

__global__ void __launch_bounds__(norm_blocks) norm_kernel(const double* sums, float* norm) {
  const double total = block_sum<norm_blocks>(sums[threadIdx.x]);
  if (threadIdx.x == 0) *norm = static_cast<float>(sqrt(total));
}

struct Update {
  InnerConstants constants;
  StepScalars scalars;
  float gradient_scale;
};

template <int Count>
__device__ __forceinline__ bool update_pack(const AdamwArenas& arenas, Bf16* rounded, const Update& with, float decay,
                                            int64_t at) {
  float gradient[Count], p[Count], m[Count], v[Count];
  load(arenas.gradients + at, gradient);
  load(static_cast<const float*>(arenas.parameters) + at, p);
  load(static_cast<const float*>(arenas.m) + at, m);
  load(static_cast<const float*>(arenas.v) + at, v);
  bool finite = true;
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    const float g = gradient[i] * with.gradient_scale;
    m[i] = fmaf(with.constants.beta1, m[i], with.constants.one_minus_beta1 * g);
    v[i] = fmaf(with.constants.beta2, v[i], with.constants.one_minus_beta2 * g * g);
    const float denominator = fmaf(sqrtf(v[i]), with.scalars.second_moment_scale, with.constants.epsilon);
    p[i] = fmaf(-with.scalars.step_size, __fdividef(m[i], denominator), p[i] * decay);
    finite = finite && is_finite(m[i]) && is_finite(v[i]) && is_finite(p[i]);
  }
  store(arenas.m + at, m);
  store(arenas.v + at, v);
  store(arenas.parameters + at, p);
  if (rounded != nullptr) store(rounded + at, p);
  return finite;
}

/** A block takes a chunk of a tensor. */
__global__ void __launch_bounds__(threads) adamw_kernel(Slots slots, AdamwArenas arenas, Bf16* rounded, Update with,
                                                        int32_t* first_bad) {
  const int tensor = canon::cuda::tensor_of(slots, blockIdx.x);
  const Slot& slot = slots.slots[tensor];
  const auto [begin, count] = canon::cuda::chunk_range(slot, blockIdx.x, chunk_length);
  const float decay = slot.decayed ? with.scalars.decay : 1.0f;
  bool finite = true;
  if (begin % 4 == 0 && count % 4 == 0) {
#pragma unroll 4
    for (int i = static_cast<int>(threadIdx.x) * 4; i < count; i += threads * 4) {
      finite = update_pack<4>(arenas, rounded, with, decay, begin + i) && finite;
    }
  } else {
    for (int i = static_cast<int>(threadIdx.x); i < count; i += threads) {
      finite = update_pack<1>(arenas, rounded, with, decay, begin + i) && finite;
    }
  }
  if (!finite) atomicMin(first_bad, tensor);
}

template <typename Element>
__global__ void __launch_bounds__(threads) find_non_finite_kernel(const Element* values, int64_t length, int32_t* bad) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (at < length && !is_finite(to_float(values[at]))) *bad = 1;
}

}  // namespace

void norm(const float* values, int64_t length, double* sums, float* norm, cudaStream_t stream) {
  const bool packed = length % 4 == 0 && are_aligned(16, values);
  launch(stream, static_cast<unsigned>(norm_blocks), threads, packed ? square_sums_kernel<4> : square_sums_kernel<1>,
         values, packed ? length / 4 : length, sums);
  launch(stream, 1, static_cast<unsigned>(norm_blocks), norm_kernel, sums, norm);
}

void adamw(const Slots& slots, const AdamwArenas& arenas, Bf16* rounded, const InnerConstants& constants,
           const StepScalars& scalars, float gradient_scale, int32_t* first_bad, cudaStream_t stream) {
  launch(stream, static_cast<unsigned>(slots.chunks), threads, adamw_kernel, slots, arenas, rounded,
         Update{constants, scalars, gradient_scale}, first_bad);
}

template <typename Element>
void find_non_finite(const Element* values, int64_t length, int32_t* bad, cudaStream_t stream) {
  launch(stream, blocks_of(length, threads), threads, find_non_finite_kernel<Element>, values, length, bad);
}
template void find_non_finite(const float*, int64_t, int32_t*, cudaStream_t);
template void find_non_finite(const Bf16*, int64_t, int32_t*, cudaStream_t);

}  // namespace panthalia::torch_cuda
