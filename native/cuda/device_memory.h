// Memory of one CUDA device, and the stream on which everything of one trainer happens in order.
#pragma once

#include <cuda_runtime.h>

#include <string>
#include <utility>

#include "engine/memory.h"

namespace panthalia {

class CudaDevice final : public Memory {
 public:
  /** throws NO_CUDA where there is no such device */
  explicit CudaDevice(int index);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  /** Makes the device the calling thread's current one.  throws DEVICE_LOST */
  cudaStream_t stream() const;
  const std::string& name() const { return name_; }
  int processors() const { return processors_; }
  int index() const { return index_; }

  float* allocate(int64_t floats) override;
  void release(float* data, int64_t floats) noexcept override;
  void zero(float* data, int64_t floats) override;
  void to_host(const float* data, float* host, int64_t floats) override;
  void from_host(const float* host, float* data, int64_t floats) override;
  bool is_host() const override { return false; }

  /** Not cleared.  throws OUT_OF_MEMORY with the bytes asked for and the bytes free */
  void* allocate_bytes(size_t bytes);
  void release_bytes(void* data) noexcept;
  /** Both return when host memory may be used again; where it is pinned, upload returns at once. */
  void upload(const void* host, void* data, size_t bytes);
  void download(const void* data, void* host, size_t bytes);

 private:
  int index_;
  std::string name_;
  int processors_;
  cudaStream_t stream_ = nullptr;
};

/** Scratch of one type on a device. */
template <typename Element>
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(CudaDevice& device, int64_t count)
      : device_(&device),
        data_(static_cast<Element*>(device.allocate_bytes(static_cast<size_t>(count) * sizeof(Element)))) {}
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : device_(std::exchange(other.device_, nullptr)), data_(std::exchange(other.data_, nullptr)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~DeviceBuffer() {
    if (device_ != nullptr) device_->release_bytes(data_);
  }

  Element* data() const { return data_; }

 private:
  CudaDevice* device_ = nullptr;
  Element* data_ = nullptr;
};

}  // namespace panthalia
