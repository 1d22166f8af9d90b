#include "kernels/canon/parallel_attention.h"

#include <algorithm>

namespace panthalia::canon {

namespace {

/** Where the threads' scratch begins and how far apart it lies, in floats: no two share a cache line. */
constexpr int64_t line = 16;
constexpr int64_t pieces_per_thread = 4;

int64_t scratch_stride(const Kernels& kernels, int64_t time, int64_t head_width) {
  return (kernels.attention_scratch(time, head_width) + line - 1) / line * line;
}

float* at_line(float* workspace) {
  const auto address = reinterpret_cast<uintptr_t>(workspace), size = line * sizeof(float);
  return workspace + (size - address % size) % size / sizeof(float);
}

}  // namespace

int64_t attention_saved(int64_t batch, int64_t time, int64_t heads) { return 2 * batch * heads * time; }

int64_t attention_workspace(const Kernels& kernels, int64_t time, int64_t head_width, int threads) {
  return threads * scratch_stride(kernels, time, head_width) + line;
}

void attention(ThreadPool& pool, const Kernels& kernels, const AttentionCall& call, float* workspace) {
  const int64_t stride = scratch_stride(kernels, call.time, call.head_width);
  const int64_t heads = call.batch * call.heads, blocks = (call.time + query_block - 1) / query_block;
  // As few pieces of a head as give every thread several: each packs keys and values anew.
  const int64_t wanted = std::min(blocks, (pieces_per_thread * pool.threads() + heads - 1) / heads);
  const int64_t piece_blocks = (blocks + wanted - 1) / wanted, parts = (blocks + piece_blocks - 1) / piece_blocks;
  float* const scratch = at_line(workspace);
  // Those with the most keys first, so that no thread is left alone with one at the end.
  pool.run(heads * parts, [&](int64_t piece, int thread) {
    const int64_t first = piece % heads * blocks, begin = (parts - 1 - piece / heads) * piece_blocks;
    kernels.attention(call, scratch + thread * stride, first + begin, first + std::min(begin + piece_blocks, blocks));
  });
}

void attention_backward(ThreadPool& pool, const Kernels& kernels, const AttentionBackwardCall& call, float* workspace) {
  const int64_t stride = scratch_stride(kernels, call.time, call.head_width);
  float* const scratch = at_line(workspace);
  pool.run(call.batch * call.heads, [&](int64_t head, int thread) {
    kernels.attention_backward(call, scratch + thread * stride, head, head + 1);
  });
}

}  // namespace panthalia::canon
