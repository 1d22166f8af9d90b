// Whole steps of canon-f32-v1 as a program sees them from outside. Prints one JSON object.
//
//   panthalia_canon_training_test allocations    how often memory was asked for: to make a trainer, and in its steps
//   panthalia_canon_training_test run            what is chosen on this processor, and where three steps lead
//   panthalia_canon_training_test failures       what is said where a step fails, then of its state, and by the step after it
//   panthalia_canon_training_test births         what a step says of a NaN, for each call of the backward pass that may leave it
//   panthalia_canon_training_test memory ROOT HELD   the bytes left by the files of /proc and /sys in that folder
//   panthalia_canon_training_test run-old        the same as on a processor without AVX2
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/available_memory.h"
#include "engine/trainer.h"
#include "kernels/canon/canon_operators.h"
#include "refusal.h"
#include "watched_operators.h"

namespace {

std::atomic<int64_t> allocations = 0;  // of all threads
std::atomic<bool> no_more_pages = false;

}  // namespace

// The C library's allocator and mmap, counted: operator new and the engine's arenas come down to these.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t size) { return ++allocations, __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return ++allocations, __libc_calloc(count, size); }
void* realloc(void* memory, size_t size) { return ++allocations, __libc_realloc(memory, size); }
void* memalign(size_t alignment, size_t size) { return ++allocations, __libc_memalign(alignment, size); }
void* aligned_alloc(size_t alignment, size_t size) { return ++allocations, __libc_memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return 0;
}
void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) noexcept {
  ++allocations;
  if (no_more_pages) return MAP_FAILED;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, size, protection, flags, file, offset));
}

/** What __builtin_cpu_supports looks at (libgcc, config/i386/cpuinfo.h). */
struct ProcessorModel {
  unsigned vendor, type, subtype, features[1];
};
extern ProcessorModel __cpu_model;
}

namespace panthalia {
namespace {

/** Shapes with tails, in all of which every operator has more than one piece. */
TrainerOptions options() {
  return {{67, 83, 2, 3, 33, Gelu::erf}, {2, 77}, {0.9f, 0.1f, 0.95f, 0.05f, 1e-8f, 1.0f}, 2};
}

std::vector<int64_t> tokens(int64_t count, int64_t vocabulary, int64_t salt) {
  std::vector<int64_t> list(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) list[i] = (7919 * (i + salt) + i * i % 101) % vocabulary;
  return list;
}

/** Makes a trainer and takes three steps, the roots of each included. */
class Training {
 public:
  Training(canon::Isa isa, int threads) : Training(make_canon_operators(threads, isa)) {}
  explicit Training(std::unique_ptr<Operators> operators) : trainer_(options(), std::move(operators), stop_) {
    const int64_t count = trainer_.step_tokens(), vocabulary = trainer_.vocab_size();
    inputs_ = tokens(count, vocabulary, 0);
    targets_ = tokens(count, vocabulary, 1);
    trainer_.initialise(Seed{7});
  }
  Trainer& trainer() { return trainer_; }
  void step() { trainer_.inner_step(inputs_, targets_, {1e-2f, 3.0f, 0.999f}); }
  Digest run() {
    Digest root;
    for (int i = 0; i < 3; ++i) {
      step();
      root = trainer_.state_root();
      trainer_.gradient_root();
    }
    return root;
  }

 private:
  StopFlag stop_;
  Trainer trainer_;
  std::vector<int64_t> inputs_, targets_;
};

void count_allocations() {
  const char* separator = "";
  std::printf("[");
  for (const canon::Isa isa : canon::supported_isas()) {
    for (const int threads : {1, 3}) {
      const int64_t before = allocations;
      Training training(isa, threads);
      const int64_t made = allocations;
      training.run();
      const int64_t after = allocations;
      std::printf("%s{\"isa\":\"%s\",\"threads\":%d,\"toMake\":%lld,\"inSteps\":%lld}", separator, canon::isa_name(isa),
                  threads, static_cast<long long>(made - before), static_cast<long long>(after - made));
      separator = ",";
    }
  }
  std::printf("]\n");
}

void hide_avx2() {
  __builtin_cpu_init();
  constexpr unsigned avx2 = 10;  // FEATURE_AVX2
  __cpu_model.features[0] &= ~(1u << avx2);
  if (__builtin_cpu_supports("avx2")) {
    std::fprintf(stderr, "AVX2 is still seen: this compiler keeps it elsewhere\n");
    std::exit(1);
  }
}

void run() {
  std::string isas, refusal;
  for (const canon::Isa isa : canon::supported_isas()) {
    isas += std::string(isas.empty() ? "" : ",") + '"' + canon::isa_name(isa) + '"';
  }
  try {
    canon::isa_named("avx2");
  } catch (const EngineError& error) {
    refusal = error.what();
  }
  const Digest root = Training(canon::best_isa(), 2).run();
  std::printf("{\"isas\":[%s],\"chosen\":\"%s\",\"avx2\":\"%s\",\"root\":\"%s\"}\n", isas.c_str(),
              canon::isa_name(canon::best_isa()), refusal.c_str(), to_hex(root).c_str());
}

/** Shows what each operator has written, by its first float: to spoil it, or to fail there. */
class TouchedOperators final : public WatchedOperators {
 public:
  using Touch = std::function<void(std::string_view name, float* written)>;

  explicit TouchedOperators(Touch touch)
      : WatchedOperators(make_canon_operators(1, canon::best_isa())), touch_(std::move(touch)) {}

  void ends(const OperatorCall& call, float* written) override { touch_(call.name, written); }

 private:
  Touch touch_;
};

/** The first step of a training whose operators are touched, its state after that, and its second step. */
void print_failure(const char* separator, const char* name, const TouchedOperators::Touch& touch) {
  Training training(std::make_unique<TouchedOperators>(touch));
  const std::string first = refusal([&] { training.step(); });
  no_more_pages = false;
  const std::string state = refusal([&] { training.trainer().state_root(); });
  const std::string second = refusal([&] { training.step(); });
  std::printf("%s\"%s\":[\"%s\",\"%s\",\"%s\"]", separator, name, first.c_str(), state.c_str(), second.c_str());
}

void print_failures() {
  print_failure("{", "update", [](std::string_view name, float*) {
    if (name == "adamw") throw EngineError(ErrorCode::value_out_of_range, "a worker refuses");
  });
  print_failure(",", "normWithoutMemory", [](std::string_view name, float* written) {
    if (name != "norm") return;
    *written = INFINITY;
    no_more_pages = true;
  });
  std::printf("}\n");
}

/** What a step says of a NaN that each call of its backward pass leaves, in their order. */
void print_births() {
  const char* separator = "{";
  for (int64_t born = 0, calls = 1; born < calls; ++born, separator = ",") {
    std::string where;
    int64_t call = 0;
    Training training(std::make_unique<TouchedOperators>([&](std::string_view name, float* written) {
      if (name.find("_backward") == name.npos || call++ != born) return;
      where = name;
      *written = NAN;
    }));
    const std::string answer = refusal([&] { training.step(); });
    calls = call / options().micro_batches;
    std::printf("%s\"%lld %s\":\"%s\"", separator, static_cast<long long>(born), where.c_str(), answer.c_str());
  }
  std::printf("}\n");
}

}  // namespace
}  // namespace panthalia

int main(int argc, char** argv) {
  const std::string_view action = argc == 2 ? argv[1] : "";
  if (action == "run-old") panthalia::hide_avx2();
  if (action == "allocations") return panthalia::count_allocations(), 0;
  if (action == "run" || action == "run-old") return panthalia::run(), 0;
  if (action == "failures") return panthalia::print_failures(), 0;
  if (action == "births") return panthalia::print_births(), 0;
  if (argc == 4 && argv[1] == std::string_view("memory")) {
    std::printf("%lld\n", static_cast<long long>(panthalia::available_bytes(std::atoll(argv[3]), argv[2])));
    return 0;
  }
  std::fprintf(stderr, "usage: allocations | run | run-old | failures | births | memory ROOT HELD\n");
  return 2;
}
