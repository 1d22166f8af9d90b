// One contiguous, 64-byte aligned fp32 buffer.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "engine/engine_error.h"

namespace panthalia {

class Arena {
 public:
  Arena() = default;

  /** Zero-filled; calloc's pages are touched by whoever first writes them, so this is quick.  throws OUT_OF_MEMORY */
  explicit Arena(int64_t floats) : size_(floats) {
    const size_t bytes = static_cast<size_t>(floats) * sizeof(float) + alignment;
    memory_.reset(std::calloc(1, bytes));
    if (!memory_) {
      throw EngineError(ErrorCode::out_of_memory, "could not allocate " + std::to_string(bytes) + " bytes");
    }
    void* aligned = memory_.get();
    size_t space = bytes;
    data_ = static_cast<float*>(std::align(alignment, bytes - alignment, aligned, space));
  }

  float* data() { return data_; }
  const float* data() const { return data_; }
  int64_t size() const { return size_; }
  void zero() { std::memset(data_, 0, static_cast<size_t>(size_) * sizeof(float)); }

  std::span<float> span() { return {data_, static_cast<size_t>(size_)}; }
  std::span<const float> span() const { return {data_, static_cast<size_t>(size_)}; }

 private:
  static constexpr size_t alignment = 64;
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory_;
  float* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace panthalia
