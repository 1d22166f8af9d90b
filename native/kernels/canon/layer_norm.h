// LayerNorm without bias, forward and backward.
#pragma once

#include "kernels/canon/kernels.h"
#include "kernels/canon/reduce.h"

namespace panthalia::canon::PANTHALIA_ISA {

/** put(element, At, y) takes what comes out from an element on. */
template <typename Put>
PANTHALIA_INLINE void layer_norm_rows(const LayerNormCall& call, int64_t begin, int64_t end, Put put) {
  const int64_t C = call.columns;
  const float width = static_cast<float>(C);
  for (int64_t n = begin; n < end; ++n) {
    const float* x = call.x + n * C;
    const float mean = row_sum(x, C) / width;
    float squares[1];
    row_rule(C, squares, [&](At at, auto lane) {
      const Floats d = sub(load_at(x, at), broadcast(mean));
      lane(0) = fma(d, d, lane(0));
    });
    const float r = 1.0f / __builtin_sqrtf(squares[0] / width + 1e-5f);
    for_row(C, [&](At at) {
      const Floats d = sub(load_at(x, at), broadcast(mean));
      put(n * C, at, mul(mul(d, broadcast(r)), load_at(call.gain, at)));
    });
    call.mean[n] = mean;
    call.reciprocal_deviation[n] = r;
  }
}

static void layer_norm_kernel(const LayerNormCall& call, int64_t begin, int64_t end) {
  layer_norm_rows(call, begin, end, [&](int64_t from, At at, Floats y) { store_at(call.out + from, y, at); });
}

/** Chunks of `column_chunk` rows: the rows' gradient, and the chunk's part of the gain's.
 *  get(element, At) is d_out from an element on, add_to(element, At, d) adds to d_x */
template <typename Get, typename Add>
PANTHALIA_INLINE void layer_norm_backward_chunks(const LayerNormBackwardCall& call, int64_t begin, int64_t end, Get get,
                                                 Add add_to) {
  const int64_t C = call.columns;
  const float width = static_cast<float>(C);
  for (int64_t chunk = begin; chunk < end; ++chunk) {
    float* partial = call.gain_partials + chunk * C;
    for_row(C, [&](At at) { store_at(partial, zero(), at); });
    const int64_t last = (chunk + 1) * column_chunk < call.rows ? (chunk + 1) * column_chunk : call.rows;
    for (int64_t n = chunk * column_chunk; n < last; ++n) {
      const float* x = call.x + n * C;
      const Floats mean = broadcast(call.mean[n]), r = broadcast(call.reciprocal_deviation[n]);
      auto normalised = [&](At at) { return mul(sub(load_at(x, at), mean), r); };
      float sums[2];
      row_rule(C, sums, [&](At at, auto lane) {
        const Floats d = get(n * C, at), xhat = normalised(at), g = mul(d, load_at(call.gain, at));
        lane(0) = add(lane(0), g);
        lane(1) = fma(g, xhat, lane(1));
        store_at(partial, fma(d, xhat, load_at(partial, at)), at);
      });
      const Floats a = broadcast(sums[0] / width), b = broadcast(sums[1] / width);
      for_row(C, [&](At at) {
        const Floats g = mul(get(n * C, at), load_at(call.gain, at));
        add_to(n * C, at, mul(r, fnma(normalised(at), b, sub(g, a))));
      });
    }
  }
}

static void layer_norm_backward_kernel(const LayerNormBackwardCall& call, int64_t begin, int64_t end) {
  layer_norm_backward_chunks(
      call, begin, end, [&](int64_t from, At at) { return load_at(call.d_out + from, at); },
      [&](int64_t from, At at, Floats d) { store_at(call.d_x + from, add(load_at(call.d_x + from, at), d), at); });
}

}  // namespace panthalia::canon::PANTHALIA_ISA
