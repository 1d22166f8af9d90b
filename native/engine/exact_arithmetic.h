// To be included wherever a result is computed: compilers must round as the source says, once for each operation written.
// Contraction has no macro in GCC; CMakeLists.txt turns it off, and tests/engine/canonKernels.test.ts reads every object's flags.
#pragma once

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
    defined(__NO_SIGNED_ZEROS__) || defined(__ROUNDING_MATH__) || \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ == 1)
#error "the engine can not be compiled with -ffast-math, or a part of it: it would change bits"
#endif

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif
