// Elementwise loops are compiled once per instruction set and chosen at load time. Contraction is off and no loop that uses
// this reduces floats, so every clone gives the same bits; the clones only differ in speed.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define PANTHALIA_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PANTHALIA_VECTOR_CLONES
#endif
