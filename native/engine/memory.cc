#include "engine/memory.h"

#include <sys/mman.h>

#include <cstring>
#include <string>

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
    void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {
      throw EngineError(ErrorCode::out_of_memory, "could not allocate " + std::to_string(bytes) + " bytes");
    }
    if (bytes >= 2 * huge_page) ::madvise(data, bytes, MADV_HUGEPAGE);  // advice: a refusal changes nothing
    return static_cast<float*>(data);
  }

  void release(float* data, int64_t floats) noexcept override { ::munmap(data, mapped_bytes(floats)); }

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
};

}  // namespace

Memory& host_memory() {
  static HostMemory memory;
  return memory;
}

}  // namespace panthalia
