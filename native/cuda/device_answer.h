// One number on the device, which the host waits for.
#pragma once

#include "cuda/device_memory.h"

namespace panthalia {

template <typename Value>
class DeviceAnswer {
 public:
  DeviceAnswer() = default;
  explicit DeviceAnswer(CudaDevice& device) : device_(&device), memory_(device, 1) {}
  Value* data() { return memory_.data(); }
  void set(Value value) { device_->upload(&value, memory_.data(), sizeof value); }
  /** Once everything launched before has run. */
  Value get() {
    Value value;
    device_->download(memory_.data(), &value, sizeof value);
    return value;
  }

 private:
  CudaDevice* device_ = nullptr;
  DeviceBuffer<Value> memory_;
};

}  // namespace panthalia
