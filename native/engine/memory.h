// Where tensors live: the host's memory, or a device's.
#pragma once

#include <cstdint>

namespace panthalia {

class Memory {
 public:
  virtual ~Memory() = default;

  /** Zero-filled and aligned to 64 bytes.  throws OUT_OF_MEMORY with the bytes asked for and those available */
  virtual float* allocate(int64_t floats) = 0;
  virtual void release(float* data, int64_t floats) noexcept = 0;

  virtual void zero(float* data, int64_t floats) = 0;
  virtual void to_host(const float* data, float* host, int64_t floats) = 0;
  virtual void from_host(const float* host, float* data, int64_t floats) = 0;
  /** Whether `data` can be read as it is. */
  virtual bool is_host() const = 0;
};

Memory& host_memory();

}  // namespace panthalia
