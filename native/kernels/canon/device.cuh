// What every CUDA kernel of canon-f32-v1 is written with: the operations of section 1 of docs/opset-canon-f32-v1.md, one
// rounding each, and the row rule of section 2. No kernel uses an operator on floats but unary minus and comparisons, so that no
// compiler flag can change a bit; tests/engine/ptx.test.ts looks at what comes out.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace panthalia::canon::cuda {

__device__ __forceinline__ float add(float a, float b) { return __fadd_rn(a, b); }
__device__ __forceinline__ float sub(float a, float b) { return __fsub_rn(a, b); }
__device__ __forceinline__ float mul(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ float div(float a, float b) { return __fdiv_rn(a, b); }
__device__ __forceinline__ float root(float a) { return __fsqrt_rn(a); }
__device__ __forceinline__ float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }

__device__ __forceinline__ float4 add(float4 a, float4 b) {
  return make_float4(add(a.x, b.x), add(a.y, b.y), add(a.z, b.z), add(a.w, b.w));
}

constexpr int warp_lanes = 32;
constexpr unsigned whole_warp = 0xffffffffu;
/** GEMM rule: chains end where k is a multiple of this. */
constexpr int chain_length = 1024;

/** An adversary could plant any state; NaN and infinities have the largest magnitudes as integers. */
__device__ __forceinline__ bool is_finite(float value) { return (__float_as_uint(value) & 0x7fffffffu) < 0x7f800000u; }

__device__ __forceinline__ int lane_index() { return static_cast<int>(threadIdx.x) % warp_lanes; }

/** The tree of the row rule over the 32 lanes of a warp; every lane gets the value. */
__device__ __forceinline__ float lane_tree(float lane) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) lane = add(lane, __shfl_down_sync(whole_warp, lane, step));
  return __shfl_sync(whole_warp, lane, 0);
}

/** The greatest of 32 lanes, in every lane. */
__device__ __forceinline__ float lane_greatest(float lane) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(whole_warp, lane, step);
    lane = other > lane ? other : lane;
  }
  return lane;
}

/** The same number, of which the compiler knows nothing: what follows from it is not computed ahead of this place. */
__device__ __forceinline__ int computed_here(int value) {
  asm volatile("" : "+r"(value));
  return value;
}

/** Copies 1 or 4 floats from device memory to shared memory, beside what the thread does next. */
#if defined(__CUDACC__)
template <int floats>
__device__ __forceinline__ void copy_ahead(float* to, const float* from) {
  static_assert(floats == 1 || floats == 4);
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(to));
  if constexpr (floats == 4) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address), "l"(from));
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(address), "l"(from));
  }
}
/** Until all that this thread began to copy has arrived. */
__device__ __forceinline__ void await_copies() { asm volatile("cp.async.wait_all;" ::: "memory"); }
#else
template <int floats>
void copy_ahead(float* to, const float* from) {
  cuda_emulation::copy_ahead(to, from, floats);
}
inline void await_copies() { cuda_emulation::await_copies(); }
#endif

/** Shared memory of one block, one per type and kernel. */
#if defined(__CUDACC__)
template <typename Contents>
__device__ __forceinline__ Contents& shared_memory() {
  __shared__ Contents contents;
  return contents;
}
#else  // the emulation of tests has fibers for threads
template <typename Contents>
Contents& shared_memory() {
  return *static_cast<Contents*>(cuda_emulation::shared_memory(sizeof(Contents)));
}
#endif

}  // namespace panthalia::canon::cuda
