#include "cuda/device_slots.h"

#include <algorithm>
#include <vector>

namespace panthalia {

DeviceSlots::DeviceSlots(CudaDevice& device, const Layout& layout, int64_t chunk_length) {
  std::vector<canon::cuda::Slot> slots;
  for (const TensorSlot& tensor : layout.tensors()) {
    const int64_t chunks = (tensor.length + chunk_length - 1) / chunk_length;
    slots.push_back({tensor.offset, tensor.length, slots_.chunks, tensor.shape.size() >= 2 ? 1 : 0});
    slots_.chunks += chunks;
    most_chunks_ = std::max(most_chunks_, chunks);
  }
  memory_ = DeviceBuffer<canon::cuda::Slot>(device, static_cast<int64_t>(slots.size()));
  device.upload(slots.data(), memory_.data(), slots.size() * sizeof(canon::cuda::Slot));
  slots_.slots = memory_.data();
  slots_.count = static_cast<int32_t>(slots.size());
}

}  // namespace panthalia
