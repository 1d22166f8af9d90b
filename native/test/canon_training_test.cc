// Whole steps of canon-f32-v1 as a program sees them from outside. Prints one JSON object.
//
//   panthalia_canon_training_test allocations    how often memory was asked for: to make a trainer, and in its steps
//   panthalia_canon_training_test lengths        bytes asked for to make a trainer, and in a step, as rows become longer and fewer
//   panthalia_canon_training_test run            what is chosen on this processor, and where three steps lead
//   panthalia_canon_training_test failures       what is said where a step fails, then of its state, and by the step after it
//   panthalia_canon_training_test births         what a step says of a NaN, for each call of either pass that may leave it
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

std::atomic<int64_t> allocations = 0, allocated_bytes = 0;  // of all threads
std::atomic<bool> no_more_pages = false;

void count(size_t size) {
  ++allocations;
  allocated_bytes += static_cast<int64_t>(size);
}

}  // namespace

// The C library's allocator and mmap, counted: operator new and the engine's arenas come down to these.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t size) { return count(size), __libc_malloc(size); }
void* calloc(size_t number, size_t size) { return count(number * size), __libc_calloc(number, size); }
void* realloc(void* memory, size_t size) { return count(size), __libc_realloc(memory, size); }
void* memalign(size_t alignment, size_t size) { return count(size), __libc_memalign(alignment, size); }
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return 0;
}
void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) noexcept {
  count(size);
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

/** 8,192 positions, in rows of ever more tokens: nothing but what attention needs can grow. */
void measure_lengths() {
  constexpr int64_t positions = 8192;
  const canon::Isa best = canon::best_isa();
  const char* separator = "[";
  for (const canon::Isa isa : canon::supported_isas()) {
    for (const int64_t length : {2048, 4096, 8192}) {
      const ModelShape model{67, positions, 1, 2, 8, Gelu::erf};
      const TrainerOptions options{model, {positions / length, length}, {0.9f, 0.1f, 0.95f, 0.05f, 1e-8f, 1.0f}, 1};
      const std::vector<int64_t> inputs = tokens(positions, 67, 0), targets = tokens(positions, 67, 1);
      StopFlag stop;
      const int64_t before = allocated_bytes;
      Trainer trainer(options, make_canon_operators(2, isa), stop);
      trainer.initialise(Seed{7});
      const int64_t made = allocated_bytes;
      if (isa == best) trainer.inner_step(inputs, targets, {1e-2f, 3.0f, 0.999f});
      std::printf("%s{\"isa\":\"%s\",\"tokens\":%lld,\"toMake\":%lld,\"inStep\":%lld}", separator, canon::isa_name(isa),
                  static_cast<long long>(length), static_cast<long long>(made - before),
                  static_cast<long long>(allocated_bytes - made));
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
  bool all_finite(ConstVector values) override {
    touch_("all_finite", nullptr);
    return WatchedOperators::all_finite(values);
  }

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
  print_failure(",", "lossesThatSumToInfinity", [](std::string_view name, float* written) {
    if (name == "cross_entropy") *written = 3e38f;
  });
  print_failure(",", "deviceLostWhereThePlaceIsLookedFor", [](std::string_view name, float* written) {
    if (name == "norm") *written = INFINITY;
    if (name == "all_finite") throw EngineError(ErrorCode::device_lost, "no answer");
  });
  print_failure(",", "normWithoutMemory", [](std::string_view name, float* written) {
    if (name != "norm") return;
    *written = INFINITY;
    no_more_pages = true;
  });
  std::printf("}\n");
}

bool is_backward(std::string_view name) { return name.find("_backward") != name.npos; }
bool is_forward(std::string_view name) {
  return !is_backward(name) && name != "accumulate" && name != "norm" && name != "adamw" && name != "all_finite";
}

/** How often the operators of a pass are called in it. */
int64_t calls_of(bool is_of_pass(std::string_view)) {
  int64_t calls = 0;
  Training training(std::make_unique<TouchedOperators>([&](std::string_view name, float*) { calls += is_of_pass(name); }));
  training.step();
  return calls / options().micro_batches;
}

/** What a step says of a NaN that each call of one of its passes leaves, in their order. */
void print_births(const char* pass, bool is_of_pass(std::string_view)) {
  std::printf("\"%s\":", pass);
  const int64_t calls = calls_of(is_of_pass);
  for (int64_t born = 0; born < calls; ++born) {
    std::string where;
    int64_t call = 0;
    Training training(std::make_unique<TouchedOperators>([&](std::string_view name, float* written) {
      if (!is_of_pass(name) || call++ != born) return;
      where = name;
      *written = NAN;
    }));
    const std::string answer = refusal([&] { training.step(); });
    std::printf("%s\"%lld %s\":\"%s\"", born == 0 ? "{" : ",", static_cast<long long>(born), where.c_str(),
                answer.c_str());
  }
  std::printf("}");
}

void print_all_births() {
  std::printf("{");
  print_births("forward", is_forward);
  std::printf(",");
  print_births("backward", is_backward);
  std::printf("}\n");
}

}  // namespace
}  // namespace panthalia

int main(int argc, char** argv) {
  const std::string_view action = argc == 2 ? argv[1] : "";
  if (action == "run-old") panthalia::hide_avx2();
  if (action == "allocations") return panthalia::count_allocations(), 0;
  if (action == "lengths") return panthalia::measure_lengths(), 0;
  if (action == "run" || action == "run-old") return panthalia::run(), 0;
  if (action == "failures") return panthalia::print_failures(), 0;
  if (action == "births") return panthalia::print_all_births(), 0;
  if (argc == 4 && argv[1] == std::string_view("memory")) {
    std::printf("%lld\n", static_cast<long long>(panthalia::available_bytes(std::atoll(argv[3]), argv[2])));
    return 0;
  }
  std::fprintf(stderr, "usage: allocations | lengths | run | run-old | failures | births | memory ROOT HELD\n");
  return 2;
}
