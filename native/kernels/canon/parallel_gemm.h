// The products of canon-f32-v1 on all threads: section 2 of docs/opset-canon-f32-v1.md, the GEMM rule.
#pragma once

#include <cstdint>

#include "kernels/canon/kernels.h"
#include "kernels/canon/thread_pool.h"

namespace panthalia::canon {

/** Floats of scratch that gemm() needs for this shape on a pool of so many threads. */
int64_t gemm_workspace(const Kernels& kernels, GemmLayout layout, int64_t m, int64_t n, int64_t k, int threads);

/** out = epilogue(A B). Matrices are dense and row-major, each as wide as its rows. Allocates nothing.
 *  workspace: gemm_workspace(.., pool.threads()) floats, which nobody else uses meanwhile */
void gemm(ThreadPool& pool, const Kernels& kernels, const GemmCall& call, float* workspace);

}  // namespace panthalia::canon
