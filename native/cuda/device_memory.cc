#include "cuda/device_memory.h"

#include <algorithm>

#include "kernels/canon/launch.h"

namespace panthalia {

using canon::cuda::check;

CudaDevice::CudaDevice(int index) : index_(index) {
  int count = 0;
  check(cudaGetDeviceCount(&count), "look for CUDA devices");
  if (index < 0 || index >= count) {
    throw EngineError(ErrorCode::no_cuda, "device cuda must be one of the machine's CUDA devices, of which there are " +
                                              std::to_string(count) + ", received number " + std::to_string(index));
  }
  check(cudaSetDevice(index), "use the CUDA device");
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, index), "ask the CUDA device what it is");
  name_ = properties.name;
  processors_ = properties.multiProcessorCount;
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream");
}

CudaDevice::~CudaDevice() {
  cudaSetDevice(index_);
  cudaStreamDestroy(stream_);
}

cudaStream_t CudaDevice::stream() const {
  check(cudaSetDevice(index_), "use the CUDA device");
  return stream_;
}

float* CudaDevice::allocate(int64_t floats) {
  auto* data = static_cast<float*>(allocate_bytes(static_cast<size_t>(std::max<int64_t>(1, floats)) * sizeof(float)));
  zero(data, floats);
  return data;
}

void CudaDevice::release(float* data, int64_t) noexcept { release_bytes(data); }

void CudaDevice::zero(float* data, int64_t floats) {
  check(cudaMemsetAsync(data, 0, static_cast<size_t>(floats) * sizeof(float), stream()), "clear device memory");
}

void CudaDevice::to_host(const float* data, float* host, int64_t floats) {
  download(data, host, static_cast<size_t>(floats) * sizeof(float));
}

void CudaDevice::from_host(const float* host, float* data, int64_t floats) {
  upload(host, data, static_cast<size_t>(floats) * sizeof(float));
}

void* CudaDevice::allocate_bytes(size_t bytes) {
  check(cudaSetDevice(index_), "use the CUDA device");
  void* data = nullptr;
  const cudaError_t status = cudaMalloc(&data, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // it must not meet the next call
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw EngineError(ErrorCode::out_of_memory, "could not allocate " + std::to_string(bytes) + " bytes on " + name_ +
                                                    ", which has " + std::to_string(free) + " of " +
                                                    std::to_string(total) + " bytes free");
  }
  check(status, "allocate device memory");
  return data;
}

void CudaDevice::release_bytes(void* data) noexcept {
  cudaSetDevice(index_);
  cudaFree(data);  // what it says about a lost device was said by the call before
}

void CudaDevice::upload(const void* host, void* data, size_t bytes) {
  // From pageable memory the call returns when the bytes have left it.
  check(cudaMemcpyAsync(data, host, bytes, cudaMemcpyHostToDevice, stream()), "copy to the device");
}

void CudaDevice::download(const void* data, void* host, size_t bytes) {
  check(cudaMemcpyAsync(host, data, bytes, cudaMemcpyDeviceToHost, stream()), "copy from the device");
  check(cudaStreamSynchronize(stream_), "wait for the device");
}

}  // namespace panthalia
