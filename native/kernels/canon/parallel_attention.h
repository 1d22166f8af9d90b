// Causal attention of canon-f32-v1 on all threads: blocks of 64 queries forward, heads backward.
#pragma once

#include <cstdint>

#include "kernels/canon/kernels.h"
#include "kernels/canon/thread_pool.h"

namespace panthalia::canon {

/** Floats that attention saves for its backward pass. */
int64_t attention_saved(int64_t batch, int64_t time, int64_t heads);

/** Floats of workspace for either direction, with any batch and number of heads. */
int64_t attention_workspace(const Kernels& kernels, int64_t time, int64_t head_width, int threads);

/** o of "attention" in docs/opset-canon-f32-v1.md, section 4. Allocates nothing.
 *  workspace: attention_workspace floats for pool.threads(), whatever they hold */
void attention(ThreadPool& pool, const Kernels& kernels, const AttentionCall& call, float* workspace);

/** Its gradients: all of d_qkv. Allocates nothing. */
void attention_backward(ThreadPool& pool, const Kernels& kernels, const AttentionBackwardCall& call, float* workspace);

}  // namespace panthalia::canon
