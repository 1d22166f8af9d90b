// One contiguous, 64-byte aligned fp32 buffer.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "engine/memory.h"

namespace panthalia {

class Arena {
 public:
  Arena() = default;

  /** Zero-filled.  throws OUT_OF_MEMORY */
  explicit Arena(int64_t floats, Memory& memory = host_memory())
      : memory_(&memory), data_(memory.allocate(floats)), size_(floats) {}

  Arena(Arena&& other) noexcept
      : memory_(other.memory_), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Arena& operator=(Arena&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Arena() {
    if (data_ != nullptr) memory_->release(data_, size_);
  }

  float* data() { return data_; }
  const float* data() const { return data_; }
  int64_t size() const { return size_; }
  void zero() { memory_->zero(data_, size_); }

  std::span<float> span() { return {data_, static_cast<size_t>(size_)}; }
  std::span<const float> span() const { return {data_, static_cast<size_t>(size_)}; }

 private:
  Memory* memory_ = &host_memory();
  float* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace panthalia
