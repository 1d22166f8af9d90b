// The gradients of causal attention. Blocks of queries are taken ascending and, for each, keys ascending, so that every
// gradient's chain goes on in memory from one tile to the next.
#pragma once

#include "kernels/canon/attention_tile.h"

namespace panthalia::canon::PANTHALIA_ISA {

/** p from scores, +0 where the key is not seen.  s (keys, lanes) */
template <Exponential power = exp>
static void probabilities(float* s, int64_t keys, int64_t lanes, int64_t first, float sigma, const float* greatest,
                          const float* weights) {
  for (int64_t j = 0; j < keys; ++j) {
    float* const row = s + j * query_pitch;
    clear_blind_lanes(row, first + j, lanes);
    for_seeing_lanes(first + j, lanes, [&](int64_t l, int64_t outside) {
      const Floats e = power(sub(mul(load(row + l), broadcast(sigma)), load(greatest + l)));
      store(row + l, where_seen(outside, mul(e, load(weights + l)), zero()));
    });
  }
}

/** ds from dp and p, +0 where the key is not seen.  d (keys, lanes) */
static void score_gradients(float* d, const float* p, int64_t keys, int64_t lanes, int64_t first, float sigma,
                            const float* corrections) {
  for (int64_t j = 0; j < keys; ++j) {
    float* const row = d + j * query_pitch;
    clear_blind_lanes(row, first + j, lanes);
    for_seeing_lanes(first + j, lanes, [&](int64_t l, int64_t outside) {
      const Floats through = mul(load(p + j * query_pitch + l), sub(load(row + l), load(corrections + l)));
      store(row + l, where_seen(outside, mul(through, broadcast(sigma)), zero()));
    });
  }
}

/** What a block of queries needs of each: what the softmax saved and sum over channels of d_out * out; zeros beyond the last. */
struct SavedRows {
  float greatest[query_block] = {}, weights[query_block] = {}, corrections[query_block] = {};

  /** saved: of the head, all its greatest scores before all its weights */
  template <typename Correction>
  PANTHALIA_INLINED SavedRows(const float* saved, int64_t first, int64_t rows, int64_t time, Correction correction) {
    for (int64_t i = 0; i < rows; ++i) {
      greatest[i] = saved[first + i];
      weights[i] = saved[time + first + i];
      corrections[i] = correction(i);
    }
  }
};

/** to = from, or to += from where an earlier chunk is there */
static void put_chunk(const float* from, int64_t from_pitch, int64_t rows, int64_t columns, float* to, int64_t to_pitch,
                      bool continued) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* chains = from + r * from_pitch;
    float* const sums = to + r * to_pitch;
    for_row(columns, [&](At at) {
      store_at(sums, continued ? add(load_at(sums, at), load_at(chains, at)) : load_at(chains, at), at);
    });
  }
}

/** All of one head. */
static void attention_backward_head(const AttentionBackwardCall& call, const Head& head, const float* saved,
                                    float* memory) {
  const int64_t D = head.width, T = head.time, stride = 3 * head.columns;
  const int64_t pitch = channel_pitch(D), channels = in_groups(D);
  Scratch scratch(memory);
  const float* const k = pack_part(call.qkv, head, 1, T, scratch);
  const float* const v = pack_part(call.qkv, head, 2, T, scratch);
  float* const q_lanes = scratch.take(D, query_pitch);
  float* const d_out_lanes = scratch.take(D, query_pitch);
  float* const d_q_chains = scratch.take(D, query_pitch);
  float* const d_q = scratch.take(D, query_pitch);
  float* const p = scratch.take(query_block, query_pitch);
  float* const d_s = scratch.take(query_block, query_pitch);
  float* const q = scratch.take(query_block, pitch);
  float* const d_out = scratch.take(query_block, pitch);
  float* const d_k_chains = scratch.take(T, channels);
  float* const d_v_chains = scratch.take(T, channels);

  for (int64_t first = 0; first < T; first += query_block) {
    const int64_t rows = least(T - first, query_block), lanes = in_groups(rows), end = first + rows;
    const SavedRows of_rows(saved, first, rows, T, [&](int64_t i) {
      return row_sum_of_products(call.d_out + head.at(first + i), call.out + head.at(first + i), D);
    });
    pack(call.qkv + head.at(first, 0), stride, rows, D, q, pitch);
    pack(call.d_out + head.at(first), head.columns, rows, D, d_out, pitch);
    clear_columns(q, pitch, rows, D, channels);
    clear_columns(d_out, pitch, rows, D, channels);
    transpose(q, pitch, rows, D, q_lanes, query_pitch);
    transpose(d_out, pitch, rows, D, d_out_lanes, query_pitch);
    clear_columns(q_lanes, query_pitch, D, rows, lanes);
    clear_columns(d_out_lanes, query_pitch, D, rows, lanes);
    const bool finite_q = rows_are_finite(q, pitch, rows, D), finite_d_out = rows_are_finite(d_out, pitch, rows, D);
    bool continued = false;
    for (int64_t j = 0; j < end; j += query_block) {
      const int64_t keys = least(end - j, query_block);
      const bool diagonal = j == first;
      multiply_channels({k + j * D, D, 1, q_lanes, query_pitch, p, query_pitch}, keys, lanes, D, diagonal);
      probabilities(p, keys, lanes, j - first, head.sigma, of_rows.greatest, of_rows.weights);
      multiply_channels({v + j * D, D, 1, d_out_lanes, query_pitch, d_s, query_pitch}, keys, lanes, D, diagonal);
      score_gradients(d_s, p, keys, lanes, j - first, head.sigma, of_rows.corrections);

      multiply_keys({k + j * D, 1, D, d_s, query_pitch, d_q_chains, query_pitch}, D, lanes, keys,
                    j % chain_chunk == 0 ? Chain::start : Chain::go_on, diagonal,
                    diagonal && rows_are_finite(k + j * D, D, keys, D));
      const Chain chain = diagonal || first % chain_chunk == 0 ? Chain::start : Chain::go_on;
      multiply_queries({d_s, query_pitch, 1, q, pitch, d_k_chains + j * channels, channels}, keys, channels, rows, chain, diagonal,
                       finite_q);
      multiply_queries({p, query_pitch, 1, d_out, pitch, d_v_chains + j * channels, channels}, keys, channels, rows, chain,
                       diagonal, finite_d_out);

      if (ends_chunk(j + keys, end)) {
        put_chunk(d_q_chains, query_pitch, D, lanes, d_q, query_pitch, continued);
        continued = true;
      }
      if (ends_chunk(end, T)) {
        const bool has_chunk = first / chain_chunk > j / chain_chunk;
        put_chunk(d_k_chains + j * channels, channels, keys, D, call.d_qkv + head.at(j, 1), stride, has_chunk);
        put_chunk(d_v_chains + j * channels, channels, keys, D, call.d_qkv + head.at(j, 2), stride, has_chunk);
      }
    }
    transpose(d_q, query_pitch, D, rows, call.d_qkv + head.at(first, 0), stride);
  }
}

/** Heads: those of the first batch row, of the second and so on. */
static void attention_backward_kernel(const AttentionBackwardCall& call, float* scratch, int64_t begin, int64_t end) {
  for (int64_t head = begin; head < end; ++head) {
    attention_backward_head(call, Head(call, head), call.saved + 2 * head * call.time, scratch);
  }
}

}  // namespace panthalia::canon::PANTHALIA_ISA
