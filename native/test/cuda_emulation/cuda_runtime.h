// Stands in for CUDA's header where there is no GPU: lets a C++ compiler compile the kernels of kernels/canon as they are, and
// runs them on the CPU, every thread of a block as a fiber. For tests only; it shadows the real header by its place on the
// include path. Compile with -ffp-contract=off.
//
// What it notices: threads of a block that do not meet at the same barrier, a barrier that some never reach, warps whose lanes part
// before a shuffle, memory of a block read before it was written or before a copy arrived (it holds NaN at first), and by running a block's threads
// in several orders, results that depend on the order. Addresses are the address sanitiser's business.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>

// --- types and qualifiers

#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct alignas(16) float4 {
  float x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

// --- the runtime

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorNoKernelImageForDevice = 209,
  cudaErrorUnsupportedPtxVersion = 222,
  cudaErrorLaunchFailure = 719,
};
using cudaStream_t = struct EmulatedStream*;
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 };
enum cudaDeviceAttr { cudaDevAttrMultiProcessorCount = 16 };
constexpr unsigned cudaStreamNonBlocking = 1;

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
};
struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  int major, minor, multiProcessorCount;
};

const char* cudaGetErrorName(cudaError_t status);
const char* cudaGetErrorString(cudaError_t status);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaMemGetInfo(size_t* free, size_t* total);
cudaError_t cudaMalloc(void** memory, size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);

// --- the emulation

namespace cuda_emulation {

/** In which order the threads of a block run between two barriers. */
enum class Order { ascending, descending, shuffled };
void set_order(Order order);

/** Device memory that cudaMalloc hands out at most; and the launch after `launches` more fails as on a lost device. */
void limit_memory(size_t bytes);
void lose_device_after(int64_t launches);
void heal_device();

/** Bytes of device memory that are allocated now. */
size_t allocated_memory();

cudaError_t run(const cudaLaunchConfig_t& config, const std::function<void()>& thread);

/** The block's memory of one type, filled with NaN when the block begins. */
void* shared_memory(size_t bytes);

enum class Barrier { block, warp };
void wait(Barrier barrier);
/** Gives `value` to the warp and returns lane `lane`'s, once all lanes are here. */
uint32_t exchange(uint32_t value, int lane);
int own_lane();

/** Happens when the thread awaits its copies, so that who reads too early finds what was there before. */
void copy_ahead(float* to, const float* from, int floats);
void await_copies();

}  // namespace cuda_emulation

extern dim3 threadIdx, blockIdx, blockDim, gridDim;

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  return cuda_emulation::run(*config, [&] { kernel(arguments...); });
}

// --- what kernels call

inline void __syncthreads() { cuda_emulation::wait(cuda_emulation::Barrier::block); }
inline void __syncwarp() { cuda_emulation::wait(cuda_emulation::Barrier::warp); }

inline float __uint_as_float(uint32_t bits) { return std::bit_cast<float>(bits); }
inline uint32_t __float_as_uint(float value) { return std::bit_cast<uint32_t>(value); }
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
inline float __int_as_float(int bits) { return std::bit_cast<float>(bits); }

inline float __shfl_sync(unsigned, float value, int lane) {
  return __uint_as_float(cuda_emulation::exchange(__float_as_uint(value), lane));
}
inline float __shfl_down_sync(unsigned, float value, int by) {
  const int lane = cuda_emulation::own_lane() + by;
  return __uint_as_float(cuda_emulation::exchange(__float_as_uint(value), lane < 32 ? lane : lane - by));
}
inline float __shfl_xor_sync(unsigned, float value, int mask) {
  return __uint_as_float(cuda_emulation::exchange(__float_as_uint(value), cuda_emulation::own_lane() ^ mask));
}

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }

inline uint32_t __funnelshift_r(uint32_t low, uint32_t high, int shift) {
  return static_cast<uint32_t>(((static_cast<uint64_t>(high) << 32) | low) >> (shift & 31));
}
/** Byte i of the result is byte (selector >> 4 i) & 7 of high : low. */
inline uint32_t __byte_perm(uint32_t low, uint32_t high, uint32_t selector) {
  const uint64_t bytes = (static_cast<uint64_t>(high) << 32) | low;
  uint32_t result = 0;
  for (int i = 0; i < 4; ++i) result |= static_cast<uint32_t>(bytes >> (selector >> (4 * i) & 7) * 8 & 0xff) << (8 * i);
  return result;
}
inline int atomicMin(int* at, int value) {
  const int old = *at;
  if (value < old) *at = value;
  return old;
}
