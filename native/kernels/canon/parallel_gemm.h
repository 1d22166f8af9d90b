// The products of canon-f32-v1 on all threads: section 2 of docs/opset-canon-f32-v1.md, the GEMM rule.
#pragma once

#include <cstdint>

#include "kernels/canon/kernels.h"
#include "kernels/canon/thread_pool.h"

namespace panthalia::canon {

/** A product in pieces that any thread may take, each at once with any other. */
class GemmPieces {
 public:
  GemmPieces(const GemmKernel& kernel, const GemmCall& call, int threads);

  int64_t count() const { return down_ * across_; }
  /** Floats of scratch for all threads. */
  int64_t workspace() const { return threads_ * scratch_; }
  /** thread: 0 to threads - 1, whose part of the workspace is used */
  void run(int64_t piece, int thread, float* workspace) const;

 private:
  const GemmKernel& kernel_;
  const GemmCall call_;
  const int threads_;
  int64_t rows_, columns_;  // of a piece, but for those at the lower and the right edge
  int64_t down_, across_;   // pieces
  int64_t scratch_;         // floats of one thread
};

/** Floats of scratch that gemm() needs for this shape on a pool of so many threads. */
int64_t gemm_workspace(const Kernels& kernels, GemmLayout layout, int64_t m, int64_t n, int64_t k, int threads);

/** out = epilogue(A B). Matrices are dense and row-major, each as wide as its rows. Allocates nothing.
 *  workspace: gemm_workspace(.., pool.threads()) floats, which nobody else uses meanwhile */
void gemm(ThreadPool& pool, const Kernels& kernels, const GemmCall& call, float* workspace);

}  // namespace panthalia::canon
