// Host memory that a device reads by itself, while the host goes on.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <utility>

#include "kernels/canon/launch.h"

namespace panthalia {

template <typename Element>
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  /** throws OUT_OF_MEMORY */
  explicit PinnedBuffer(int64_t count) {
    void* data = nullptr;
    canon::cuda::check(cudaMallocHost(&data, static_cast<size_t>(count) * sizeof(Element)),
                       "allocate host memory for copies to the device");
    data_ = static_cast<Element*>(data);
  }
  PinnedBuffer(PinnedBuffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~PinnedBuffer() { cudaFreeHost(data_); }

  Element* data() const { return data_; }

 private:
  Element* data_ = nullptr;
};

}  // namespace panthalia
