// Token and position embedding.
#pragma once

#include "kernels/canon/kernels.h"
#include "kernels/canon/reduce.h"

namespace panthalia::canon::PANTHALIA_ISA {

static void embedding_kernel(const EmbeddingCall& call, int64_t begin, int64_t end) {
  const int64_t C = call.columns;
  for (int64_t n = begin; n < end; ++n) {
    const float* token = call.token_table + call.tokens[n] * C;
    const float* position = call.position_table + n % call.time * C;
    float* out = call.out + n * C;
    for_row(C, [&](At at) { store_at(out, add(load_at(token, at), load_at(position, at)), at); });
  }
}

/** Columns [begin, end) of every token's row: positions ascending, so that a token that occurs twice adds in order. */
static void embedding_backward_tokens_kernel(const EmbeddingBackwardCall& call, int64_t begin, int64_t end) {
  const int64_t C = call.columns;
  for (int64_t n = 0; n < call.rows; ++n) {
    float* total = call.token_gradient + call.tokens[n] * C + begin;
    const float* d = call.d_out + n * C + begin;
    for_row(end - begin, [&](At at) { store_at(total, add(load_at(total, at), load_at(d, at)), at); });
  }
}

/** Positions t in [begin, end) < time: the column rule over the batch. */
static void embedding_backward_positions_kernel(const EmbeddingBackwardCall& call, int64_t begin, int64_t end) {
  const int64_t C = call.columns, batch = call.rows / call.time;
  for (int64_t t = begin; t < end; ++t) {
    for_row(C, [&](At at) {
      Floats total = zero();
      for (int64_t from = 0; from < batch; from += column_chunk) {
        const int64_t to = from + column_chunk < batch ? from + column_chunk : batch;
        Floats partial = zero();
        for (int64_t b = from; b < to; ++b) partial = add(partial, load_at(call.d_out + (b * call.time + t) * C, at));
        total = from == 0 ? partial : add(total, partial);
      }
      store_at(call.position_gradient + t * C, total, at);
    });
  }
}

}  // namespace panthalia::canon::PANTHALIA_ISA
