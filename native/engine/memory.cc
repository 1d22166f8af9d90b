#include "engine/memory.h"

#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <string>

#include "engine/available_memory.h"
#include "engine/engine_error.h"

namespace panthalia {
namespace {

constexpr size_t huge_page = size_t{1} << 21;

/** Pages come zeroed from the system when they are first touched. Large arenas ask for huge pages: a product walks
 *  through them by columns too, and would miss the translation cache at every row of small ones. */
class HostMemory final : public Memory {
 public:
  float* allocate(int64_t floats) override {
    const size_t bytes = mapped_bytes(floats);
    const int64_t available = available_bytes(held_);
    // The system promises more than it has, and ends the process when the promise is called in.
    void* data = static_cast<int64_t>(bytes) > available
                     ? MAP_FAILED
                     : ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {
      const std::string left = available == unknown_memory ? "fewer" : std::to_string(available);
      throw EngineError(ErrorCode::out_of_memory, std::to_string(bytes) + " bytes of memory are needed beside the " +
                                                      std::to_string(held_) + " that the engine holds, and " + left +
                                                      " are available");
    }
    held_ += static_cast<int64_t>(bytes);
    if (bytes >= 2 * huge_page) ::madvise(data, bytes, MADV_HUGEPAGE);  // advice: a refusal changes nothing
    return static_cast<float*>(data);
  }

  void release(float* data, int64_t floats) noexcept override {
    ::munmap(data, mapped_bytes(floats));
    held_ -= static_cast<int64_t>(mapped_bytes(floats));
  }

  void zero(float* data, int64_t floats) override { std::memset(data, 0, byte_count(floats)); }
  void to_host(const float* data, float* host, int64_t floats) override {
    std::memcpy(host, data, byte_count(floats));
  }
  void from_host(const float* host, float* data, int64_t floats) override {
    std::memcpy(data, host, byte_count(floats));
  }
  bool is_host() const override { return true; }

 private:
  static size_t byte_count(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }
  static size_t mapped_bytes(int64_t floats) { return floats > 0 ? byte_count(floats) : sizeof(float); }

  std::atomic<int64_t> held_ = 0;  // by all trainers of the process
};

}  // namespace

Memory& host_memory() {
  static HostMemory memory;
  return memory;
}

}  // namespace panthalia
