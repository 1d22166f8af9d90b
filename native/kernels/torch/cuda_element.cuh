// What the kernels of opset `torch` share: packs of elements as memory moves them, and sums over a warp.
#pragma once

#include "kernels/torch/cuda_kernels.h"

namespace panthalia::torch_cuda {

constexpr int warp_lanes = 32;

/** Neighbours that are loaded and stored together. */
template <typename Element, int Count>
struct alignas(sizeof(Element) * Count > 16 ? 16 : sizeof(Element) * Count) Pack {
  Element values[Count];
};

__device__ __forceinline__ float to_float(float value) { return value; }
__device__ __forceinline__ float to_float(Bf16 value) { return __bfloat162float(value); }
__device__ __forceinline__ void from_float(float value, float& out) { out = value; }
__device__ __forceinline__ void from_float(float value, Bf16& out) { out = __float2bfloat16_rn(value); }

template <int Count, typename Element>
__device__ __forceinline__ void load(const Element* from, float (&values)[Count]) {
  const auto pack = *reinterpret_cast<const Pack<Element, Count>*>(from);
#pragma unroll
  for (int i = 0; i < Count; ++i) values[i] = to_float(pack.values[i]);
}

template <int Count, typename Element>
__device__ __forceinline__ void store(Element* to, const float (&values)[Count]) {
  Pack<Element, Count> pack;
#pragma unroll
  for (int i = 0; i < Count; ++i) from_float(values[i], pack.values[i]);
  *reinterpret_cast<Pack<Element, Count>*>(to) = pack;
}

/** 2^value, within 2 ulp; subnormals are zeros. */
__device__ __forceinline__ float power_of_two(float value) {
  float power;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(value));
  return power;
}

/** Elements [at, at + Count) of a stream's gradient. */
template <int Count>
__device__ __forceinline__ void load(StreamGradient<float> from, int64_t at, float (&values)[Count]) {
  load(from.values + at, values);
}
template <int Count>
__device__ __forceinline__ void load(StreamGradient<Bf16> from, int64_t at, float (&values)[Count]) {
  float low[Count];
  load(from.high + at, values);
  load(from.low + at, low);
#pragma unroll
  for (int i = 0; i < Count; ++i) values[i] += low[i];
}

template <int Count>
__device__ __forceinline__ void store(StreamGradient<float> to, int64_t at, const float (&values)[Count]) {
  store(to.values + at, values);
}
template <int Count>
__device__ __forceinline__ void store(StreamGradient<Bf16> to, int64_t at, const float (&values)[Count]) {
  float low[Count];
#pragma unroll
  for (int i = 0; i < Count; ++i) low[i] = values[i] - __bfloat162float(__float2bfloat16_rn(values[i]));
  store(to.high + at, values);
  store(to.low + at, low);
}

inline bool is_aligned(size_t bytes, StreamGradient<float> stream) {
  return reinterpret_cast<uintptr_t>(stream.values) % bytes == 0;
}
inline bool is_aligned(size_t bytes, StreamGradient<Bf16> stream) {
  return reinterpret_cast<uintptr_t>(stream.high) % bytes == 0 && reinterpret_cast<uintptr_t>(stream.low) % bytes == 0;
}

/** In every lane. */
__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int step = warp_lanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}

__device__ __forceinline__ bool is_finite(float value) { return (__float_as_uint(value) & 0x7fffffffu) < 0x7f800000u; }

/** Whether all of them can be moved in packs that are `bytes` long at least. */
template <typename... Pointers>
bool are_aligned(size_t bytes, const Pointers*... pointers) {
  return ((reinterpret_cast<uintptr_t>(pointers) % bytes == 0) && ...);
}

}  // namespace panthalia::torch_cuda
