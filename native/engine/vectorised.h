// Loops for the instructions of the processor at hand. Contraction is off and std::fma is exact everywhere, so the two
// versions of a loop give the same bits; they only differ in speed. Not GCC's target_clones: older compilers lack it.
#pragma once

#if defined(__x86_64__)

/** Marks the lambda given to `vectorised`: inlined, it is compiled for the instructions of its caller. */
#define PANTHALIA_LOOP() () __attribute__((always_inline))

namespace panthalia {

template <typename Loop>
__attribute__((target("avx2,fma"))) auto run_with_avx2(const Loop& loop) {
  return loop();
}

template <typename Loop>
auto vectorised(const Loop& loop) {
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return avx2 ? run_with_avx2(loop) : loop();
}

}  // namespace panthalia

#else  // Other processors have fma and vectors in their base set.

#define PANTHALIA_LOOP() ()

namespace panthalia {

template <typename Loop>
auto vectorised(const Loop& loop) {
  return loop();
}

}  // namespace panthalia

#endif
