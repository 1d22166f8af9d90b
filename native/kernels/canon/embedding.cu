// Token and position embedding on CUDA. No atomics: the rows of one token are added by one block, in order.
#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/device.cuh"
#include "kernels/canon/launch.h"

namespace panthalia::canon::cuda {
namespace {

constexpr int threads = 256;
constexpr int64_t column_chunk = 64;  // rows of one chunk of the column rule

__global__ void __launch_bounds__(threads) embedding_kernel(const int64_t* tokens, int64_t length, int64_t time,
                                                            int64_t width, const float* token_table,
                                                            const float* position_table, float* out) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (at >= length) return;
  const int64_t n = at / width, c = at % width;
  out[at] = add(token_table[tokens[n] * width + c], position_table[n % time * width + c]);
}

/** A block takes one token that occurs; its threads take channels. */
__global__ void __launch_bounds__(threads) token_gradient_kernel(Occurrences occurrences, const float* d_out,
                                                                 int64_t width, float* token_gradient) {
  const int begin = occurrences.starts[blockIdx.x], end = occurrences.starts[blockIdx.x + 1];
  float* const row = token_gradient + occurrences.tokens[blockIdx.x] * width;
  for (int64_t c = threadIdx.x; c < width; c += threads) {
    float sum = row[c];
#pragma unroll 4
    for (int i = begin; i < end; ++i) sum = add(sum, d_out[occurrences.rows[i] * width + c]);
    row[c] = sum;
  }
}

__global__ void __launch_bounds__(threads) position_gradient_kernel(const float* d_out, int64_t batch, int64_t time,
                                                                    int64_t length, int64_t width,
                                                                    float* position_gradient) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (at >= length) return;
  float total = 0.0f;  // also the rows from T on
  for (int64_t begin = 0; begin < batch && at < time * width; begin += column_chunk) {
    const int64_t end = begin + column_chunk < batch ? begin + column_chunk : batch;
    float chunk = 0.0f;
    for (int64_t b = begin; b < end; ++b) chunk = add(chunk, d_out[b * time * width + at]);
    total = begin == 0 ? chunk : add(total, chunk);
  }
  position_gradient[at] = total;
}

}  // namespace

void embedding(const int64_t* tokens, int64_t rows, int64_t time, int64_t width, const float* token_table,
               const float* position_table, float* out, cudaStream_t stream) {
  launch(stream, blocks_of(rows * width, threads), threads, embedding_kernel, tokens, rows * width, time, width,
         token_table, position_table, out);
}

void embedding_backward(const Occurrences& occurrences, const float* d_out, int64_t batch, int64_t time,
                        int64_t block_size, int64_t width, float* token_gradient, float* position_gradient,
                        cudaStream_t stream) {
  launch(stream, static_cast<unsigned>(occurrences.distinct), threads, token_gradient_kernel, occurrences, d_out, width,
         token_gradient);
  launch(stream, blocks_of(block_size * width, threads), threads, position_gradient_kernel, d_out, batch, time,
         block_size * width, width, position_gradient);
}

}  // namespace panthalia::canon::cuda
