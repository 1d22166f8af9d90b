// Errors of the CUDA runtime as ours, and the start of a kernel. Host code only.
#pragma once

#include <cuda_runtime.h>

#include <string>

#include "engine/engine_error.h"

namespace panthalia::canon::cuda {

/** A sticky error (an illegal access, a device that fell off its bus) comes back from every later call, so a trainer on that
 *  device is lost, but the process is not.
 *  throws OUT_OF_MEMORY, NO_CUDA, DEVICE_LOST */
inline void check(cudaError_t status, const char* doing) {
  if (status == cudaSuccess) return;
  const std::string what = std::string("could not ") + doing + ": CUDA's answer must be cudaSuccess, received " +
                           cudaGetErrorName(status) + ", " + cudaGetErrorString(status);
  cudaGetLastError();  // what is not sticky must not meet the next call
  switch (status) {
    case cudaErrorMemoryAllocation: throw EngineError(ErrorCode::out_of_memory, what);
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion: throw EngineError(ErrorCode::no_cuda, what);
    default: throw EngineError(ErrorCode::device_lost, what);
  }
}

/** Starts `kernel` on grid blocks of `threads`. */
template <typename... Parameters, typename... Arguments>
void launch(cudaStream_t stream, dim3 grid, unsigned threads, void (*kernel)(Parameters...), Arguments... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = dim3(threads);
  config.stream = stream;
  check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), "start a kernel");
}

/** ceil(count / size) as a grid has it. */
inline unsigned blocks_of(int64_t count, int64_t size) { return static_cast<unsigned>((count + size - 1) / size); }

}  // namespace panthalia::canon::cuda
