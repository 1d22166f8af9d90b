// The tensors of a layout, cut into chunks, as the kernels of both opsets find them.
#pragma once

#include "cuda/device_memory.h"
#include "engine/model.h"
#include "kernels/canon/cuda_kernels.h"

namespace panthalia {

class DeviceSlots {
 public:
  DeviceSlots() = default;
  DeviceSlots(CudaDevice& device, const Layout& layout, int64_t chunk_length);
  const canon::cuda::Slots& slots() const { return slots_; }
  int64_t most_chunks() const { return most_chunks_; }

 private:
  DeviceBuffer<canon::cuda::Slot> memory_;
  canon::cuda::Slots slots_{};
  int64_t most_chunks_ = 0;  // of one tensor
};

}  // namespace panthalia
