// See cuda_runtime.h of this folder.
#include <cuda_runtime.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace cuda_emulation {
namespace {

constexpr int lanes = 32;
constexpr size_t stack_bytes = size_t{256} << 10;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "CUDA emulation: %s, in block (%u, %u, %u)\n", what.c_str(), blockIdx.x, blockIdx.y, blockIdx.z);
  std::abort();
}

struct Copy {
  float* to;
  const float* from;
  size_t bytes;
};

struct Fiber {
  enum class State { ready, at_block_barrier, at_warp_barrier, done };
  ucontext_t context;
  void* stack = nullptr;
  unsigned index = 0;
  State state = State::done;
  uint32_t given[2] = {};  // to the warp, for the exchange before last and the last
  int exchanges = 0;
  std::vector<Copy> copies;  // begun and not awaited
};

struct Block {
  std::vector<std::unique_ptr<Fiber>> fibers;  // kept from launch to launch for their stacks
  unsigned threads = 0;
  const std::function<void()>* thread = nullptr;
  Fiber* running = nullptr;
  ucontext_t scheduler;
  std::unique_ptr<std::byte[]> shared;
  size_t shared_bytes = 0;
  Order order = Order::ascending;
  std::minstd_rand shuffle{1};
};

Block block;

#if defined(__SANITIZE_ADDRESS__)
const void* scheduler_stack = nullptr;
size_t scheduler_stack_bytes = 0;
#endif

void switch_to_fiber(Fiber& fiber) {
  block.running = &fiber;
  threadIdx = dim3(fiber.index, 0, 0);
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, fiber.stack, stack_bytes);
  swapcontext(&block.scheduler, &fiber.context);
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
  swapcontext(&block.scheduler, &fiber.context);
#endif
}

void switch_to_scheduler() {
  Fiber& fiber = *block.running;
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(fiber.state == Fiber::State::done ? nullptr : &fake, scheduler_stack,
                                 scheduler_stack_bytes);
  swapcontext(&fiber.context, &block.scheduler);
  __sanitizer_finish_switch_fiber(fake, &scheduler_stack, &scheduler_stack_bytes);
#else
  swapcontext(&fiber.context, &block.scheduler);
#endif
}

void fiber_main() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack, &scheduler_stack_bytes);
#endif
  (*block.thread)();
  if (!block.running->copies.empty()) fail("a thread ends before its copies have arrived");
  block.running->state = Fiber::State::done;
  switch_to_scheduler();
  fail("a finished thread ran on");
}

void prepare(Fiber& fiber, unsigned index) {
  if (fiber.stack == nullptr) {
    fiber.stack = ::mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fiber.stack == MAP_FAILED) fail("no memory for a thread's stack");
  }
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack;
  fiber.context.uc_stack.ss_size = stack_bytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, fiber_main, 0);
  fiber.index = index;
  fiber.state = Fiber::State::ready;
  fiber.exchanges = 0;
}

/** Lets those go on who have all met: the lanes of a warp, or the whole block. */
bool release_barriers() {
  bool released = false;
  unsigned at_block_barrier = 0, done = 0;
  for (unsigned warp = 0; warp < block.threads; warp += lanes) {
    const unsigned end = std::min(block.threads, warp + lanes);
    unsigned waiting = 0;
    for (unsigned t = warp; t < end; ++t) {
      waiting += block.fibers[t]->state == Fiber::State::at_warp_barrier;
      at_block_barrier += block.fibers[t]->state == Fiber::State::at_block_barrier;
      done += block.fibers[t]->state == Fiber::State::done;
    }
    if (waiting == 0) continue;
    if (waiting < end - warp) fail("the lanes of a warp part before a shuffle");
    for (unsigned t = warp; t < end; ++t) block.fibers[t]->state = Fiber::State::ready;
    released = true;
  }
  if (released || done == block.threads) return released;
  if (at_block_barrier < block.threads) fail("some threads of a block never reach a barrier at which others wait");
  for (unsigned t = 0; t < block.threads; ++t) block.fibers[t]->state = Fiber::State::ready;
  return true;
}

void run_block() {
  if (block.shared_bytes > 0) std::memset(block.shared.get(), 0xff, block.shared_bytes);  // NaN
  std::vector<unsigned> order(block.threads);
  for (unsigned t = 0; t < block.threads; ++t) {
    prepare(*block.fibers[t], t);
    order[t] = block.order == Order::descending ? block.threads - 1 - t : t;
  }
  do {
    if (block.order == Order::shuffled) std::shuffle(order.begin(), order.end(), block.shuffle);
    for (const unsigned t : order) {
      if (block.fibers[t]->state == Fiber::State::ready) switch_to_fiber(*block.fibers[t]);
    }
  } while (release_barriers());
}

// --- the device

constexpr size_t whole_memory = size_t{1} << 30;
size_t memory_limit = whole_memory, memory_used = 0;
/** Negative: the device is never lost. EMULATED_LAUNCHES: where it stands at the start of a process. */
int64_t launches_left = [] {
  const char* const launches = std::getenv("EMULATED_LAUNCHES");
  return launches == nullptr ? int64_t{-1} : std::atoll(launches);
}();
bool lost = false;
std::map<void*, size_t> allocations;

cudaError_t status() { return lost ? cudaErrorLaunchFailure : cudaSuccess; }

}  // namespace

void set_order(Order order) { block.order = order; }
void limit_memory(size_t bytes) { memory_limit = bytes; }
void lose_device_after(int64_t launches) { launches_left = launches; }
void heal_device() {
  lost = false;
  launches_left = -1;
  memory_limit = whole_memory;
}
size_t allocated_memory() { return memory_used; }

cudaError_t run(const cudaLaunchConfig_t& config, const std::function<void()>& thread) {
  if (launches_left == 0) lost = true;
  if (launches_left > 0) launches_left -= 1;
  if (lost) return status();
  block.threads = config.blockDim.x;
  block.thread = &thread;
  block.shared.reset();
  block.shared_bytes = 0;
  while (block.fibers.size() < block.threads) block.fibers.push_back(std::make_unique<Fiber>());
  blockDim = config.blockDim;
  gridDim = config.gridDim;
  for (unsigned z = 0; z < gridDim.z; ++z) {
    for (unsigned y = 0; y < gridDim.y; ++y) {
      for (unsigned x = 0; x < gridDim.x; ++x) {
        blockIdx = dim3(x, y, z);
        run_block();
      }
    }
  }
  return cudaSuccess;
}

void* shared_memory(size_t bytes) {
  constexpr size_t most = size_t{48} << 10;
  if (bytes > most) fail("a block has 48 KiB of shared memory, not " + std::to_string(bytes) + " bytes");
  if (block.shared_bytes == 0) {
    block.shared = std::make_unique<std::byte[]>(bytes);
    block.shared_bytes = bytes;
    std::memset(block.shared.get(), 0xff, bytes);
  }
  if (block.shared_bytes != bytes) fail("a kernel declares two kinds of shared memory");
  return block.shared.get();
}

void wait(Barrier barrier) {
  block.running->state = barrier == Barrier::block ? Fiber::State::at_block_barrier : Fiber::State::at_warp_barrier;
  switch_to_scheduler();
}

int own_lane() { return static_cast<int>(block.running->index) % lanes; }

void copy_ahead(float* to, const float* from, int floats) {
  block.running->copies.push_back({to, from, static_cast<size_t>(floats) * sizeof(float)});
}

void await_copies() {
  for (const Copy& copy : block.running->copies) std::memcpy(copy.to, copy.from, copy.bytes);
  block.running->copies.clear();
}

/** Two places take turns: a lane can be one exchange ahead of another, never two. */
uint32_t exchange(uint32_t value, int lane) {
  Fiber& fiber = *block.running;
  const int place = fiber.exchanges++ % 2;
  fiber.given[place] = value;
  wait(Barrier::warp);
  const unsigned other = fiber.index - fiber.index % lanes + static_cast<unsigned>(lane);
  if (other >= block.threads) fail("a shuffle reads a lane that does not exist");
  return block.fibers[other]->given[place];
}

}  // namespace cuda_emulation

using namespace cuda_emulation;

const char* cudaGetErrorName(cudaError_t status) {
  switch (status) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    default: return "cudaErrorUnknown";
  }
}
const char* cudaGetErrorString(cudaError_t status) { return status == cudaSuccess ? "no error" : "emulated failure"; }
cudaError_t cudaGetLastError() { return status(); }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return device == 0 ? status() : cudaErrorInvalidDevice; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"emulated", whole_memory, 9, 0, 3};
  return status();
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = memory_limit;
  *free = *total - std::min(*total, memory_used);
  return status();
}
cudaError_t cudaMalloc(void** memory, size_t bytes) {
  if (lost) return status();
  if (bytes > memory_limit - std::min(memory_limit, memory_used)) return cudaErrorMemoryAllocation;
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(*memory, 0xff, bytes);
  allocations[*memory] = bytes;
  memory_used += bytes;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  if (memory == nullptr) return status();
  const auto found = allocations.find(memory);
  if (found == allocations.end()) fail("cudaFree of memory that is not allocated");
  memory_used -= found->second;
  allocations.erase(found);
  std::free(memory);
  return status();
}
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t) {
  if (!lost) std::memset(memory, value, bytes);
  return status();
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t) {
  if (!lost) std::memcpy(to, from, bytes);
  return status();
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = nullptr;
  return status();
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return status(); }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return status(); }
